"""Labelled episodes as trainers read them."""

# ruff: noqa: TID252 - the tests are no package that could be named

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from deepgym_envs import UsageError
from deepgym_envs.step_labels import FORMATS, Continuations, LabelledEpisode, Written, write_labels

from ..episodes import episode

FIRST = '{"name": "write_file", "arguments": {"path": "a.py", "content": "x = \'\\u0000\\ud800é\'\\n"}}'
LAST = '{"name": "submit", "arguments": {"confidence": null}}'
SOLVED = LabelledEpisode(
    episode(output="done\ud800"),
    "random",
    Continuations("2" * 64, 1, 4),
    (Continuations("1" * 64, 2, 4, masked=1), Continuations("1" * 64, 1, 1, final=True)),
)
SPOILED = replace(
    SOLVED,
    trajectory=replace(episode(1), judgement=None),
    steps=(Continuations("1" * 64, 0, 4), Continuations("1" * 64, 0, 1, final=True)),
)
UNKNOWN = replace(SOLVED, steps=(Continuations("1" * 64, 0, 0, masked=4), SOLVED.steps[1]))
HOPELESS = replace(SPOILED, start=Continuations("2" * 64, 0, 4))


def written(tmp_path: Path, wanted: str, *episodes: LabelledEpisode, threshold: float = 0.0) -> list[Any]:
    target = tmp_path / "labels.jsonl"
    write_labels(episodes, target, wanted, threshold=threshold)  # type: ignore[arg-type]
    assert [one.name for one in tmp_path.iterdir()] == ["labels.jsonl"]
    return [json.loads(line) for line in target.read_text(encoding="ascii").splitlines()]


def test_trl_rows_are_stepwise_supervision_with_the_shares_beside_it(tmp_path: Path) -> None:
    [row] = written(tmp_path, "trl", SOLVED)
    assert row == {
        "prompt": "# Mend it\n",
        "completions": [FIRST, LAST],
        "labels": [True, True],
        "rewards": [0.5, 1.0],
        "observations": ["done\\ud800", "done\\ud800"],
    }
    [row] = written(tmp_path, "trl", SOLVED, threshold=0.5)
    assert row["labels"] == [False, True]


def test_prm800k_rows_end_at_the_first_error(tmp_path: Path) -> None:
    solved, spoiled, hopeless = written(tmp_path, "prm800k", SOLVED, SPOILED, HOPELESS)
    assert solved["question"]["problem"] == "# Mend it\n"
    assert solved["label"]["finish_reason"] == "solution"
    [first, last] = solved["label"]["steps"]
    assert first["completions"] == [{"text": FIRST, "rating": 1, "flagged": False}]
    assert last["completions"][0]["rating"] == 1
    assert _ratings(spoiled) == [-1]
    assert spoiled["label"]["finish_reason"] == "found_error"
    assert _ratings(hopeless) == [0, 0]
    assert hopeless["label"]["finish_reason"] == "give_up"


def _ratings(row: Any) -> list[int]:
    return [step["completions"][0]["rating"] for step in row["label"]["steps"]]


def test_processbench_rows_name_the_first_error(tmp_path: Path) -> None:
    rows = written(tmp_path, "processbench", SOLVED, SPOILED)
    assert [(row["label"], row["final_answer_correct"]) for row in rows] == [(-1, True), (0, False)]
    assert rows[0]["steps"] == [FIRST, LAST]
    assert rows[0]["id"] == "made/a/noop/0/7"


def test_an_episode_of_which_a_state_is_not_known_is_left_out(tmp_path: Path) -> None:
    target = tmp_path / "labels.jsonl"
    assert write_labels([UNKNOWN, SOLVED, UNKNOWN], target) == Written(episodes=1, left_out=2)
    assert len(target.read_text().splitlines()) == 1


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    broken = replace(
        SOLVED, trajectory=replace(episode(), steps=(replace(episode().steps[0], arguments={"x": {1}}),))
    )
    with pytest.raises(TypeError):
        write_labels([SOLVED, broken], tmp_path / "labels.jsonl")
    assert [one.name for one in tmp_path.iterdir()] == []


def test_what_is_no_format_or_threshold_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no format 'csv'; known: trl, prm800k, processbench, parquet"):
        write_labels([SOLVED], tmp_path / "x", "csv")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="threshold is 1"):
        write_labels([SOLVED], tmp_path / "x", threshold=1)


def test_parquet_holds_all_that_is_known(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    target = tmp_path / "labels.parquet"
    assert write_labels([SOLVED, SPOILED, UNKNOWN], target, "parquet") == Written(2, 1)
    solved, spoiled = parquet.read_table(target).to_pylist()
    assert solved["completions"] == [FIRST, LAST]
    assert (solved["labels"], solved["rewards"]) == ([True, True], [0.5, 1.0])
    assert (solved["solved"], solved["judged"], solved["masked"]) == ([2, 1], [4, 1], [1, 0])
    assert solved["low"][0] < 0.5 < solved["high"][0]
    assert (solved["passed"], solved["first_error"], spoiled["first_error"]) == (True, -1, 0)
    write_labels([], target, "parquet")
    empty = parquet.read_table(target)
    assert (empty.num_rows, empty.schema.field("rewards").type.value_type) == (0, "double")


def test_without_pyarrow_parquet_says_what_to_install(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['pyarrow'] = None\n"
        "from pathlib import Path\n"
        "from deepgym_envs.step_labels import write_labels\n"
        f"write_labels([], Path({str(tmp_path / 'x')!r}), 'trl')\n"
        f"write_labels([], Path({str(tmp_path / 'y')!r}), 'parquet')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "UsageError: Parquet needs pyarrow; install it: pip install 'deepgym-envs[parquet]'" in done.stderr
    assert [one.name for one in tmp_path.iterdir()] == ["x"]


def test_every_format_can_be_asked_for() -> None:
    assert FORMATS == ("trl", "prm800k", "processbench", "parquet")
