"""Advantages from one reward a trajectory, compared within the group of its prompt: no critic.

Shapes: ``rewards`` (B,), ``groups`` (B,) integers or strings that name the prompt, result (B,). In a group of
one there is nothing to compare with, and in one whose rewards are all alike nothing to tell apart: both get
exactly 0. (verl 0.9.1 hands a group of one its raw reward in ``grpo``, ``rloo``, ``opo`` and ``gpg``, 0 in
``rloo_vectorized``, and refuses it in ``grpo_passk``; TRL 1.16 gives 0.)

Every function raises ValueError for rewards that are not finite, groups of another length, or no rows.
A trajectory that could not be judged has no reward: leave it out, or see ``Batch.judged``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from deepgym_envs.advantage.arrays import Array, matrix, number, vector
from deepgym_envs.advantage.grouping import Grouping, grouping

Groups: TypeAlias = Sequence[int] | Sequence[str] | npt.NDArray[np.generic]
EPSILON = 1e-6
"""verl's and SkyRL's; TRL adds 1e-4, OpenRLHF 1e-9."""
LEAST_EPSILON = 1e-12
"""With less, a deviation that underflows to 0 would be divided by."""


def grpo(
    rewards: npt.ArrayLike,
    groups: Groups,
    *,
    scale: Literal["group", "batch", "none"] = "group",
    epsilon: float = EPSILON,
) -> Array:
    """Group Relative Policy Optimization: A = (r - mean) / (std + epsilon).

    DeepSeekMath (arXiv:2402.03300), section 4.1.2; std with Bessel's correction. ``scale="batch"`` divides
    by the deviation of the whole batch ("Tricks or Traps", arXiv:2508.08221), as TRL's ``scale_rewards``.
    Agrees with verl, SkyRL; with TRL for ``epsilon=1e-4``; with OpenRLHF's ``group_norm`` for ``1e-9``.
    Dividing by a small deviation amplifies: in a group where all failed, shaping that differs by 0.001
    becomes advantages near 1. Prefer ``dr_grpo`` where rewards are dense.

    >>> grpo([1, 0, 0, 1, 5, 5], ["a", "a", "a", "a", "b", "b"]).round(3)
    array([ 0.866, -0.866, -0.866,  0.866,  0.   ,  0.   ])
    """
    values, grouped = _read(rewards, groups)
    number("epsilon", epsilon, LEAST_EPSILON, 1)
    centred = grouped.centred(values)
    if scale == "none":
        return centred
    if scale == "group":
        deviation = grouped.of_rows(grouped.deviations(values))
    elif scale == "batch":
        one = Grouping(np.zeros(values.size, dtype=np.intp), np.array([float(values.size)]))
        deviation = one.of_rows(one.deviations(values))
    else:
        raise ValueError(f"scale is {scale!r}: expected 'group', 'batch' or 'none'")
    return _divided(centred, deviation + epsilon)


def dr_grpo(rewards: npt.ArrayLike, groups: Groups) -> Array:
    """GRPO done right: A = r - mean, without the division that favours very easy and very hard prompts.

    Liu et al. (arXiv:2503.20783), section 3. Agrees with verl (``norm_adv_by_std_in_grpo=False``), TRL
    (``scale_rewards="none"``) and OpenRLHF.

    >>> dr_grpo([1, 0, 0, 1], [0, 0, 0, 0])
    array([ 0.5, -0.5, -0.5,  0.5])
    """
    values, grouped = _read(rewards, groups)
    return grouped.centred(values)


def rloo(rewards: npt.ArrayLike, groups: Groups) -> Array:
    """REINFORCE leave-one-out: A = r - mean of the others = n / (n - 1) (r - mean).

    Ahmadian et al. (arXiv:2402.14740); Kool et al. (2019). Agrees with verl, TRL's RLOOTrainer, SkyRL and
    OpenRLHF.

    >>> rloo([1, 0, 0, 1], [0, 0, 0, 0]).round(3)
    array([ 0.667, -0.667, -0.667,  0.667])
    """
    values, grouped = _read(rewards, groups)
    sizes = grouped.of_rows(grouped.sizes)
    return grouped.centred(values) * sizes / np.maximum(sizes - 1, 1)


def opo(rewards: npt.ArrayLike, lengths: npt.ArrayLike, groups: Groups) -> Array:
    """On-policy with the optimal baseline: A = r - sum(length r) / sum(length).

    Hao et al. (arXiv:2505.23585): the baseline of least variance where the squared norm of a
    trajectory's gradient grows with its length. ``lengths`` (B,) counts generated tokens, 1 or more.
    Agrees with verl.

    >>> opo([1, 0], [3, 1], [0, 0])
    array([ 0.25, -0.75])
    """
    values, grouped = _read(rewards, groups)
    weights = vector("lengths", lengths, values.size)
    if (weights < 1).any():
        raise ValueError(f"lengths holds {weights.min():g}: expected numbers of at least 1")
    baseline = grouped.sums(weights * values) / grouped.sums(weights)
    left = values - grouped.of_rows(baseline)
    return np.where(grouped.constant(values)[grouped.codes], 0.0, left)


def gpg(rewards: npt.ArrayLike, groups: Groups) -> Array:
    """Group Policy Gradient: A = B / (number of rewards that are not 0) (r - mean).

    Chu et al. (arXiv:2504.02546). The factor stands for the share of samples that carry a
    gradient, as verl counts it, with which this agrees; it supposes that a failure is paid 0.

    >>> gpg([1, 0, 0, 0], [0, 0, 0, 0])
    array([ 3., -1., -1., -1.])
    """
    values, grouped = _read(rewards, groups)
    return grouped.centred(values) * (values.size / max(int(np.count_nonzero(values)), 1))


def grpo_passk(
    rewards: npt.ArrayLike, groups: Groups, *, scaled: bool = True, epsilon: float = EPSILON
) -> Array:
    """Only the best of a group: A = (largest - second largest) / (std + epsilon), and 0 for all others.

    Tang et al. (arXiv:2503.19595): what the best adds to max@n. Without ``scaled`` there is no
    division. Agrees with verl. See ``passk_advantages`` for the form that pays all rows.

    >>> grpo_passk([0.2, 1.0, 0.6], [0, 0, 0], scaled=False).round(3)
    array([0. , 0.4, 0. ])
    """
    values, grouped = _read(rewards, groups)
    number("epsilon", epsilon, LEAST_EPSILON, 1)
    best = grouped.of_rows(grouped.largest(values))
    below = np.where(values < best, values, -np.inf)
    second = grouped.of_rows(grouped.largest(below))
    alone = grouped.of_rows(grouped.sums((values == best).astype(np.float64))) == 1
    lead = np.where((values == best) & alone & np.isfinite(second), values - second, 0.0)
    return _divided(lead, grouped.of_rows(grouped.deviations(values)) + epsilon) if scaled else lead


def maxrl(rewards: npt.ArrayLike, groups: Groups, *, epsilon: float = EPSILON) -> Array:
    """Maximum-likelihood RL: A = (r - mean) / (mean + epsilon), so a rare success weighs most.

    Tajwar et al. (arXiv:2602.02710). It stands for the gradient of log P(success), so rewards
    must not be negative. Agrees with SkyRL.

    >>> maxrl([1, 0, 0, 0], [0, 0, 0, 0]).round(3)
    array([ 3., -1., -1., -1.])
    """
    values, grouped = _read(rewards, groups)
    number("epsilon", epsilon, LEAST_EPSILON, 1)
    if (values < 0).any():
        raise ValueError(f"rewards holds {values.min()}: expected numbers from 0, as shares of success")
    return _divided(grouped.centred(values), grouped.of_rows(grouped.means(values)) + epsilon)


def to_tokens(advantages: npt.ArrayLike, mask: npt.NDArray[np.bool_]) -> Array:
    """One number a row, (B,), for each position of it that the mask names: (B, T)."""
    return matrix("advantages", vector("advantages", advantages, mask.shape[0])[:, None] * mask, mask)


def _read(rewards: npt.ArrayLike, groups: Groups) -> tuple[Array, Grouping]:
    values = vector("rewards", rewards)
    return values, grouping(groups, values.size)


def _divided(above: Array, below: Array) -> Array:
    """0 stays 0, whatever it is divided by."""
    return np.divide(above, below, out=np.zeros_like(above), where=above != 0)
