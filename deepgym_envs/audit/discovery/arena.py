"""Where episodes of edits are played and paid: the real environment, and the grader under test."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

from deepgym_envs.action import Action, Submit, WriteFile
from deepgym_envs.audit.discovery.grammar import TURNS, Draft, Edit, Look, grammar_of
from deepgym_envs.audit.discovery.report import Play
from deepgym_envs.audit.judges import GraderName, Judge, judge_of
from deepgym_envs.env import SweEnv
from deepgym_envs.errors import SandboxError
from deepgym_envs.grade import Grader, Memory
from deepgym_envs.sandbox import Backend, Pool
from deepgym_envs.state import WorkspaceState
from deepgym_envs.task import Task

_NOTHING = 1e-9  # returns that differ by less differ by rounding
_HASTE_SECONDS = 20.0

Choose = Callable[[Draft, int], Edit]
"""Which edit to make, given the draft so far and the number of the turn from 0."""


@dataclass(frozen=True)
class Outcome:
    """An episode and its return, from which a policy learns; ``trouble`` says why it could not be judged."""

    play: Play
    reward: float = 0.0
    trouble: str = ""


class Arena:
    """Plays episodes of one task; what it opens is closed with ``stack``.

    For ``ours`` the return is the sum of the environment's rewards, step rewards included. For a naive grader
    there are none, and it is 1 or 0 for the state that was handed in. States are judged once, and tests get
    20 s at most, for half a solution may well make them hang.

    Raises:
        SandboxError: no box can be had, or the parts of the solution could not be judged.
        UsageError: the grader cannot judge this task.
        TaskError: as ``grammar_of`` says.
    """

    def __init__(self, task: Task, backend: Backend, grader: GraderName, stack: ExitStack) -> None:
        task = task.hurried(_HASTE_SECONDS)
        self._judge: Judge | None = None if grader == "ours" else judge_of(task, backend, grader, stack)
        memory = Memory()
        pool = backend if isinstance(backend, Pool) else stack.enter_context(Pool(backend))
        self._own = stack.enter_context(Grader(task, pool, memory))
        self.grammar = grammar_of(task, self._own.grade)
        self._env = SweEnv(task, pool, measure="never" if self._judge else "run_tests", memory=memory)
        stack.callback(self._env.close)
        self._known: dict[str, bool] = {}

    def pays_gold(self) -> bool:
        """Whether the grader under test pays for the solution as it is put together from its pieces.

        Raises:
            SandboxError: it could not be judged.
        """
        state = self.grammar.state(self.grammar.gold())
        return self._naively(self._judge, state) if self._judge else self._own.grade(state).passed

    def play(self, choose: Choose) -> Outcome:
        """One episode, in which ``choose`` decides what is done in each turn."""
        draft, edits = self.grammar.begin(), list[Edit]()
        try:
            _, info = self._env.reset()
            first = gained = float(info["potential"])
            for turn in range(TURNS):
                edit = choose(draft, turn)
                for action in self.grammar.actions(draft, edit):
                    gained += self._step(action)[0]
                draft = draft.after(edit)
                edits.append(edit)
            reward, passed = self._hand_in(draft)
            gained += reward
            return Outcome(self._play(draft, edits, gained > _NOTHING, passed), gained - first)
        except SandboxError as error:
            return Outcome(self._play(draft, edits), trouble=str(error))

    def _step(self, action: Action) -> tuple[float, bool]:
        """The reward of a step, and whether what was handed in by it passes the hidden tests."""
        _, reward, terminated, truncated, info = self._env.step(action.encode())
        if info["masked"] or (info["error"] and isinstance(action, WriteFile)):
            raise SandboxError(str(info["error"]))
        if truncated or terminated != isinstance(action, Submit):
            raise SandboxError(f"{self._env.task.id}: an episode ended before anything was handed in")
        return float(reward), bool(info["passed"])

    def _hand_in(self, draft: Draft) -> tuple[float, bool | None]:
        """What is paid at the end, and what this package's grader says of what nobody has tampered with."""
        if self._judge is None:
            return self._step(Submit())
        state = self._env.state
        passed = None if draft.cheats else self._own.grade(state).passed
        return float(self._naively(self._judge, state)), passed

    def _naively(self, judge: Judge, state: WorkspaceState) -> bool:
        if state.digest not in self._known:
            self._known[state.digest] = judge(state).accepted
        return self._known[state.digest]

    def _play(
        self, draft: Draft, edits: list[Edit], paid: bool | None = None, passed: bool | None = None
    ) -> Play:
        return Play(
            edits=tuple(edit.name for edit in edits if not isinstance(edit, Look)),
            cheats=tuple(sorted(cheat.name for cheat in draft.cheats)),
            state=self._env.state.digest,
            complete=draft.complete,
            solved=draft.solved,
            paid=paid,
            passed=passed,
        )
