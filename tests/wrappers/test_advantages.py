"""Advantages are the formulas, and what cannot be one is refused."""

from __future__ import annotations

import statistics
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepgym_wrappers import AdvantageRule
from deepgym_wrappers.advantages import Finished, advantages_of, clip_advantages, discounted_returns

NUMBERS = st.floats(-100, 100)


@given(rewards=st.lists(NUMBERS, min_size=1, max_size=8), gamma=st.floats(0.1, 1))
def test_returns_are_the_discounted_sums_of_what_follows(rewards: list[float], gamma: float) -> None:
    found = discounted_returns(rewards, gamma)
    for step, value in enumerate(found.tolist()):
        rest = rewards[step:]
        assert value == pytest.approx(sum(gamma**k * reward for k, reward in enumerate(rest)), abs=1e-9)


@given(returns=st.lists(NUMBERS, min_size=1, max_size=8), baseline=NUMBERS, scale=st.floats(0.1, 10))
def test_advantages_lie_within_the_bounds_and_are_unchanged_inside(
    returns: list[float], baseline: float, scale: float
) -> None:
    done = clip_advantages(returns, baseline, scale, (-2.0, 3.0))
    raw = [(value - baseline) / scale for value in returns]
    assert done.steps == pytest.approx([min(max(one, -2.0), 3.0) for one in raw])
    assert done.episode == done.steps[0]
    assert done.clip_frac == sum(not -2.0 <= one <= 3.0 for one in raw) / len(raw)


@given(values=st.lists(NUMBERS, min_size=2, max_size=20))
def test_running_moments_are_those_of_all(values: list[float]) -> None:
    past = Finished()
    for value in values:
        past = past.added(value)
    assert past.mean == pytest.approx(statistics.fmean(values), abs=1e-9)
    assert past.spread == pytest.approx(statistics.stdev(values), abs=1e-6)


def test_a_group_is_centred_and_scaled_as_in_grpo() -> None:
    """(r - mean) / std with n - 1, which verl and TRL have up to 1e-6 and 1e-4 that they add below."""
    rule = AdvantageRule(clip=(-9, 9), baseline="group_mean", scale="std")
    found = [one.episode for one in advantages_of([[1.0], [0.0], [0.0], [1.0]], rule)]
    assert found == pytest.approx([0.8660254, -0.8660254, -0.8660254, 0.8660254])


@given(returns=st.lists(NUMBERS, min_size=1, max_size=8))
def test_a_groups_advantages_sum_to_0_unless_clipped(returns: list[float]) -> None:
    rule = AdvantageRule(clip=(-np.inf, np.inf), baseline="group_mean")
    assert sum(one.episode for one in advantages_of([[r] for r in returns], rule)) == pytest.approx(
        0, abs=1e-9
    )


def test_equal_or_single_episodes_scale_nothing() -> None:
    rule = AdvantageRule(baseline="group_mean", scale="std")
    assert [one.scale for one in advantages_of([[1.0], [1.0]], rule)] == [1.0, 1.0]
    assert advantages_of([[0.25, 1.0]], rule)[0].steps == (0.0, -0.25)


def test_the_running_baseline_is_that_of_the_episodes_before() -> None:
    rule = AdvantageRule(baseline="running_mean", scale="std")
    first = advantages_of([[4.0]], rule)[0]
    later = advantages_of([[4.0]], rule, Finished().added(1.0).added(3.0))[0]
    assert (first.baseline, first.scale, first.episode) == (0.0, 1.0, 4.0)
    assert (later.baseline, later.scale) == pytest.approx((2.0, 2**0.5))


def test_a_scale_without_a_baseline_is_that_of_the_episodes_before() -> None:
    done = advantages_of([[4.0]], AdvantageRule(scale="std"), Finished().added(1.0).added(3.0))[0]
    assert (done.baseline, done.scale) == pytest.approx((0.0, 2**0.5))


@pytest.mark.parametrize(
    ("rewards", "gamma", "words"),
    [
        ([], 1.0, r"at least one step, not \(0,\)"),
        ([[1.0]], 1.0, r"\(steps,\) with at least one step, not \(1, 1\)"),
        ([1.0, float("nan")], 1.0, "that of step 1 is nan"),
        ([1.0], 0.0, r"gamma must be in \(0, 1\], not 0"),
        ([1.0], 1.1, r"gamma must be in \(0, 1\], not 1.1"),
        ([1.0], float("nan"), r"gamma must be in \(0, 1\], not nan"),
    ],
)
def test_rewards_that_are_none_are_refused(rewards: Any, gamma: float, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        discounted_returns(rewards, gamma)


@pytest.mark.parametrize(
    ("returns", "baseline", "scale", "words"),
    [
        ([], 0.0, 1.0, r"returns must have the shape \(steps,\)"),
        ([float("inf")], 0.0, 1.0, "finite"),
        ([1.0], float("nan"), 1.0, "baseline must be finite"),
        ([1.0], 0.0, 0.0, "scale above 0"),
    ],
)
def test_numbers_that_make_no_advantage_are_refused(
    returns: Any, baseline: float, scale: float, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        clip_advantages(returns, baseline, scale, (-1.0, 1.0))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"clip": (1.0, 1.0)}, "low < high"),
        ({"clip": (float("nan"), 1.0)}, "low < high"),
        ({"clip": (1.0,)}, "low < high"),
        ({"gamma": 0.0}, "gamma must be in"),
        ({"baseline": "median"}, "none, running_mean, group_mean, not 'median'"),
        ({"scale": "max"}, "none, std, not 'max'"),
    ],
)
def test_a_rule_out_of_range_is_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        AdvantageRule(**settings)
