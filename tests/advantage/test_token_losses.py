"""Losses of tokens: slopes are derivatives, bounds hold, and every loss begins as the policy gradient."""

from __future__ import annotations

import dataclasses
from functools import partial

import numpy as np
import pytest
from hypothesis import assume, given, settings

from deepgym_envs.advantage import cispo, dppo_kl, dppo_tv, gspo, ppo_clip, sapo
from deepgym_envs.advantage.arrays import Array, Mask
from deepgym_envs.advantage.token_losses import TokenLossFunction
from tests.advantage.strategies import token_batches

Drawn = tuple[Array, Array, Array, Mask]
ALL: dict[str, TokenLossFunction] = {
    "ppo_clip": ppo_clip,
    "dual clip": partial(ppo_clip, dual=3.0),
    "clip-higher": partial(ppo_clip, high=0.28),
    "gspo": gspo,
    "cispo": cispo,
    "cispo bound below": partial(cispo, low=0.2),
    "sapo": sapo,
    "dppo_tv": dppo_tv,
    "dppo_kl": dppo_kl,
}
STEP = 1e-6


def one(function: TokenLossFunction, logp: float, old: float, advantage: float) -> tuple[float, float, bool]:
    loss = function([[logp]], [[old]], [[advantage]], [[1]])
    return float(loss.value[0, 0]), float(loss.slope[0, 0]), bool(loss.clipped[0, 0])


@pytest.mark.parametrize("name", ALL)
@settings(max_examples=30)
@given(token_batches())
def test_all_is_finite_and_zero_where_the_mask_does_not_hold(name: str, drawn: Drawn) -> None:
    mask = drawn[3]
    logp, old, advantages = (np.where(mask, array, np.nan) for array in drawn[:3])
    loss = ALL[name](logp, old, advantages, mask)
    for array in dataclasses.astuple(loss):
        assert np.isfinite(array).all()
        assert not array[~mask].any()


@pytest.mark.parametrize("name", ALL)
@settings(max_examples=30)
@given(token_batches())
def test_on_policy_every_loss_is_the_policy_gradient(name: str, drawn: Drawn) -> None:
    _, old, advantages, mask = drawn
    loss = ALL[name](old, old, advantages, mask)
    assert np.allclose(loss.slope, -advantages * mask, atol=1e-9)
    assert not loss.clipped.any()


@pytest.mark.parametrize("name", ["ppo_clip", "dual clip", "clip-higher", "sapo"])
@settings(max_examples=30)
@given(token_batches())
def test_a_slope_is_the_derivative_of_the_value(name: str, drawn: Drawn) -> None:
    """Of the losses that stop no gradient; against a difference quotient, away from the corners."""
    logp, old, advantages, mask = drawn
    logp = np.minimum(logp, -0.01)
    above, below = (ALL[name](logp + step, old, advantages, mask) for step in (STEP, -STEP))
    loss = ALL[name](logp, old, advantages, mask)
    smooth = above.clipped == below.clipped
    quotient = (above.value - below.value) / (2 * STEP)
    scale = np.maximum(1.0, np.abs(loss.value))
    assert (np.abs(quotient - loss.slope) <= 1e-4 * scale)[smooth].all()


@given(token_batches())
def test_gspo_of_one_token_a_row_is_ppo(drawn: Drawn) -> None:
    columns = [array[:, -1:] for array in drawn]
    assert np.array_equal(gspo(*columns, low=0.2, high=0.2).value, ppo_clip(*columns).value)


@given(token_batches())
def test_gspo_clips_a_row_as_a_whole(drawn: Drawn) -> None:
    logp, old, advantages, mask = drawn
    loss = gspo(logp, old, np.broadcast_to(advantages[:, :1], mask.shape), mask)
    for row, where in zip(loss.clipped, mask, strict=True):
        assert len(set(row[where].tolist())) == 1


@given(token_batches())
def test_the_dual_clip_bounds_what_a_punished_token_costs(drawn: Drawn) -> None:
    *_, advantages, mask = drawn
    loss = ppo_clip(*drawn, dual=2.0)
    punished = mask & (advantages < 0)
    assert (loss.value[punished] <= -2.0 * advantages[punished] + 1e-12).all()
    assert (loss.value <= ppo_clip(*drawn).value + 1e-12).all()


@given(token_batches())
def test_clip_higher_only_frees_what_is_rewarded(drawn: Drawn) -> None:
    *_, advantages, _ = drawn
    low, high = ppo_clip(*drawn).value, ppo_clip(*drawn, high=0.5).value
    assert (high <= low + 1e-12).all()
    assert np.array_equal(low[advantages <= 0], high[advantages <= 0])


def test_ppo_by_hand() -> None:
    assert one(ppo_clip, -1.0, -2.0, 1.0) == pytest.approx((-1.2, 0.0, True))
    assert one(ppo_clip, -1.0, -2.0, -1.0) == pytest.approx((np.e, np.e, False))
    assert one(partial(ppo_clip, dual=2.0), -1.0, -2.0, -1.0) == (2.0, 0.0, True)
    assert one(ppo_clip, -2.0, -1.0, -1.0) == pytest.approx((0.8, 0.0, True))


def test_a_clipped_token_of_cispo_still_learns() -> None:
    assert one(cispo, -1.0, -2.0, 1.0) == pytest.approx((1.28, -1.28, True))
    assert one(partial(cispo, low=0.2), -3.0, -1.0, 1.0)[1] == pytest.approx(-0.8)
    assert one(cispo, -3.0, -1.0, 1.0)[1] == pytest.approx(-np.exp(-2))


def test_sapo_fades_where_ppo_cuts() -> None:
    near, far = one(sapo, -1.0, -1.1, 1.0)[1], one(sapo, -0.5, -3.0, 1.0)[1]
    assert near < far < 0


def test_dppo_leaves_out_what_has_moved_in_the_direction_of_its_push() -> None:
    for function in (dppo_tv, dppo_kl):
        assert one(function, -0.1, -1.0, 1.0)[2]
        assert not one(function, -0.1, -1.0, -1.0)[2]
        assert one(function, -3.0, -0.5, -1.0)[2]
        assert not one(function, -3.0, -0.5, 1.0)[2]


def test_dppo_lets_a_rare_token_grow_where_ppo_would_clip_it() -> None:
    """What the trust region is for: 0.001 to 0.003 is a ratio of 3 and a step of 0.002."""
    small, grown = float(np.log(0.001)), float(np.log(0.003))
    assert one(ppo_clip, grown, small, 1.0)[2]
    assert not one(dppo_tv, grown, small, 1.0)[2]
    assert not one(dppo_kl, grown, small, 1.0)[2]


def test_a_ratio_beyond_measure_is_held_and_has_no_slope() -> None:
    with np.errstate(over="raise", invalid="raise"):
        value, slope, _ = one(ppo_clip, 0.0, -90.0, -1.0)
    assert (value, slope) == pytest.approx((np.exp(20), 0.0))
    for function in ALL.values():
        assert np.isfinite(one(function, 0.0, -1e100, -1.0)).all()
        assert np.isfinite(one(function, -1e100, 0.0, 1.0)).all()


@given(token_batches())
def test_a_token_without_advantage_costs_nothing(drawn: Drawn) -> None:
    logp, old, advantages, mask = drawn
    assume(mask.any())
    for function in ALL.values():
        loss = function(logp, old, 0 * advantages, mask)
        assert not loss.value.any()
        assert not loss.slope.any()


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (partial(ppo_clip, low=1.5), r"low is 1.5: expected a number in \[0, 1\]"),
        (partial(ppo_clip, high=-0.1), "high is -0.1"),
        (partial(ppo_clip, dual=1.0), r"dual is 1.0: expected a number in \(1,"),
        (partial(gspo, high=np.nan), "high is nan"),
        (partial(cispo, low=-1.0), "low is -1.0"),
        (partial(sapo, tau_pos=0.0), "tau_pos is 0.0"),
        (partial(dppo_tv, high=2.0), "high is 2.0"),
        (partial(dppo_kl, cap=0.5), "cap is 0.5"),
    ],
)
def test_a_bound_out_of_range_is_refused(function: TokenLossFunction, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        function([[-1.0]], [[-1.0]], [[1.0]], [[1]])


@pytest.mark.parametrize("name", ALL)
def test_arrays_of_another_shape_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"old_logp has shape \(2, 1\): expected the mask's, \(1, 2\)"):
        ALL[name]([[-1.0, -1.0]], [[-1.0], [-1.0]], [[1.0, 1.0]], [[1, 1]])
    with pytest.raises(ValueError, match=r"advantages has shape \(1,\)"):
        ALL[name]([[-1.0]], [[-1.0]], [1.0], [[1]])
