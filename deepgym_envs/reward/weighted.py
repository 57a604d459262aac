"""Several potentials as one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from deepgym_envs.grade import Grader
from deepgym_envs.reward.potential import Potential, measured
from deepgym_envs.state import WorkspaceState


@dataclass(frozen=True)
class Weighted:
    """Potentials and their shares, as ``weighted`` makes it; the sum of each times its share."""

    parts: tuple[tuple[Potential, float], ...]

    def __call__(self, grader: Grader, state: WorkspaceState) -> float:
        total = math.fsum(share * measured(potential, grader, state) for potential, share in self.parts)
        return min(1.0, total)  # the shares, each rounded, may sum to a hair more


def weighted(weights: Mapping[Potential, float]) -> Weighted:
    """The weighted mean of potentials: weights are divided by their sum, so only their ratios count.

    A potential of weight 0 is never asked.

    >>> from deepgym_envs.reward import localisation, visible_tests
    >>> [share for _, share in weighted({visible_tests: 3, localisation: 1}).parts]
    [0.75, 0.25]

    Raises:
        ValueError: a weight is negative or not finite, or none is above 0.
    """
    for potential, weight in weights.items():
        if not (math.isfinite(weight) and weight >= 0):
            raise ValueError(f"the weight of {potential!r} must be finite and at least 0, not {weight}")
    total = sum(weights.values())
    if not 0 < total < math.inf:
        raise ValueError("at least one potential needs a weight above 0, and their sum must be finite")
    parts = ((potential, weight / total) for potential, weight in weights.items())
    return Weighted(tuple((potential, share) for potential, share in parts if share > 0))
