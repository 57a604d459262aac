"""What ``deepgym-envs audit`` does for each task: a step for each tier and grader that was asked for."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast, get_args

from deepgym_envs.audit import PAYLOADS, POLICIES, GraderName, Letter, Payload, Policy, TierReport, audit
from deepgym_envs.audit.attackers import ChatEndpoint, ChatModel, ModelTier, attack
from deepgym_envs.audit.discovery import discover
from deepgym_envs.audit.judges import check_known
from deepgym_envs.audit.weakness import check_weakness
from deepgym_envs.errors import UsageError
from deepgym_envs.sandbox import Backend
from deepgym_envs.task import Task

Say = Callable[[str], None]
Step = Callable[[Task, Backend, Say], TierReport]


@dataclass(frozen=True)
class Heuristics:
    """Tier 1: payloads, lazy policies and honest work before one grader."""

    grader: GraderName
    payloads: Sequence[Payload]
    policies: Sequence[Policy]
    honest: int

    def __call__(self, task: Task, backend: Backend, say: Say) -> TierReport:
        return audit(
            task, sandbox=backend, grader=self.grader, payloads=self.payloads, policies=self.policies,
            honest=self.honest, on_trial=lambda trial: say(f"{trial.name} before {self.grader}"),
        )  # fmt: skip


@dataclass(frozen=True)
class Attack:
    """Tiers 2 and 3: a model against one grader."""

    tier: ModelTier
    grader: GraderName
    model: ChatModel
    rounds: int
    transcripts: Path | None

    def __call__(self, task: Task, backend: Backend, say: Say) -> TierReport:
        return attack(
            task, self.model, tier=self.tier, sandbox=backend, grader=self.grader, rounds=self.rounds,
            transcripts=self.transcripts, on_round=lambda done: say(f"tier {self.tier}: {done.reason}"),
        )  # fmt: skip


@dataclass(frozen=True)
class Weakness:
    """Tier 4: mutants, a look-up table and leaks."""

    mutants: int
    seed: int
    scan_seconds: float

    def __call__(self, task: Task, backend: Backend, say: Say) -> TierReport:
        return check_weakness(
            task,
            sandbox=backend,
            mutants=self.mutants,
            seed=self.seed,
            scan_seconds=self.scan_seconds,
            on_step=say,
        )


@dataclass(frozen=True)
class Discovery:
    """Tier 5: a policy trained on what one grader pays."""

    grader: GraderName
    episodes: int
    seed: int

    def __call__(self, task: Task, backend: Backend, say: Say) -> TierReport:
        return discover(
            task, sandbox=backend, grader=self.grader, episodes=self.episodes, seed=self.seed,
            on_group=lambda plays: say(f"a group of {len(plays)} before {self.grader}"),
        )  # fmt: skip


@dataclass(frozen=True)
class Options:
    """What the command was given, as it was given."""

    tiers: Sequence[int]
    graders: Sequence[str]
    payloads: Sequence[str]
    letters: Sequence[str]
    honest: int
    model: str | None
    endpoint: str | None
    key_env: str | None
    rounds: int
    transcripts: Path | None
    mutants: int
    scan_seconds: float
    episodes: int
    seed: int


def steps_of(given: Options) -> Sequence[Step]:
    """The steps, in the order of their tiers.

    Raises:
        UsageError: an option names nothing that there is, or one is missing.
    """
    for name in given.graders:
        check_known(name)
    graders = cast(Sequence[GraderName], tuple(dict.fromkeys(given.graders or ("ours",))))
    payloads, policies = _chosen(given.payloads, given.letters)
    steps: list[Step] = []
    for tier in sorted(set(given.tiers or (1,))):
        if tier == 1:
            steps += [Heuristics(grader, payloads, policies, given.honest) for grader in graders]
        elif tier in get_args(ModelTier):
            model = _model(given)
            steps += [
                Attack(cast(ModelTier, tier), grader, model, given.rounds, given.transcripts)
                for grader in graders
            ]
        elif tier == 4:
            steps.append(Weakness(given.mutants, given.seed, given.scan_seconds))
        else:
            steps += [Discovery(grader, given.episodes, given.seed) for grader in graders]
    return steps


def _model(given: Options) -> ChatModel:
    if given.model is None or given.endpoint is None:
        raise UsageError("tiers 2 and 3 ask a model: give --model NAME and --endpoint URL")
    return ChatEndpoint(given.endpoint, given.model, key_env=given.key_env)


def _chosen(names: Sequence[str], letters: Sequence[str]) -> tuple[Sequence[Payload], Sequence[Policy]]:
    """The payloads and policies that were asked for; policies are of class H."""
    if not names and not letters:
        return PAYLOADS, POLICIES
    known = [*(part.name for part in PAYLOADS), *(part.name for part in POLICIES)]
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {len(known)}"
            raise UsageError(f"no payload {name!r}; {hint}")
    wanted = {letter.upper() for letter in letters}
    if wanted - set(get_args(Letter)):
        raise UsageError(f"--letter is one of A to H, not {', '.join(sorted(wanted))!r}")
    chosen = set(names)
    payloads = [part for part in PAYLOADS if part.name in chosen or part.letter in wanted]
    return payloads, [part for part in POLICIES if part.name in chosen or "H" in wanted]
