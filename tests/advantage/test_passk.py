"""pass@k by enumeration, and its advantages as what GRPO on all samples of k would give."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepgym_envs.advantage import grpo, pass_at_k, passk_advantages

GROUPS = st.lists(st.booleans(), min_size=1, max_size=7)


@given(GROUPS, st.integers(1, 7))
def test_pass_at_k_is_the_share_of_samples_that_hold_a_pass(correct: list[bool], k: int) -> None:
    k = min(k, len(correct))
    samples = [any(sample) for sample in itertools.combinations(correct, k)]
    assert pass_at_k(len(correct), sum(correct), k) == pytest.approx(sum(samples) / len(samples))


@pytest.mark.parametrize(("rate", "trials", "k"), [(0.2, 6, 3), (0.7, 5, 5), (0.05, 8, 2)])
def test_pass_at_k_is_without_bias(rate: float, trials: int, k: int) -> None:
    """The mean over all outcomes of the trials, weighed by their chance, is exactly 1 - (1 - p)^k."""
    mean = sum(
        math.comb(trials, passes)
        * rate**passes
        * (1 - rate) ** (trials - passes)
        * pass_at_k(trials, passes, k)
        for passes in range(trials + 1)
    )
    assert mean == pytest.approx(1 - (1 - rate) ** k)


@given(GROUPS, st.integers(1, 7))
def test_an_advantage_is_the_mean_over_the_samples_that_hold_the_row(correct: list[bool], k: int) -> None:
    k = min(k, len(correct))
    samples = list(itertools.combinations(range(len(correct)), k))
    paid = np.array([float(any(correct[row] for row in sample)) for sample in samples])
    wanted = np.zeros(len(correct))
    if paid.std() > 0:
        of_samples = (paid - paid.mean()) / paid.std()
        for row in range(len(correct)):
            wanted[row] = np.mean([of_samples[i] for i, sample in enumerate(samples) if row in sample])
    assert np.allclose(passk_advantages(correct, [0] * len(correct), k), wanted, atol=1e-9)


def test_for_k_of_one_it_is_grpo_but_for_the_correction_of_the_deviation() -> None:
    correct = [1, 0, 0, 0, 1, 0]
    ours = passk_advantages(correct, ["a"] * 6, 1)
    assert np.allclose(ours * math.sqrt(5 / 6), grpo(correct, ["a"] * 6, epsilon=1e-12))


def test_groups_are_kept_apart() -> None:
    assert passk_advantages([1, 0, 1, 1, 0, 0], [0, 0, 1, 1, 2, 2], 1).tolist() == [1, -1, 0, 0, 0, 0]


@pytest.mark.parametrize(("trials", "passes", "k"), [(5, 6, 1), (5, -1, 1), (5, 1, 0), (5, 1, 6), (0, 0, 1)])
def test_impossible_counts_are_refused(trials: int, passes: int, k: int) -> None:
    with pytest.raises(ValueError, match=r"are not possible|expected a whole number in"):
        pass_at_k(trials, passes, k)


def test_a_group_smaller_than_k_is_refused() -> None:
    with pytest.raises(ValueError, match=r"k is 2: expected a whole number in \[1, 1\], the smallest group"):
        passk_advantages([1, 0, 1], [0, 0, 1], 2)
