"""Advantages of each position, from what is still to come.

Shapes: ``rewards``, ``values``, ``potentials`` and ``mask`` (B, T), result (B, T) and exactly 0 where the
mask does not hold. A position that the policy has not generated (a tool's answer in the middle, padding at
the end) is skipped: discount and trace pass over it, as in verl 0.9.1. SkyRL 0.3 starts anew after it, and
OpenRLHF 0.11.2 discounts it as a token of value 0, so both differ wherever a tool has spoken; on a mask
without holes all agree. A reward must lie on a position that the mask names, the last token of its turn: verl
counts one elsewhere in ``grpo`` and drops it in ``gae``.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from deepgym_envs.advantage.arrays import Array, Mask, matrix, number, token_mask, vector
from deepgym_envs.advantage.grouping import grouping
from deepgym_envs.advantage.outcome import Groups, dr_grpo, rloo, to_tokens

WHITENING = 1e-8


def token_rewards(rewards: npt.ArrayLike, mask: Mask) -> Array:
    """Rewards (B, T), all of them on positions that the mask names.

    Raises:
        ValueError: there is one elsewhere, a shape is wrong, or a number is not finite.
    """
    held = matrix("rewards", rewards, mask)
    stray = ~mask & (np.nan_to_num(np.asarray(rewards, dtype=np.float64)) != 0)
    if stray.any():
        row, position = np.argwhere(stray)[0]
        raise ValueError(
            f"rewards[{row}, {position}] is paid where the mask is 0: "
            "expected each reward on a generated position, such as the last token of its turn"
        )
    return held


def returns_to_go(rewards: npt.ArrayLike, mask: npt.ArrayLike, *, gamma: float = 1.0) -> Array:
    """G_t = r_t + gamma G_t+1, over the positions of the mask; ``gamma`` in (0, 1].

    >>> returns_to_go([[1.0, 0.0, 2.0]], [[1, 0, 1]], gamma=0.5)
    array([[2., 0., 2.]])
    """
    where = token_mask(mask)
    paid = token_rewards(rewards, where)
    number("gamma", gamma, 0, 1, above=True)
    result, running = np.zeros_like(paid), np.zeros(len(paid))
    for position in reversed(range(paid.shape[1])):
        here = where[:, position]
        running = np.where(here, paid[:, position] + gamma * running, running)
        result[:, position] = np.where(here, running, 0.0)
    return result


def gae(
    rewards: npt.ArrayLike,
    values: npt.ArrayLike,
    mask: npt.ArrayLike,
    *,
    gamma: float = 1.0,
    lam: float = 1.0,
    last_values: npt.ArrayLike | None = None,
) -> Array:
    """Generalised advantage estimation: A_t = delta_t + gamma lam A_t+1, delta_t = r_t + gamma V_t+1 - V_t.

    Schulman et al. (arXiv:1506.02438), equation 16. ``gamma`` in (0, 1], ``lam`` in [0, 1];
    ``last_values`` (B,) is the critic's value of the state after the last position, where an episode was
    truncated and not ended; 0 by default. The returns for the critic are A + values. Agrees with verl
    (whose estimator then whitens: see ``whiten``); with SkyRL and OpenRLHF on masks without holes.

    >>> gae([[0.0, 1.0]], [[0.5, 0.25]], [[1, 1]])
    array([[0.5 , 0.75]])
    """
    where = token_mask(mask)
    paid, critic = token_rewards(rewards, where), matrix("values", values, where)
    number("gamma", gamma, 0, 1, above=True)
    number("lam", lam, 0, 1)
    rows = len(paid)
    after = np.zeros(rows) if last_values is None else vector("last_values", last_values, rows)
    result, trace = np.zeros_like(paid), np.zeros(rows)
    for position in reversed(range(paid.shape[1])):
        here = where[:, position]
        delta = paid[:, position] + gamma * after - critic[:, position]
        trace = np.where(here, delta + gamma * lam * trace, trace)
        after = np.where(here, critic[:, position], after)
        result[:, position] = np.where(here, trace, 0.0)
    return result


def whiten(values: npt.ArrayLike, mask: npt.ArrayLike) -> Array:
    """Mean 0 and deviation 1 over all positions of the mask: (v - mean) / sqrt(var + 1e-8).

    The variance with Bessel's correction, as verl and SkyRL (OpenRLHF: without). Numbers that are all alike,
    or fewer than two, become 0.

    >>> whiten([[1.0, 3.0, 9.0]], [[1, 1, 0]]).round(3)
    array([[-0.707,  0.707,  0.   ]])
    """
    where = token_mask(mask)
    held = matrix("values", values, where)
    seen = held[where]
    if seen.size < 2 or seen.min() == seen.max():
        return np.zeros_like(held)
    return np.where(where, (held - seen.mean()) / np.sqrt(seen.var(ddof=1) + WHITENING), 0.0)


def reinforce_plus_plus(rewards: npt.ArrayLike, mask: npt.ArrayLike, *, gamma: float = 1.0) -> Array:
    """REINFORCE++: returns to go, whitened over the batch.

    Hu et al. (arXiv:2501.03262). Agrees with verl; with SkyRL on masks without holes.

    >>> reinforce_plus_plus([[0.0, 1.0], [0.0, 0.0]], [[1, 1], [1, 1]]).round(3)
    array([[ 0.866,  0.866],
           [-0.866, -0.866]])
    """
    return whiten(returns_to_go(rewards, mask, gamma=gamma), mask)


def reinforce_plus_plus_baseline(rewards: npt.ArrayLike, groups: Groups, mask: npt.ArrayLike) -> Array:
    """REINFORCE++ with a baseline: ``rewards`` (B,) less their group's mean, whitened over the batch.

    Hu et al. (arXiv:2501.03262). A long trajectory counts in mean and variance with each of its
    tokens. Agrees with verl.

    >>> reinforce_plus_plus_baseline([1, 0], [0, 0], [[1], [1]]).round(3)
    array([[ 0.707],
           [-0.707]])
    """
    where = token_mask(mask)
    return whiten(to_tokens(dr_grpo(vector("rewards", rewards, len(where)), groups), where), where)


def remax(rewards: npt.ArrayLike, baselines: npt.ArrayLike, mask: npt.ArrayLike) -> Array:
    """ReMax: returns to go less the reward of the greedy answer to the same prompt, ``baselines`` (B,).

    Li et al. (arXiv:2310.10505). Agrees with verl.

    >>> remax([[0.0, 1.0]], [0.25], [[1, 1]])
    array([[0.75, 0.75]])
    """
    where = token_mask(mask)
    greedy = to_tokens(vector("baselines", baselines, len(where)), where)
    return returns_to_go(rewards, where) - greedy


def turn_pbrs(
    rewards: npt.ArrayLike,
    potentials: npt.ArrayLike,
    groups: Groups,
    mask: npt.ArrayLike,
    *,
    gamma: float = 1.0,
    baseline: Literal["leave_one_out", "mean"] = "leave_one_out",
) -> Array:
    """What potential-based shaping gives a critic-free learner: A_t = G_t - phi(s_t) - b.

    With F = gamma phi(s') - phi(s) and phi = 0 at the end, all shaping still to come is exactly -phi(s_t)
    (Ng, Harada and Russell, ICML 1999; Grzes, AAMAS 2017), a baseline that depends on the state. Estimators
    of whole trajectories only ever see -phi(s_0), one number for all of a group. ``rewards`` (B, T) are the
    task's, without shaping; ``potentials`` (B, T) hold phi of the state in which a position began, such as
    each token of a turn. b is the mean of G - phi at the first position, of the others of the group or of
    all: at that position A is ``rloo`` or ``dr_grpo``. A group of one gets 0.

    >>> potentials = [[0.2, 0.5, 0.9], [0.2, 0.2, 0.5]]
    >>> turn_pbrs([[0, 0, 1], [0, 0, 0]], potentials, [0, 0], np.ones((2, 3))).round(3)
    array([[ 1. ,  0.7,  0.3],
           [-1. , -1. , -1.3]])
    """
    where = token_mask(mask)
    if not where.any(axis=1).all():
        raise ValueError(f"mask[{where.any(axis=1).argmin()}] holds no position: expected one or more a row")
    states = matrix("potentials", potentials, where)
    left = returns_to_go(rewards, where, gamma=gamma) - states
    first = left[np.arange(len(left)), where.argmax(axis=1)]
    if baseline not in ("leave_one_out", "mean"):
        raise ValueError(f"baseline is {baseline!r}: expected 'leave_one_out' or 'mean'")
    whole = rloo(first, groups) if baseline == "leave_one_out" else dr_grpo(first, groups)
    grouped = grouping(groups, len(left))
    counted = where & (grouped.of_rows(grouped.sizes) > 1)[:, None]
    return np.where(counted, left - first[:, None] + whole[:, None], 0.0)
