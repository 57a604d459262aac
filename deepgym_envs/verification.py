"""Checks what a run has stored: is each reward what was signed, and does it follow from its evidence?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from deepgym_envs.grade import Evidence, Grader, agrees, check, regrade
from deepgym_envs.grade.evidence import grading_version
from deepgym_envs.patch import state_from_patch
from deepgym_envs.sandbox import Backend
from deepgym_envs.task import Task
from deepgym_envs.trajectory import EpisodeKey, Trajectory


@dataclass(frozen=True)
class Complaint:
    """What is wrong with an episode."""

    episode: EpisodeKey
    why: str

    def plain(self) -> dict[str, Any]:
        """As plain JSON values."""
        task, agent, index, seed = self.episode
        return {"episode": {"task": task, "agent": agent, "index": index, "seed": seed}, "why": self.why}


@dataclass(frozen=True)
class Signed:
    """An episode whose record is good, as far as it takes to grade its end again."""

    episode: EpisodeKey
    evidence: Evidence
    patch: str


@dataclass(frozen=True)
class Verification:
    """What ``verify`` found. Each episode is good, bad, unsigned (judged, without a record) or masked (not
    judged, so nothing was paid for its end)."""

    good: tuple[Signed, ...]
    bad: tuple[Complaint, ...]
    unsigned: int
    masked: int

    @property
    def episodes(self) -> int:
        """All of them."""
        return len(self.good) + len(self.bad) + self.unsigned + self.masked


def verify(stored: Iterable[tuple[EpisodeKey, str]], load: Callable[[str], Task], key: bytes) -> Verification:
    """Check each episode that ``RunStore.rows`` gives against its record, which ``key`` has signed.

    No box is needed. ``load`` gives the tasks, by id; what it raises is passed on.
    """
    good: list[Signed] = []
    bad: list[Complaint] = []
    unsigned = masked = 0
    for name, text in stored:
        try:
            trajectory = _read(text)
            if trajectory.record:
                good.append(Signed(name, _evidence(name, trajectory, load, key), trajectory.patch))
            elif trajectory.judgement is None:
                masked += 1
            else:
                unsigned += 1
        except _Bad as error:
            bad.append(Complaint(name, str(error)))
        except RecursionError:
            bad.append(Complaint(name, "it cannot be read: it is nested too deeply"))
    return Verification(tuple(good), tuple(bad), unsigned, masked)


def regrade_some(
    good: Sequence[Signed], load: Callable[[str], Task], backend: Backend, *, count: int, chance: Random
) -> tuple[int, tuple[Complaint, ...]]:
    """Grade ``count`` of these episodes again, by the draws of their records; how many, and which differ.

    Raises:
        SandboxError: one could not be judged.
    """
    chosen = chance.sample(good, min(count, len(good)))
    differing: list[Complaint] = []
    for name in sorted({one.evidence.task for one in chosen}):
        task = load(name)
        with Grader(task, backend) as grader:
            for one in chosen:
                why = _difference(one, grader) if one.evidence.task == name else ""
                if why:
                    differing.append(Complaint(one.episode, why))
    return len(chosen), tuple(differing)


class _Bad(Exception):
    """An episode is not what was signed."""


def _read(text: str) -> Trajectory:
    try:
        return Trajectory.from_json(text)
    except ValueError as error:
        raise _Bad(f"it cannot be read: {error}") from None


def _evidence(name: EpisodeKey, trajectory: Trajectory, load: Callable[[str], Task], key: bytes) -> Evidence:
    """The evidence of an episode, of which everything is found to be right."""
    try:
        evidence = check(str(trajectory.record), key)
    except ValueError as error:
        raise _Bad(str(error)) from None
    paid, reason = _paid(trajectory)
    if (paid, reason) != (evidence.reward, evidence.reason):
        raise _Bad(f"it has {paid} ({reason}), its record {evidence.reward} ({evidence.reason})")
    if trajectory.key != name or trajectory.digest != evidence.episode:
        raise _Bad("its record is that of another episode, or it was changed after it was signed")
    task = load(evidence.task)
    if task.digest != evidence.task_digest:
        raise _Bad("the task has changed since it was graded")
    if not agrees(evidence, task):
        now = grading_version()
        other = f"; it was graded by {evidence.version}, this is {now}" if evidence.version != now else ""
        raise _Bad(f"its reason does not follow from what was reported{other}")
    return evidence


def _paid(trajectory: Trajectory) -> tuple[object, object]:
    """What was paid for the end, and why, as the episode itself says."""
    try:
        paid = trajectory.steps[-1].reward_terms["terminal"]
    except (LookupError, TypeError):
        paid = None
    return paid, trajectory.judgement.reason if trajectory.judgement else None


def _difference(one: Signed, grader: Grader) -> str:
    """How the verdict differs from the one before; empty if it does not."""
    evidence = one.evidence
    try:
        state = state_from_patch(grader.task.base, one.patch.encode("utf-8", "surrogateescape"))
        verdict = regrade(evidence, state, grader)
    except ValueError as error:
        return f"it cannot be graded again: {error}"
    return (
        f"it was {evidence.reason}, and is now {verdict.reason}" if verdict.reason != evidence.reason else ""
    )
