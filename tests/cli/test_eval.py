"""``deepgym-envs eval`` as a person or a program uses it."""

# ruff: noqa: TID252 - the tests are no package that could be named

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deepgym_envs import Task
from deepgym_envs.cli.app import app, main
from deepgym_envs.store import RunStore
from deepgym_envs.testing import make_task

from ..tiny import make_tiny, tiny

FIXTURES = make_tiny, tiny
KEYS = {
    "tasks",
    "episodes",
    "solved",
    "failed",
    "masked",
    "pass_at_1",
    "seconds",
    "sandbox",
    "by_kind",
    "per_task",
    "flaky",
}


def command(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    code = "from deepgym_envs.cli import main; main()"
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        cwd=Path(__file__).parents[2], env={**os.environ, **environment},
    )  # fmt: skip


def run(*arguments: str, **environment: str) -> tuple[int, str, str]:
    with command(*arguments, **environment) as process:
        said, errors = process.communicate(timeout=120)
    return process.returncode, said, errors


def folder(task: Task) -> str:
    return str(task.recipe.folder.parents[1] / task.id.split("/")[1])


def test_json_is_all_that_is_on_standard_output(tiny: Task) -> None:
    status, said, errors = run("eval", "--task", folder(tiny), "-n", "2", "--sandbox", "local", "--json")
    assert status == 0, errors
    result = json.loads(said)
    assert result.keys() == KEYS
    assert (result["tasks"], result["episodes"], result["solved"], result["sandbox"]) == (1, 2, 2, "local")
    assert result["pass_at_1"] == 1.0
    assert "2 solved 0 failed 0 masked" in errors
    assert "a local box isolates nothing" in errors


def test_the_table_shows_kinds_and_a_total(tiny: Task) -> None:
    status, said, _ = run(
        "eval", "--suite", str(Path(folder(tiny)).parent), "--agent", "noop", "--sandbox", "local"
    )
    assert status == 0
    rows = [line.replace("│", " ").split() for line in said.splitlines()]
    assert ["bug", "1", "1", "0", "0.000", "0.00-0.79", "0"] in rows
    assert ["total", "1", "1", "0", "0.000", "0.00-0.79", "0"] in rows
    assert "sandbox local, agent noop" in said


@pytest.mark.slow
@pytest.mark.docker
def test_an_interrupted_run_can_be_resumed(tiny: Task, tmp_path: Path) -> None:
    out = tmp_path / "run"
    arguments = ("eval", "--task", folder(tiny), "--sandbox", "docker", "--out", str(out), "--json")
    with command(*arguments, "-n", "2000", "--workers", "2") as process:
        try:
            while process.poll() is None and not _kept(out):
                pass
        finally:
            process.send_signal(signal.SIGINT)
        said, errors = process.communicate(timeout=60)
    if "no Docker engine answers" in errors:
        pytest.skip(errors)
    assert process.returncode == 130
    assert said == ""
    assert "go on with --resume" in errors
    assert "Traceback" not in errors
    left = _kept(out)
    status, said, errors = run(*arguments, "-n", str(left + 2), "--resume")
    assert (status, json.loads(said)["episodes"]) == (0, left + 2), errors
    assert _kept(out) == left + 2


def _kept(out: Path) -> int:
    try:
        with RunStore.open(out) as store:
            return len(store.finished())
    except (OSError, ValueError):
        return 0


def test_a_second_run_into_the_same_folder_needs_resume(tiny: Task, tmp_path: Path) -> None:
    arguments = (
        "eval",
        "--task",
        folder(tiny),
        "--agent",
        "noop",
        "--sandbox",
        "local",
        "--out",
        str(tmp_path),
    )
    assert run(*arguments)[0] == 0
    status, said, errors = run(*arguments)
    assert (status, said) == (2, "")
    assert "go on with --resume" in errors
    status, _, errors = run(*arguments, "--resume", "--seed", "4")
    assert status == 2
    assert "seed was 0 and is now 4" in errors


def test_commands_reach_the_environment(tiny: Task, tmp_path: Path) -> None:
    script = tmp_path / "fix.jsonl"
    sed = {"command": "sed -i 's/a - b/a + b/' tiny/__init__.py"}
    script.write_text(json.dumps({"tool": "run_command", "arguments": sed}) + "\n")
    arguments = (
        "eval",
        "--task",
        folder(tiny),
        "--agent",
        f"scripted:{script}",
        "--sandbox",
        "local",
        "--json",
    )
    status, said, _ = run(*arguments, "--commands")
    assert (status, json.loads(said)["solved"]) == (0, 1)
    status, said, errors = run(*arguments)
    assert (status, said) == (2, "")
    assert "line 1" in errors
    assert "--commands" in errors


def test_where_nothing_can_be_judged_the_status_is_3(tmp_path: Path) -> None:
    task = make_task(
        tmp_path / "needs",
        source={"a/x.py": "x = 1\n"},
        gold={"a/x.py": "x = 2\n"},
        hidden={"test_x.py": ""},
        fail_to_pass=["test_x.py::test_x"],
        apt=["libfoo"],
    )
    status, said, errors = run("eval", "--task", folder(task), "--sandbox", "local", "--json")
    assert status == 3
    result = json.loads(said)
    assert (result["episodes"], result["masked"], result["pass_at_1"]) == (1, 1, None)
    assert "nothing could be judged" in errors
    assert "Debian packages" in errors


def test_where_there_is_no_sandbox_the_status_is_3(tiny: Task) -> None:
    status, said, errors = run(
        "eval",
        "--task",
        folder(tiny),
        "--sandbox",
        "docker",
        "--json",
        DOCKER_HOST="unix:///nonexistent.sock",
    )
    assert (status, said) == (3, "")
    assert "no Docker engine answers" in errors
    assert "Traceback" not in errors


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--suite", "startr"), "did you mean 'starter'?"),
        (("--task", "starter/none-such"), "no task 'starter/none-such'"),
        (("--agent", "orcale"), "did you mean 'oracle'?"),
        (("--sandbox", "dokcer"), "did you mean 'docker'?"),
        (("--resume",), "--resume needs --out"),
        (("--key", "k"), "--key needs --out"),
        (("--suite", "starter", "--task", "x"), "not both"),
        (("--measure", "often"), "--measure is one of"),
        (("-n", "0"), "-n"),
        (("--workers", "0"), "equal to 1"),
        (("--agent", "scripted:/none.json"), "cannot be read"),
        (("--recheck", "1.5"), "--recheck"),
        (("--wat",), "No such option"),
    ],
)
def test_unusable_arguments_end_with_status_2(
    arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str], tiny: Task
) -> None:
    # An explicit good task keeps the bundled ones, which may be many, out of it.
    given = () if "--task" in arguments or "--suite" in arguments else ("--task", folder(tiny))
    with pytest.raises(SystemExit) as ended:
        main(["eval", *arguments, *given])
    told = capsys.readouterr()
    assert ended.value.code == 2
    assert told.out == ""
    assert said in told.err.replace("\n", " ")
    assert "Traceback" not in told.err


def test_a_folder_that_cannot_be_written_ends_with_status_3(
    tmp_path: Path, tiny: Task, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit) as ended:
        main(["eval", "--task", folder(tiny), "--sandbox", "local", "--out", str(tmp_path / "file" / "run")])
    assert ended.value.code == 3
    assert "no run can be kept there" in capsys.readouterr().err


def test_a_memory_that_cannot_be_kept_ends_with_status_3_before_anything_is_played(
    tmp_path: Path, tiny: Task, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit) as ended:
        main(["eval", "--task", folder(tiny), "--sandbox", "local", "--memory", str(tmp_path / "file")])
    assert ended.value.code == 3
    assert "no memory can be kept there" in capsys.readouterr().err


def unsteady(tmp_path: Path) -> tuple[Task, Path]:
    """A task whose hidden test passes each second time, and the file in which it counts."""
    count = tmp_path / "count"
    count.touch()
    test = f"""
        from pathlib import Path
        count = Path({str(count)!r})
        def test_turns():
            count.write_text(count.read_text() + "x")
            assert len(count.read_text()) % 2
    """
    task = make_task(
        tmp_path / "unsteady",
        source={"a/x.py": "x = 1\n"},
        gold={"a/x.py": "x = 2\n"},
        hidden={"test_x.py": textwrap.dedent(test)},
        fail_to_pass=["test_x.py::test_turns"],
    )
    return task, count


def test_a_memory_outlives_the_run(tmp_path: Path) -> None:
    task, count = unsteady(tmp_path)
    arguments = ("eval", "--task", folder(task), "--sandbox", "local", "--json", "-n", "3", "--recheck", "0")
    for _ in range(2):
        status, said, errors = run(*arguments, "--memory", str(tmp_path / "memory"))
        assert (status, json.loads(said)["solved"], json.loads(said)["flaky"]) == (0, 3, {}), errors
    assert count.read_text() == "x"


def test_a_flaky_task_is_reported_and_not_paid(tmp_path: Path) -> None:
    task, _ = unsteady(tmp_path)
    arguments = ("eval", "--task", folder(task), "--sandbox", "local", "-n", "3", "--recheck", "1")
    status, said, errors = run(*arguments, "--memory", str(tmp_path / "memory"), "--json")
    assert status == 1, errors
    result = json.loads(said)
    assert result["solved"] == 0
    assert result["flaky"] == {
        task.id: [
            {
                "asked": "verdict",
                "state": task.gold.digest,
                "first": "tests_failed",
                "other": "passed",
                "tests": ["test_x.py::test_turns"],
            }
        ]
    }
    status, said, errors = run(*arguments, "--memory", str(tmp_path / "memory"))
    assert status == 1, errors
    assert f"flaky: {task.id}: test_x.py::test_turns" in said


def test_a_bug_is_no_finding(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def breaks(suite: str | None, tasks: list[str] | None) -> float:
        return 1 / 0

    monkeypatch.setattr("deepgym_envs.cli.eval.chosen_tasks", breaks)
    with pytest.raises(SystemExit) as ended:
        main(["eval"])
    assert ended.value.code == 3
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_help_names_every_option() -> None:
    result = CliRunner().invoke(app, ["eval", "--help"], env={"COLUMNS": "200", "TERM": "dumb"})
    assert result.exit_code == 0
    for option in ("--suite", "--task", "--agent", "-n", "--workers", "--seed", "--sandbox", "--commands",
                   "--measure", "--out", "--resume", "--memory", "--key", "--recheck", "--json"):  # fmt: skip
        assert option in result.output
