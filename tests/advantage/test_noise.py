"""A verifier that errs: what is observed is led back to what is true."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepgym_envs.advantage import corrected_rewards, dr_grpo, grpo, positive_predictive_value, rogan_gladen
from deepgym_envs.statistics import wilson

RATE, ERROR = st.floats(0, 1), st.floats(0, 0.45)


@given(RATE, ERROR, ERROR)
def test_the_true_rate_comes_back(rate: float, positive: float, negative: float) -> None:
    observed = rate * (1 - negative) + (1 - rate) * positive
    assert rogan_gladen([observed], positive, negative)[0] == pytest.approx(rate, abs=1e-9)


@given(RATE, ERROR, ERROR)
def test_a_corrected_reward_has_the_truth_as_its_mean(rate: float, positive: float, negative: float) -> None:
    right, wrong = corrected_rewards([1, 0], positive, negative)
    passing = rate * (1 - negative) + (1 - rate) * positive
    assert passing * right + (1 - passing) * wrong == pytest.approx(rate, abs=1e-9)


@given(RATE, st.floats(0.001, 0.45), ERROR)
def test_the_predictive_value_is_bayes_rule(rate: float, positive: float, negative: float) -> None:
    true = rate * (1 - negative)
    wanted = true / (true + (1 - rate) * positive)
    assert positive_predictive_value([rate], positive, negative)[0] == pytest.approx(wanted)


def test_at_a_low_pass_rate_most_passes_are_false() -> None:
    assert positive_predictive_value([0.02], 0.05, 0.05)[0] == pytest.approx(0.2794, abs=1e-4)


def test_a_verifier_without_fault_changes_nothing() -> None:
    assert rogan_gladen([0.3], 0, 0).tolist() == [0.3]
    assert positive_predictive_value([0.3], 0, 0.5).tolist() == [1.0]


def test_the_ends_of_an_interval_become_those_of_the_true_rate() -> None:
    low, high = rogan_gladen(wilson(30, 100), 0.1, 0.05)
    assert low < rogan_gladen([0.3], 0.1, 0.05)[0] < high


def test_what_noise_alone_explains_is_no_pass_rate() -> None:
    assert rogan_gladen([0.01, 0.99], 0.05, 0.05).tolist() == [0.0, 1.0]


def test_within_a_group_the_correction_is_one_factor() -> None:
    noisy = [1, 0, 0, 1, 1]
    fair = corrected_rewards(noisy, 0.2, 0.1)
    assert np.allclose(dr_grpo(fair, [0] * 5), dr_grpo(noisy, [0] * 5) / 0.7)
    assert np.allclose(grpo(fair, [0] * 5, epsilon=1e-12), grpo(noisy, [0] * 5, epsilon=1e-12))


@pytest.mark.parametrize(("positive", "negative"), [(0.5, 0.5), (0.9, 0.9), (1.0, 0.0)])
def test_a_verifier_that_says_nothing_is_refused(positive: float, negative: float) -> None:
    for function in (rogan_gladen, positive_predictive_value, corrected_rewards):
        with pytest.raises(ValueError, match=r"false_positive \+ false_negative is .*: expected less than 1"):
            function([0.5], positive, negative)


def test_other_bad_input_is_refused() -> None:
    with pytest.raises(ValueError, match=r"observed\[0\] is 1.5: expected numbers in \[0, 1\]"):
        rogan_gladen([1.5], 0, 0)
    with pytest.raises(ValueError, match=r"false_positive is -0\.1"):
        rogan_gladen([0.5], -0.1, 0)
    with pytest.raises(ValueError, match="nothing ever passes"):
        positive_predictive_value([0.0], 0, 0)
