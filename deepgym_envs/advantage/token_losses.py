"""Policy losses of a token, each with its derivative, for only there shows what carries no gradient.

Shapes: ``logp`` (the policy that learns), ``old_logp`` (the one that has played), ``advantages`` and ``mask``
all (B, T); log-probabilities are natural and at most 0. r = exp(logp - old_logp), with the difference held
within 20 either way, as verl, SkyRL and OpenRLHF do (TRL does not).

Every function raises ValueError for another shape, a number that is not finite where the mask holds, or a
bound outside of its range.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from deepgym_envs.advantage.arrays import Array, Mask, log_probabilities, matrix, number, token_mask

LOG_RATIO = 20.0
LOG_SEQUENCE_RATIO = 10.0
LARGEST_BOUND = 1e9


@dataclass(frozen=True, eq=False)
class TokenLoss:
    """A loss of each token, all arrays (B, T) and 0 or False where the mask does not hold.

    ``slope`` is the derivative of ``value`` with respect to the token's own ``logp``; ``clipped`` tells where
    the bound took hold.
    """

    value: Array
    slope: Array
    clipped: Mask


TokenLossFunction: TypeAlias = Callable[
    [npt.ArrayLike, npt.ArrayLike, npt.ArrayLike, npt.ArrayLike], TokenLoss
]


@dataclass(frozen=True, eq=False)
class _Tokens:
    logp: Array
    old: Array
    advantages: Array
    mask: Mask

    @property
    def ratio(self) -> Array:
        return np.exp(np.clip(self.logp - self.old, -LOG_RATIO, LOG_RATIO))

    @property
    def moves(self) -> Mask:
        """Where the ratio is not held, so that it follows ``logp``."""
        return np.asarray(np.abs(self.logp - self.old) <= LOG_RATIO)

    def loss(self, value: Array, slope: Array, clipped: Mask) -> TokenLoss:
        zero = np.zeros(self.mask.shape)
        # Adding 0 makes a plain one of the -0.0 that a product may leave.
        return TokenLoss(
            np.where(self.mask, value, zero) + 0.0,
            np.where(self.mask, slope, zero) + 0.0,
            clipped & self.mask,
        )


def _read(
    logp: npt.ArrayLike, old_logp: npt.ArrayLike, advantages: npt.ArrayLike, mask: npt.ArrayLike
) -> _Tokens:
    where = token_mask(mask)
    return _Tokens(
        log_probabilities("logp", logp, where),
        log_probabilities("old_logp", old_logp, where),
        matrix("advantages", advantages, where),
        where,
    )


def ppo_clip(
    logp: npt.ArrayLike,
    old_logp: npt.ArrayLike,
    advantages: npt.ArrayLike,
    mask: npt.ArrayLike,
    *,
    low: float = 0.2,
    high: float = 0.2,
    dual: float | None = None,
) -> TokenLoss:
    """PPO: max(-A r, -A clip(r, 1 - low, 1 + high)); with ``dual`` at most -A dual where A < 0.

    Schulman et al. (arXiv:1707.06347), equation 7; ``high`` above ``low`` is DAPO's clip-higher
    (arXiv:2503.14476), equation 10; dual clip, Ye et al. (arXiv:1912.09729), with ``dual`` above
    1. verl's ``vanilla`` has dual = 3 unless told otherwise; TRL calls it ``delta`` and has none. Agrees with
    verl, TRL, SkyRL (``regular``, ``dual_clip``) and OpenRLHF.

    >>> loss = ppo_clip([[-1.0, -1.0]], [[-1.0, -2.0]], [[1.0, 1.0]], [[1, 1]])
    >>> loss.value, loss.slope
    (array([[-1. , -1.2]]), array([[-1.,  0.]]))
    """
    tokens = _read(logp, old_logp, advantages, mask)
    return _clipped(tokens, tokens.ratio, tokens.moves, low, high, dual)


def gspo(
    logp: npt.ArrayLike,
    old_logp: npt.ArrayLike,
    advantages: npt.ArrayLike,
    mask: npt.ArrayLike,
    *,
    low: float = 3e-4,
    high: float = 4e-4,
) -> TokenLoss:
    """GSPO: PPO's clip on one ratio a row, s = exp(mean over its tokens of logp - old_logp).

    Zheng et al. (arXiv:2507.18071), equations 5 and 7; the bounds are those of section 5.1. The slope is
    that of the token form, section 4.3: -A s for each token, which for an advantage of the whole
    row adds up to the same gradient. The mean is held at 10 from above, as in verl. Agrees with verl,
    SkyRL, TRL (``importance_sampling_level="sequence"``) and OpenRLHF.

    >>> gspo([[-1.0, -2.0]], [[-1.5, -1.5]], [[1.0, 1.0]], [[1, 1]]).value
    array([[-1., -1.]])
    """
    tokens = _read(logp, old_logp, advantages, mask)
    lengths = np.maximum(tokens.mask.sum(axis=1), 1)
    mean = ((tokens.logp - tokens.old).sum(axis=1) / lengths)[:, None]
    ratio = np.broadcast_to(np.exp(np.minimum(mean, LOG_SEQUENCE_RATIO)), tokens.mask.shape)
    moves = np.broadcast_to(mean <= LOG_SEQUENCE_RATIO, tokens.mask.shape)
    return _clipped(tokens, ratio, moves, low, high, None)


def cispo(
    logp: npt.ArrayLike,
    old_logp: npt.ArrayLike,
    advantages: npt.ArrayLike,
    mask: npt.ArrayLike,
    *,
    low: float | None = None,
    high: float = 0.28,
) -> TokenLoss:
    """CISPO: -stop(clip(r)) A logp, so a clipped token still learns, with a bounded weight.

    MiniMax-M1 (arXiv:2506.13585), equations 4 and 5. The paper bounds r from above alone, and so does this
    without ``low``, which agrees with TRL (whose ``epsilon_high`` is the bound itself, 1 + ``high``). verl
    and SkyRL also bound it from below; with ``low`` this agrees with them.

    >>> cispo([[-1.0]], [[-2.0]], [[1.0]], [[1]]).slope
    array([[-1.28]])
    """
    tokens = _read(logp, old_logp, advantages, mask)
    floor = 0.0 if low is None else 1 - number("low", low, 0, 1)
    ceiling = 1 + number("high", high, 0, LARGEST_BOUND)
    weight = np.clip(tokens.ratio, floor, ceiling)
    slope = -weight * tokens.advantages
    return tokens.loss(slope * tokens.logp, slope, np.asarray(weight != tokens.ratio))


def sapo(
    logp: npt.ArrayLike,
    old_logp: npt.ArrayLike,
    advantages: npt.ArrayLike,
    mask: npt.ArrayLike,
    *,
    tau_pos: float = 1.0,
    tau_neg: float = 1.05,
) -> TokenLoss:
    """SAPO: -A (4 / tau) sigmoid(tau (r - 1)), a soft gate in place of a clip; tau by the sign of A.

    Gao et al. (arXiv:2511.20347). At r = 1 the slope is -A. Nothing is ever clipped.
    Agrees with verl, SkyRL and TRL.

    >>> sapo([[-1.0]], [[-1.0]], [[2.0]], [[1]]).slope
    array([[-2.]])
    """
    tokens = _read(logp, old_logp, advantages, mask)
    number("tau_pos", tau_pos, 1e-6, 1e6)
    number("tau_neg", tau_neg, 1e-6, 1e6)
    tau = np.where(tokens.advantages > 0, tau_pos, tau_neg)
    gate = _sigmoid(tau * (tokens.ratio - 1))
    slope = -tokens.advantages * 4 * gate * (1 - gate) * tokens.ratio * tokens.moves
    return tokens.loss(
        -tokens.advantages * gate * 4 / tau, slope, np.zeros(tokens.mask.shape, dtype=np.bool_)
    )


def dppo_tv(
    logp: npt.ArrayLike,
    old_logp: npt.ArrayLike,
    advantages: npt.ArrayLike,
    mask: npt.ArrayLike,
    *,
    low: float = 0.2,
    high: float = 0.2,
    cap: float = 20.0,
) -> TokenLoss:
    """DPPO, binary total variation: a token is left out once its probability has moved far enough.

    Qi et al. (arXiv:2602.04879), equation 13: with p = exp(logp) and q = exp(old_logp), left out
    where A > 0 and p - q > high, or A <= 0 and q - p > low; else -stop(min(r, cap)) A logp, of which
    section 5.4 tells. ``low`` and ``high`` in [0, 1]. Agrees with verl; SkyRL's surrogate is -A r, which
    has the same slope as long as r <= ``cap``.

    >>> dppo_tv([[-0.1]], [[-1.0]], [[1.0]], [[1]]).slope
    array([[0.]])
    """
    tokens = _read(logp, old_logp, advantages, mask)
    number("low", low, 0, 1)
    number("high", high, 0, 1)
    moved = np.exp(tokens.logp) - np.exp(tokens.old)
    far = np.where(tokens.advantages > 0, moved > high, moved < -low)
    return _divergence(tokens, far, cap)


def dppo_kl(
    logp: npt.ArrayLike,
    old_logp: npt.ArrayLike,
    advantages: npt.ArrayLike,
    mask: npt.ArrayLike,
    *,
    low: float = 0.05,
    high: float = 0.05,
    cap: float = 20.0,
) -> TokenLoss:
    """DPPO, binary KL: as ``dppo_tv``, with q log(q / p) + (1 - q) log((1 - q) / (1 - p)) as the distance.

    Qi et al. (arXiv:2602.04879), equation 14; only moves in the direction that the advantage pushes count.
    1e-8 is added above and below in the last logarithm, as in verl, with which this agrees.

    >>> dppo_kl([[-1.0]], [[-1.1]], [[1.0]], [[1]]).clipped
    array([[False]])
    """
    tokens = _read(logp, old_logp, advantages, mask)
    number("low", low, 0, LARGEST_BOUND)
    number("high", high, 0, LARGEST_BOUND)
    p, q = np.exp(tokens.logp), np.exp(tokens.old)
    distance = q * (tokens.old - tokens.logp) + (1 - q) * np.log((1 - q + 1e-8) / (1 - p + 1e-8))
    far = np.where(tokens.advantages > 0, (distance > high) & (p > q), (distance > low) & (p < q))
    return _divergence(tokens, far, cap)


def _clipped(
    tokens: _Tokens, ratio: Array, moves: Mask, low: float, high: float, dual: float | None
) -> TokenLoss:
    number("low", low, 0, 1)
    number("high", high, 0, LARGEST_BOUND)
    free = -tokens.advantages * ratio
    held = -tokens.advantages * np.clip(ratio, 1 - low, 1 + high)
    clipped = np.asarray(held > free)
    value = np.maximum(free, held)
    if dual is not None:
        most = -tokens.advantages * number("dual", dual, 1, LARGEST_BOUND, above=True)
        too_much = (tokens.advantages < 0) & (value > most)
        value, clipped = np.where(too_much, most, value), clipped | too_much
    return tokens.loss(value, np.where(clipped | ~moves, 0.0, free), clipped)


def _divergence(tokens: _Tokens, far: Mask, cap: float) -> TokenLoss:
    number("cap", cap, 1, LARGEST_BOUND)
    slope = np.where(far, 0.0, -tokens.advantages * np.minimum(tokens.ratio, cap))
    return tokens.loss(slope * tokens.logp, slope, far)


def _sigmoid(x: Array) -> Array:
    """Without overflow for a large -x."""
    return np.asarray(0.5 * (1 + np.tanh(x / 2)))
