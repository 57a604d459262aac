"""The two ways in which tests are run in a box: the repository's own, and the hidden ones."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from deepgym_envs.grade.report import TestReport, parse_report
from deepgym_envs.sandbox import Command, Completed, Sandbox
from deepgym_envs.task import Task

_LAUNCHER = Path(__file__).with_name("launcher.py")
_REPORT_BYTES = 8 << 20
_TRUSTED_INI = b"[pytest]\nxfail_strict = true\n"


def run_visible(
    box: Sandbox,
    task: Task,
    tests: Sequence[str] = (),
    *,
    detail_chars: int = 0,
    seconds: float | None = None,
) -> tuple[TestReport, Completed]:
    """Run the repository's own tests in the workspace, under its own configuration.

    ``tests`` are node ids or paths; none means all of them. ``detail_chars`` of each traceback are kept.
    """
    arguments = ["--rootdir", ".", *(tests or task.recipe.test.paths)]
    command = _command(task, {}, arguments, detail_chars, seconds)
    return _run(box, command)


def run_hidden(
    box: Sandbox, task: Task, nodes: Sequence[str] | None = None, *, detail_chars: int = 0
) -> tuple[TestReport, Completed]:
    """Run the task's hidden tests, by node id, from a folder that exists for this run alone.

    Neither the workspace's pytest configuration nor its conftest files take part. ``nodes`` are node ids or
    files below the task's ``tests/``, run in that order; by default exactly the tests that the task lists, as
    listed.
    """
    files = {f"tests/{path}": data for path, data in task.hidden.items()}
    files["tests/pytest.ini"] = _TRUSTED_INI
    tests = "{files}/tests"
    wanted = task.expected if nodes is None else nodes
    arguments = ["-c", f"{tests}/pytest.ini", "--rootdir", tests, "--confcutdir", tests,
                 "--import-mode=importlib", "--continue-on-collection-errors",
                 *(f"{tests}/{node}" for node in wanted)]  # fmt: skip
    return _run(box, _command(task, files, arguments, detail_chars, None))


def _command(
    task: Task, files: dict[str, bytes], arguments: list[str], detail_chars: int, seconds: float | None
) -> Command:
    job = {
        "arguments": arguments,
        "plugins": list(task.recipe.test.plugins),
        "pythonpath": list(task.recipe.install.pythonpath),
        "detail_chars": detail_chars,
    }
    return Command(
        argv=("python", "-I", "-B", "{files}/launcher.py"),
        seconds=seconds if seconds is not None else task.limits.test_seconds,
        stdin=json.dumps(job).encode(),
        files={**files, "launcher.py": _LAUNCHER.read_bytes()},
        output_bytes=task.limits.output_bytes,
        report_bytes=_REPORT_BYTES,
    )


def _run(box: Sandbox, command: Command) -> tuple[TestReport, Completed]:
    done = box.run(command)
    return parse_report(done.report, overflow=done.report_overflow), done
