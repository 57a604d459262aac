"""Estimates have the expectations that they claim, and the exact divergence is the one that is written down."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from deepgym_envs.kl import DIRECTIONS, ESTIMATORS, Direction, Estimator, estimate, exact_kl

RATIOS = hnp.arrays(np.float64, st.integers(0, 8), elements=st.floats(-600, 600))
WEIGHTS = st.lists(st.tuples(st.floats(0.01, 1), st.floats(0.01, 1)), min_size=1, max_size=6)


def _logs(weights: list[tuple[float, float]]) -> tuple[Any, Any]:
    p, q = np.array(weights).T
    return np.log(p / p.sum()), np.log(q / q.sum())


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("estimator", ["k2", "k3", "abs"])
@given(ratio=RATIOS)
def test_all_but_k1_are_never_negative(estimator: Estimator, direction: Direction, ratio: Any) -> None:
    found = estimate(ratio, estimator, direction)
    assert found.shape == ratio.shape
    assert (found >= 0).all()


@pytest.mark.parametrize("estimator", ["k1", "k3"])
@given(weights=WEIGHTS)
def test_the_mean_over_every_outcome_is_the_exact_divergence(
    estimator: Estimator, weights: list[tuple[float, float]]
) -> None:
    p, q = _logs(weights)
    reverse = np.exp(p) @ estimate(q - p, estimator, "reverse")
    forward = np.exp(p) @ estimate(q - p, estimator, "forward")
    assert reverse == pytest.approx(float(exact_kl(p, q)), abs=1e-12)
    assert forward == pytest.approx(float(exact_kl(q, p)), abs=1e-12)


@pytest.mark.parametrize(("direction", "estimator"), [(d, e) for d in DIRECTIONS for e in ("k1", "k3")])
def test_the_mean_over_samples_converges_to_the_divergence(
    direction: Direction, estimator: Estimator
) -> None:
    p, q = np.log([0.5, 0.3, 0.2]), np.log([0.25, 0.25, 0.5])
    exact = float(exact_kl(p, q) if direction == "reverse" else exact_kl(q, p))
    drawn = np.random.default_rng(7).choice(3, size=200_000, p=np.exp(p))
    found = estimate((q - p)[drawn], estimator, direction)
    error = found.std() / math.sqrt(len(found))
    assert abs(found.mean() - exact) < 4 * error
    assert error < 0.01 * exact


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("estimator", ["k2", "k3"])
def test_near_the_reference_they_agree_to_second_order(estimator: Estimator, direction: Direction) -> None:
    x = 1e-4
    assert float(estimate(x, estimator, direction)) == pytest.approx(x * x / 2, rel=1e-3)


def test_k3_has_less_variance_than_k1() -> None:
    p, q = np.log([0.5, 0.3, 0.2]), np.log([0.45, 0.3, 0.25])
    drawn = np.random.default_rng(7).choice(3, size=10_000, p=np.exp(p))
    assert estimate((q - p)[drawn], "k3").std() < estimate((q - p)[drawn], "k1").std() / 5


def test_the_formulas_are_those_of_the_field() -> None:
    """log r = log 2: what low_var_kl, mse, abs and kl are in verl, and what TRL calls its per-token KL."""
    r, x = 2.0, math.log(2)
    assert float(estimate(x, "k1")) == -x
    assert float(estimate(x, "k2")) == pytest.approx(x * x / 2)
    assert float(estimate(x, "k3")) == pytest.approx(r - x - 1)
    assert float(estimate(x, "abs")) == x
    assert float(estimate(x, "k1", "forward")) == pytest.approx(r * x)
    assert float(estimate(x, "k3", "forward")) == pytest.approx(r * x - (r - 1))


@pytest.mark.parametrize(
    ("estimator", "direction"), [("k3", "reverse"), ("k1", "forward"), ("k3", "forward")]
)
def test_what_is_too_large_for_a_number_needs_a_limit(estimator: Estimator, direction: Direction) -> None:
    with pytest.raises(ValueError, match="log-ratio 800 is too large for a number; give a limit"):
        estimate([0.0, 800.0], estimator, direction)
    assert estimate([0.0, 800.0], estimator, direction, limit=10).tolist() == [0.0, 10.0]


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("estimator", ESTIMATORS)
@given(ratio=st.floats(allow_nan=False, allow_infinity=False))
def test_with_a_limit_every_number_gives_one_within_it(
    estimator: Estimator, direction: Direction, ratio: float
) -> None:
    assert abs(float(estimate(ratio, estimator, direction, limit=10))) <= 10


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_a_ratio_that_is_none_is_refused_by_its_place(bad: float) -> None:
    with pytest.raises(ValueError, match=r"at \[1\] is not"):
        estimate([0.0, bad])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"estimator": "k4"}, "k1, k2, k3, abs, not 'k4'"),
        ({"direction": "back"}, "reverse, forward, not 'back'"),
        ({"limit": 0.0}, "limit must be above 0"),
        ({"limit": float("nan")}, "limit must be above 0"),
    ],
)
def test_settings_that_are_not_known_are_refused(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        estimate([0.0], **arguments)


@given(weights=WEIGHTS)
def test_the_exact_divergence_is_never_negative_and_0_from_itself(weights: list[tuple[float, float]]) -> None:
    p, q = _logs(weights)
    assert exact_kl(p, q) >= 0
    assert exact_kl(p, p) == 0


def test_the_exact_divergence_goes_over_the_last_axis() -> None:
    p = np.log([[0.5, 0.5], [0.9, 0.1]])
    assert exact_kl(p, p[::-1]).shape == (2,)
    assert exact_kl(p, p[::-1])[0] == pytest.approx(0.5 * math.log(0.5 / 0.9) + 0.5 * math.log(5))
    assert exact_kl(np.zeros((0, 1)), np.zeros((0, 1))).shape == (0,)


@pytest.mark.parametrize("tiny", [math.log(0.5), -800.0])
def test_it_is_infinite_where_the_reference_rules_out_what_the_policy_may_do(tiny: float) -> None:
    possible = np.array([math.log1p(-math.exp(tiny)), tiny])
    assert exact_kl(possible, [0.0, -np.inf]) == math.inf
    assert np.isfinite(exact_kl([0.0, -np.inf], possible))


@pytest.mark.parametrize(
    ("p", "q", "words"),
    [
        ([], [], r"\(\.\.\., outcomes\) with an outcome, not \(0,\)"),
        (0.0, 0.0, r"not \(\)"),
        ([0.0], [-0.7, -0.7], r"sum to 1 over the last axis"),
        ([0.0], np.log([0.5, 0.5]), r"shape \(1,\) and log_q \(2,\)"),
        ([float("nan"), 0.0], [0.0, 0.0], r"nan at \[0\] is none"),
        ([float("inf"), 0.0], [0.0, 0.0], r"inf at \[0\] is none"),
        ([0.5, 0.5], [0.5, 0.5], "log_p must be log-probabilities that sum to 1"),
        ([-np.inf, -np.inf], [0.0, -np.inf], "not to 0"),
    ],
)
def test_what_is_no_distribution_is_refused(p: Any, q: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        exact_kl(p, q)
