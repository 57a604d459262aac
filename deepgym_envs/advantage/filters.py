"""Which rows are worth a gradient, and which prompts another sample.

All take arrays (B,) and give booleans: True is kept. A filter is blind to what it drops: a prompt that always
passes may be one that is always cheated, so look at it before it goes (``difficulty.Verdict``).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from deepgym_envs.advantage.arrays import Mask, counts, flags, number, vector
from deepgym_envs.advantage.grouping import grouping
from deepgym_envs.advantage.outcome import Groups


def varied(rewards: npt.ArrayLike, groups: Groups) -> Mask:
    """Rows of groups whose rewards differ: the others have advantage 0 and would only thin the batch out.

    ScaleRL's zero-variance filter (arXiv:2510.13786). A group of one never differs.

    >>> varied([1, 0, 1, 1], ["a", "a", "b", "b"])
    array([ True,  True, False, False])
    """
    values = vector("rewards", rewards)
    grouped = grouping(groups, values.size)
    return np.asarray(~grouped.constant(values)[grouped.codes])


def dynamic_sampling(correct: npt.ArrayLike, groups: Groups) -> Mask:
    """DAPO's dynamic sampling: rows of groups with 0 < number correct < G; sample on until enough are left.

    Yu et al. (arXiv:2503.14476), section 3.2. Unlike ``varied`` it looks at correctness alone, so what a
    shaped reward adds cannot keep a group in which all failed.

    >>> dynamic_sampling([1, 0, 0, 0], ["a", "a", "b", "b"])
    array([ True,  True, False, False])
    """
    return varied(flags("correct", correct), groups)


def no_positive_resampling(passes: npt.ArrayLike, trials: npt.ArrayLike, *, threshold: float = 0.9) -> Mask:
    """ScaleRL's no-positive-resampling: which prompts (N,) to sample again; not those at the threshold.

    Khatri et al. (arXiv:2510.13786): a prompt whose pass rate over its history is 0.9 or more is taken out of
    all later epochs. One that was never tried stays.

    >>> no_positive_resampling([9, 8, 0], [10, 10, 0])
    array([False,  True,  True])
    """
    tried = counts("trials", trials)
    passed = counts("passes", passes, tried.size)
    if (passed > tried).any():
        place = int((passed > tried).argmax())
        raise ValueError(f"passes[{place}] is {passed[place]:g} of {tried[place]:g} trials: expected no more")
    number("threshold", threshold, 0, 1, above=True)
    # A rate compared as a product: 9 of 10 is at 0.9, whatever division makes of it.
    return np.asarray((tried == 0) | (passed < threshold * tried))
