"""Judges states of one task in a clean box of its own, which holds nothing but the value that it is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Literal, TypeVar

from deepgym_envs.errors import ActionError, BoxLost, SandboxError
from deepgym_envs.grade.key import Key, result_key
from deepgym_envs.grade.memory import Memory
from deepgym_envs.grade.report import Outcome, TestReport
from deepgym_envs.grade.testrun import run_hidden, run_visible
from deepgym_envs.grade.verdict import Reason, Verdict, judge
from deepgym_envs.sandbox import Backend, BackendName, Completed, Sandbox, choose_backend
from deepgym_envs.sandbox.contract import Closing
from deepgym_envs.sandbox.pool import for_grading
from deepgym_envs.state import WorkspaceState
from deepgym_envs.task import Task

T = TypeVar("T")


class Grader(Closing):
    """Grades states of ``task``; opens its box when first needed and uses it again after an in-place reset.

    Only what the task allows to be changed goes into the box: tests, configuration and all else are the
    base's. One grader is for one thread at a time, except for ``close``; several may share a ``memory``, and
    of those that are asked about one state at a time one measures while the others wait.
    """

    def __init__(self, task: Task, backend: Backend, memory: Memory | None = None) -> None:
        self.task = task
        self._backend = for_grading(backend)
        self._memory = memory if memory is not None else Memory()
        self._box: Sandbox | None = None
        self._closings = 0

    def grade(self, state: WorkspaceState) -> Verdict:
        """The verdict on ``state``; known ones come from memory.

        Raises:
            SandboxError: it could not be judged, for a reason that the code under test cannot have caused.
            ValueError: ``state`` is not one of this task's.
        """
        judged = self.judged_part(state)
        key = self._key("verdict", judged)
        verdict = self._remembered(key, Verdict, lambda: self._judge(judged))
        outside = [path for path in state.changes if path not in judged.changes]
        flake = self._memory.flake(key)
        unsteady = () if flake is None else flake.tests or ("verdict",)
        flags = (
            *verdict.flags,
            *(f"outside_editable:{path}" for path in outside),
            *(f"flaky:{test}" for test in unsteady),
        )
        return replace(verdict, state=state.digest, flags=flags)

    def visible(self, state: WorkspaceState) -> TestReport:
        """What the repository's own tests, as they stand at the base, say of ``state``.

        Raises:
            SandboxError: as for ``grade``.
        """
        judged = self.judged_part(state).only(lambda path: not _is_test_file(path))
        return self._remembered(self._key("visible", judged), TestReport, lambda: self._seen(judged))

    def measured(self, name: str, state: WorkspaceState, measure: Callable[[], float]) -> float:
        """What ``measure`` gives for the whole of ``state``, remembered as ``name``.

        Raises:
            Exception: what ``measure`` raises.
        """
        return self._remembered(self._key(f"potential {name!r}", state), float, measure)

    def judged_part(self, state: WorkspaceState) -> WorkspaceState:
        """The part of ``state`` that counts: its changes to editable paths. ``ValueError`` on another."""
        if state.base != self.task.base:
            raise ValueError(f"the state does not belong to {self.task.id}")
        return state.only(self.task.may_edit)

    def close(self) -> None:
        """Give the box up; the grader opens another when it is needed again.

        It may be called from another thread: what is being judged there ends with ``SandboxError``.
        """
        box, self._box = self._box, None
        self._closings += 1
        if box is not None:
            box.close()

    def _key(self, asked: str, state: WorkspaceState) -> Key:
        return result_key(self.task, state, asked, self._backend.name)

    def _remembered(self, key: Key, kind: type[T], measure: Callable[[], T]) -> T:
        closings = self._closings

        def check_open() -> None:
            if self._closings != closings:
                raise SandboxError(f"{self.task.id} could not be judged: the grader was closed meanwhile")

        def unless_closed() -> T:
            check_open()  # nobody would close a box that is opened now
            return measure()

        return self._memory.once(key, kind, unless_closed, check_open)

    def _seen(self, state: WorkspaceState) -> TestReport:
        seen = self._in_box(state, hidden=False)
        if not state.changes and (isinstance(seen, str) or not seen[0].complete):
            # All potentials of the task are counted by this run, and no agent's code was in it.
            raise SandboxError(f"the tests of {self.task.id} did not come to their end at its base")
        if isinstance(seen, str):
            return TestReport({}, (), {}, False, False)
        return replace(seen[0], details={})  # none were asked for

    def _judge(self, state: WorkspaceState) -> Verdict:
        seen = self._in_box(state, hidden=True)
        if isinstance(seen, str):
            return Verdict(0.0, False, seen, self.task.id, state.digest)
        report, done = seen
        reason = judge(self.task.expected, report, done)
        tests: dict[str, Outcome | Literal["missing"]] = {
            node: report.outcomes.get(node, "missing") for node in self.task.expected
        }
        passed = reason == "passed"
        return Verdict(1.0 if passed else 0.0, passed, reason, self.task.id, state.digest, tests=tests)

    def _in_box(self, state: WorkspaceState, *, hidden: bool) -> tuple[TestReport, Completed] | Reason:
        """Run tests on ``state`` in the clean box; a reason in place of a report if the state prevents it."""
        try:
            box = self._clean_box()
            if hidden:
                return run_hidden(box, self.task, state)
            box.restore(state)
            return run_visible(box, self.task)
        except ActionError:
            return "does_not_fit"
        except BoxLost as error:
            self.close()
            # The code under test was running. Only what the host itself can see excuses it: the engine is
            # gone.
            problem = self._backend.problem()
            if problem is not None or not error.after_agent_code:
                raise SandboxError(f"{self.task.id} could not be judged: {problem or error}") from None
            return "box_lost"

    def _clean_box(self) -> Sandbox:
        base = WorkspaceState(self.task.base)
        box = self._box
        if box is not None:
            try:
                box.restore(base)
                return box
            except (BoxLost, ActionError):
                self.close()  # whatever an earlier state did to it, this one gets a new one
        box = self._box = self._backend.open(self.task)
        return box


def _is_test_file(path: str) -> bool:
    name = path.rpartition("/")[2]
    return (
        name == "conftest.py"
        or (name.endswith(".py") and name.startswith("test_"))
        or name.endswith("_test.py")
    )


def grade(
    task: Task,
    state_or_files: WorkspaceState | Mapping[str, bytes | None],
    *,
    sandbox: BackendName | Backend = "auto",
) -> Verdict:
    """Judge one state of ``task``, given whole or as changed files (path to content, None deletes).

    To judge many, keep a ``Grader``.

    Raises:
        SandboxError: it could not be judged; this says nothing about the state.
        ValueError: a path leads outside the workspace, or the state belongs to another task.
    """
    if isinstance(state_or_files, WorkspaceState):
        state = state_or_files
    else:
        state = WorkspaceState(task.base).with_files(state_or_files)
    with Grader(task, choose_backend(sandbox)) as grader:
        return grader.grade(state)
