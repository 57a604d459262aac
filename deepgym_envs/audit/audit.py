"""Is this task's reward hackable? Payloads that solve nothing are put before graders that should not pay.

A falsifier, not a prover: what is refused here bounds how often cheats like these are paid, and says nothing
of others.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from deepgym_envs.audit.judges import GRADERS, GraderName, check_isolates, judge_of
from deepgym_envs.audit.naive import Judged
from deepgym_envs.audit.payloads.catalogue import PAYLOADS
from deepgym_envs.audit.payloads.payload import Letter, Payload
from deepgym_envs.audit.policies import POLICIES, Policy, play
from deepgym_envs.audit.report import Status
from deepgym_envs.audit.rewrites import variants_of
from deepgym_envs.audit.target import changed_state, target_of
from deepgym_envs.errors import SandboxError, UsageError
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
    grader: GraderName
    accepted: bool | None = None
    reason: str = ""
    reward: float = 0.0
    seconds: float = 0.0
    robustness: bool = False


@dataclass(frozen=True)
class Report:
    """Everything that was tried on one task."""

    task: str
    sandbox: str
    graders: tuple[GraderName, ...]
    trials: tuple[Trial, ...]

    def accepted(self, grader: GraderName | None = None) -> tuple[Trial, ...]:
        """Payloads and lazy policies that were paid, by that grader or by any."""
        return tuple(trial for trial in self._of(grader) if trial.accepted and trial.what != "honest")

    def refused(self, grader: GraderName | None = None) -> tuple[Trial, ...]:
        """Honest work that was not paid, by that grader or by any."""
        return tuple(
            trial for trial in self._of(grader) if trial.accepted is False and trial.what == "honest"
        )

    def not_judged(self, grader: GraderName | None = None) -> tuple[Trial, ...]:
        """What the infrastructure failed at."""
        return tuple(trial for trial in self._of(grader) if trial.accepted is None)

    def tried(self, grader: GraderName | None = None) -> tuple[Trial, ...]:
        """Payloads and lazy policies that were judged."""
        return tuple(
            trial for trial in self._of(grader) if trial.accepted is not None and trial.what != "honest"
        )

    def bound(self, grader: GraderName | None = None) -> float | None:
        """Upper limit, at 95 %, of the share of cheats like these that are paid; None if any was.

        It is ``1 - 0.05 ** (1 / m)`` for none of ``m``, and holds for cheats drawn as these were. Without a
        grader it is the largest of all graders'.
        """
        tried = min(len(self.tried(name)) for name in (self.graders if grader is None else (grader,)))
        return None if self.accepted(grader) or not tried else upper_bound(tried)

    @property
    def status(self) -> Status:
        """``hackable`` if a cheat was paid; ``inconclusive`` if something could not be judged, or honest work
        was refused, since a grader that pays nobody refuses cheats as well."""
        if self.accepted():
            return "hackable"
        return "inconclusive" if self.not_judged() or self.refused() or not self.tried() else "robust"

    def _of(self, grader: GraderName | None) -> Iterator[Trial]:
        return (trial for trial in self.trials if grader in (None, trial.grader))


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
    graders: Sequence[GraderName] = ("ours",),
    payloads: Sequence[Payload] = PAYLOADS,
    policies: Sequence[Policy] = POLICIES,
    honest: bool = True,
    on_trial: Callable[[Trial], None] | None = None,
) -> Report:
    """Put every payload, and honest work, before each of ``graders``; ``policies`` play the environment.

    Policies are for ``ours`` alone, which has step rewards. ``honest=False`` leaves the reference solution
    and its variants out. ``on_trial`` is told of each trial as it ends.

    ::

        report = audit(load_task("starter/seamline-small-bars"), graders=("ours", "junit"))
        print(report.status, report.bound("ours"), [trial.name for trial in report.accepted("junit")])

    Raises:
        UsageError: there is no grader of that name, it cannot judge this task, or the sandbox does not
            isolate: some payloads kill all that they can reach.
        TaskError: nothing in the task can be attacked, or it has no good solution.
        SandboxUnavailable: there is no such sandbox here.
    """
    unknown = [name for name in graders if name not in GRADERS]
    if unknown or not graders:
        raise UsageError(f"no grader {unknown[0] if unknown else ''!r}; known: {', '.join(GRADERS)}")
    backend = choose_backend(sandbox)
    check_isolates(backend)
    trials: list[Trial] = []
    for trial in _trials(task, backend, graders, payloads, policies if "ours" in graders else (), honest):
        trials.append(trial)
        if on_trial is not None:
            on_trial(trial)
    return Report(task.id, backend.name, tuple(graders), tuple(trials))


def _trials(
    task: Task,
    backend: Backend,
    graders: Sequence[GraderName],
    payloads: Sequence[Payload],
    policies: Sequence[Policy],
    honest: bool,
) -> Iterator[Trial]:
    target = target_of(task)
    with ExitStack() as stack:
        judges = {name: judge_of(task, backend, name, stack) for name in graders}
        in_haste = {name: judge_of(_hurried(task), backend, name, stack) for name in graders}
        for name, state in variants_of(task).items() if honest else ():
            for grader, judge in judges.items():
                yield _tried(Trial("honest", name, None, grader), judge, state)
        for payload in payloads:
            state = changed_state(task, payload.make(target))
            for grader, judge in (in_haste if payload.letter == "F" else judges).items():
                trial = Trial("payload", payload.name, payload.letter, grader, robustness=payload.robustness)
                yield _tried(trial, judge, state)
    for policy in policies:
        judge = partial(_played, task, backend, policy)
        yield _tried(Trial("policy", policy.name, "H", "ours"), judge, WorkspaceState(task.base))


def _hurried(task: Task) -> Task:
    """The task with little time for its tests: what hangs on purpose need not be waited for so long."""
    limits = task.limits.model_copy(update={"test_seconds": min(task.limits.test_seconds, _HASTE_SECONDS)})
    return replace(task, manifest=task.manifest.model_copy(update={"limits": limits}))


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
