"""How a gold score rises and falls with the distance from the initial policy.

With d = sqrt(KL(policy || initial policy)) and R the gain in gold score over the initial policy::

                        best of n                    reinforcement learning
    R(d)                d (alpha - beta d)           d (alpha - beta log d)
    dR/dd               alpha - 2 beta d             alpha - beta - beta log d
    d* (peak)           alpha / (2 beta)             exp(alpha / beta - 1)
    R(d*)               alpha^2 / (4 beta)           beta d*

L. Gao, J. Schulman and J. Hilton, "Scaling laws for reward model overoptimization" (2022), section 1; the
second form is not to be relied on near d = 0, where its slope has no bound. Both are smooth: a policy that
discovers a cheat leaves the curve in a jump, which no fit foretells.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

Form = Literal["best_of_n", "rl"]
Interval: TypeAlias = tuple[float, float]
FloatArray: TypeAlias = NDArray[np.float64]

FORMS: tuple[Form, ...] = get_args(Form)
MAX_EXPONENT = 700.0


def distance(kl: float) -> float:
    """d = sqrt(KL), for a divergence in nats.

    >>> distance(9.0)
    3.0

    Raises:
        ValueError: it is negative or not finite; the mean of k1 may be negative, that of k3 never is.
    """
    if not 0 <= kl < math.inf:
        raise ValueError(
            f"a divergence must be at least 0 and finite, not {kl}; the mean of k3 never is below 0"
        )
    return math.sqrt(kl)


@dataclass(frozen=True)
class Curve:
    """One curve of ``form``: ``alpha`` in gold score per unit of d, ``beta`` what is lost of it.

    >>> curve = Curve("best_of_n", alpha=1.0, beta=0.1)
    >>> curve.peak, curve.peak_gold, curve.slope(6.0)
    (5.0, 2.5, -0.20000000000000018)
    """

    form: Form
    alpha: float
    beta: float

    def __post_init__(self) -> None:
        check_form(self.form)
        if not (math.isfinite(self.alpha) and math.isfinite(self.beta)):
            raise ValueError(f"alpha and beta must be finite, not {self.alpha} and {self.beta}")

    def gold(self, d: ArrayLike) -> FloatArray:
        """R(d), of the shape of ``d``, which is at least 0."""
        return np.asarray(_columns(np.asarray(d, dtype=np.float64), self.form) @ (self.alpha, self.beta))

    def slope(self, d: float) -> float:
        """dR/dd at ``d`` > 0."""
        return float(_slopes(np.array([[self.alpha, self.beta]]), d, self.form)[0])

    @property
    def peak(self) -> float:
        """d*, where R is greatest; infinite where it never falls."""
        return float(_peaks(np.array([[self.alpha, self.beta]]), self.form)[0])

    @property
    def peak_gold(self) -> float:
        """R(d*); infinite where R has no bound."""
        if math.isinf(self.peak):
            return math.inf
        return float(self.gold(self.peak)) if self.peak else 0.0


@dataclass(frozen=True)
class CurveFit:
    """The curve that fits best, and what else fits: intervals from a bootstrap over tasks.

    ``peak`` is that of d*, ``peak_gold`` of R(d*), ``slope`` of dR/dd at ``at``, the last distance. An
    interval reaches to infinity where curves that never fall fit too.
    """

    curve: Curve
    alpha: Interval
    beta: Interval
    peak: Interval
    peak_gold: Interval
    slope: Interval
    at: float


def fit_curve(
    distances: ArrayLike,
    gold: ArrayLike,
    *,
    form: Form,
    confidence: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> CurveFit:
    """Fits alpha and beta by least squares, with percentile intervals from ``resamples`` of the tasks.

    ``distances`` has the shape (checkpoints,), ``gold`` (tasks, checkpoints): each task's gain over the
    initial policy. R is linear in alpha and beta, and R itself is fitted rather than R / d, whose noise grows
    without bound near the initial policy. The checkpoints see the same tasks, so tasks are drawn anew, whole
    (B. Efron, "Bootstrap methods: another look at the jackknife", 1979), and intervals hold for other tasks
    of the same kind. With few tasks they are too narrow: of those at 95 % about 93 % hold the truth with 20
    tasks, and 89 % with 10. ``seed`` seeds the draws: equal arguments give equal intervals.

    >>> fit = fit_curve([1.0, 2.0, 3.0], [[0.9, 1.6, 2.1], [0.9, 1.6, 2.1]], form="best_of_n")
    >>> round(fit.curve.alpha, 6), round(fit.curve.beta, 6), round(fit.curve.peak, 6)
    (1.0, 0.1, 5.0)

    Raises:
        ValueError: a shape does not fit, a value is not finite, a distance is negative, fewer than two are
            different and above 0, there are fewer than two tasks, or a setting is out of range.
    """
    d, gains = _checked(distances, gold)
    check_form(form)
    check_bootstrap(confidence, resamples)
    solve = np.linalg.pinv(_columns(d, form))
    alpha, beta = solve @ gains.mean(axis=0)
    tasks = len(gains)
    drawn = np.random.default_rng(seed).multinomial(tasks, np.full(tasks, 1 / tasks), size=resamples)
    pairs = (drawn / tasks) @ gains @ solve.T
    peaks = _peaks(pairs, form)
    at = float(d[-1]) if d[-1] > 0 else float(d.max())

    def between(values: FloatArray) -> Interval:
        # Order statistics, since between a number and infinity there is nothing to interpolate.
        low = np.quantile(values, (1 - confidence) / 2, method="lower")
        high = np.quantile(values, (1 + confidence) / 2, method="higher")
        return float(low), float(high)

    return CurveFit(
        curve=Curve(form, float(alpha), float(beta)),
        alpha=between(pairs[:, 0]),
        beta=between(pairs[:, 1]),
        peak=between(peaks),
        peak_gold=between(_peak_golds(pairs, peaks, form)),
        slope=between(_slopes(pairs, at, form)),
        at=at,
    )


def _columns(d: FloatArray, form: Form) -> FloatArray:
    """What alpha and beta are multiplied with, (..., 2)."""
    if not (np.isfinite(d) & (d >= 0)).all():
        raise ValueError(f"distances must be at least 0 and finite, not {d.tolist()}")
    factor = d if form == "best_of_n" else np.log(np.where(d > 0, d, 1.0))
    return np.stack([d, -d * factor], axis=-1)


def _slopes(pairs: FloatArray, d: float, form: Form) -> FloatArray:
    if not 0 < d < math.inf:
        raise ValueError(f"a slope is taken at a distance above 0, not at {d}")
    alpha, beta = pairs[:, 0], pairs[:, 1]
    return np.asarray(alpha - 2 * beta * d if form == "best_of_n" else alpha - beta - beta * math.log(d))


def _peaks(pairs: FloatArray, form: Form) -> FloatArray:
    """d* of each pair of alpha and beta, in [0, inf]."""
    alpha, beta = pairs[:, 0], pairs[:, 1]
    falls = beta > 0
    with np.errstate(over="ignore"):
        ratio = alpha / np.where(falls, beta, 1.0)
    if form == "best_of_n":
        found = np.maximum(ratio / 2, 0.0)
    else:
        exponent = ratio - 1
        found = np.where(exponent > MAX_EXPONENT, np.inf, np.exp(np.minimum(exponent, MAX_EXPONENT)))
    never_rises = (beta == 0) & (alpha <= 0)
    return np.asarray(np.where(falls, found, np.where(never_rises, 0.0, np.inf)))


def _peak_golds(pairs: FloatArray, peaks: FloatArray, form: Form) -> FloatArray:
    finite = np.isfinite(peaks)
    rows = _columns(np.where(finite, peaks, 0.0), form)
    return np.where(finite, (rows * pairs).sum(axis=-1), np.inf)


def _checked(distances: ArrayLike, gold: ArrayLike) -> tuple[FloatArray, FloatArray]:
    d = np.asarray(distances, dtype=np.float64)
    gains = np.asarray(gold, dtype=np.float64)
    if d.ndim != 1 or gains.ndim != 2 or gains.shape[1] != len(d):
        raise ValueError(
            f"distances must have the shape (checkpoints,) and gold (tasks, checkpoints), not {d.shape} and "
            f"{gains.shape}"
        )
    if len(gains) < 2:
        raise ValueError(f"a bootstrap over tasks needs at least 2 tasks, not {len(gains)}")
    if not np.isfinite(gains).all():
        task, checkpoint = (int(i) for i in np.argwhere(~np.isfinite(gains))[0])
        raise ValueError(
            f"gold must be finite; task {task} has {gains[task, checkpoint]} at checkpoint {checkpoint}. "
            "Leave out tasks that could not be judged"
        )
    if len(set(d[d > 0].tolist())) < 2:
        raise ValueError("a curve needs checkpoints at two or more different distances above 0")
    return d, gains


def check_bootstrap(confidence: float, resamples: int) -> None:
    """Raises ValueError unless both are in range."""
    if not 0 < confidence < 1 or resamples < 1:
        raise ValueError(f"confidence must be in (0, 1), resamples at least 1, not {confidence}, {resamples}")


def check_form(form: str) -> None:
    """Raises ValueError unless it is known."""
    if form not in FORMS:
        raise ValueError(f"form must be one of {', '.join(FORMS)}, not {form!r}")
