"""REAL and DPO: by hand, and their gradients against difference quotients."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepgym_envs.advantage import dpo, real
from deepgym_envs.advantage.arrays import Array, Mask
from tests.advantage.strategies import token_batches

STEP = 1e-6
LOGS = st.lists(st.floats(-40, 40), min_size=4, max_size=4)


def test_real_by_hand() -> None:
    """Scores 1 (right) and -0.5 (wrong) at tau 0.5: log(1 + e^-2) + log(1 + e^-1)."""
    loss = real([[-1.0], [-1.5]], [[-2.0], [-1.0]], [1, 0], [0, 0], [[1], [1]])
    assert loss.value == pytest.approx(np.log1p(np.exp(-2)) + np.log1p(np.exp(-1)))


@given(token_batches(), st.data())
def test_the_gradient_of_real_is_its_derivative(
    drawn: tuple[Array, Array, Array, Mask], data: st.DataObject
) -> None:
    logp, old, _, mask = drawn
    logp = np.minimum(logp, -0.01)
    correct = data.draw(st.lists(st.booleans(), min_size=len(mask), max_size=len(mask)))
    groups = [row // 3 for row in range(len(mask))]
    loss = real(logp, old, correct, groups, mask)
    row, position = data.draw(st.sampled_from([tuple(place) for place in np.argwhere(mask)]))
    nudge = np.zeros(mask.shape)
    nudge[row, position] = STEP
    above, below = (real(logp + sign * nudge, old, correct, groups, mask).value for sign in (1, -1))
    assert (above - below) / (2 * STEP) == pytest.approx(loss.gradient[row, position], abs=1e-5)


@given(token_batches())
def test_in_real_a_group_that_tells_nothing_apart_adds_nothing(
    drawn: tuple[Array, Array, Array, Mask],
) -> None:
    logp, old, _, mask = drawn
    for label in (True, False):
        loss = real(logp, old, [label] * len(mask), [0] * len(mask), mask)
        assert loss.value == 0.0
        assert not loss.gradient.any()


@given(token_batches())
def test_no_row_of_real_weighs_more_than_one_by_tau(drawn: tuple[Array, Array, Array, Mask]) -> None:
    logp, old, _, mask = drawn
    loss = real(1e6 * logp, old, np.arange(len(mask)) % 2, [0] * len(mask), mask, tau=0.5)
    assert np.isfinite(loss.value)
    assert (np.abs(loss.gradient.sum(axis=1)) <= 2 + 1e-9).all()


def test_real_pushes_right_rows_up_and_wrong_ones_down() -> None:
    gradient = real(
        np.full((3, 2), -1.0), np.full((3, 2), -1.0), [1, 0, 0], [0] * 3, np.ones((3, 2))
    ).gradient
    assert (gradient[0] < 0).all()
    assert (gradient[1:] > 0).all()


def test_real_refuses_what_it_cannot_use() -> None:
    with pytest.raises(ValueError, match=r"mask\[1\] holds no token"):
        real(np.zeros((2, 1)), np.zeros((2, 1)), [1, 0], [0, 0], [[1], [0]])
    with pytest.raises(ValueError, match=r"correct\[0\] is 0.5"):
        real([[-1.0]], [[-1.0]], [0.5], [0], [[1]])
    with pytest.raises(ValueError, match="tau is 0"):
        real([[-1.0]], [[-1.0]], [1], [0], [[1]], tau=0)


@given(LOGS, LOGS, LOGS, LOGS, st.floats(0, 0.5))
def test_the_slopes_of_dpo_are_its_derivatives(
    chosen: list[float],
    rejected: list[float],
    chosen_ref: list[float],
    rejected_ref: list[float],
    smoothing: float,
) -> None:
    references = (rejected, chosen_ref, rejected_ref)
    loss = dpo(chosen, *references, label_smoothing=smoothing)
    for pair in range(len(chosen)):
        above, below = (
            dpo(
                np.array(chosen) + sign * STEP * (np.arange(4) == pair),
                *references,
                label_smoothing=smoothing,
            ).value
            for sign in (1, -1)
        )
        assert (above - below) / (2 * STEP) == pytest.approx(loss.slopes[pair], abs=1e-6)


def test_dpo_of_a_wide_margin_neither_overflows_nor_moves() -> None:
    with np.errstate(over="raise", invalid="raise"):
        won, lost = dpo([0.0], [-1e6], [0.0], [0.0]), dpo([-1e6], [0.0], [0.0], [0.0])
    assert (won.value, won.slopes[0]) == (0.0, 0.0)
    assert (lost.value, lost.slopes[0]) == pytest.approx((1e5, -0.1))


def test_dpo_refuses_what_it_cannot_use() -> None:
    with pytest.raises(ValueError, match=r"rejected_logp has shape \(2,\): expected \(1,\)"):
        dpo([-1.0], [-1.0, -1.0], [-1.0], [-1.0])
    with pytest.raises(ValueError, match="beta is 0"):
        dpo([-1.0], [-1.0], [-1.0], [-1.0], beta=0)
    with pytest.raises(ValueError, match=r"label_smoothing is 0\.6"):
        dpo([-1.0], [-1.0], [-1.0], [-1.0], label_smoothing=0.6)
