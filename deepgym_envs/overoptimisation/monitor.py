"""Compares what training pays with what is wanted, checkpoint by checkpoint, and says when to stop."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from deepgym_envs.overoptimisation.curve import CurveFit, Form, check_bootstrap, check_form, fit_curve
from deepgym_envs.overoptimisation.cusum import cusum
from deepgym_envs.statistics import wilson

StopReason = Literal["slope", "gap", "peak"]
Alarm = Literal["jump", "infrastructure", "entropy"]


@dataclass(frozen=True)
class Checkpoint:
    """What was measured of one checkpoint.

    ``step`` is the training step, ``d`` the distance from the initial policy (``curve.distance``). ``proxy``
    holds the mean training reward of each training task, ``gold`` the mean score that is trusted of each task
    of its own: held-out ones, or the same graded harder. Tasks stand in the same order at all checkpoints;
    ``paired`` tells that task i of both is the same. Of ``episodes``, ``failures`` were masked because the
    infrastructure failed. ``entropy`` is that of ``patch_entropy``; None if it was not measured.
    """

    step: int
    d: float
    proxy: tuple[float, ...]
    gold: tuple[float, ...]
    paired: bool = False
    episodes: int = 0
    failures: int = 0
    entropy: float | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.d < math.inf:
            raise ValueError(f"d must be at least 0 and finite, not {self.d}")
        for name, scores in (("proxy", self.proxy), ("gold", self.gold)):
            if len(scores) < 2 or not all(map(math.isfinite, scores)):
                raise ValueError(f"{name} needs finite scores of at least 2 tasks, not {scores}")
        if self.paired and len(self.proxy) != len(self.gold):
            raise ValueError(f"paired scores must be as many, not {len(self.proxy)} and {len(self.gold)}")
        if not 0 <= self.failures <= self.episodes:
            raise ValueError(f"{self.failures} failures of {self.episodes} episodes are not possible")
        if self.entropy is not None and not 0 <= self.entropy <= 1:
            raise ValueError(f"entropy must be in [0, 1] or None, not {self.entropy}")

    @property
    def gap(self) -> float:
        """Mean proxy minus mean gold."""
        return float(np.mean(self.proxy) - np.mean(self.gold))


@dataclass(frozen=True)
class Rules:
    """When to stop, and when to call somebody.

    ``stop_on`` names the reasons that stop: ``slope`` (the whole interval of dR/dd at the last distance is
    below 0: the peak is passed for certain), ``peak`` (d* may lie before it: the cautious rule, which the
    first noisy checkpoints may trip), ``gap`` (the CUSUM of proxy - gold exceeds ``bound``, in standard
    errors; see ``cusum.average_run_length``). Curves are fitted from ``least`` checkpoints on.

    ``expected_gap`` is that of an honest policy: 0 where both grade the same episodes, one harder. With None
    it is not known, and each checkpoint is compared with the mean of those before it (D. M. Hawkins,
    "Self-starting cusum charts for location and scale", The Statistician 36, 1987), which sees a gap that
    grows and not one that was there from the beginning.

    Alarms: a gap that grows by more than ``jump`` standard errors between two checkpoints; an infrastructure
    failure rate whose 95 % interval lies above that of the checkpoints before it; an entropy of patches below
    ``entropy_share`` of the first one.
    """

    form: Form = "rl"
    confidence: float = 0.95
    resamples: int = 2000
    seed: int = 0
    stop_on: tuple[StopReason, ...] = get_args(StopReason)
    least: int = 4
    expected_gap: float | None = None
    slack: float = 0.5
    bound: float = 5.0
    jump: float = 4.0
    entropy_share: float = 0.5

    def __post_init__(self) -> None:
        check_form(self.form)
        check_bootstrap(self.confidence, self.resamples)
        unknown = set(self.stop_on) - set(get_args(StopReason))
        if unknown:
            raise ValueError(f"stop_on holds {sorted(unknown)}; there are {', '.join(get_args(StopReason))}")
        if self.least < 2:
            raise ValueError(f"a curve needs at least 2 checkpoints, not {self.least}")
        if self.expected_gap is not None and not math.isfinite(self.expected_gap):
            raise ValueError(f"expected_gap must be finite or None, not {self.expected_gap}")
        for name in ("bound", "jump"):
            if not 0 < getattr(self, name) < math.inf:
                raise ValueError(f"{name} must be above 0 and finite, not {getattr(self, name)}")
        if not 0 <= self.slack < math.inf:
            raise ValueError(f"slack must be at least 0 and finite, not {self.slack}")
        if not 0 < self.entropy_share < 1:
            raise ValueError(f"entropy_share must be in (0, 1), not {self.entropy_share}")


@dataclass(frozen=True)
class Assessment:
    """What the checkpoints say: ``reasons`` hold whether or not they stop, ``alarms`` are for people.

    ``cusum`` is the sum after the last checkpoint. ``fit`` is None before there are enough checkpoints.
    """

    stop: bool
    reasons: tuple[StopReason, ...]
    alarms: tuple[Alarm, ...]
    gap: float
    cusum: float
    fit: CurveFit | None


def assess(checkpoints: Sequence[Checkpoint], rules: Rules | None = None) -> Assessment:
    """What ``rules`` make of all ``checkpoints`` so far, in the order of their steps.

    The first must be the initial policy, at distance 0: gold scores are taken relative to its own. Reasons
    and alarms are those of the last checkpoint.

    >>> from deepgym_envs.overoptimisation.curve import Curve
    >>> ds = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    >>> runs = enumerate((d, 0.1 + Curve("best_of_n", 0.2, 0.04).gold(d)) for d in ds)
    >>> run = [Checkpoint(i, d, (0.1 + d / 5,) * 9, (float(g),) * 9) for i, (d, g) in runs]
    >>> assess(run[:3], Rules(form="best_of_n")).stop
    False
    >>> assess(run, Rules(form="best_of_n")).reasons
    ('slope', 'gap', 'peak')

    Raises:
        ValueError: there is no checkpoint, the first is not at distance 0, steps do not rise, or the number
            of tasks changes.
    """
    rules = rules or Rules()
    _check_order(checkpoints)
    last = checkpoints[-1]
    fit = _fitted(checkpoints, rules)
    sums = cusum(_scores(checkpoints, rules.expected_gap), rules.slack)
    holds: dict[StopReason, bool] = {
        "slope": fit is not None and fit.slope[1] < 0,
        "gap": sums[-1] > rules.bound,
        "peak": fit is not None and fit.peak[0] < last.d,
    }
    reasons = tuple(reason for reason, held in holds.items() if held)
    raised: dict[Alarm, bool] = {
        "jump": _jumped(checkpoints, rules),
        "infrastructure": _fails_more(checkpoints),
        "entropy": _collapsed(checkpoints, rules),
    }
    return Assessment(
        stop=any(reason in rules.stop_on for reason in reasons),
        reasons=reasons,
        alarms=tuple(alarm for alarm, heard in raised.items() if heard),
        gap=last.gap,
        cusum=sums[-1],
        fit=fit,
    )


def patch_entropy(patches: Mapping[str, Sequence[str]]) -> float:
    """How much a policy's patches for one task differ, in [0, 1]: 0 if it always writes the same, 1 if never.

    ``patches`` holds the digests of each task's patches. For a task with n of them it is the entropy of
    their shares (C. E. Shannon, 1948) over log n, the most that n can have; over tasks, the mean. A task
    with fewer than two says nothing.

    >>> patch_entropy({"a": ["x", "x", "x"], "b": ["x", "y"], "c": ["x"]})
    0.5

    Raises:
        ValueError: no task has two patches.
    """
    found = []
    for digests in patches.values():
        total = len(digests)
        if total > 1:
            shares = [count / total for count in Counter(digests).values()]
            found.append(sum(p * math.log(1 / p) for p in shares) / math.log(total))
    if not found:
        raise ValueError("entropy needs a task with at least two patches")
    return min(1.0, sum(found) / len(found))


def _check_order(checkpoints: Sequence[Checkpoint]) -> None:
    if not checkpoints:
        raise ValueError("there is no checkpoint to assess")
    if checkpoints[0].d != 0:
        raise ValueError(f"the first checkpoint must be the initial policy, at d = 0, not {checkpoints[0].d}")
    for one, following in pairwise(checkpoints):
        if following.step <= one.step:
            raise ValueError(f"steps must rise, {following.step} follows {one.step}")
        for name, before, after in (
            ("proxy", one.proxy, following.proxy),
            ("gold", one.gold, following.gold),
        ):
            if len(before) != len(after):
                raise ValueError(
                    f"{name} has {len(before)} tasks at step {one.step} and {len(after)} at step "
                    f"{following.step}; all checkpoints need the same"
                )


def _fitted(checkpoints: Sequence[Checkpoint], rules: Rules) -> CurveFit | None:
    distances = [one.d for one in checkpoints]
    if len(checkpoints) < rules.least or len({d for d in distances if d > 0}) < 2 or not distances[-1]:
        return None
    gold = np.array([one.gold for one in checkpoints]).T
    return fit_curve(
        distances, gold - gold[:, :1],
        form=rules.form, confidence=rules.confidence, resamples=rules.resamples, seed=rules.seed,
    )  # fmt: skip


def _scores(checkpoints: Sequence[Checkpoint], expected: float | None) -> list[float]:
    """How many standard errors each checkpoint's gap is above what is expected."""
    if expected is not None:
        return [(one.gap - expected) / _error(one.proxy, one.gold, one.paired) for one in checkpoints]
    return [0.0, *(_rise(one, checkpoints[:number]) for number, one in enumerate(checkpoints) if number)]


def _rise(last: Checkpoint, before: Sequence[Checkpoint]) -> float:
    """By how many standard errors the gap is above its mean ``before``, each task compared with itself."""
    proxy = np.array(last.proxy) - np.mean([one.proxy for one in before], axis=0)
    gold = np.array(last.gold) - np.mean([one.gold for one in before], axis=0)
    return float(proxy.mean() - gold.mean()) / _error(proxy, gold, last.paired)


def _error(proxy: ArrayLike, gold: ArrayLike, paired: bool) -> float:
    """The standard error over tasks of mean proxy - mean gold; at least what one more solved task makes.

    Without that floor the first task that differs would be an alarm, where all were equal before.
    """
    samples = [np.subtract(proxy, gold)] if paired else [np.asarray(proxy), np.asarray(gold)]
    square = sum(float(np.var(sample, ddof=1)) / len(sample) for sample in samples)
    return max(math.sqrt(square), 1 / min(map(len, samples)))


def _jumped(checkpoints: Sequence[Checkpoint], rules: Rules) -> bool:
    """Rise and error are both per training step, so how far apart the two checkpoints are cancels out."""
    return len(checkpoints) > 1 and _rise(checkpoints[-1], checkpoints[-2:-1]) > rules.jump


def _fails_more(checkpoints: Sequence[Checkpoint]) -> bool:
    episodes = sum(one.episodes for one in checkpoints[:-1])
    failures = sum(one.failures for one in checkpoints[:-1])
    last = checkpoints[-1]
    return wilson(last.failures, last.episodes)[0] > wilson(failures, episodes)[1]


def _collapsed(checkpoints: Sequence[Checkpoint], rules: Rules) -> bool:
    measured = [one.entropy for one in checkpoints if one.entropy is not None]
    last = checkpoints[-1].entropy
    return last is not None and last < rules.entropy_share * measured[0]
