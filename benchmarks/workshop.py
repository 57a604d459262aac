"""A task as a small decision problem in the real environment: pieces put in and taken out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from deepgym_envs import SweEnv
from deepgym_envs.action import Action, RunTests, Submit, WriteFile
from deepgym_envs.audit.discovery.policy import Floats
from deepgym_envs.audit.discovery.solution import Piece, pieces_of, written
from deepgym_envs.errors import TaskError
from deepgym_envs.grade import Grader, Memory
from deepgym_envs.sandbox import Pool
from deepgym_envs.state import WorkspaceState
from deepgym_envs.task import Task

_TEST_SECONDS = 20.0  # half a solution may well hang
_STEPS = 10_000  # of the environment, which are no bound here: turns are

Bools: TypeAlias = NDArray[np.bool_]
Draft = tuple[int, ...]
"""For each piece what is there: -1 what the base has, 0 the right version, any other a near miss."""
Choose = Callable[[Floats, Bools], int]
"""One of the moves that are allowed, (N,), in a situation of so many features, (F,)."""


@dataclass(frozen=True)
class Turn:
    """One move: where it was made, what it was, and what the environment's shaping paid for it.

    ``potential`` is that of the state in which the turn began.
    """

    features: Floats
    allowed: Bools
    chosen: int
    potential: float
    shaping: float


@dataclass(frozen=True)
class Episode:
    """All turns, and the verdict: 1.0 or 0.0."""

    turns: tuple[Turn, ...]
    terminal: float


def mended(grader: Grader, state: WorkspaceState) -> float:
    """Share of the visible tests failing at the base that pass, times that of the others that still do."""
    base, now = grader.visible(WorkspaceState(state.base)), grader.visible(state)
    passing, good = set(base.passed), set(now.passed)
    failing = set(base.outcomes) - passing
    if not failing or base.broken:
        raise TaskError(
            f"{grader.task.id}: choose a task with visible tests that fail, and none that cannot be read"
        )
    return len(failing & good) / len(failing) * len(passing & good) / max(1, len(passing))


mended.key = "benchmarks.workshop.mended/1"  # type: ignore[attr-defined]


class Workshop:
    """Episodes of at most ``horizon`` turns. Each move puts a version of a piece where it belongs, or takes a
    piece out, and runs the tests; the last one, which is also made when no turn is left, hands in.

    Raises:
        TaskError: the solution cannot be taken apart, or no visible test fails.
        SandboxError: the parts could not be judged.
    """

    def __init__(self, task: Task, pool: Pool, horizon: int) -> None:
        limits = task.limits.model_copy(update={"steps": _STEPS, "seconds": 86_400.0})
        task = task.hurried(_TEST_SECONDS)
        self._task = replace(task, manifest=task.manifest.model_copy(update={"limits": limits}))
        self._horizon = horizon
        memory = Memory()
        with Grader(self._task, pool, memory) as grader:
            self._pieces: Sequence[Piece] = pieces_of(self._task, grader.grade)
        self._moves = [
            (piece, version)
            for piece, made in enumerate(self._pieces)
            for version in range(-1, len(made.versions))
        ]
        self._env = SweEnv(self._task, pool, potential=mended, memory=memory)

    @property
    def moves(self) -> int:
        """How many there are, N; the last is to hand in."""
        return len(self._moves) + 1

    @property
    def features(self) -> int:
        """How many numbers describe a situation, F: one that is 1, and one for each version of each piece."""
        return 1 + len(self._moves)

    def close(self) -> None:
        """Give the box up."""
        self._env.close()

    def play(self, choose: Choose) -> Episode:
        """One episode.

        Raises:
            SandboxError: it could not be played to its end.
        """
        _, info = self._env.reset()
        draft: Draft = (-1,) * len(self._pieces)
        turns: list[Turn] = []
        while True:
            features, allowed = self._situation(draft)
            chosen = choose(features, allowed) if len(turns) < self._horizon else self.moves - 1
            potential, is_last = float(info["potential"]), chosen == self.moves - 1
            paid = 0.0
            for action in [Submit()] if is_last else self._actions(draft, chosen):
                _, _, _, _, info = self._env.step(action.encode())
                if info["masked"] or info["error"]:
                    raise TaskError(f"{self._task.id}: a move went wrong: {info['error']}")
                paid += info["reward_terms"]["shaping"]
            if len(turns) < self._horizon:
                turns.append(Turn(features, allowed, chosen, potential, paid))
            else:  # nobody chose this end: what it pays belongs to the last turn that somebody chose
                turns[-1] = replace(turns[-1], shaping=turns[-1].shaping + paid)
            if is_last:
                return Episode(tuple(turns), float(info["reward_terms"]["terminal"]))
            draft = self._after(draft, chosen)

    def _situation(self, draft: Draft) -> tuple[Floats, Bools]:
        there = np.array([draft[piece] == version for piece, version in self._moves])
        return np.concatenate([[1.0], there]), np.append(~there, True)

    def _after(self, draft: Draft, move: int) -> Draft:
        piece, version = self._moves[move]
        return (*draft[:piece], version, *draft[piece + 1 :])

    def _actions(self, draft: Draft, move: int) -> list[Action]:
        before, after = self._files(draft), self._files(self._after(draft, move))
        changed = {path: data for path, data in after.items() if before[path] != data}
        return [*(WriteFile(path=path, content=data.decode()) for path, data in changed.items()), RunTests()]

    def _files(self, draft: Draft) -> dict[str, bytes]:
        """Every file that any piece is in, as ``draft`` has it: empty where the base has none."""
        paths = {block.path for piece in self._pieces for block in piece.right}
        base = self._task.base
        files = {path: base[path].data if path in base else b"" for path in paths}
        blocks = [
            block
            for piece, version in zip(self._pieces, draft, strict=True)
            for block in (piece.versions[version] if version >= 0 else ())
        ]
        for path, data in written(base, blocks).items():
            files[path] = data or b""
        return files
