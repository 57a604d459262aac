"""Folds: potentials that also depend on what an episode has been through, inside the difference."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from deepgym_envs.reward.shaping import shaping

Fold: TypeAlias = Callable[[float, float, int], float]
"""From the number that was last paid, what the potential gives, and the steps so far, to the number to pay.

All but the steps are in [0, 1]. It is asked at the begin (with 0.0 and 0) and each time that the potential is
measured. What it gives is stored, and subtracted when the next is added, so that the sum over an episode does
not depend on it (Devlin and Kudenko, AAMAS 2012).
"""


def latest(previous: float, phi: float, step: int) -> float:  # noqa: ARG001 - a Fold
    """What the potential gives, whatever was before."""
    return phi


def best_so_far(previous: float, phi: float, step: int) -> float:  # noqa: ARG001 - a Fold
    """The best of the episode: to break something and mend it again neither costs nor pays.

    >>> best_so_far(0.75, 0.5, 3)
    0.75
    """
    return max(previous, phi)


@dataclass(frozen=True)
class Decaying:
    """The potential times ``0.5 ** (step / half_life)``: shaping that fades in the course of an episode.

    ``half_life`` is in steps, above 0.

    >>> Decaying(half_life=10)(0.0, 0.8, 20)
    0.2

    Raises:
        ValueError: ``half_life`` is not a number above 0.
    """

    half_life: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.half_life) and self.half_life > 0):
            raise ValueError(f"a half-life is a number of steps above 0, not {self.half_life}")

    def __call__(self, previous: float, phi: float, step: int) -> float:  # noqa: ARG002
        return float(phi * 0.5 ** (step / self.half_life))


def folded(fold: Fold, previous: float, phi: float, step: int) -> float:
    """What ``fold`` gives.

    Raises:
        ValueError: it is not in [0, 1].
    """
    value = float(fold(previous, phi, step))
    shaping(1.0, previous, value)  # refuses what is no potential before it is stored
    return value
