"""From a loss of each token to one number: five ways, by verl's names (``loss_agg_mode``).

========================  ======================================================  ===========================
mode                      the loss, over n rows that hold a token                 who takes it
========================  ======================================================  ===========================
token-mean                sum over all tokens / their number                      DAPO; TRL's dapo and bnpo
token-sum                 sum over all tokens
seq-mean-token-sum        mean over rows of the sum of a row
seq-mean-token-sum-norm   the same, divided by a length that does not vary        Dr. GRPO; TRL's dr_grpo
seq-mean-token-mean       mean over rows of the mean of a row                     GRPO; TRL's grpo and sapo
========================  ======================================================  ===========================

A row without a token counts for nothing, as in verl 0.9.1. TRL 1.16 divides by all rows, so with such a row
its ``grpo`` and ``dr_grpo`` are smaller.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from deepgym_envs.advantage.arrays import Array, Mask, matrix, number, token_mask


def token_weights(mask: npt.ArrayLike, mode: str, *, length: float | None = None) -> Array:
    """What each token's loss is multiplied with before all are added: (B, T), 0 where the mask does not hold.

    ``length`` is the constant of ``seq-mean-token-sum-norm``, by default T; a training run should fix it
    (TRL: ``max_completion_length``; verl: ``loss_scale_factor``).

    >>> token_weights([[1, 1], [1, 0]], "seq-mean-token-mean")
    array([[0.25, 0.25],
           [0.5 , 0.  ]])

    Raises:
        ValueError: there is no such mode, the mask holds nothing, or ``length`` is not above 0.
    """
    where = token_mask(mask)
    if mode not in AGGREGATIONS:
        raise ValueError(f"no aggregation is called {mode!r}: expected one of {', '.join(AGGREGATIONS)}")
    if not where.any():
        raise ValueError(f"mask of shape {where.shape} holds no token: expected one or more")
    constant = number("length", where.shape[1] if length is None else length, 0, 1e12, above=True)
    return AGGREGATIONS[mode](where, constant) * where


def aggregate(losses: npt.ArrayLike, mask: npt.ArrayLike, mode: str, *, length: float | None = None) -> float:
    """One number from the losses of tokens, (B, T).

    >>> aggregate([[1.0, 3.0], [5.0, 0.0]], [[1, 1], [1, 0]], "token-mean")
    3.0
    >>> aggregate([[1.0, 3.0], [5.0, 0.0]], [[1, 1], [1, 0]], "seq-mean-token-mean")
    3.5
    """
    weights = token_weights(mask, mode, length=length)
    return float((matrix("losses", losses, token_mask(mask)) * weights).sum())


def _rows(mask: Mask) -> Array:
    return np.full(mask.shape, 1.0 / np.count_nonzero(mask.any(axis=1)))


AGGREGATIONS: Mapping[str, Callable[[Mask, float], Array]] = MappingProxyType(
    {
        "token-mean": lambda mask, _: np.full(mask.shape, 1.0 / np.count_nonzero(mask)),
        "token-sum": lambda mask, _: np.ones(mask.shape),
        "seq-mean-token-sum": lambda mask, _: _rows(mask),
        "seq-mean-token-sum-norm": lambda mask, length: _rows(mask) / length,
        "seq-mean-token-mean": lambda mask, _: _rows(mask) / np.maximum(mask.sum(axis=1), 1)[:, None],
    }
)
"""From a mask (B, T) and a constant length to weights (B, T)."""
