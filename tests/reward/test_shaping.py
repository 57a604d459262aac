"""Shaping sums to minus the first potential, whatever lies between, and terminal rewards are 0 or 1."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepgym_envs import Verdict
from deepgym_envs.reward import shaping, terminal_reward

PHI = st.floats(0, 1)


@given(st.lists(PHI, min_size=1, max_size=30), st.floats(0.01, 1))
def test_the_discounted_sum_is_minus_the_first_potential(potentials: list[float], gamma: float) -> None:
    after = [*potentials[1:], 0.0]
    total = sum(
        gamma**t * shaping(gamma, *pair) for t, pair in enumerate(zip(potentials, after, strict=True))
    )
    assert total == pytest.approx(-potentials[0], abs=1e-9)


@given(PHI, PHI, st.floats(0.01, 1))
def test_one_reward_is_at_most_one(before: float, after: float, gamma: float) -> None:
    assert -1 <= shaping(gamma, before, after) <= 1


@given(PHI)
def test_staying_pays_nothing_without_a_discount(phi: float) -> None:
    assert shaping(1.0, phi, phi) == 0.0


@pytest.mark.parametrize("bad", [-0.001, 1.001, math.nan, math.inf, -math.inf])
def test_numbers_out_of_range_are_refused(bad: float) -> None:
    for arguments in ((bad, 0.5, 0.5), (1.0, bad, 0.5), (1.0, 0.5, bad)):
        with pytest.raises(ValueError, match="must be in"):
            shaping(*arguments)
    with pytest.raises(ValueError, match="gamma"):
        shaping(0.0, 0.5, 0.5)


@pytest.mark.parametrize(("reward", "passed"), [(1.0, True), (0.0, False)])
def test_a_terminal_reward_is_the_verdicts(reward: float, passed: bool) -> None:
    assert terminal_reward(Verdict(reward, passed, "passed", "t", "s")) == reward


@pytest.mark.parametrize(
    ("reward", "passed"), [(1.0, False), (0.0, True), (0.5, True), (math.nan, True), (2.0, True)]
)
def test_any_other_verdict_is_refused(reward: float, passed: bool) -> None:
    with pytest.raises(ValueError, match="cannot hold the reward"):
        terminal_reward(Verdict(reward, passed, "passed", "t", "s"))
