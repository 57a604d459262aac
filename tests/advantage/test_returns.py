"""Returns and what is made of them: identities that hold on every mask, and small cases by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from deepgym_envs.advantage import (
    dr_grpo,
    gae,
    reinforce_plus_plus,
    reinforce_plus_plus_baseline,
    remax,
    returns_to_go,
    rloo,
    turn_pbrs,
    whiten,
)
from deepgym_envs.advantage.arrays import Array, Mask
from tests.advantage.strategies import like, masks

DISCOUNT = st.floats(0.05, 1)


@st.composite
def critics(draw: Any, *, full_rows: bool = False) -> tuple[Array, Array, Mask]:
    """rewards, values, mask."""
    mask = draw(masks(full_rows=full_rows))
    return like(draw, mask, -3, 3) * mask, like(draw, mask, -3, 3), mask


@given(critics(), DISCOUNT)
def test_with_lambda_one_gae_is_returns_less_values(drawn: tuple[Array, Array, Mask], gamma: float) -> None:
    rewards, values, mask = drawn
    found = gae(rewards, values, mask, gamma=gamma, lam=1.0)
    assert np.allclose(found, returns_to_go(rewards, mask, gamma=gamma) - values * mask, atol=1e-9)


@given(critics(), DISCOUNT)
def test_with_lambda_zero_gae_is_one_difference(drawn: tuple[Array, Array, Mask], gamma: float) -> None:
    rewards, values, mask = drawn
    found = gae(rewards, values, mask, gamma=gamma, lam=0.0)
    for row in range(len(mask)):
        positions = np.flatnonzero(mask[row])
        after = [*values[row, positions[1:]], 0.0] if positions.size else []
        for position, following in zip(positions, after, strict=True):
            delta = rewards[row, position] + gamma * following - values[row, position]
            assert found[row, position] == pytest.approx(delta, abs=1e-9)


@given(critics(), DISCOUNT, st.floats(0, 1))
def test_holes_make_no_difference(drawn: tuple[Array, Array, Mask], gamma: float, lam: float) -> None:
    """A row with holes is worth what it is with them cut out."""
    rewards, values, mask = drawn
    found = gae(rewards, values, mask, gamma=gamma, lam=lam)
    for row in range(len(mask)):
        here = mask[row]
        if here.any():
            closed = gae(
                rewards[row : row + 1, here],
                values[row : row + 1, here],
                [[1] * here.sum()],
                gamma=gamma,
                lam=lam,
            )
            assert np.allclose(found[row, here], closed[0], atol=1e-9)


def test_a_truncated_episode_goes_on_with_the_critic() -> None:
    assert gae([[0.0]], [[0.5]], [[1]], gamma=0.9, last_values=[2.0])[0, 0] == pytest.approx(1.3)


def test_gae_by_hand() -> None:
    found = gae([[0, 9, 1]], [[0.5, 7, 0.2]], [[1, 1, 1]], gamma=0.5, lam=0.5)
    last = 1 - 0.2
    middle = 9 + 0.5 * 0.2 - 7 + 0.25 * last
    assert found[0].tolist() == pytest.approx([0.5 * 7 - 0.5 + 0.25 * middle, middle, last])


@given(critics())
def test_what_is_masked_is_exactly_zero(drawn: tuple[Array, Array, Mask]) -> None:
    rewards, values, mask = drawn
    values = np.where(mask, values, np.nan)
    found = [
        gae(rewards, values, mask, gamma=0.9, lam=0.9),
        returns_to_go(rewards, mask),
        whiten(values, mask),
        reinforce_plus_plus(rewards, mask),
        reinforce_plus_plus_baseline(rewards.sum(axis=1), [0] * len(mask), mask),
        remax(rewards, rewards.sum(axis=1), mask),
    ]
    for array in found:
        assert np.isfinite(array).all()
        assert not array[~mask].any()


@given(critics())
def test_what_is_whitened_has_mean_zero_and_deviation_one(drawn: tuple[Array, Array, Mask]) -> None:
    _, values, mask = drawn
    assume(mask.sum() > 1 and np.ptp(values[mask]) > 0.1)
    found = whiten(values, mask)[mask]
    assert found.mean() == pytest.approx(0, abs=1e-9)
    assert found.std(ddof=1) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("mask", [[[0, 0]], [[1, 0]], [[1, 1]]])
def test_what_does_not_vary_is_whitened_to_zero(mask: list[list[int]]) -> None:
    assert whiten([[0.1, 0.1]], mask).tolist() == [[0.0, 0.0]]


def test_remax_is_what_was_won_over_the_greedy_answer() -> None:
    assert remax([[1, 0, 0], [0, 0, 1]], [1, 0.5], [[1, 0, 0], [1, 0, 1]]).tolist() == [
        [0, 0, 0],
        [0.5, 0, 0.5],
    ]


@st.composite
def shaped(draw: Any) -> tuple[Array, Array, list[int], Mask]:
    """Rewards, potentials, groups, mask; the first potential is one for all of a group."""
    rewards, potentials, mask = draw(critics(full_rows=True))
    groups = draw(st.lists(st.integers(0, 1), min_size=len(mask), max_size=len(mask)))
    start = np.array([0.25, 0.5])[groups]
    potentials[np.arange(len(mask)), mask.argmax(axis=1)] = start
    return rewards, potentials, groups, mask


@given(shaped(), DISCOUNT)
def test_turn_pbrs_is_the_reward_to_go_of_what_shaping_pays(
    drawn: tuple[Array, Array, list[int], Mask], gamma: float
) -> None:
    """F = gamma phi' - phi is paid in full, step by step, and added up: the telescope is not taken on trust."""
    rewards, potentials, groups, mask = drawn
    paid = rewards.copy()
    for row in range(len(mask)):
        positions = np.flatnonzero(mask[row])
        after = [*potentials[row, positions[1:]], 0.0]
        paid[row, positions] += gamma * np.array(after) - potentials[row, positions]
    with_shaping = returns_to_go(paid, mask, gamma=gamma)
    found = turn_pbrs(rewards, potentials, groups, mask, gamma=gamma)
    for row, group in enumerate(groups):
        if groups.count(group) > 1:
            left = (with_shaping - found)[row, mask[row]]
            assert np.allclose(left, left[0], atol=1e-9)


@given(shaped())
def test_at_the_first_position_shaping_changes_nothing(
    drawn: tuple[Array, Array, list[int], Mask],
) -> None:
    """So the order of a group's trajectories is that of their rewards."""
    rewards, potentials, groups, mask = drawn
    first = (np.arange(len(mask)), mask.argmax(axis=1))
    totals = rewards.sum(axis=1)
    assert np.allclose(turn_pbrs(rewards, potentials, groups, mask)[first], rloo(totals, groups), atol=1e-9)
    mean = turn_pbrs(rewards, potentials, groups, mask, baseline="mean")
    assert np.allclose(mean[first], dr_grpo(totals, groups), atol=1e-9)


@given(shaped())
def test_turn_pbrs_with_a_flat_potential_is_rloo(drawn: tuple[Array, Array, list[int], Mask]) -> None:
    _, _, groups, mask = drawn
    last = mask.shape[1] - 1
    rewards = np.zeros(mask.shape)
    rewards[:, last] = np.arange(len(mask)) % 2
    found = turn_pbrs(rewards, np.full(mask.shape, 0.3), groups, mask)
    assert np.allclose(found, rloo(rewards[:, last], groups)[:, None] * mask, atol=1e-9)


def test_turn_pbrs_gives_nothing_to_a_group_of_one() -> None:
    assert turn_pbrs([[0.0, 1.0]], [[0.2, 0.7]], [0], [[1, 1]]).tolist() == [[0.0, 0.0]]


def test_a_better_state_is_asked_for_more() -> None:
    """Of two turns with the same outcome, that from the better state has the smaller advantage."""
    found = turn_pbrs([[0.0, 1.0], [0.0, 0.0]], [[0.1, 0.8], [0.1, 0.1]], [0, 0], [[1, 1], [1, 1]])
    assert found[0, 1] < found[0, 0]


@pytest.mark.parametrize("gamma", [0.0, -0.5, 1.5, np.nan])
def test_a_discount_out_of_range_is_refused(gamma: float) -> None:
    with pytest.raises(ValueError, match=r"gamma is .*: expected a number in \(0, 1\]"):
        gae([[1.0]], [[0.0]], [[1]], gamma=gamma)
    with pytest.raises(ValueError, match=r"gamma is .*: expected a number in \(0, 1\]"):
        turn_pbrs([[1.0]], [[0.0]], [0], [[1]], gamma=gamma)


def test_a_reward_where_nothing_was_generated_is_refused() -> None:
    with pytest.raises(ValueError, match=r"rewards\[0, 1\] is paid where the mask is 0"):
        returns_to_go([[0.0, 1.0]], [[1, 0]])


def test_other_bad_input_is_refused() -> None:
    with pytest.raises(ValueError, match=r"lam is 2: expected a number in \[0, 1\]"):
        gae([[1.0]], [[0.0]], [[1]], lam=2)
    with pytest.raises(ValueError, match=r"values has shape \(1, 2\): expected the mask's, \(1, 1\)"):
        gae([[1.0]], [[0.0, 0.0]], [[1]])
    with pytest.raises(ValueError, match=r"mask\[1\] holds no position"):
        turn_pbrs(np.zeros((2, 2)), np.zeros((2, 2)), [0, 0], [[1, 1], [0, 0]])
    with pytest.raises(ValueError, match="baseline is 'none': expected"):
        turn_pbrs([[1.0]], [[0.0]], [0], [[1]], baseline="none")  # type: ignore[arg-type]
