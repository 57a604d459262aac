"""Coefficients are values: the next one follows from this one and from what was measured."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepgym_envs.kl import AdaptiveCoefficient, Coefficient, FixedCoefficient, LinearCoefficient

ALL: list[Coefficient] = [
    FixedCoefficient(0.1),
    LinearCoefficient(0.2, 0.1, length=10),
    AdaptiveCoefficient(0.1, target=5.0, horizon=100),
]


def test_a_fixed_one_stays() -> None:
    assert FixedCoefficient(0.3).updated(100.0, 5) == FixedCoefficient(0.3)


def test_a_linear_one_arrives_and_stays_there() -> None:
    coefficient = LinearCoefficient(1.0, 0.0, length=4)
    values = []
    for _ in range(6):
        values.append(coefficient.value)
        coefficient = coefficient.updated(0.0, 1)
    assert values == [1.0, 0.75, 0.5, 0.25, 0.0, 0.0]


def test_an_adaptive_one_is_the_formula_of_its_source() -> None:
    start = AdaptiveCoefficient(0.2, target=6.0, horizon=10_000)
    assert start.updated(6.6, 256).value == pytest.approx(0.2 * (1 + 0.1 * 256 / 10_000))
    assert start.updated(60.0, 256).value == pytest.approx(0.2 * (1 + 0.2 * 256 / 10_000))
    assert start.updated(-60.0, 256).value == pytest.approx(0.2 * (1 - 0.2 * 256 / 10_000))
    assert start.updated(6.0, 256) == start


@given(kls=st.lists(st.floats(-1e6, 1e6), max_size=50), episodes=st.integers(1, 499))
def test_an_adaptive_one_is_never_negative_and_moves_to_the_right_side(
    kls: list[float], episodes: int
) -> None:
    coefficient = AdaptiveCoefficient(0.1, target=3.0, horizon=100)
    for kl in kls:
        before, coefficient = coefficient, coefficient.updated(kl, episodes)
        assert coefficient.value >= 0
        assert (coefficient.value - before.value) * (kl - 3.0) >= 0


def test_an_adaptive_one_brings_a_policy_to_its_target() -> None:
    """A policy whose divergence is inverse to what it costs."""
    coefficient = AdaptiveCoefficient(1.0, target=4.0, horizon=20)
    for _ in range(2000):
        coefficient = coefficient.updated(1.0 / coefficient.value, 10)
    assert coefficient.value == pytest.approx(0.25, rel=1e-3)


@pytest.mark.parametrize("coefficient", ALL, ids=lambda one: type(one).__name__)
def test_what_could_not_be_measured_is_refused(coefficient: Coefficient) -> None:
    with pytest.raises(ValueError, match="kl must be finite, not nan"):
        coefficient.updated(float("nan"), 1)
    with pytest.raises(ValueError, match="episodes must be at least 1, not 0"):
        coefficient.updated(1.0, 0)


def test_an_update_over_too_many_episodes_is_refused() -> None:
    with pytest.raises(ValueError, match="fewer than 500 episodes, not 500; take a longer horizon"):
        AdaptiveCoefficient(0.1, target=1.0, horizon=100).updated(0.0, 500)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: FixedCoefficient(-0.1), "value must be at least 0 and finite, not -0.1"),
        (lambda: FixedCoefficient(float("nan")), "value must be at least 0"),
        (lambda: LinearCoefficient(0.1, float("inf"), 10), "end must be at least 0"),
        (lambda: LinearCoefficient(0.1, 0.0, 0), "length must be at least 1"),
        (lambda: AdaptiveCoefficient(0.1, target=0.0), "target must be above 0"),
        (lambda: AdaptiveCoefficient(0.1, target=1.0, horizon=0), "horizon must be at least 1"),
        (lambda: AdaptiveCoefficient(0.1, target=1.0, clip=2.0), r"clip must be in \(0, 1\]"),
    ],
)
def test_values_out_of_range_are_refused(make: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make()
