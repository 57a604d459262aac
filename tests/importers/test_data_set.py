"""What becomes of all rows: counted, written whole or not at all, and gone on with."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepgym_envs import load_suite
from deepgym_envs.errors import TaskError, UsageError
from deepgym_envs.importers import REASONS, Rejected, Settings, Tally, import_rows, write_tasks
from deepgym_envs.importers.conversion import to_task
from deepgym_envs.importers.formats import FORMATS, read_record

from .shop import make_shop


def source(folder: Path, rows: list[Any]) -> str:
    place = folder / "rows.jsonl"
    place.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(place)


@pytest.fixture(scope="session")
def row(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return make_shop(tmp_path_factory.mktemp("mirror")).swe_bench()


def last(*arguments: Any, **options: Any) -> Tally:
    [*_, tally] = write_tasks(*arguments, **options)
    return tally


def test_rows_are_counted_by_what_became_of_them(tmp_path: Path, row: dict[str, Any]) -> None:
    third = {**row, "instance_id": "three", "PASS_TO_PASS": ["x y"]}
    rows = [row, {**row, "instance_id": "two"}, {"a": 1}, {**row, "patch": ""}, row, [], third]
    tally = last(import_rows(source(tmp_path, rows)), tmp_path / "out")
    assert (tally.candidates, tally.accepted) == (7, 3)
    assert tally.rejected == {"format": 1, "no-solution": 1, "duplicate": 1, "malformed": 1}
    assert tally.left_out == {"test-id": 1}
    assert tally.details["rows.jsonl:5"].startswith("duplicate: ")
    assert sorted(task.id for task in load_suite(tmp_path / "out")) == [
        "swe-bench/three", "swe-bench/tornadoweb__tornado-7", "swe-bench/two",
    ]  # fmt: skip


def test_a_dry_run_writes_nothing(tmp_path: Path, row: dict[str, Any]) -> None:
    assert last(import_rows(source(tmp_path, [row])), None).accepted == 1
    assert [place.name for place in tmp_path.iterdir()] == ["rows.jsonl"]


def test_tasks_of_one_commit_and_environment_share_a_recipe(tmp_path: Path, row: dict[str, Any]) -> None:
    rows = [row, {**row, "instance_id": "b"}, {**row, "instance_id": "c", "base_commit": "0" * 40}]
    assert last(import_rows(source(tmp_path, rows)), tmp_path / "out").accepted == 3
    assert len(list((tmp_path / "out" / "repos").iterdir())) == 2


def test_ids_that_become_the_same_name_stay_apart(tmp_path: Path, row: dict[str, Any]) -> None:
    rows = [{**row, "instance_id": said} for said in ("a/b", "a b", "a-b", "x" * 300, "x" * 301)]
    assert last(import_rows(source(tmp_path, rows)), tmp_path / "out").accepted == 5
    assert len(load_suite(tmp_path / "out")) == 5


def test_what_is_there_is_rejected_or_kept(tmp_path: Path, row: dict[str, Any]) -> None:
    rows, out = source(tmp_path, [row, {**row, "instance_id": "two"}]), tmp_path / "out"
    assert last(import_rows(rows, limit=1), out).accepted == 1
    tally = last(import_rows(rows), out, resume=True)
    assert (tally.accepted, tally.there, tally.rejected) == (2, 1, {})
    assert last(import_rows(rows), out).rejected == {"exists": 2}


def test_a_repository_is_asked_once_for_a_commit(tmp_path: Path, row: dict[str, Any]) -> None:
    asked: list[str] = []

    def find(url: str, beginning: str) -> str:
        asked.append(beginning)
        if beginning.startswith("0"):
            raise TaskError("there is none")
        return beginning * 5

    short = [{**row, "instance_id": f"{number}", "base_commit": str(number % 2) * 8} for number in range(10)]
    tally = last(import_rows(source(tmp_path, short), settings=Settings(find_commit=find)), None)
    assert (tally.accepted, tally.rejected, asked) == (5, {"repository": 5}, ["0" * 8, "1" * 8])


KILLED = """
import sys
from pathlib import Path
from deepgym_envs.importers import import_rows, write_tasks
for _ in write_tasks(import_rows(sys.argv[1]), Path(sys.argv[2])):
    print("row", flush=True)
"""


@pytest.mark.slow
def test_a_run_that_is_killed_leaves_whole_tasks_and_is_gone_on_with(
    tmp_path: Path, row: dict[str, Any]
) -> None:
    rows, out = (
        source(tmp_path, [{**row, "instance_id": str(number)} for number in range(400)]),
        tmp_path / "out",
    )
    running = subprocess.Popen([sys.executable, "-c", KILLED, rows, str(out)], stdout=subprocess.PIPE)
    assert running.stdout is not None
    for _ in range(20):
        running.stdout.readline()
    time.sleep(0.05)
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    running.stdout.close()
    there = len(load_suite(out))
    assert 20 <= there < 400
    (out / f".deepgym-task-{'0' * 16}.1.1.1-x").mkdir()  # another machine's, which may live
    tally = last(import_rows(rows), out, resume=True)
    assert (tally.accepted, tally.there) == (400, there)
    assert len(load_suite(out)) == 400
    assert [place.name for place in out.glob(".*")] == [f".deepgym-task-{'0' * 16}.1.1.1-x"]


def test_two_runs_at_once_write_each_task_once(tmp_path: Path, row: dict[str, Any]) -> None:
    rows, out = (
        source(tmp_path, [{**row, "instance_id": str(number)} for number in range(25)]),
        tmp_path / "out",
    )
    one, other = (write_tasks(import_rows(rows), out) for _ in range(2))
    *_, tallies = zip(one, other, strict=True)
    assert [tally.accepted for tally in tallies] == [25, 0]
    assert tallies[1].rejected == {"exists": 25}
    assert len(load_suite(out)) == 25


@pytest.mark.parametrize(
    "repositories", ["https://x.org/one.git", "git@x.org:{repo}", "ext::{repo}", "relative/{repo}", ""]
)
def test_repositories_that_are_nowhere_are_a_wrong_argument(tmp_path: Path, repositories: str) -> None:
    with pytest.raises(UsageError, match="write a URL or an absolute path"):
        import_rows(source(tmp_path, [{}]), settings=Settings(repositories))


def test_an_unknown_format_is_a_wrong_argument(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="swe-bench"):
        import_rows(source(tmp_path, [{}]), "swe-bunch")


def test_the_page_names_every_format_and_reason() -> None:
    page = (Path(__file__).parents[2] / "docs" / "import.md").read_text()
    for name in FORMATS:
        assert f"| `{name}` | " in page
    for code, meaning in REASONS.items():
        assert f"| `{code}` | {meaning} |" in page


NAMES = st.sampled_from(sorted({name for known in FORMATS.values() for name in known.fields} | {
    "instance_id", "repo", "base_commit", "patch", "test_patch", "FAIL_TO_PASS", "PASS_TO_PASS", "problem_statement",
    "install_config", "requirements", "environment", "commit_hash", "expected_output_json", "repo_name", "base", "number",
    "image_name", "f2p_script", "user", "language", "f2p_tests", "resolved_issues", "log_parser", "title",
}))  # fmt: skip
GARBAGE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()
    | st.sampled_from(["[]", "{}", "['a']", "--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-a\n+b\n", "0" * 40, "a/b", "@@ -1", "a::b",
                       '{"file_diffs": [{}]}', '{"metadata": {"dataset_name": "R2E-Gym", "instance_dict": "{}"}}']),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)  # fmt: skip


@given(st.dictionaries(NAMES, GARBAGE, max_size=14), st.sampled_from(["auto", *FORMATS]))
def test_whatever_a_row_holds_it_is_a_task_or_a_reason(row: dict[str, Any], wanted: str) -> None:
    assert outcome(row, wanted) in {"task", *REASONS}


@given(st.data())
def test_a_good_row_with_one_field_of_garbage_is_a_task_or_a_reason(
    row: dict[str, Any], data: st.DataObject
) -> None:
    changed = {**row, data.draw(st.sampled_from(sorted(row))): data.draw(GARBAGE)}
    assert outcome(changed, "swe-bench") in {"task", *REASONS}


def outcome(row: dict[str, Any], wanted: str) -> str:
    try:
        to_task(read_record(row, wanted), Settings(find_commit=nobody))
    except Rejected as reason:
        return reason.code
    return "task"


def nobody(url: str, beginning: str) -> str:
    raise Rejected("repository", f"{url} is not asked for {beginning}")
