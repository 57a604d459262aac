"""Log-probabilities of sampled tokens, and what is made of them per token, step and episode.

Arrays have the shape (..., T): T tokens last, and before it whatever a batch has. A ``mask`` has the same
shape and is true or 1 for tokens that the policy chose; others (prompt, tool output, padding) are never
looked at, whatever they hold, and count as 0. No tokens at all sum to 0, and so does their mean.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deepgym_envs.kl.estimators import Direction, Estimator, FloatArray, estimate

ROUNDING = 0.25
"""A log-probability may be this much above 0: so far a softmax in bfloat16 can be off."""


def log_ratio(policy: ArrayLike, reference: ArrayLike, mask: ArrayLike | None = None) -> FloatArray:
    """log q - log p of sampled tokens, with the shape of both; 0 where the mask is.

    ``policy`` holds log p and ``reference`` log q of the same tokens, in nats, not above 0.

    >>> log_ratio([-1.0, -2.0, 0.0], [-1.5, -1.0, float("nan")], [1, 1, 0]).tolist()
    [-0.5, 1.0, 0.0]

    Raises:
        ValueError: the shapes differ, or a token that counts has a log-probability that is none or infinite.
    """
    p = np.asarray(policy, dtype=np.float64)
    q = np.asarray(reference, dtype=np.float64)
    if p.ndim == 0 or p.shape != q.shape:
        raise ValueError(
            f"log-probabilities must both have the shape (..., tokens); the policy's have {p.shape}, "
            f"the reference's {q.shape}"
        )
    counted = as_mask(mask, p.shape)
    for name, values in (("policy", p), ("reference", q)):
        bad = counted & ~(np.isfinite(values) & (values <= ROUNDING))
        if bad.any():
            where = tuple(int(i) for i in np.argwhere(bad)[0])
            raise ValueError(
                f"log-probabilities must be finite and at most 0; the {name}'s at {list(where)} is "
                f"{values[where]}"
            )
    return np.subtract(q, p, where=counted, out=np.zeros_like(p))


def kl_per_token(
    policy: ArrayLike,
    reference: ArrayLike,
    mask: ArrayLike | None = None,
    *,
    estimator: Estimator = "k1",
    direction: Direction = "reverse",
    limit: float | None = None,
) -> FloatArray:
    """An estimate of the divergence at each token, in nats; see ``log_ratio`` and ``estimators.estimate``.

    >>> kl_per_token([-1.0, -2.0], [-1.5, -1.0]).tolist()
    [0.5, -1.0]
    >>> kl_per_token([-1.0, -2.0], [-1.5, -1.0], estimator="k3").round(4).tolist()
    [0.1065, 0.7183]
    """
    return estimate(log_ratio(policy, reference, mask), estimator, direction, limit=limit)


def episode_sum(values: ArrayLike, mask: ArrayLike | None = None) -> FloatArray:
    """The sum over the tokens of each row: (..., T) to (...).

    For estimates it is one of the divergence between the two distributions over whole episodes, by the
    chain rule: what the environment says has the same probability under both and adds nothing.

    >>> episode_sum([[1.0, 2.0], [3.0, 4.0]], [[1, 0], [1, 1]]).tolist()
    [1.0, 7.0]

    Raises:
        ValueError: the mask does not fit, or a value that counts is not finite.
    """
    kept, _ = _kept(values, mask)
    return np.asarray(kept.sum(axis=-1))


def token_mean(values: ArrayLike, mask: ArrayLike | None = None) -> FloatArray:
    """The mean over the tokens that count of each row: (..., T) to (...); 0 for a row without any.

    >>> token_mean([[1.0, 2.0], [3.0, 4.0]], [[0, 0], [1, 1]]).tolist()
    [0.0, 3.5]

    Raises:
        ValueError: as for ``episode_sum``.
    """
    kept, counted = _kept(values, mask)
    return np.asarray(kept.sum(axis=-1) / np.maximum(counted.sum(axis=-1), 1))


def step_sums(
    values: ArrayLike, steps: ArrayLike, mask: ArrayLike | None = None, *, count: int | None = None
) -> FloatArray:
    """The sums over the tokens of each step: (..., T) to (..., ``count``).

    ``steps``, of the shape of ``values``, says to which step, from 0, each token that counts belongs;
    ``count`` is one more than the last, unless given.

    >>> step_sums([1.0, 2.0, 3.0, 9.0], [0, 0, 2, -1], [1, 1, 1, 0]).tolist()
    [3.0, 0.0, 3.0]

    Raises:
        ValueError: a shape does not fit, a value is not finite, or a step is not one of 0 to ``count`` - 1.
    """
    kept, counted = _kept(values, mask)
    numbers = np.asarray(steps)
    if numbers.shape != kept.shape:
        raise ValueError(f"steps must have the shape {kept.shape} of the values, not {numbers.shape}")
    if numbers.size and not np.issubdtype(numbers.dtype, np.integer):
        raise ValueError(f"steps must be integers, not {numbers.dtype}")
    numbers = np.where(counted, numbers, 0).astype(np.int64)
    most = int(numbers.max(initial=-1)) if counted.any() else -1
    total = most + 1 if count is None else count
    if numbers.min(initial=0) < 0 or most >= total:
        raise ValueError(f"steps must be in 0 to {total - 1}, not {numbers.min(initial=0)} to {most}")
    sums = np.zeros((*kept.shape[:-1], total))
    if total:
        rows = np.indices(kept.shape, sparse=True)[:-1]
        np.add.at(sums, (*rows, numbers), kept)
    return sums


def as_mask(mask: ArrayLike | None, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """``mask`` as an array of bool, all true for None.

    Raises:
        ValueError: it has another shape, or holds anything but true, false, 0 and 1.
    """
    if mask is None:
        return np.ones(shape, dtype=np.bool_)
    found = np.asarray(mask)
    if found.shape != shape:
        raise ValueError(f"the mask must have the shape {shape} of the tokens, not {found.shape}")
    if found.dtype == np.bool_:
        return found
    if not np.isin(found, (0, 1)).all():
        raise ValueError("the mask must hold true and false, or 1 and 0")
    return found.astype(np.bool_)


def _kept(values: ArrayLike, mask: ArrayLike | None) -> tuple[FloatArray, NDArray[np.bool_]]:
    found = np.asarray(values, dtype=np.float64)
    if found.ndim == 0:
        raise ValueError("values must have the shape (..., tokens), not ()")
    counted = as_mask(mask, found.shape)
    kept = np.where(counted, found, 0.0)
    if not np.isfinite(kept).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(kept))[0])
        raise ValueError(f"values must be finite, that at {list(where)} is {kept[where]}")
    return kept, counted
