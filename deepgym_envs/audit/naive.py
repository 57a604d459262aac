"""The graders that people use today, honestly done, for comparison: none of them is to be trusted.

``exit-code`` believes the exit status of pytest, ``stdout`` the lines that it prints, ``junit`` the status
and the XML report together. These three copy the hidden tests into the folder of the repository's own and run
them as any other, over the whole of what the agent changed. ``hardened`` takes only what may be edited, runs
the tests from a fresh folder with an isolated interpreter, and trusts no configuration of the repository.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from xml.etree import ElementTree as ET

from deepgym_envs.errors import ActionError, BoxLost, SandboxError, UsageError
from deepgym_envs.oracle_file import ORACLE, is_case
from deepgym_envs.sandbox import Backend, Command, Completed, Sandbox
from deepgym_envs.sandbox.contract import Closing
from deepgym_envs.state import File, WorkspaceState
from deepgym_envs.task import Task

NaiveName = Literal["exit-code", "stdout", "junit", "hardened"]
_OUTPUT_BYTES = 1 << 20
_XML_BYTES = 4 << 20
_XML = "report.xml"
_STATUS = re.compile(r"^(PASSED|FAILED|ERROR|SKIPPED|XFAIL|XPASS) (\S.*?)(?: - .*)?$", re.MULTILINE)
_SUMMARY = re.compile(r"^=*\s*(?:(\d+) failed, )?(\d+) passed\b(.*)$", re.MULTILINE)
_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_ISOLATED = (
    "import os, sys; os.environ['PYTEST_DISABLE_PLUGIN_AUTOLOAD'] = '1'; "
    "cut = sys.argv.index('--'); sys.path += map(os.path.abspath, sys.argv[1:cut]); "
    "import pytest; sys.exit(pytest.main(sys.argv[cut + 1:]))"
)


@dataclass(frozen=True)
class Judged:
    """What a grader made of a state: paid or not, and why."""

    accepted: bool
    reason: str


class NaiveGrader(Closing):
    """Judges states of one task by one of the designs; for one thread at a time.

    Raises:
        UsageError: the task is judged by implementations, not by hidden tests.
    """

    def __init__(self, task: Task, backend: Backend, design: NaiveName) -> None:
        if task.manifest.kind == "tests":
            raise UsageError(f"{task.id} has no hidden tests that {design} could run; judge it by 'ours'")
        self.task = task
        self.design = design
        self._backend = backend
        self._box: Sandbox | None = None

    def judge(self, state: WorkspaceState) -> Judged:
        """Whether this design pays for ``state``.

        Raises:
            SandboxError: it could not be judged, for a reason that the code under test cannot have caused.
        """
        try:
            box = self._clean_box()
            if self.design == "hardened":
                box.restore(state.only(self.task.may_edit))
                return self._hardened(box)
            box.restore(_with_tests(self.task, state))
            return self._in_repository(box)
        except ActionError:
            return Judged(False, "does_not_fit")
        except BoxLost as error:
            self.close()
            problem = self._backend.problem()
            if problem is not None or not error.after_agent_code:
                raise SandboxError(f"{self.task.id} could not be judged: {problem or error}") from None
            return Judged(False, "box_lost")

    def close(self) -> None:
        """Give the box up."""
        box, self._box = self._box, None
        if box is not None:
            box.close()

    def _clean_box(self) -> Sandbox:
        if self._box is not None:
            try:
                self._box.restore(WorkspaceState(self.task.base))
                return self._box
            except (BoxLost, ActionError):
                self.close()
        self._box = self._backend.open(self.task)
        return self._box

    def _in_repository(self, box: Sandbox) -> Judged:
        tests = [f"tests/{path}" for path in _test_files(self.task)]
        options = {"exit-code": ["-q"], "stdout": ["-rA"], "junit": ["-q", f"--junitxml={_XML}"]}[self.design]
        path = ":".join(self.task.recipe.install.pythonpath) or "."
        argv = ("python", "-m", "pytest", *options, *_plugins(self.task), *tests)
        done = _run(box, self.task, argv, {}, {"PYTHONPATH": path})
        by_design: Mapping[str, Callable[[], Judged]] = {
            "exit-code": lambda: _by_status(done),
            "stdout": lambda: _by_lines(self.task, done),
            "junit": lambda: _by_xml(self.task, box, done, "tests."),
        }
        return by_design[self.design]()

    def _hardened(self, box: Sandbox) -> Judged:
        files = _hidden(self.task)
        tests = "{files}/tests"
        folders = self.task.recipe.install.pythonpath or (".",)
        arguments = ["-q", "-c", "/dev/null", "--rootdir", tests, "--confcutdir", tests,
                     "--import-mode=importlib", "-p", "no:cacheprovider", f"--junitxml={_XML}",
                     *_plugins(self.task), *(f"{tests}/{node}" for node in _nodes(self.task))]  # fmt: skip
        prefix = ("-X", "pycache_prefix={files}/cache")
        argv = ("python", "-I", "-B", *prefix, "-c", _ISOLATED, *folders, "--", *arguments)
        return _by_xml(self.task, box, _run(box, self.task, argv, files, {}), "")


def _with_tests(task: Task, state: WorkspaceState) -> WorkspaceState:
    hidden = {path: File(data) for path, data in _hidden(task).items()}
    return WorkspaceState(task.base, {**state.changes, **hidden})


def _hidden(task: Task) -> dict[str, bytes]:
    """The hidden tests where these graders put them; none of them can ask an oracle's cases."""
    return {f"tests/{path}": data for path, data in task.hidden.items() if path != ORACLE}


def _nodes(task: Task) -> list[str]:
    return [node for node in task.expected if not is_case(node)]


def _test_files(task: Task) -> list[str]:
    return list(dict.fromkeys(node.partition("::")[0] for node in _nodes(task)))


def _plugins(task: Task) -> list[str]:
    return [part for name in task.recipe.test.plugins for part in ("-p", name)]


def _run(
    box: Sandbox, task: Task, argv: Sequence[str], files: Mapping[str, bytes], environment: Mapping[str, str]
) -> Completed:
    command = Command(
        tuple(argv), task.limits.test_seconds, files=files, environment=environment,
        output_bytes=_OUTPUT_BYTES,
    )  # fmt: skip
    return box.run(command)


def _by_status(done: Completed) -> Judged:
    if done.timed_out:
        return Judged(False, "timeout")
    return Judged(done.exit_code == 0, f"exit status {done.exit_code}")


def _by_lines(task: Task, done: Completed) -> Judged:
    """The last line of a test counts; where no test has one, the number in the summary does."""
    text = _ANSI.sub("", done.output.decode("utf-8", "replace")).replace("\r", "\n")
    wanted = {f"tests/{node}" for node in _nodes(task)}
    seen = {node: status for status, node in _STATUS.findall(text) if node in wanted}
    if seen:
        passed = sum(seen.get(node) == "PASSED" for node in wanted)
        return Judged(passed == len(wanted), f"{passed} of {len(wanted)} lines say PASSED")
    for failed, number, rest in _SUMMARY.findall(text)[-1:]:
        good = not failed and "error" not in rest and int(number[:9]) >= len(wanted)
        return Judged(good, f"the summary says {number[:9]} passed")
    return Judged(False, "no test is named")


def _by_xml(task: Task, box: Sandbox, done: Completed, prefix: str) -> Judged:
    if done.timed_out or done.exit_code != 0:
        return _by_status(done)
    try:
        data, size = box.read(_XML, _XML_BYTES)
    except ActionError:
        return Judged(False, "no report")
    # Definitions are refused, for with them a few bytes can stand for gigabytes.
    if size > len(data) or b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        return Judged(False, "a report that is none")
    try:
        cases = list(ET.fromstring(data).iter("testcase"))
    except (ET.ParseError, ValueError, LookupError):
        return Judged(False, "a report that is none")
    seen = [(case.get("classname", ""), case.get("name", "")) for case in cases]
    wanted = {_xml_name(prefix, node) for node in _nodes(task)}
    if set(seen) != wanted or len(seen) != len(wanted):
        return Judged(False, "other tests than expected")
    bad = [case for case in cases if any(part.tag in ("failure", "error", "skipped") for part in case)]
    return Judged(not bad, f"{len(bad)} of {len(cases)} cases are bad")


def _xml_name(prefix: str, node: str) -> tuple[str, str]:
    """How pytest's XML report calls a test: class and name."""
    head, bracket, case = node.partition("[")
    file, *parts = head.split("::")
    place = prefix + file.removesuffix(".py").replace("/", ".")
    return ".".join([place, *parts[:-1]]), parts[-1] + bracket + case
