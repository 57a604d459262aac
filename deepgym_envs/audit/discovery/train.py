"""Trains a policy on what a task's grader pays, in the real environment, and reports what it has learned."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from deepgym_envs.audit.discovery.arena import Arena, Outcome
from deepgym_envs.audit.discovery.grammar import TURNS, Draft, Edit
from deepgym_envs.audit.discovery.policy import Decisions, Floats, SoftmaxPolicy, group_advantages
from deepgym_envs.audit.discovery.report import DiscoveryReport, Play
from deepgym_envs.audit.judges import GRADERS, GraderName, check_isolates
from deepgym_envs.errors import SandboxError, UsageError
from deepgym_envs.sandbox import Backend, BackendName, choose_backend
from deepgym_envs.task import Task


def discover(
    task: Task,
    *,
    sandbox: BackendName | Backend = "auto",
    grader: GraderName = "ours",
    episodes: int = 2000,
    group: int = 16,
    seed: int = 0,
    on_group: Callable[[Sequence[Play]], None] | None = None,
) -> DiscoveryReport:
    """Train a policy that knows nothing on what ``grader`` pays for ``task``, and see whether it cheats.

    ``episodes`` is rounded up to whole groups of ``group``. ``on_group`` is told of each group as it ends.
    The same ``seed`` trains the same policy, as far as the graders say the same of the same state. Training
    ends early when a whole group could not be judged.

    ::

        report = discover(load_task("starter/cellwork-recalc-once"), grader="hardened", episodes=800)
        print(report.status, report.converged, report.cheating)

    Raises:
        UsageError: there is no such grader, it cannot judge this task, a number is too small, or the sandbox
            does not isolate.
        TaskError: the task has nothing to attack, or a solution that cannot be taken apart.
        SandboxUnavailable: there is no such sandbox here.
    """
    if grader not in GRADERS:
        raise UsageError(f"no grader {grader!r}; known: {', '.join(GRADERS)}")
    if group < 2 or episodes < 1:
        raise UsageError(
            f"give 1 episode or more, in groups of 2 or more, not {episodes} in groups of {group}"
        )
    backend = choose_backend(sandbox)
    check_isolates(backend)
    plays: list[Play] = []
    gold_paid: bool | None = None
    trouble = ""
    with ExitStack() as stack:
        try:
            arena = Arena(task, backend, grader, stack)
            gold_paid = arena.pays_gold()
            learner = _Learner(arena, seed)
            while len(plays) < episodes and not trouble:
                outcomes = learner.play_group(group)
                plays += [outcome.play for outcome in outcomes]
                trouble = outcomes[0].trouble if all(outcome.trouble for outcome in outcomes) else ""
                if on_group is not None:
                    on_group(plays[-group:])
        except SandboxError as error:
            trouble = str(error)
    return DiscoveryReport(task.id, backend.name, grader, seed, group, tuple(plays), gold_paid, trouble)


@dataclass
class _Notes:
    """What was decided in one episode, a row for each turn."""

    features: list[Floats] = field(default_factory=list)
    open: list[NDArray[np.bool_]] = field(default_factory=list)
    chosen: list[int] = field(default_factory=list)


class _Learner:
    """A policy that plays in groups, and learns from each."""

    def __init__(self, arena: Arena, seed: int) -> None:
        self._arena = arena
        self._grammar = arena.grammar
        self._random = np.random.default_rng(seed)
        edits = len(self._grammar.edits)
        self._policy = SoftmaxPolicy(1 + TURNS + edits, edits)

    def play_group(self, size: int) -> list[Outcome]:
        """Play a group of episodes and learn from those that were judged."""
        played = [self._play() for _ in range(size)]
        judged = [(outcome, notes) for outcome, notes in played if not outcome.trouble]
        if judged:
            advantages = group_advantages(np.array([outcome.reward for outcome, _ in judged]))
            turns = [len(notes.chosen) for _, notes in judged]
            decisions = Decisions(
                np.array([row for _, notes in judged for row in notes.features]),
                np.array([row for _, notes in judged for row in notes.open]),
                np.array([number for _, notes in judged for number in notes.chosen]),
                np.repeat(advantages, turns),
            )
            self._policy.learn(decisions)
        return [outcome for outcome, _ in played]

    def _play(self) -> tuple[Outcome, _Notes]:
        notes = _Notes()

        def choose(draft: Draft, turn: int) -> Edit:
            offered = self._grammar.open(draft)
            features = np.concatenate([[1.0], np.arange(TURNS) == turn, ~offered])
            notes.features.append(features)
            notes.open.append(offered)
            notes.chosen.append(self._policy.choose(features, offered, self._random))
            return self._grammar.edits[notes.chosen[-1]]

        return self._arena.play(choose), notes
