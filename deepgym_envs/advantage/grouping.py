"""Rows of a batch that answer the same prompt, and what is known of each such group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from deepgym_envs.advantage.arrays import Array, Mask


@dataclass(frozen=True, eq=False)
class Grouping:
    """``codes`` (B,) names the group of each row, from 0 to G - 1; ``sizes`` (G,) counts their rows."""

    codes: npt.NDArray[np.intp]
    sizes: Array

    def sums(self, values: Array) -> Array:
        """(B,) -> (G,)"""
        return np.bincount(self.codes, weights=values, minlength=self.sizes.size).astype(np.float64)

    def means(self, values: Array) -> Array:
        """(B,) -> (G,)"""
        return self.sums(values) / self.sizes

    def largest(self, values: Array) -> Array:
        """(B,) -> (G,)"""
        best = np.full(self.sizes.size, -np.inf)
        np.maximum.at(best, self.codes, values)
        return best

    def constant(self, values: Array) -> Mask:
        """(B,) -> (G,): whether all rows of a group hold one number. Compared, so free of rounding."""
        return np.asarray(self.largest(values) == -self.largest(-values))

    def centred(self, values: Array) -> Array:
        """(B,) -> (B,): what is left of each number without its group's mean; exactly 0 if all are alike."""
        left = values - self.means(values)[self.codes]
        return np.where(self.constant(values)[self.codes], 0.0, left)

    def deviations(self, values: Array) -> Array:
        """(B,) -> (G,): standard deviations with Bessel's correction; 0 for a group of one."""
        squares = self.sums(self.centred(values) ** 2)
        return np.sqrt(squares / np.maximum(self.sizes - 1, 1))

    def of_rows(self, per_group: Array) -> Array:
        """(G,) -> (B,)"""
        return per_group[self.codes]


def grouping(groups: Sequence[int] | Sequence[str] | npt.NDArray[np.generic], rows: int) -> Grouping:
    """From what names the prompt of each row: (B,) integers or strings.

    >>> grouping(["b", "a", "b"], 3).sizes
    array([1., 2.])

    Raises:
        ValueError: it is of another shape or kind.
    """
    try:
        names = np.asarray(groups)
    except ValueError:
        names = np.empty((0, 0))
    if names.shape != (rows,) or names.dtype.kind not in "iuU":
        raise ValueError(
            f"groups has shape {names.shape} and kind {names.dtype}: expected ({rows},) integers or strings"
        )
    _, codes, sizes = np.unique(names, return_inverse=True, return_counts=True)
    return Grouping(codes.reshape(-1), sizes.astype(np.float64))
