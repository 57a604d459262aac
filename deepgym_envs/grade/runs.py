"""Runs a task's tests for those who ask about the task itself, not about an agent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from deepgym_envs.errors import ActionError, BoxLost, SandboxError
from deepgym_envs.grade.report import Outcome, TestReport
from deepgym_envs.grade.testrun import run_hidden, run_visible
from deepgym_envs.grade.verdict import Reason, judge
from deepgym_envs.sandbox import Backend, Sandbox
from deepgym_envs.sandbox.contract import Closing
from deepgym_envs.sandbox.pool import for_grading
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
    """Runs tests on states of one task in a box, of which it opens another where one was lost.

    ``count`` is the number of runs of hidden tests so far. Nothing is remembered.
    """

    def __init__(self, task: Task, backend: Backend) -> None:
        self.task = task
        self.count = 0
        self._backend = for_grading(backend)
        self._box: Sandbox | None = None

    def hidden(self, state: WorkspaceState, nodes: Sequence[str] | None = None) -> TaskRun:
        """Run ``nodes`` in that order; by default all that judges the task, whether it is listed or not.

        Raises:
            SandboxError: they could not be run, for a reason that the code under test cannot have caused.
        """
        self.count += 1
        wanted = _everything_hidden(self.task) if nodes is None else nodes
        try:
            report, done = run_hidden(self._any_box(), self.task, state, wanted, detail_chars=_DETAIL_CHARS)
        except ActionError:
            return TaskRun("does_not_fit", _NOTHING, 0.0)
        except BoxLost as error:
            self._excuse(error)
            return TaskRun("box_lost", _NOTHING, 0.0)
        return TaskRun(judge(self.task.expected, report, done), report, done.seconds)

    def visible(self, state: WorkspaceState) -> TestReport:
        """Run the repository's own tests; an empty report, not complete, where the box did not outlive them.

        Raises:
            SandboxError: as for ``hidden``.
        """
        try:
            box = self._any_box()
            box.restore(state)
            return run_visible(box, self.task, detail_chars=_DETAIL_CHARS)[0]
        except ActionError:
            return _NOTHING
        except BoxLost as error:
            self._excuse(error)
            return _NOTHING

    def close(self) -> None:
        """Give the box up."""
        box, self._box = self._box, None
        if box is not None:
            box.close()

    def _any_box(self) -> Sandbox:
        if self._box is None:
            self._box = self._backend.open(self.task)
        return self._box

    def _excuse(self, error: BoxLost) -> None:
        self.close()
        problem = self._backend.problem()
        if problem is not None or not error.after_agent_code:
            raise SandboxError(problem or str(error)) from None


def _everything_hidden(task: Task) -> list[str]:
    """What to run to see all that judges the task, whether it is listed or not."""
    if task.manifest.kind == "tests":
        return list(task.implementations)
    files = [path for path in task.hidden if _is_test_file(path)]
    return list(dict.fromkeys([*files, *(node.partition("::")[0] for node in task.expected)]))


def _is_test_file(path: str) -> bool:
    name = path.rpartition("/")[2]
    return name.endswith(".py") and (name.startswith("test_") or name.endswith("_test.py"))
