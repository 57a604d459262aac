"""What to train on next: rows of a group, and prompts of a suite. Chance is the caller's generator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from deepgym_envs.advantage.arrays import Array, Mask, flags, number, shares
from deepgym_envs.advantage.difficulty import Difficulty
from deepgym_envs.advantage.grouping import grouping
from deepgym_envs.advantage.outcome import Groups

Rows: TypeAlias = npt.NDArray[np.intp]


def resample_on_correct(
    correct: npt.ArrayLike,
    groups: Groups,
    tool_errors: npt.ArrayLike,
    format_errors: npt.ArrayLike,
    keep: int,
    rng: np.random.Generator,
) -> Rows:
    """GRPO-RoC: of each group, sampled in excess (2G), the rows of ``keep`` (G) to train on, in order.

    rStar2-Agent (arXiv:2508.20722), GRPO-RoC: wrong rows are drawn uniformly, so that all ways to fail
    stay; right ones without replacement with weight 1 / (p_err + p_fmt), so that those which stumbled to the
    answer are left out first. Both keep their share of the group, rounded in favour of the right, and one of
    each is kept if there is one, for which ``keep`` must be 2 or more. A row of penalty 0 is drawn before all
    others.

    ``correct`` (B,) yes or no; ``tool_errors`` (B,) in [0, 1], failed tool calls of all calls, 0.5 where
    there was no call; ``format_errors`` (B,) in [0, 1].

    >>> rng = np.random.default_rng(0)
    >>> resample_on_correct([1, 1, 0, 0], [0] * 4, [0.9, 0.0, 0.5, 0.5], [0] * 4, 2, rng)[0]
    np.int64(1)

    Raises:
        ValueError: an array has a wrong shape or value, or a group has fewer than ``keep`` rows.
    """
    right = flags("correct", correct)
    penalty = shares("tool_errors", tool_errors, right.size) + shares(
        "format_errors", format_errors, right.size
    )
    grouped = grouping(groups, right.size)
    if not 2 <= keep <= grouped.sizes.min():
        raise ValueError(
            f"keep is {keep}: expected a whole number in [2, {grouped.sizes.min():g}], the smallest group"
        )
    chosen = [
        _resampled(np.flatnonzero(grouped.codes == code), right, penalty, keep, rng)
        for code in range(grouped.sizes.size)
    ]
    return np.sort(np.concatenate(chosen))


def _resampled(rows: Rows, right: Mask, penalty: Array, keep: int, rng: np.random.Generator) -> Rows:
    good, bad = rows[right[rows]], rows[~right[rows]]
    # Whole numbers, so that a half is a half; rounded up, which is never more than there are.
    share = -(-good.size * keep // rows.size)
    share = min(share, keep - min(1, bad.size))
    # Efraimidis and Spirakis (2006): the least of Exp(1) / weight are a draw without replacement.
    order = np.lexsort((rng.random(good.size), rng.exponential(size=good.size) * penalty[good]))
    return np.concatenate([good[order[:share]], rng.permutation(bad)[: keep - share]])


def curriculum(prompts: Sequence[Difficulty], group: int, *, floor: float = 0.05) -> Array:
    """The chance with which to draw each prompt next, (N,): in proportion to how informative it would be.

    A prompt's weight is the chance that a group of ``group`` trials is not all alike
    (``Difficulty.informative``; it peaks at a pass rate of 1/2). ``floor`` of the total, in
    [0, 1], is spread evenly, so that what is too hard or too easy is tried now and then. A prompt to be
    audited gets 0 until somebody has looked.

    >>> curriculum([Difficulty(4, 4), Difficulty(0, 40)], 8).round(2)
    array([0.84, 0.16])

    Raises:
        ValueError: there is no prompt, or every one is to be audited.
    """
    number("floor", floor, 0, 1)
    verdicts = [prompt.verdict() for prompt in prompts]
    open_to_all = np.array([verdict != "audit" for verdict in verdicts], dtype=np.float64)
    if not open_to_all.any():
        raise ValueError(
            f"none of {len(prompts)} prompts can be drawn: expected one that needs no audit first"
        )
    weights = np.array([prompt.informative(group) for prompt in prompts]) * open_to_all
    even = open_to_all / open_to_all.sum()
    total = weights.sum()
    return np.asarray(floor * even + (1 - floor) * (weights / total if total > 0 else even))
