"""Signs that a policy says the same thing over and over."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

from deepgym_envs.advantage.grouping import grouping
from deepgym_envs.advantage.outcome import Groups


def diversity(answers: Sequence[Hashable], groups: Groups) -> float:
    """The chance that two rows of one group differ, in [0, 1]: the mean over groups of two and more.

    1 - sum n_i (n_i - 1) / (n (n - 1)), Simpson's index without bias (Nature 163, 1949), so it does not
    depend on the size of groups. ``answers`` (B,) are anything that can be compared: digests of patches,
    names of the first tool. A sudden fall while the pass rate rises is what a discovered trick looks like.

    >>> round(diversity(["p", "p", "q", "p"], [0, 0, 0, 0]), 6)
    0.5

    Raises:
        ValueError: no group has two rows, or the lengths differ.
    """
    rows = len(answers)
    if rows == 0:
        raise ValueError("answers is empty: expected one for each of B >= 1 rows")
    grouped = grouping(groups, rows)
    if grouped.sizes.max() < 2:
        raise ValueError(f"each of {grouped.sizes.size} groups has one row: expected one of two or more")
    numbers = {answer: number for number, answer in enumerate(dict.fromkeys(answers))}
    kinds = np.array([numbers[answer] for answer in answers], dtype=np.intp)
    pairs, which = np.unique(np.stack([grouped.codes, kinds]), axis=1, return_inverse=True)
    same = np.bincount(which.reshape(-1)).astype(np.float64)
    alike = np.bincount(pairs[0], weights=same * (same - 1), minlength=grouped.sizes.size)
    counted = grouped.sizes > 1
    return float(np.mean(1 - alike[counted] / (grouped.sizes * (grouped.sizes - 1))[counted]))


def collapse(formats: Sequence[Hashable], reference: Sequence[Hashable]) -> float:
    """The share of a reference's diversity of formats that is lost, in [0, 1]: 0 none, 1 all.

    Both are samples, of any two sizes from 2, of what a row looks like and not of what it says: the sequence
    of tools called, which tags are used, a bucket of length. 0 where the reference has one format alone.

    >>> collapse(["json"] * 4, ["json", "text", "json", "text"])
    1.0
    """
    before = diversity(reference, [0] * len(reference))
    return 0.0 if before == 0 else max(0.0, 1 - diversity(formats, [0] * len(formats)) / before)
