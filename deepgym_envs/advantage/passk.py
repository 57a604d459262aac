"""pass@k without bias, and as a reward of training.

>>> pass_at_k(10, 3, 1), round(pass_at_k(10, 3, 5), 4)
(0.3, 0.9167)
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from deepgym_envs.advantage.arrays import Array, flags
from deepgym_envs.advantage.grouping import grouping
from deepgym_envs.advantage.outcome import Groups


def pass_at_k(trials: int, passes: int, k: int) -> float:
    """The chance that of k trials drawn from these without replacement one or more passes.

    1 - C(n - c, k) / C(n, k): Chen et al. (arXiv:2107.03374), equation 1; its mean over draws of n >= k
    independent trials is exactly pass@k, which 1 - (1 - c/n)^k is not. Exact integers, one division.

    Raises:
        ValueError: not 0 <= passes <= trials, or not 1 <= k <= trials.
    """
    if not 0 <= passes <= trials:
        raise ValueError(f"{passes} passes of {trials} trials are not possible")
    if not 1 <= k <= trials:
        raise ValueError(f"k is {k}: expected a whole number in [1, {trials}], the number of trials")
    missed, drawn = math.comb(trials - passes, k), math.comb(trials, k)
    return (drawn - missed) / drawn


def passk_advantages(correct: npt.ArrayLike, groups: Groups, k: int) -> Array:
    """GRPO on pass@k: what each row adds when every k of its group are one sample, paid for any pass. (B,)

    Chen et al., "Pass@k training" (arXiv:2508.10751), analytical derivation. Of n rows, m wrong::

        mean = 1 - C(m, k) / C(n, k),   std = sqrt(mean (1 - mean))
        A = (1 - mean) / std                                        where right
        A = (1 - mean - C(m - 1, k - 1) / C(n - 1, k - 1)) / std    where wrong

    For k = 1 it is GRPO with a deviation without Bessel's correction. Hard prompts weigh more: a group of
    which more than n - k are right gets 0, as do all that tell nothing apart. ``correct`` (B,) is yes or
    no. verl has ``grpo_passk`` alone; this one is checked by enumeration of all samples.

    >>> passk_advantages([1, 0, 0, 0], [0, 0, 0, 0], 2).round(3)
    array([ 1.   , -0.333, -0.333, -0.333])

    Raises:
        ValueError: a group has fewer than k rows, or k < 1.
    """
    right = flags("correct", correct)
    grouped = grouping(groups, right.size)
    if not 1 <= k <= grouped.sizes.min():
        raise ValueError(
            f"k is {k}: expected a whole number in [1, {grouped.sizes.min():g}], the smallest group"
        )
    wrong = grouped.sums((~right).astype(np.float64)).astype(int)
    pairs = [_pair(int(size), int(miss), k) for size, miss in zip(grouped.sizes, wrong, strict=True)]
    good, bad = np.array(pairs).T
    return np.where(right, grouped.of_rows(good), grouped.of_rows(bad))


def _pair(size: int, wrong: int, k: int) -> tuple[float, float]:
    """The advantage of a right row and of a wrong one."""
    missed = math.comb(wrong, k) / math.comb(size, k)
    if missed in (0.0, 1.0):
        return 0.0, 0.0
    deviation = math.sqrt(missed * (1 - missed))
    without = math.comb(wrong - 1, k - 1) / math.comb(size - 1, k - 1)
    return missed / deviation, (missed - without) / deviation
