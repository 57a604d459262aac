"""Curves peak where their formulas say, and a fit to data of a known curve finds it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepgym_envs.overoptimisation import Curve, Form, distance, fit_curve

FORMS: list[Form] = ["best_of_n", "rl"]
both = pytest.mark.parametrize("form", FORMS)


@both
@given(alpha=st.floats(0.1, 2), ratio=st.floats(1, 4))
def test_nothing_is_above_the_peak(form: Form, alpha: float, ratio: float) -> None:
    curve = Curve(form, alpha, alpha / ratio)
    around = curve.peak * np.linspace(0.01, 4, 400)
    assert (curve.gold(around) <= curve.peak_gold + 1e-9).all()
    assert float(curve.gold(curve.peak)) == pytest.approx(curve.peak_gold)
    assert curve.slope(curve.peak) == pytest.approx(0, abs=1e-9)
    assert curve.slope(curve.peak / 2) > 0 > curve.slope(curve.peak * 2)


def test_the_closed_forms_are_those_of_the_paper() -> None:
    bon, rl = Curve("best_of_n", 0.8, 0.1), Curve("rl", 0.8, 0.2)
    assert (bon.peak, bon.peak_gold) == pytest.approx((0.8 / 0.2, 0.64 / 0.4))
    assert (rl.peak, rl.peak_gold) == pytest.approx((math.exp(3), 0.2 * math.exp(3)))
    assert bon.gold([0.0, 8.0]).tolist() == pytest.approx([0, 0])
    assert rl.gold([0.0, math.exp(4)]).tolist() == pytest.approx([0, 0], abs=1e-9)


@both
@pytest.mark.parametrize(
    ("alpha", "beta", "peak"),
    [
        (1.0, 0.0, math.inf),
        (1.0, -0.1, math.inf),
        (-1.0, -0.1, math.inf),
        (-1.0, 0.0, 0.0),
        (1.0, 1e-320, math.inf),
    ],
)
def test_a_curve_without_a_turn_peaks_at_an_end(form: Form, alpha: float, beta: float, peak: float) -> None:
    curve = Curve(form, alpha, beta)
    assert curve.peak == peak
    assert curve.peak_gold == peak


def test_a_curve_that_only_falls_peaks_at_the_start() -> None:
    assert Curve("best_of_n", -1.0, 0.1).peak == 0
    assert Curve("rl", -1000.0, 1.0).peak == 0


@both
def test_a_fit_without_noise_is_the_curve(form: Form) -> None:
    truth = Curve(form, 0.9, 0.2)
    ds = np.array([0.0, 0.5, 1.0, 2.0, 4.0])
    fit = fit_curve(ds, np.tile(truth.gold(ds), (5, 1)), form=form)
    assert (fit.curve.alpha, fit.curve.beta) == pytest.approx((0.9, 0.2))
    assert fit.peak == pytest.approx((truth.peak, truth.peak))
    assert fit.peak_gold == pytest.approx((truth.peak_gold, truth.peak_gold))
    assert fit.slope == pytest.approx((truth.slope(4.0),) * 2)


@both
def test_a_fit_is_the_least_squares_of_the_mean(form: Form) -> None:
    random = np.random.default_rng(1)
    ds, gold = np.array([0.5, 1.0, 2.0, 3.0]), random.normal(size=(6, 4))
    fit = fit_curve(ds, gold, form=form).curve

    def loss(alpha: float, beta: float) -> float:
        return float(((Curve(form, alpha, beta).gold(ds) - gold.mean(axis=0)) ** 2).sum())

    least = loss(fit.alpha, fit.beta)
    for alpha, beta in random.normal(scale=0.1, size=(50, 2)):
        assert loss(fit.alpha + alpha, fit.beta + beta) >= least


@both
def test_intervals_hold_the_truth_about_as_often_as_they_say(form: Form) -> None:
    """Tasks whose own curves scatter around the true one, measured with noise, 300 times."""
    truth, ds = Curve(form, 0.9, 0.2), np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    random = np.random.default_rng(3)
    hits = dict.fromkeys(("alpha", "beta", "peak", "peak_gold", "slope"), 0)
    for seed in range(300):
        pairs = random.normal((0.9, 0.2), (0.2, 0.04), size=(40, 2))
        gold = np.array([Curve(form, *pair).gold(ds) for pair in pairs.tolist()])
        fit = fit_curve(
            ds, gold + random.normal(scale=0.1, size=gold.shape), form=form, resamples=300, seed=seed
        )
        true = {
            "alpha": 0.9,
            "beta": 0.2,
            "peak": truth.peak,
            "peak_gold": truth.peak_gold,
            "slope": truth.slope(6.0),
        }
        for name, value in true.items():
            low, high = getattr(fit, name)
            hits[name] += low <= value <= high
    assert all(0.90 <= count / 300 <= 0.99 for count in hits.values()), hits


def test_an_interval_reaches_to_infinity_where_a_curve_may_never_turn() -> None:
    ds = np.array([1.0, 2.0, 3.0, 4.0])
    gold = ds + np.random.default_rng(0).normal(scale=0.5, size=(20, 4))
    fit = fit_curve(ds, gold, form="best_of_n")
    assert fit.peak[1] == fit.peak_gold[1] == math.inf
    assert math.isfinite(fit.peak[0])


def test_equal_arguments_give_equal_intervals() -> None:
    gold = np.random.default_rng(0).normal(size=(20, 3))
    fits = [fit_curve([1, 2, 3], gold, form="rl", seed=seed) for seed in (1, 1, 2)]
    assert fits[0] == fits[1] != fits[2]


ROWS = [[1.0, 2.0], [1.0, 2.0]]


@pytest.mark.parametrize(
    ("ds", "gold", "settings", "words"),
    [
        ([1.0], ROWS, {}, r"not \(1,\) and \(2, 2\)"),
        ([], [], {}, r"not \(0,\) and \(0,\)"),
        ([1.0, 2.0], ROWS[:1], {}, "needs at least 2 tasks, not 1"),
        (
            [1.0, 2.0],
            [[1.0, float("nan")], [1.0, 2.0]],
            {},
            "task 0 has nan at checkpoint 1. Leave out tasks",
        ),
        ([0.0, 2.0], ROWS, {}, "two or more different distances above 0"),
        ([2.0, 2.0], ROWS, {}, "two or more different distances above 0"),
        ([1.0, float("nan")], ROWS, {}, "distances above 0"),
        ([-1.0, 1.0, 2.0], [[1.0, 2.0, 3.0]] * 2, {}, r"at least 0 and finite, not \[-1.0, 1.0, 2.0\]"),
        ([1.0, 2.0], ROWS, {"form": "gp"}, "form must be one of best_of_n, rl, not 'gp'"),
        ([1.0, 2.0], ROWS, {"confidence": 1.0}, r"confidence must be in \(0, 1\)"),
        ([1.0, 2.0], ROWS, {"resamples": 0}, "resamples at least 1"),
    ],
)
def test_what_no_curve_can_be_fitted_to_is_refused(ds: Any, gold: Any, settings: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        fit_curve(ds, gold, **{"form": "rl", **settings})


@pytest.mark.parametrize("kl", [-1e-9, float("nan"), float("inf")])
def test_a_divergence_that_is_none_has_no_distance(kl: float) -> None:
    with pytest.raises(ValueError, match="the mean of k3 never is below 0"):
        distance(kl)


def test_a_curve_needs_numbers_and_a_slope_a_place() -> None:
    with pytest.raises(ValueError, match="alpha and beta must be finite"):
        Curve("rl", float("nan"), 0.1)
    with pytest.raises(ValueError, match="above 0, not at 0"):
        Curve("rl", 1.0, 0.1).slope(0.0)
