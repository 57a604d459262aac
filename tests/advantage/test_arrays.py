"""What is no array of the right shape and range is refused in words that name both."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from deepgym_envs.advantage.arrays import counts, flags, log_probabilities, matrix, number, token_mask, vector

MASK = np.array([[True, False], [True, True]])


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ([], r"rewards has shape \(0,\): expected \(B,\) with B >= 1"),
        ([[1.0]], r"rewards has shape \(1, 1\): expected"),
        (1.0, r"rewards has shape \(\): expected"),
        ([1.0, np.nan], r"rewards\[1\] is nan: expected finite"),
        ([np.inf], r"rewards\[0\] is inf: expected finite"),
        ([1e101], r"rewards\[0\] is 1e\+101: expected finite"),
        ([10**400], "rewards is no array of numbers"),
        (["1", "2"], "rewards is no array of numbers"),
        ([None], "rewards is no array of numbers"),
        ([1j], "rewards is no array of numbers"),
        ([[1.0], [1.0, 2.0]], "rewards is no array of numbers"),
        ({"a": 1}, "rewards is no array of numbers"),
    ],
)
def test_what_is_no_vector_is_refused(value: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        vector("rewards", value)


def test_a_vector_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match=r"baselines has shape \(2,\): expected \(3,\)"):
        vector("baselines", [1, 2], 3)


def test_padding_may_hold_anything_and_becomes_zero() -> None:
    assert matrix("values", [[1.0, np.nan], [2.0, 3.0]], MASK).tolist() == [[1.0, 0.0], [2.0, 3.0]]


def test_a_bad_number_under_the_mask_is_named_by_its_place() -> None:
    with pytest.raises(ValueError, match=r"values\[1, 0\] is -inf"):
        matrix("values", [[1.0, 0.0], [-np.inf, 3.0]], MASK)


def test_a_matrix_of_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match=r"values has shape \(2, 3\): expected the mask's, \(2, 2\)"):
        matrix("values", np.zeros((2, 3)), MASK)


@pytest.mark.parametrize("value", [[1, 0], [[]], np.zeros((0, 2)), [[0.5, 1.0]], [[2, 0]], [[np.nan, 1]]])
def test_what_is_no_mask_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"mask.*expected"):
        token_mask(value)


def test_a_log_probability_is_at_most_zero() -> None:
    with pytest.raises(ValueError, match=r"logp\[0, 0\] is 0.5: expected log-probabilities"):
        log_probabilities("logp", [[0.5, 9.0], [-1.0, 0.0]], MASK)


def test_flags_are_yes_or_no_and_counts_are_whole() -> None:
    with pytest.raises(ValueError, match=r"correct\[1\] is 0.5: expected booleans"):
        flags("correct", [1, 0.5])
    with pytest.raises(ValueError, match=r"trials\[0\] is -1.0: expected whole numbers"):
        counts("trials", [-1])


@pytest.mark.parametrize("bad", [0.0, -0.1, 1.1, np.nan, np.inf])
def test_a_number_out_of_range_is_refused(bad: float) -> None:
    with pytest.raises(ValueError, match=r"gamma is .*: expected a number in \(0, 1\]"):
        number("gamma", bad, 0, 1, above=True)


def test_what_is_given_is_never_changed() -> None:
    given = np.array([[1.0, 7.0], [2.0, 3.0]])
    matrix("values", given, MASK)[0, 0] = 9
    vector("rewards", given[0])[0] = 9
    assert given.tolist() == [[1.0, 7.0], [2.0, 3.0]]
