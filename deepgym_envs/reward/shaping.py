"""Potential-based shaping: F = gamma * phi(s') - phi(s) (Ng, Harada and Russell, ICML 1999, equation 2)."""

from __future__ import annotations

import math


def shaping(gamma: float, before: float, after: float) -> float:
    """The shaping reward of one transition.

    ``gamma`` in (0, 1] is the discount of the learner's return. ``before`` and ``after`` are potentials in
    [0, 1]; ``before`` must be the very number that was ``after`` one transition earlier, and ``after`` is 0
    at every end of an episode, truncation included (Grzes, AAMAS 2017): then the discounted sum over an
    episode is exactly ``-phi(s0)``, whatever the agent did.

    >>> shaping(1.0, 0.25, 0.75)
    0.5
    >>> shaping(0.9, 0.5, 0.0)
    -0.5

    Raises:
        ValueError: a number is outside its range or not finite.
    """
    if not 0 < gamma <= 1:
        raise ValueError(f"gamma must be in (0, 1], not {gamma}")
    for name, value in (("before", before), ("after", after)):
        if not math.isfinite(value) or not 0 <= value <= 1:
            raise ValueError(f"the potential {name} the step must be in [0, 1], not {value}")
    return gamma * after - before
