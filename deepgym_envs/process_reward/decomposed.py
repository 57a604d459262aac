"""One reward of many parts: exact checks decide, and a learned score has a say where no program can check.

A learned score that is added to a verdict pays for pleasing the judge. Here it is a veto, or a bonus that is
smaller than what any check decides about, and it is not even asked for what failed a check.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from deepgym_envs.advantage.arrays import number
from deepgym_envs.errors import ModelError, SandboxError
from deepgym_envs.grade import Verdict

MOST_BONUS = 0.5


@dataclass(frozen=True)
class Gate:
    """The score is a veto: what passed is paid 1 if it is at least ``threshold``, in [0, 1], else 0."""

    threshold: float = 0.5

    def __post_init__(self) -> None:
        number("threshold", self.threshold, 0, 1)

    def paid(self, score: float) -> Mapping[str, float]:
        """The terms of the reward for what passed each check."""
        return {"checks": 1.0, "veto": 0.0 if score >= self.threshold else -1.0}


@dataclass(frozen=True)
class Bonus:
    """The score adds at most ``size``, in [0, 0.5]: what passed is paid 1 - size + size * score.

    So the least that is paid for passing is 1 - size, and what failed a check gets 0.
    """

    size: float = 0.1

    def __post_init__(self) -> None:
        number("size", self.size, 0, MOST_BONUS)

    def paid(self, score: float) -> Mapping[str, float]:
        """The terms of the reward for what passed each check."""
        return {"checks": 1.0 - self.size, "bonus": self.size * score}


@dataclass(frozen=True)
class DecomposedReward:
    """What is paid, in [0, 1]: the sum of ``terms``.

    ``failed`` names the checks that did not hold. ``score`` is the learned one, None where nobody asked for
    it; ``vetoed`` says that it was too low.
    """

    reward: float
    failed: tuple[str, ...] = ()
    vetoed: bool = False
    score: float | None = None
    terms: Mapping[str, float] = field(default_factory=lambda: {"checks": 0.0})

    @property
    def passed(self) -> bool:
        """Whether all checks held and there was no veto."""
        return not self.failed and not self.vetoed


def decomposed_reward(
    checks: Mapping[str, bool | None],
    score: float | Callable[[], float] | None = None,
    *,
    rule: Gate | Bonus | None = None,
) -> DecomposedReward:
    """0 if a check failed; else 1, or what ``rule`` makes of ``score``, in [0, 1].

    ``score`` may be a function, such as one that asks a model: it is called only if every check holds. For
    any scores, what failed a check gets 0 and what passed them at least 1 - size with a ``Bonus``, and 1 or
    0 with a ``Gate``. Several scores are several gates: pass their minimum.

    >>> decomposed_reward({"hidden_tests": True, "no_new_warnings": False}, 0.99, rule=Bonus(0.2)).reward
    0.0
    >>> decomposed_reward({"hidden_tests": True}, 0.25, rule=Bonus(0.2)).terms
    {'checks': 0.8, 'bonus': 0.05}
    >>> decomposed_reward({"hidden_tests": True}, 0.25, rule=Gate(0.5)).vetoed
    True

    Raises:
        ValueError: there is no check, one is no boolean, or only one of score and rule is given.
        SandboxError: a check is None, which means that nobody could tell: mask the sample.
        ModelError: the score is not in [0, 1]: ask again, or mask the sample.
    """
    if not checks:
        raise ValueError("checks is empty: expected at least one exact check, by name")
    if (score is None) != (rule is None):
        raise ValueError("score and rule belong together: give both, or neither")
    for name, held in checks.items():
        if held is None:
            raise SandboxError(f"the check {name!r} could not be made; mask the sample")
        if not isinstance(held, bool):
            raise ValueError(f"the check {name!r} is {held!r}: expected True, False, or None for not known")
    failed = tuple(name for name, held in checks.items() if not held)
    if failed:
        return DecomposedReward(0.0, failed)
    if score is None or rule is None:
        return DecomposedReward(1.0, terms={"checks": 1.0})
    given = _in_range(score() if callable(score) else score)
    terms = rule.paid(given)
    return DecomposedReward(
        math.fsum(terms.values()), vetoed=terms.get("veto", 0.0) < 0, score=given, terms=terms
    )


def checks_of(verdict: Verdict, *, refuse: Sequence[str] = ()) -> dict[str, bool]:
    """The exact checks that a verdict holds: ``hidden_tests``, and ``no_<flag>`` for each flag to refuse.

    ``refuse`` names the beginnings of flags, up to a colon: ``outside_editable``, ``flaky``, ``sign`` or one
    sign, such as ``sign:frames``. They are off by default, since an honest solution may have them.
    """
    return {
        "hidden_tests": verdict.passed,
        **{f"no_{flag}": not any(_begins(found, flag) for found in verdict.flags) for flag in refuse},
    }


def _begins(found: str, flag: str) -> bool:
    return found == flag or found.startswith(f"{flag}:")


def _in_range(score: float) -> float:
    try:
        value = float(score)
    except (TypeError, ValueError, OverflowError):
        value = math.nan
    if not 0 <= value <= 1:
        raise ModelError(f"the learned score is {score!r}: expected a number in [0, 1]; mask the sample")
    return value
