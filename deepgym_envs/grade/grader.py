"""Judges states of one task in a clean box of its own, which holds nothing but the value that it is given."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import TypeVar

from deepgym_envs.errors import SandboxError
from deepgym_envs.grade.claim import Claim
from deepgym_envs.grade.clean_box import CleanBox
from deepgym_envs.grade.deck import SecretRandom, deck_of
from deepgym_envs.grade.key import ResultKey, result_key
from deepgym_envs.grade.memory import Memory
from deepgym_envs.grade.monitor import signs
from deepgym_envs.grade.report import TestReport
from deepgym_envs.grade.shown import ShownRuns
from deepgym_envs.grade.testrun import run_draw, run_hidden, run_visible
from deepgym_envs.grade.verdict import Verdict, judge
from deepgym_envs.sandbox import Backend, BackendName, Command, Completed, Sandbox, choose_backend
from deepgym_envs.sandbox.contract import Closing
from deepgym_envs.state import WorkspaceState
from deepgym_envs.task import Task

T = TypeVar("T")


class Grader(Closing):
    """Grades states of ``task``; opens its box when first needed and uses it again after an in-place reset.

    Only what the task allows to be changed goes into the box: tests, configuration and all else are the
    base's. One grader is for one thread at a time, except for ``close``; several may share a ``memory``, and
    of those that are asked about one state at a time one measures while the others wait (see
    ``Memory.once`` for how long).

    ``shown`` are the runs of tests that agents were shown in boxes of this backend.
    """

    def __init__(self, task: Task, backend: Backend, memory: Memory | None = None) -> None:
        self.task = task
        self._box = CleanBox(task, backend)
        self._memory = memory if memory is not None else Memory()
        self.shown = ShownRuns(task, self._box.backend, self._memory)

    def grade(self, state: WorkspaceState) -> Verdict:
        """The verdict on ``state``; known ones come from memory.

        Raises:
            SandboxError: it could not be judged, for a reason that the code under test cannot have caused.
            ValueError: ``state`` is not one of this task's.
        """
        judged = self.judged_part(state)
        key = self._key("verdict", judged)
        verdict = self._remembered(
            key,
            Verdict,
            lambda: self._judge(judged, secrets.token_bytes(32)),
            lambda: self._judge(judged, secrets.token_bytes(32), warm=False),
        )
        outside = [path for path in state.changes if path not in judged.changes]
        flake = self._memory.flake(key)
        unsteady = () if flake is None else flake.tests or ("verdict",)
        flags = (
            *verdict.flags,
            *(f"outside_editable:{path}" for path in outside),
            *(f"flaky:{test}" for test in unsteady),
        )
        return replace(verdict, state=state.digest, flags=flags)

    def again(self, state: WorkspaceState, seed: bytes) -> Verdict:
        """The verdict on ``state`` by the draw of an earlier grading, whose ``Claim.seed`` this is.

        It is found out anew and not remembered. Raises as ``grade`` does.
        """
        return self._judge(self.judged_part(state), seed)

    def visible(self, state: WorkspaceState) -> TestReport:
        """What the repository's own tests, as they stand at the base, say of ``state``; without details.

        Where an agent was shown a run of all tests on the very value that is to be tested here, it is that
        run: one on other tests, or one that changed a file, is never taken.

        Raises:
            SandboxError: as for ``grade``.
        """
        tested = self.judged_part(state).only(lambda path: not _is_test_file(path))
        key = self._key("visible", tested)
        # All potentials of a task are counted by its base, which no box in which an agent plays speaks for.
        if tested.changes and self._memory.get(key, TestReport) is None:
            shown = self.shown.get(tested, ())
            if shown is not None:
                self._memory.keep(key, replace(shown, details={}))
        return self._remembered(key, TestReport, lambda: self._seen(tested))

    def hidden(self, state: WorkspaceState) -> TestReport:
        """What the hidden tests that are listed say of ``state``, run as they are; without details.

        There are no twins among them, so code that takes over the process of its tests can make this say
        anything. For a task of kind ``tests`` the outcomes are those of implementations. A state that does
        not fit into the box, or breaks it, has an empty report.

        Raises:
            SandboxError: as for ``grade``.
        """
        judged = self.judged_part(state)
        return self._remembered(self._key("hidden", judged), TestReport, lambda: self._plainly(judged))

    def run(self, state: WorkspaceState, command: Command) -> Completed | None:
        """How ``command`` ended in the clean box that holds what counts of ``state``; None if that does not
        fit into the box or broke it. Nothing is remembered: ask inside of ``measured``.

        Raises:
            SandboxError: as for ``grade``.
        """
        judged = self.judged_part(state)

        def run(box: Sandbox) -> Completed:
            box.restore(judged)
            return box.run(command)

        done = self._box.use(run)
        return None if isinstance(done, str) else done

    def measured(self, name: str, state: WorkspaceState, kind: type[T], measure: Callable[[], T]) -> T:
        """What ``measure`` gives for the whole of ``state``, remembered as ``name``; beyond this process only
        if it is a number.

        Raises:
            Exception: what ``measure`` raises.
        """
        return self._remembered(self._key(f"potential {name!r}", state), kind, measure)

    def judged_part(self, state: WorkspaceState) -> WorkspaceState:
        """The part of ``state`` that counts: its changes to editable paths. ``ValueError`` on another."""
        if state.base != self.task.base:
            raise ValueError(f"the state does not belong to {self.task.id}")
        return state.only(self.task.may_edit)

    def close(self) -> None:
        """Give the box up; the grader opens another when it is needed again.

        It may be called from another thread: what is being judged there ends with ``SandboxError``.
        """
        self._box.close()

    def _key(self, asked: str, state: WorkspaceState) -> ResultKey:
        return result_key(self.task, state, asked, self._box.backend)

    def _remembered(
        self, key: ResultKey, kind: type[T], measure: Callable[[], T], again: Callable[[], T] | None = None
    ) -> T:
        closings = self._box.closings

        def check_open() -> None:
            if self._box.closings != closings:
                raise SandboxError(f"{self.task.id} could not be judged: the grader was closed meanwhile")

        def unless_closed(find_out: Callable[[], T]) -> T:
            check_open()  # nobody would close a box that is opened now
            return find_out()

        second = partial(unless_closed, again) if again is not None else None
        return self._memory.once(key, kind, partial(unless_closed, measure), check_open, second)

    def _seen(self, state: WorkspaceState) -> TestReport:
        def run(box: Sandbox) -> tuple[TestReport, Completed]:
            box.restore(state)
            return run_visible(box, self.task)

        seen = self._box.use(run)
        if not state.changes and (isinstance(seen, str) or not seen[0].complete):
            # All potentials of the task are counted by this run, and no agent's code was in it.
            raise SandboxError(f"the tests of {self.task.id} did not come to their end at its base")
        if isinstance(seen, str):
            return TestReport({}, (), {}, False, False)
        return replace(seen[0], details={})  # none were asked for

    def _plainly(self, state: WorkspaceState) -> TestReport:
        seen = self._box.use(lambda box: run_hidden(box, self.task, state, self.task.expected))
        if isinstance(seen, str):
            return TestReport({}, (), {}, False, False)
        return replace(seen[0], details={})

    def _judge(self, state: WorkspaceState, seed: bytes, *, warm: bool = True) -> Verdict:
        draw = deck_of(self.task).draw(SecretRandom(seed))
        chance = draw.forge_probability
        seen = self._box.use(lambda box: run_draw(box, self.task, state, draw), warm=warm)
        shown = tuple(f"sign:{sign}:{path}" for sign, path in signs(state) if sign != "tests")
        if isinstance(seen, str):
            claim = Claim(seed.hex(), self._box.place)
            return Verdict(
                0.0, False, seen, self.task.id, state.digest, shown, forge_probability=chance, claim=claim
            )
        report, done = seen
        reason = judge(draw.demands, report, done)
        passed = reason == "passed"
        return Verdict(
            1.0 if passed else 0.0,
            passed,
            reason,
            self.task.id,
            state.digest,
            shown,
            tests={test: report.outcomes.get(node, "missing") for test, node in draw.tests.items()},
            forge_probability=chance,
            claim=Claim.of(seed, self._box.place, draw.nodes, report, done),
        )


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
