"""Notices a small lasting rise in a noisy series sooner than any single value shows it."""

from __future__ import annotations

import math
from collections.abc import Sequence


def cusum(scores: Sequence[float], slack: float = 0.5) -> tuple[float, ...]:
    """The upper cumulative sum after each score: S = max(0, S + score - slack), from 0.

    ``scores`` are in standard deviations from what is expected. E. S. Page, "Continuous inspection schemes",
    Biometrika 41 (1954). A slack of 0.5 is best against a shift by 1; see ``average_run_length`` for the
    bound.

    >>> cusum([0.0, 1.5, 1.5, -3.0])
    (0.0, 1.0, 2.0, 0.0)

    Raises:
        ValueError: a score or the slack is not finite, or the slack is negative.
    """
    if not 0 <= slack < math.inf:
        raise ValueError(f"slack must be at least 0 and finite, not {slack}")
    sums: list[float] = []
    for number, score in enumerate(scores):
        if not math.isfinite(score):
            raise ValueError(f"scores must be finite, number {number} is {score}")
        sums.append(max(0.0, (sums[-1] if sums else 0.0) + score - slack))
    return tuple(sums)


def average_run_length(bound: float, slack: float = 0.5, shift: float = 0.0) -> float:
    """How many scores pass on average until the sum exceeds ``bound``, if each is normal with mean ``shift``.

    At ``shift`` 0 that is the time to a false alarm, above it the time to a true one. With
    D = shift - slack and b = bound + 1.166::

        (exp(-2 D b) + 2 D b - 1) / (2 D^2), and b^2 for D = 0

    D. Siegmund, "Sequential analysis" (1985), chapter 2; within a few percent of the true one.

    >>> round(average_run_length(5.0)), round(average_run_length(5.0, shift=1.0), 1)
    (938, 10.3)

    Raises:
        ValueError: the bound is not above 0, or a number is not finite.
    """
    if not (0 < bound < math.inf and math.isfinite(slack) and math.isfinite(shift)):
        raise ValueError(f"bound must be above 0, and all finite, not {bound}, {slack}, {shift}")
    drift, width = shift - slack, bound + 1.166
    if abs(drift) * width < 1e-4:
        return width * width
    exponent = -2 * drift * width
    if exponent > 700:
        return math.inf
    return (math.exp(exponent) - exponent - 1) / (2 * drift * drift)
