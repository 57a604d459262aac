"""The sum is Page's, and its bound holds as long as it says."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepgym_envs.overoptimisation import average_run_length, cusum


@given(scores=st.lists(st.floats(-10, 10), max_size=30), slack=st.floats(0, 2))
def test_it_is_the_greatest_excess_of_any_run_up_to_here(scores: list[float], slack: float) -> None:
    sums = cusum(scores, slack)
    for end, found in enumerate(sums, start=1):
        runs = [sum(score - slack for score in scores[begin:end]) for begin in range(end)]
        assert found == pytest.approx(max(0.0, *runs), abs=1e-9)


@pytest.mark.parametrize(("bound", "shift"), [(2.0, 0.0), (3.0, 0.0), (4.0, 1.0), (3.0, 0.5)])
def test_the_run_length_is_that_of_simulated_runs(bound: float, shift: float) -> None:
    random = np.random.default_rng(5)
    sums, lengths = np.zeros(4000), np.zeros(4000)
    running = np.ones(4000, dtype=bool)
    while running.any():
        lengths += running
        sums = np.maximum(0, sums + random.normal(shift, 1, size=4000) - 0.5)
        running &= sums <= bound
    assert average_run_length(bound, shift=shift) == pytest.approx(lengths.mean(), rel=0.08)


def test_a_bound_that_is_never_reached_takes_for_ever() -> None:
    assert average_run_length(100.0, slack=5.0) == math.inf


def test_numbers_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match="scores must be finite, number 1 is nan"):
        cusum([0.0, float("nan")])
    with pytest.raises(ValueError, match="slack must be at least 0"):
        cusum([], slack=-1.0)
    with pytest.raises(ValueError, match="bound must be above 0"):
        average_run_length(0.0)
    with pytest.raises(ValueError, match="bound must be above 0, and all finite"):
        average_run_length(1.0, shift=float("nan"))
