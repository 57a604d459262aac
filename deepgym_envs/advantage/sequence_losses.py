"""Losses of whole trajectories: rewards taken as labels (REAL), and preferences between two (DPO)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from deepgym_envs.advantage.arrays import Array, Mask, flags, log_probabilities, number, token_mask, vector
from deepgym_envs.advantage.grouping import Grouping, grouping
from deepgym_envs.advantage.losses import PolicyLoss
from deepgym_envs.advantage.outcome import Groups


def real(
    logp: npt.ArrayLike,
    old_logp: npt.ArrayLike,
    correct: npt.ArrayLike,
    groups: Groups,
    mask: npt.ArrayLike,
    *,
    tau: float = 0.5,
) -> PolicyLoss:
    """REAL: each group is a classification into right and wrong rows, by how their probability has moved.

    Zhai et al. (arXiv:2602.05630), where s is the mean of logp - old_logp over the tokens of a row::

        log(1 + sum over right of e^(-s / tau)) + log(1 + sum over wrong of e^(s / tau))

    ``logp``, ``old_logp`` and ``mask`` (B, T), ``correct`` and ``groups`` (B,); every row holds a token.
    The mean over groups; one with right rows alone, or wrong ones, adds 0, for it tells nothing apart.
    Agrees with ms-swift 4.6 (``loss_type="real"``). Nothing is clipped: a row's weight is at most 1 / tau.

    >>> real([[-1.0], [-1.0]], [[-1.0], [-1.0]], [True, False], [0, 0], [[1], [1]]).gradient
    array([[-1.],
           [ 1.]])
    """
    where = token_mask(mask)
    if not where.any(axis=1).all():
        raise ValueError(f"mask[{where.any(axis=1).argmin()}] holds no token: expected one or more a row")
    right = flags("correct", correct, len(where))
    grouped = grouping(groups, len(where))
    number("tau", tau, 1e-6, 1e6)
    lengths = where.sum(axis=1)
    moved = log_probabilities("logp", logp, where) - log_probabilities("old_logp", old_logp, where)
    score = moved.sum(axis=1) / lengths / tau
    mixed = ~grouped.constant(right.astype(np.float64))
    value, slope = 0.0, np.zeros(len(where))
    for label, sign in ((right, -1.0), (~right, 1.0)):
        terms, shares = _log_one_plus_sum(sign * score, label, grouped)
        value += float(terms[mixed].sum())
        slope += sign * shares * grouped.of_rows(mixed.astype(np.float64))
    count = grouped.sizes.size
    per_token = slope / (tau * lengths * count)
    return PolicyLoss(value / count, per_token[:, None] * where, 0.0)


def _log_one_plus_sum(exponents: Array, chosen: Mask, grouped: Grouping) -> tuple[Array, Array]:
    """log(1 + sum of e^x) of each group's chosen rows, (G,), and each such row's share in the sum, (B,)."""
    inside = np.where(chosen, exponents, -np.inf)
    top = np.maximum(grouped.largest(inside), 0.0)
    parts = np.exp(inside - grouped.of_rows(top))
    total = np.exp(-top) + grouped.sums(parts)
    return top + np.log(total), parts / grouped.of_rows(total)


@dataclass(frozen=True, eq=False)
class PairLoss:
    """``losses`` (P,) have ``value`` as mean; ``slopes`` (P,) are its derivatives by the chosen ones.

    Those by the rejected ones are the same with the other sign.
    """

    value: float
    losses: Array
    slopes: Array


def dpo(
    chosen_logp: npt.ArrayLike,
    rejected_logp: npt.ArrayLike,
    chosen_ref_logp: npt.ArrayLike,
    rejected_ref_logp: npt.ArrayLike,
    *,
    beta: float = 0.1,
    label_smoothing: float = 0.0,
) -> PairLoss:
    """DPO: -log sigmoid(beta m), m = (chosen - its reference) - (rejected - its reference).

    Rafailov et al. (arXiv:2305.18290), equation 7; with ``label_smoothing`` in [0, 0.5] its conservative
    form (Mitchell 2023, equation 3). All arrays (P,), sums of log-probabilities over a trajectory's own
    tokens; ``beta`` in (0, 100]. The mean over pairs. Agrees with OpenRLHF.

    >>> round(dpo([-1.0], [-1.0], [-1.0], [-1.0]).value, 6)
    0.693147
    """
    chosen = vector("chosen_logp", chosen_logp)
    pairs = chosen.size
    rejected = vector("rejected_logp", rejected_logp, pairs)
    chosen_ref = vector("chosen_ref_logp", chosen_ref_logp, pairs)
    rejected_ref = vector("rejected_ref_logp", rejected_ref_logp, pairs)
    number("beta", beta, 0, 100, above=True)
    number("label_smoothing", label_smoothing, 0, 0.5)
    margin = beta * ((chosen - chosen_ref) - (rejected - rejected_ref))
    losses = (1 - label_smoothing) * np.logaddexp(0, -margin) + label_smoothing * np.logaddexp(0, margin)
    won = 0.5 * (1 + np.tanh(margin / 2))
    slopes = beta * (won - (1 - label_smoothing)) / pairs
    return PairLoss(float(losses.mean()), losses, slopes)
