"""The ways in which tests are run in a box: the repository's own, the hidden ones, and tests on trial."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from deepgym_envs.grade.deck import Draw
from deepgym_envs.grade.oracle import run_oracle, together
from deepgym_envs.grade.report import Outcome, TestReport, parse_report
from deepgym_envs.oracle_file import ORACLE, is_case
from deepgym_envs.sandbox import Command, Completed, Sandbox
from deepgym_envs.state import WorkspaceState
from deepgym_envs.task import Task

Traceback = Literal["short", "native"]
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
    to_first_failure: bool = False,
) -> tuple[TestReport, Completed]:
    """Run the repository's own tests in the workspace, under its own configuration.

    ``tests`` are node ids or paths; none means all of them. ``detail_chars`` of each traceback are kept.
    """
    stop = ["--exitfirst"] if to_first_failure else []
    suite = task.recipe.test
    arguments = ["--rootdir", ".", *suite.options, *stop, *(tests or suite.paths)]
    command = _command(task, {}, arguments, detail_chars, seconds)
    return _run(box, command)


def run_hidden(
    box: Sandbox,
    task: Task,
    state: WorkspaceState,
    nodes: Sequence[str],
    *,
    files: Mapping[str, bytes] | None = None,
    detail_chars: int = 0,
    traceback: Traceback = "short",
    seconds: float | None = None,
) -> tuple[TestReport, Completed]:
    """Put ``state`` into the box and run hidden tests on it, in the order of ``nodes``.

    ``nodes`` are node ids or files below the task's ``tests/``, or names of implementations for a task of
    kind ``tests``. ``files`` are what is there, by default the task's hidden tests as they are.
    ``detail_chars`` of each traceback are kept, in pytest's style ``traceback``. ``seconds`` is the time for
    tests of files, by default the task's own.

    Raises:
        ActionError: the state does not fit into the box.
    """
    if task.manifest.kind == "tests":
        return _try_tests(box, task, state, nodes, detail_chars)
    box.restore(state)
    cases = [node for node in nodes if is_case(node)]
    tests = [node for node in nodes if not is_case(node)]
    hidden = task.hidden if files is None else files
    if not cases:
        return _run_hidden_files(box, task, hidden, nodes, detail_chars, traceback, seconds)
    asked = run_oracle(box, task, cases, detail_chars=detail_chars)
    if not tests:
        return asked
    box.restore(state)
    return together(_run_hidden_files(box, task, hidden, tests, detail_chars, traceback, seconds), asked)


def run_draw(box: Sandbox, task: Task, state: WorkspaceState, draw: Draw) -> tuple[TestReport, Completed]:
    """Put ``state`` into the box and run what was drawn for a grading of it.

    Raises:
        ActionError: the state does not fit into the box.
    """
    return run_hidden(box, task, state, draw.nodes, files=draw.files)


def _run_hidden_files(
    box: Sandbox,
    task: Task,
    hidden: Mapping[str, bytes],
    wanted: Sequence[str],
    detail_chars: int,
    traceback: Traceback,
    seconds: float | None,
) -> tuple[TestReport, Completed]:
    """Run hidden tests from a folder that exists for this run alone.

    Neither the workspace's pytest configuration nor its conftest files take part.
    """
    files = {f"tests/{path}": data for path, data in hidden.items() if path != ORACLE}
    files["tests/pytest.ini"] = _TRUSTED_INI
    tests = "{files}/tests"
    # Telling why a test fails takes ten times as long as the test, and twins fail on purpose.
    how = [f"--tb={traceback}"] if detail_chars else ["--tb=no", "--assert=plain"]
    arguments = [*how, "-c", f"{tests}/pytest.ini", "--rootdir", tests, "--confcutdir", tests,
                 "--import-mode=importlib", "--continue-on-collection-errors",
                 *([f"{tests}/{node}" for node in wanted] or [tests])]  # fmt: skip
    return _run(box, _command(task, files, arguments, detail_chars, seconds))


def _try_tests(
    box: Sandbox, task: Task, state: WorkspaceState, wanted: Sequence[str], detail_chars: int
) -> tuple[TestReport, Completed]:
    """Run the repository's tests, as ``state`` has them, on each wanted implementation of the repository.

    An implementation's outcome is ``passed`` if the tests are right about it: they accept one that is right
    and refuse one that is wrong. Each has a clean box, so nothing tells the tests which one they see but how
    it behaves.
    """
    outcomes: dict[str, Outcome] = {}
    details: dict[str, str] = {}
    malformed, seconds = False, 0.0
    for name in wanted:
        implementation = task.implementations[name]
        box.restore(WorkspaceState(task.base, {**state.changes, **implementation.changes}))
        report, done = run_visible(box, task, detail_chars=detail_chars, to_first_failure=True)
        seconds += done.seconds
        if done.timed_out:
            return TestReport(outcomes, (), details, complete=False, malformed=malformed), replace(
                done, seconds=seconds
            )
        malformed = malformed or report.malformed
        outcomes[name], details[name] = _rightness(name, report, done)
    whole = Completed(0, b"", 0, b"", report_overflow=False, timed_out=False, seconds=seconds)
    return TestReport(outcomes, (), details, complete=True, malformed=malformed), whole


def _rightness(name: str, report: TestReport, done: Completed) -> tuple[Outcome, str]:
    """Whether the tests are right about the implementation ``name``, and why not."""
    if not report.complete:
        return "error", "E   the tests did not run to their end"
    failed = report.failed
    if name.startswith("wrong-"):
        return ("passed", "") if failed else ("failed", "E   no test fails on it")
    if failed:
        return "failed", report.details.get(failed[0], "")
    if not report.passed or done.exit_code != 0:
        return "failed", "E   no test passes on it"
    return "passed", ""


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
        warm=True,
    )


def _run(box: Sandbox, command: Command) -> tuple[TestReport, Completed]:
    done = box.run(command)
    return parse_report(done.report, overflow=done.report_overflow), done
