"""What is paid may depend on the history, as long as the number subtracted is the number that was added."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepgym_envs.reward import Decaying, Fold, best_so_far, folded, latest, shaping

PHI = st.floats(0, 1)
FOLDS = [latest, best_so_far, Decaying(0.5), Decaying(7), Decaying(1e9)]


@given(st.lists(PHI, min_size=1, max_size=30), st.sampled_from(FOLDS), st.floats(0.01, 1))
def test_whatever_the_fold_the_discounted_sum_is_minus_the_first_number(
    potentials: list[float], fold: Fold, gamma: float
) -> None:
    stored = first = folded(fold, 0.0, potentials[0], 0)
    total = 0.0
    for step, phi in enumerate(potentials[1:]):
        before, stored = stored, folded(fold, stored, phi, step + 1)
        total += gamma**step * shaping(gamma, before, stored)
    total += gamma ** (len(potentials) - 1) * shaping(gamma, stored, 0.0)
    assert first == potentials[0]
    assert total == pytest.approx(-first, abs=1e-9)


@given(st.lists(PHI, min_size=2, max_size=20))
def test_the_best_so_far_never_falls_so_nothing_but_the_end_costs(potentials: list[float]) -> None:
    stored = 0.0
    for step, phi in enumerate(potentials):
        before, stored = stored, folded(best_so_far, stored, phi, step)
        assert shaping(1.0, before, stored) >= 0
    assert stored == max(potentials)


def test_half_of_it_is_left_after_a_half_life() -> None:
    assert [Decaying(4)(0.3, 0.8, step) for step in (0, 4, 8)] == pytest.approx([0.8, 0.4, 0.2])
    assert Decaying(1e-300)(0.0, 1.0, 10_000) == 0.0


@pytest.mark.parametrize("half_life", [0.0, -1.0, math.nan, math.inf])
def test_a_half_life_that_is_none_is_refused(half_life: float) -> None:
    with pytest.raises(ValueError, match="a half-life is a number of steps above 0"):
        Decaying(half_life)


@pytest.mark.parametrize("value", [-0.1, 1.1, math.nan, math.inf])
def test_a_fold_that_leaves_the_range_is_refused_before_it_is_stored(value: float) -> None:
    def wrong(previous: float, phi: float, step: int) -> float:
        return value

    with pytest.raises(ValueError, match=r"must be in \[0, 1\]"):
        folded(wrong, 0.5, 0.5, 1)
