"""``deepgym-envs list``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from deepgym_envs.cli import main
from deepgym_envs.suite import load_suite
from deepgym_envs.testing import make_task


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["list", *arguments])
    said = capsys.readouterr()
    code = ended.value.code
    return (code if isinstance(code, int) else 0), said.out, said.err


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    for name in ("one", "two"):
        make_task(
            tmp_path / "own" / name,
            source={"tiny.py": "a = 1\n"},
            hidden={"test_a.py": "def test_a(): pass\n"},
            gold={"tiny.py": "a = 2\n"},
            fail_to_pass=["test_a.py::test_a"],
            suite="own",
        )
    (tmp_path / "own/two/figures.json").write_text(
        '{"files": 1, "functions": 1, "lines": 2, "visible_failing": 0}'
    )
    return tmp_path / "own"


def test_tasks_are_listed_with_what_was_measured(suite: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, said, _ = run(capsys, "--suite", str(suite), "--json")
    listed = json.loads(said)
    assert (status, listed["tasks"]) == (0, 2)
    assert listed["listed"]["own/one"]["figures"] is None
    assert listed["listed"]["own/two"]["figures"]["lines"] == 2
    assert listed["listed"]["own/two"]["fail_to_pass"] == 1


def test_what_is_not_known_is_a_dash(suite: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, said, _ = run(capsys, "--suite", str(suite), "--markdown")
    assert said.splitlines()[2:] == [
        "| one | bug | easy | - | - | - | - | - | - | 1 + 0 |",
        "| two | bug | easy | 1 | 1 | 2 | - | 0 | - | 1 + 0 |",
    ]
    _, said, _ = run(capsys, "--suite", str(suite))
    assert "2 tasks" in said


def test_a_task_that_cannot_be_read_is_named_and_the_others_are_listed(
    suite: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (suite / "one/task.toml").write_text("kind = 1\n")
    status, said, errors = run(capsys, "--suite", str(suite), "--json")
    assert (status, list(json.loads(said)["listed"])) == (1, ["own/two"])
    assert "task.toml" in errors


def test_every_bundled_task_is_measured() -> None:
    assert [task.id for task in load_suite("starter") if task.figures is None] == []
