"""Advantages from rewards, clipped: pure functions of numbers, for ``AdvantageClip``.

For the rewards r of an episode of T steps, with a discount gamma::

    G_t = r_t + gamma G_(t+1)                     returns to go (R. S. Sutton and A. G. Barto,
                                                  "Reinforcement Learning" (2018), equation 3.9)
    A_t = clip((G_t - baseline) / scale, low, high)

and A_0 is the advantage of the whole episode. Baseline and scale are mean and standard deviation (with n - 1)
of G_0 over other episodes, or over the group: Z. Shao and others, "DeepSeekMath" (2024), section 4.1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

Baseline = Literal["none", "running_mean", "group_mean"]
Scale = Literal["none", "std"]
SMALLEST_SCALE = 1e-8


@dataclass(frozen=True)
class AdvantageRule:
    """How advantages are made.

    ``clip`` is (low, high), either of which may be infinite. ``gamma`` in (0, 1] discounts. ``baseline`` is
    ``none`` (0), ``running_mean`` (that of all episodes finished before, 0 for the first) or ``group_mean``
    (that of the group, which needs a vector environment). ``scale`` is ``none`` (1) or ``std``, of the same
    episodes as the baseline, those finished before if that is ``none``; fewer than two or equal ones scale
    nothing.

    >>> AdvantageRule(clip=(-2.0, 2.0), gamma=0.9).baseline
    'none'

    Raises:
        ValueError: a setting is out of range.
    """

    clip: tuple[float, float] = (-5.0, 5.0)
    gamma: float = 1.0
    baseline: Baseline = "none"
    scale: Scale = "none"

    def __post_init__(self) -> None:
        if len(self.clip) != 2 or not self.clip[0] < self.clip[1]:
            raise ValueError(f"clip must be (low, high) with low < high, not {self.clip}")
        check_gamma(self.gamma)
        if self.baseline not in get_args(Baseline):
            raise ValueError(
                f"baseline must be one of {', '.join(get_args(Baseline))}, not {self.baseline!r}"
            )
        if self.scale not in get_args(Scale):
            raise ValueError(f"scale must be one of {', '.join(get_args(Scale))}, not {self.scale!r}")


@dataclass(frozen=True)
class Clipped:
    """The advantages of an episode: of each of its ``steps``, of all of it, and what they follow from.

    ``clip_frac`` is the share of the steps whose advantage was outside the bounds.
    """

    steps: tuple[float, ...]
    episode: float
    returns: tuple[float, ...]
    baseline: float
    scale: float
    clip_frac: float

    def info(self) -> dict[str, Any]:
        """As ``info["advantages"]`` has it."""
        return {"ready": True, **vars(self)}


@dataclass(frozen=True)
class Finished:
    """The returns G_0 of episodes that are over: how many, their mean, and the sum of squares around it.

    B. P. Welford, "Note on a method for calculating corrected sums of squares and products", Technometrics 4
    (1962).

    >>> past = Finished().added(1.0).added(3.0)
    >>> past.mean, round(past.spread, 4)
    (2.0, 1.4142)
    """

    count: int = 0
    mean: float = 0.0
    squares: float = 0.0

    @property
    def spread(self) -> float:
        """The standard deviation, with n - 1; 0 of fewer than two."""
        return math.sqrt(self.squares / (self.count - 1)) if self.count > 1 else 0.0

    def added(self, value: float) -> Finished:
        """With one more."""
        mean = self.mean + (value - self.mean) / (self.count + 1)
        return Finished(self.count + 1, mean, self.squares + (value - self.mean) * (value - mean))


NOT_READY = {"ready": False, **vars(Clipped((), 0.0, (), 0.0, 1.0, 0.0))}
"""``info["advantages"]`` while there is nothing to tell."""


def discounted_returns(rewards: ArrayLike, gamma: float = 1.0) -> NDArray[np.float64]:
    """Returns to go of an episode, of the shape (steps,) of its rewards.

    >>> discounted_returns([0.0, 0.0, 1.0], 0.5).tolist()
    [0.25, 0.5, 1.0]

    Raises:
        ValueError: the rewards have another shape, are none, or are not finite, or gamma is not in (0, 1].
    """
    check_gamma(gamma)
    found = np.asarray(rewards, dtype=np.float64)
    if found.ndim != 1 or not found.size:
        raise ValueError(f"rewards must have the shape (steps,) with at least one step, not {found.shape}")
    if not np.isfinite(found).all():
        step = int(np.flatnonzero(~np.isfinite(found))[0])
        raise ValueError(f"rewards must be finite, that of step {step} is {found[step]}")
    returns = np.empty_like(found)
    after = 0.0
    for step in reversed(range(len(found))):
        after = returns[step] = found[step] + gamma * after
    return returns


def clip_advantages(returns: ArrayLike, baseline: float, scale: float, clip: tuple[float, float]) -> Clipped:
    """Advantages of the returns to go of one episode, of the shape (steps,), clipped to ``clip``.

    >>> done = clip_advantages([0.0, 1.0, 4.0], baseline=1.0, scale=1.0, clip=(-0.5, 2.0))
    >>> done.steps, done.episode, round(done.clip_frac, 3)
    ((-0.5, 0.0, 2.0), -0.5, 0.667)

    Raises:
        ValueError: there is no return, a number is not finite, or the scale is not above 0.
    """
    found = np.asarray(returns, dtype=np.float64)
    if found.ndim != 1 or not found.size or not np.isfinite(found).all():
        raise ValueError(f"returns must have the shape (steps,), at least one, finite; not {found.shape}")
    if not (math.isfinite(baseline) and 0 < scale < math.inf):
        raise ValueError(f"baseline must be finite, scale above 0 and finite, not {baseline} and {scale}")
    raw = (found - baseline) / scale
    kept = np.clip(raw, *clip)
    return Clipped(
        steps=tuple(kept.tolist()),
        episode=float(kept[0]),
        returns=tuple(found.tolist()),
        baseline=baseline,
        scale=scale,
        clip_frac=float(np.mean(kept != raw)),
    )


def advantages_of(
    episodes: Sequence[ArrayLike], rule: AdvantageRule, before: Finished = Finished()
) -> tuple[Clipped, ...]:
    """The advantages of ``episodes``, each given by its rewards; a group, if the baseline is its mean.

    ``before`` are the episodes that were over when these were not.

    >>> group = advantages_of([[0.0, 1.0], [0.0]], AdvantageRule(baseline="group_mean"))
    >>> [one.steps for one in group]
    [(0.5, 0.5), (-0.5,)]

    Raises:
        ValueError: as for ``discounted_returns``.
    """
    returns = [discounted_returns(rewards, rule.gamma) for rewards in episodes]
    others = before
    if rule.baseline == "group_mean":
        others = reduce(Finished.added, [float(one[0]) for one in returns], Finished())
    baseline = 0.0 if rule.baseline == "none" else others.mean
    scale = others.spread if rule.scale == "std" and others.spread > SMALLEST_SCALE else 1.0
    return tuple(clip_advantages(one, baseline, scale, rule.clip) for one in returns)


def check_gamma(gamma: float) -> None:
    """Raises ValueError unless it is in (0, 1]."""
    if not 0 < gamma <= 1:
        raise ValueError(f"gamma must be in (0, 1], not {gamma}")
