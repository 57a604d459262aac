"""Runs a task's tests for those who ask about the task itself, not about an agent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from deepgym_envs.grade.clean_box import CleanBox
from deepgym_envs.grade.deck import Demand, Draw
from deepgym_envs.grade.report import Outcome, TestReport
from deepgym_envs.grade.testrun import Traceback, run_hidden, run_visible
from deepgym_envs.grade.verdict import Reason, judge
from deepgym_envs.oracle_file import ORACLE
from deepgym_envs.sandbox import Backend, Completed, Sandbox
from deepgym_envs.sandbox.contract import Closing
from deepgym_envs.state import WorkspaceState
from deepgym_envs.task import Task

_DETAIL_CHARS = 400
_NOTHING = TestReport({}, (), {}, False, False)


class TaskRun(NamedTuple):
    """How one run of hidden tests went; a run that never came about reports nothing."""

    reason: Reason
    report: TestReport
    seconds: float

    def outcome(self, node: str) -> Outcome | Literal["missing"]:
        """What was seen of one test."""
        return self.report.outcomes.get(node, "missing")

    def why(self, node: str) -> str:
        """The error that ended a test, in one line; empty if it is not known."""
        errors = [
            line[1:] for line in self.report.details.get(node, "").splitlines() if line.startswith("E ")
        ]
        return errors[0].strip()[:200] if errors else ""

    def not_passed(self, nodes: Sequence[str] = ()) -> tuple[str, ...]:
        """What did not pass or could not be collected, of the tests ``nodes`` if given."""
        failed = (node for node, seen in self.report.outcomes.items() if seen != "passed")
        return (*self.report.broken, *(node for node in failed if not nodes or node in nodes))


class TaskRuns(Closing):
    """Runs tests on states of one task in a box that is clean each time.

    ``count`` is the number of runs of hidden tests so far; ``warm`` tells that one of any tests was started
    warm, ``why_cold`` why the last that was not was not. Nothing else is remembered.
    """

    def __init__(self, task: Task, backend: Backend) -> None:
        self.task = task
        self.count = 0
        self.warm, self.why_cold = False, ""
        self._box = CleanBox(task, backend)

    def hidden(
        self, state: WorkspaceState, nodes: Sequence[str] | None = None, *, warm: bool = True
    ) -> TaskRun:
        """Run ``nodes`` in that order; by default all that judges the task, whether it is listed or not.

        For ``warm`` see ``CleanBox.use``.

        Raises:
            SandboxError: they could not be run, for a reason that the code under test cannot have caused.
        """
        wanted = _everything_hidden(self.task) if nodes is None else nodes
        demands: Mapping[str, Demand] = dict.fromkeys(self.task.expected, "passed")
        return self._run(state, wanted, self.task.hidden, demands, warm=warm)

    def drawn(self, state: WorkspaceState, draw: Draw) -> TaskRun:
        """Run what was drawn for a grading.

        Raises:
            SandboxError: as for ``hidden``.
        """
        return self._run(state, draw.nodes, draw.files, draw.demands)

    def tried(
        self,
        state: WorkspaceState,
        nodes: Sequence[str],
        files: Mapping[str, bytes],
        seconds: float | None = None,
    ) -> TaskRun:
        """Run ``nodes`` of other ``files`` than the task's hidden tests; tracebacks are Python's own. It ends
        after ``seconds``, by default those that the task gives to its tests.

        Raises:
            SandboxError: as for ``hidden``.
        """
        return self._run(state, nodes, files, {}, "native", seconds)

    def _run(
        self,
        state: WorkspaceState,
        nodes: Sequence[str],
        files: Mapping[str, bytes],
        demands: Mapping[str, Demand],
        traceback: Traceback = "short",
        seconds: float | None = None,
        *,
        warm: bool = True,
    ) -> TaskRun:
        self.count += 1
        chars = _DETAIL_CHARS if traceback == "short" else 10 * _DETAIL_CHARS
        seen = self._box.use(
            lambda box: run_hidden(
                box,
                self.task,
                state,
                nodes,
                files=files,
                detail_chars=chars,
                traceback=traceback,
                seconds=seconds,
            ),
            warm=warm,
        )
        if isinstance(seen, str):
            return TaskRun(seen, _NOTHING, 0.0)
        report, done = seen
        self._note(done)
        return TaskRun(judge(demands, report, done), report, done.seconds)

    def visible(self, state: WorkspaceState) -> TestReport:
        """Run the repository's own tests; an empty report, not complete, where the box did not outlive them.

        Raises:
            SandboxError: as for ``hidden``.
        """

        def run(box: Sandbox) -> TestReport:
            box.restore(state)
            report, done = run_visible(box, self.task, detail_chars=_DETAIL_CHARS)
            self._note(done)
            return report

        seen = self._box.use(run)
        return _NOTHING if isinstance(seen, str) else seen

    def _note(self, done: Completed) -> None:
        self.warm = self.warm or done.warm
        self.why_cold = done.why_cold or self.why_cold

    def close(self) -> None:
        """Give the box up."""
        self._box.close()


def _everything_hidden(task: Task) -> list[str]:
    """What to run to see all that judges the task, whether it is listed or not."""
    if task.manifest.kind == "tests":
        return list(task.implementations)
    files = [path for path in task.hidden if _is_test_file(path) or path == ORACLE]
    return list(dict.fromkeys([*files, *(node.partition("::")[0] for node in task.expected)]))


def _is_test_file(path: str) -> bool:
    name = path.rpartition("/")[2]
    return name.endswith(".py") and (name.startswith("test_") or name.endswith("_test.py"))
