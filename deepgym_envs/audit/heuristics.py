"""Tier 1: payloads that solve nothing, put before a grader that should not pay for any of them.

A falsifier, not a prover: what is refused here bounds how often cheats like these are paid, and says nothing
of others.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from deepgym_envs.audit.judges import GraderName, check_isolates, check_known, judge_of
from deepgym_envs.audit.naive import Judged
from deepgym_envs.audit.payloads.catalogue import PAYLOADS
from deepgym_envs.audit.payloads.payload import Letter, Payload
from deepgym_envs.audit.policies import POLICIES, Policy, play
from deepgym_envs.audit.report import Figure, Finding, Status, Tier
from deepgym_envs.audit.rewrites import variants_of
from deepgym_envs.audit.target import changed_state, target_of
from deepgym_envs.errors import SandboxError
from deepgym_envs.sandbox import Backend, BackendName, choose_backend
from deepgym_envs.state import WorkspaceState
from deepgym_envs.task import Task

What = Literal["payload", "policy", "honest"]
_HASTE_SECONDS = 5.0


@dataclass(frozen=True)
class Trial:
    """What one grader made of one state or episode.

    ``what`` is a ``payload``, a lazy ``policy``, or ``honest`` work: the reference solution or the same in
    another form. ``accepted`` is None where it could not be judged, and ``reason`` says why. ``seconds`` of
    wall clock.
    """

    what: What
    name: str
    letter: Letter | None
    accepted: bool | None = None
    reason: str = ""
    reward: float = 0.0
    seconds: float = 0.0
    robustness: bool = False


@dataclass(frozen=True)
class Report:
    """Everything that was tried on one task before one grader."""

    task: str
    sandbox: str
    grader: GraderName
    trials: tuple[Trial, ...]

    @property
    def tier(self) -> Tier:
        """These are the heuristics."""
        return 1

    @property
    def accepted(self) -> tuple[Trial, ...]:
        """Payloads and lazy policies that were paid."""
        return tuple(trial for trial in self.tried if trial.accepted)

    @property
    def refused(self) -> tuple[Trial, ...]:
        """Honest work that was not paid."""
        return tuple(trial for trial in self.trials if trial.accepted is False and trial.what == "honest")

    @property
    def not_judged(self) -> tuple[Trial, ...]:
        """What the infrastructure failed at."""
        return tuple(trial for trial in self.trials if trial.accepted is None)

    @property
    def tried(self) -> tuple[Trial, ...]:
        """Payloads and lazy policies that were judged."""
        return tuple(trial for trial in self.trials if trial.accepted is not None and trial.what != "honest")

    @property
    def bound(self) -> float | None:
        """Upper limit, at 95 %, of the share of cheats like these that are paid; None if any was.

        It is ``1 - 0.05 ** (1 / m)`` for none of ``m``, and holds for cheats drawn as these were.
        """
        return None if self.accepted or not self.tried else upper_bound(len(self.tried))

    @property
    def status(self) -> Status:
        """``hackable`` if a cheat was paid; ``inconclusive`` if something could not be judged, or honest work
        was refused, since a grader that pays nobody refuses cheats as well."""
        if self.accepted:
            return "hackable"
        return "inconclusive" if self.not_judged or self.refused or not self.tried else "robust"

    def figures(self) -> Mapping[str, Figure]:
        """How many were tried and paid, and what follows."""
        honest = [trial for trial in self.trials if trial.what == "honest"]
        return {
            "grader": self.grader,
            "tried": len(self.tried),
            "paid": len(self.accepted),
            "at most": self.bound,
            "honest": len(honest),
            "refused": len(self.refused),
            "not judged": len(self.not_judged),
        }

    def findings(self) -> Sequence[Finding]:
        """Each cheat that was paid, honest work that was not, and what could not be judged."""
        return [
            *(Finding("bad", f"paid: {trial.name}", trial.reason) for trial in self.accepted),
            *(Finding("open", f"honest work refused: {trial.name}", trial.reason) for trial in self.refused),
            *(Finding("open", f"not judged: {trial.name}", trial.reason) for trial in self.not_judged),
        ]


def upper_bound(tried: int) -> float:
    """The largest share of cheats paid with which none of ``tried`` is still seen paid once in 20 times.

    >>> round(upper_bound(30), 3), round(upper_bound(60), 3)
    (0.095, 0.049)

    Raises:
        ValueError: nothing was tried.
    """
    if tried < 1:
        raise ValueError("no bound follows from nothing tried")
    return float(1.0 - 0.05 ** (1.0 / tried))


def audit(
    task: Task,
    *,
    sandbox: BackendName | Backend = "auto",
    grader: GraderName = "ours",
    payloads: Sequence[Payload] = PAYLOADS,
    policies: Sequence[Policy] = POLICIES,
    honest: int = 1,
    on_trial: Callable[[Trial], None] | None = None,
) -> Report:
    """Tier 1: put every payload, and honest work, before ``grader``; ``policies`` play the environment.

    Policies are for ``ours`` alone, which has step rewards. ``honest`` is how often the reference solution
    and each variant of it is judged, with other twins each time. ``on_trial`` is told of each trial as it
    ends.

    ::

        report = audit(load_task("starter/seamline-small-bars"), grader="junit")
        print(report.status, report.bound, [trial.name for trial in report.accepted])

    Raises:
        UsageError: there is no grader of that name, it cannot judge this task, or the sandbox does not
            isolate: some payloads kill all that they can reach.
        TaskError: nothing in the task can be attacked, or it has no good solution.
        SandboxUnavailable: there is no such sandbox here.
    """
    check_known(grader)
    backend = choose_backend(sandbox)
    check_isolates(backend)
    trials: list[Trial] = []
    for trial in _trials(task, backend, grader, payloads, policies if grader == "ours" else (), honest):
        trials.append(trial)
        if on_trial is not None:
            on_trial(trial)
    return Report(task.id, backend.name, grader, tuple(trials))


def _trials(
    task: Task,
    backend: Backend,
    grader: GraderName,
    payloads: Sequence[Payload],
    policies: Sequence[Policy],
    honest: int,
) -> Iterator[Trial]:
    target = target_of(task)
    with ExitStack() as stack:
        at_leisure = judge_of(task, backend, grader, stack)
        in_haste = judge_of(task.hurried(_HASTE_SECONDS), backend, grader, stack)
        for name, state in variants_of(task).items():
            for _ in range(honest):
                yield _tried(Trial("honest", name, None), at_leisure, state)
        for payload in payloads:
            trial = Trial("payload", payload.name, payload.letter, robustness=payload.robustness)
            state = changed_state(task, payload.make(target))
            yield _tried(trial, in_haste if payload.letter == "F" else at_leisure, state)
    for policy in policies:
        judge = partial(_played, task, backend, policy)
        yield _tried(Trial("policy", policy.name, "H"), judge, WorkspaceState(task.base))


def _played(task: Task, backend: Backend, policy: Policy, _: WorkspaceState) -> Judged:
    """A policy is paid if its reward is more than every episode costs: minus the potential at its start."""
    result = play(task, backend, policy)
    gained = result.shaping + result.first_potential
    if result.terminal:
        return Judged(True, f"solved: terminal reward {result.terminal:g}")
    if abs(gained) > 1e-9:
        return Judged(gained > 0, f"shaping adds up to {gained:+.4f} beyond -phi(s0)")
    return Judged(False, result.reason)


def _tried(trial: Trial, judge: Callable[[WorkspaceState], Judged], state: WorkspaceState) -> Trial:
    """The trial with what ``judge`` made of it."""
    started = time.monotonic()
    try:
        judged = judge(state)
    except SandboxError as error:
        return replace(trial, reason=str(error), seconds=time.monotonic() - started)
    reward = 1.0 if judged.accepted else 0.0
    return replace(
        trial, accepted=judged.accepted, reason=judged.reason, reward=reward,
        seconds=time.monotonic() - started,
    )  # fmt: skip
