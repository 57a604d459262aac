"""Rows come one by one out of every kind of file, and what is no row is told by its place."""

from __future__ import annotations

import json
import tracemalloc
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepgym_envs.errors import UsageError
from deepgym_envs.importers.rows import MOST_BYTES, Row, read_dataset, read_rows, rows_of_json

ROWS: list[dict[str, Any]] = [{"instance_id": "a", "n": [1, "]"]}, {"instance_id": "b\n", "t": {"x": None}}]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


def written(folder: Path, name: str, rows: list[Any]) -> Path:
    place = folder / name
    if name.endswith(".jsonl"):
        place.write_text("".join(json.dumps(row) + "\n" for row in rows))
    elif name.endswith(".json"):
        place.write_text(json.dumps(rows, indent=1))
    else:
        pa = pytest.importorskip("pyarrow")
        pytest.importorskip("pyarrow.parquet").write_table(pa.Table.from_pylist(rows), place)
    return place


def values(source: Path | str) -> list[Any]:
    found = list(read_rows(str(source)))
    assert not [row.problem for row in found if row.problem]
    return [row.values for row in found]


@pytest.mark.parametrize("name", ["x.json", "x.jsonl"])
def test_rows_are_what_was_written(tmp_path: Path, name: str) -> None:
    place = written(tmp_path, name, ROWS)
    assert values(place) == values(tmp_path) == ROWS
    assert [row.where for row in read_rows(str(place))] == [f"{name}:1", f"{name}:2"]


def test_rows_of_parquet_are_what_was_written(tmp_path: Path) -> None:
    rows = [{"instance_id": str(number), "FAIL_TO_PASS": ["a::b"] * number} for number in range(200)]
    assert values(written(tmp_path, "x.parquet", rows)) == rows


def test_a_folder_is_read_file_by_file(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    written(tmp_path / "data", "b.jsonl", ROWS[1:])
    written(tmp_path, "a.json", ROWS[:1])
    (tmp_path / "README.md").write_text("x")
    assert values(tmp_path) == ROWS


def test_one_object_and_several_without_a_list_are_rows(tmp_path: Path) -> None:
    (tmp_path / "one.json").write_text(json.dumps(ROWS[0]))
    (tmp_path / "two.json").write_text("\ufeff" + "\n".join(map(json.dumps, ROWS)))
    assert values(tmp_path / "one.json") == ROWS[:1]
    assert values(tmp_path / "two.json") == ROWS


@given(st.lists(st.dictionaries(st.text(max_size=3), VALUES, max_size=3), max_size=6), st.integers(1, 40))
def test_a_list_is_read_alike_however_it_falls_into_pieces(rows: list[Any], size: int) -> None:
    with TemporaryDirectory() as folder:
        place = written(Path(folder), "x.json", rows)
        assert [row.values for row in rows_of_json(place, piece=size)] == rows


@pytest.mark.parametrize(
    ("name", "text", "problems"),
    [
        ("x.jsonl", b'{"a": 1}\n{"a":\n\n[1]\n{"a": 2}\n', {2: "is not JSON", 4: "is no object"}),
        ("x.jsonl", b'{"a": 1, "a": 2}\n{"a": NaN}\n\xff\n', {1: "twice", 2: "NaN", 3: "is not JSON"}),
        ("x.jsonl", b"[" * 100_000 + b"\n", {1: "is not JSON"}),
        ("x.json", b'[{"a": 1}, {"a": , {"a": 3}]', {2: "what follows is not read"}),
        ("x.json", b'[{"a": 1}, 7, "x", {"a": 3}]', {2: "is no object", 3: "is no object"}),
        ("x.json", b'[{"a": 1}', {2: "cut off"}),
        ("x.json", b'[{"a": 1}] trailing', {2: "is not JSON"}),
        ("x.parquet", b"PAR1 no", {1: "is not Parquet"}),
    ],
)
def test_what_is_no_row_is_told_by_its_place(
    tmp_path: Path, name: str, text: bytes, problems: dict[int, str]
) -> None:
    if name.endswith(".parquet"):
        pytest.importorskip("pyarrow")
    (tmp_path / name).write_bytes(text)
    found = {row.where: row.problem for row in read_rows(str(tmp_path / name)) if row.problem}
    assert list(found) == [f"{name}:{number}" for number in problems]
    for said, wanted in zip(found.values(), problems.values(), strict=True):
        assert wanted in said


@pytest.mark.slow
@pytest.mark.parametrize("name", ["x.jsonl", "x.json"])
def test_a_value_beyond_any_row_is_one_problem_and_takes_bounded_memory(tmp_path: Path, name: str) -> None:
    with (tmp_path / name).open("wb") as file:
        file.write(b'{"a": "')
        for _ in range(160):
            file.write(b"x" * (1 << 20))
        file.write(b'"}\n{"a": 1}\n')
    tracemalloc.start()
    found = list(read_rows(str(tmp_path / name)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len([row for row in found if row.problem]) == 1
    assert (found[-1].values == {"a": 1}) is (name == "x.jsonl")
    assert peak < 6 * MOST_BYTES


@pytest.mark.parametrize("name", ["nothing", "x.csv", "no/where.jsonl", "a/b/c"])
def test_what_is_no_source_is_a_wrong_argument(tmp_path: Path, name: str) -> None:
    (tmp_path / "x.csv").write_text("a,b\n")
    with pytest.raises(UsageError):
        list(read_rows(str(tmp_path / name)))


def test_a_folder_without_data_is_a_wrong_argument(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"holds no \.json"):
        read_rows(str(tmp_path))


@pytest.mark.skipif(find_spec("datasets") is not None, reason="datasets is installed")
def test_a_data_set_of_the_hub_says_what_to_install() -> None:
    with pytest.raises(UsageError, match=r"pip install 'deepgym-envs\[hf\]'"):
        read_rows("owner/name:test")


@pytest.mark.slow
@pytest.mark.skipif(find_spec("datasets") is None, reason="datasets is not installed")
@pytest.mark.filterwarnings("default")
def test_a_data_set_is_loaded_by_its_splits(tmp_path: Path) -> None:
    written(tmp_path, "train.jsonl", ROWS[:1])
    assert list(read_dataset(str(tmp_path))) == [Row(f"{tmp_path}:train:1", ROWS[0])]
    written(tmp_path, "test.jsonl", ROWS[:1] * 3)
    assert len(list(read_dataset(str(tmp_path), "test"))) == 3
    with pytest.raises(UsageError, match="has the splits"):
        read_dataset(str(tmp_path))
    with pytest.raises(UsageError, match="cannot be loaded"):
        read_dataset(str(tmp_path), "nothing")
    with pytest.raises(UsageError, match="cannot be loaded"):
        read_dataset(str(tmp_path / "nowhere"), "test")
