"""Estimates of a KL divergence from single samples, and its exact value.

With samples x of the policy p and r = q(x) / p(x), where q is the reference::

              reverse, KL(p || q)         forward, KL(q || p)
    k1        -log r          unbiased    r log r              unbiased
    k2        (log r)^2 / 2   biased      (log r)^2 / 2        biased
    k3        r - 1 - log r   unbiased    r log r - (r - 1)    unbiased
    abs       |log r|         no KL       |log r|              no KL

k2 and k3 are never negative, and both agree with the divergence to second order where the two
distributions are near; k1 is negative for every sample that the reference finds likelier. J. Schulman,
"Approximating KL Divergence" (2020), joschu.net/blog/kl-approx.html. "Reverse" is the direction that is
penalised in reinforcement learning; it asks for nothing but samples of the policy, whereas the forward one is
unbiased only if the policy can say all that the reference says.
"""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

Estimator = Literal["k1", "k2", "k3", "abs"]
Direction = Literal["reverse", "forward"]
FloatArray: TypeAlias = NDArray[np.float64]

ESTIMATORS: tuple[Estimator, ...] = get_args(Estimator)
DIRECTIONS: tuple[Direction, ...] = get_args(Direction)
MASS_TOLERANCE = 1e-3
"""How far from 1 the probabilities of a distribution may sum, which log-probabilities in float16 need."""


def estimate(
    log_ratio: ArrayLike,
    estimator: Estimator = "k1",
    direction: Direction = "reverse",
    *,
    limit: float | None = None,
) -> FloatArray:
    """The estimate that each sample gives, in nats, of the shape of ``log_ratio``.

    ``log_ratio`` is log q(x) - log p(x) for samples x of p, as ``tokens.log_ratio`` makes it; 0 gives 0.
    With a ``limit`` estimates are clipped to [-limit, limit], which bounds what one token can do and biases
    all but the small ones; verl, SkyRL and OpenRLHF take 10.

    >>> estimate([0.0, 1.0], "k3").round(4).tolist()
    [0.0, 0.7183]
    >>> estimate([800.0], "k3", limit=10).tolist()
    [10.0]

    Raises:
        ValueError: a ratio is not finite, an estimate is not and there is no limit, or a name is not known.
    """
    check_names(estimator, direction)
    if limit is not None and not limit > 0:
        raise ValueError(f"limit must be above 0 or None, not {limit}")
    ratio = np.asarray(log_ratio, dtype=np.float64)
    if not np.isfinite(ratio).all():
        raise ValueError(f"log_ratio must be finite, {_first(ratio)} is not")
    with np.errstate(over="ignore", invalid="ignore"):
        found = _estimate(ratio, estimator, direction)
    # Where exp overflows, the difference of two infinities stands for one that is larger than any number.
    found = np.where(np.isnan(found), np.inf, found)
    if limit is not None:
        return np.asarray(np.clip(found, -limit, limit))
    if not np.isfinite(found).all():
        where = np.argwhere(~np.isfinite(found))[0]
        raise ValueError(
            f"{direction} {estimator} of the log-ratio {ratio[tuple(where)]:g} is too large for a number; "
            "give a limit, such as 10"
        )
    return found


def exact_kl(log_p: ArrayLike, log_q: ArrayLike) -> FloatArray:
    """KL(p || q) = sum of p (log p - log q) in nats, for whole distributions, over the last axis.

    Both are log-probabilities of shape (..., outcomes), -inf where an outcome is impossible; the result has
    the shape (...). It is infinite where q rules out what p may do. Swap the two for the other direction.

    >>> import numpy as np
    >>> float(exact_kl(np.log([0.5, 0.5]), np.log([0.25, 0.75])).round(6))
    0.143841

    Raises:
        ValueError: the shapes differ, there is no outcome, or one does not hold log-probabilities that sum
            to 1.
    """
    p, q = _distribution("log_p", log_p), _distribution("log_q", log_q)
    if p.shape != q.shape:
        raise ValueError(f"log_p has the shape {p.shape} and log_q {q.shape}; they must be equal")
    possible = p > -np.inf
    difference = np.subtract(p, q, where=possible, out=np.zeros_like(p))
    with np.errstate(invalid="ignore"):
        terms = np.exp(p) * difference
    # 0 times infinity is left where p is possible and too small for a number, and q impossible.
    found = np.where(np.isnan(terms), np.inf, terms).sum(axis=-1)
    return np.asarray(np.maximum(found, 0.0))


def check_names(estimator: str, direction: str) -> None:
    """Raises ValueError unless both are known."""
    if estimator not in ESTIMATORS:
        raise ValueError(f"estimator must be one of {', '.join(ESTIMATORS)}, not {estimator!r}")
    if direction not in DIRECTIONS:
        raise ValueError(f"direction must be one of {', '.join(DIRECTIONS)}, not {direction!r}")


def _estimate(ratio: FloatArray, estimator: Estimator, direction: Direction) -> FloatArray:
    if estimator == "k2":
        return ratio * ratio / 2
    if estimator == "abs":
        return np.abs(ratio)
    if direction == "reverse":
        return 0.0 - ratio if estimator == "k1" else np.maximum(np.expm1(ratio) - ratio, 0.0)
    weighted = ratio * np.exp(ratio)
    return weighted if estimator == "k1" else np.maximum(weighted - np.expm1(ratio), 0.0)


def _distribution(name: str, given: ArrayLike) -> FloatArray:
    """Log-probabilities that sum to exactly 1, if those given nearly do."""
    values = np.asarray(given, dtype=np.float64)
    if values.ndim == 0 or values.shape[-1] == 0:
        raise ValueError(f"{name} must have the shape (..., outcomes) with an outcome, not {values.shape}")
    if np.isnan(values).any() or (values == np.inf).any():
        raise ValueError(f"{name} must hold log-probabilities, {_first(values)} is none")
    mass = np.sum(np.exp(np.minimum(values, 1.0)), axis=-1, keepdims=True)
    if mass.size and np.abs(mass - 1).max() > MASS_TOLERANCE:
        worst = mass.flat[np.abs(mass - 1).argmax()]
        raise ValueError(
            f"{name} must be log-probabilities that sum to 1 over the last axis, not to {worst:g}"
        )
    return np.asarray(values - np.log(mass))


def _first(values: FloatArray) -> str:
    """The first value that is not a number or is infinite, and where it stands; +inf and NaN before -inf."""
    bad = np.isnan(values) | (values == np.inf)
    where = tuple(int(i) for i in np.argwhere(bad if bad.any() else ~np.isfinite(values))[0])
    return f"{values[where]} at {list(where)}"
