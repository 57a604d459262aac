"""The policy: its shares, its gradient, and that it learns what pays."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepgym_envs.audit.discovery.policy import (
    Decisions,
    SoftmaxPolicy,
    gradient,
    group_advantages,
    objective,
    probabilities,
)

FEATURES, EDITS, TURNS = 4, 5, 6
STEP = 1e-5


@st.composite
def decisions(draw: st.DrawFn) -> Decisions:
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    allowed = np.array(
        draw(
            st.lists(st.lists(st.booleans(), min_size=EDITS, max_size=EDITS), min_size=TURNS, max_size=TURNS)
        )
    )
    allowed[np.arange(TURNS), random.integers(EDITS, size=TURNS)] = True
    chosen = np.array([random.choice(np.flatnonzero(row)) for row in allowed])
    advantages = draw(st.lists(st.floats(-4, 4), min_size=TURNS, max_size=TURNS))
    return Decisions(random.normal(size=(TURNS, FEATURES)), allowed, chosen, np.array(advantages))


weights = st.integers(0, 2**32 - 1).map(
    lambda seed: np.random.default_rng(seed).normal(size=(FEATURES, EDITS))
)


@given(weights, decisions(), st.floats(0, 1))
def test_the_gradient_is_the_slope_of_the_objective(
    weights: np.ndarray, decisions: Decisions, entropy: float
) -> None:
    slopes = np.zeros_like(weights)
    for place in np.ndindex(weights.shape):
        nudge = np.zeros_like(weights)
        nudge[place] = STEP
        higher, lower = (objective(weights + side * nudge, decisions, entropy) for side in (1, -1))
        slopes[place] = (higher - lower) / (2 * STEP)
    assert gradient(weights, decisions, entropy) == pytest.approx(slopes, abs=1e-6)


@given(weights, decisions())
def test_only_what_is_offered_has_a_share(weights: np.ndarray, decisions: Decisions) -> None:
    shares = probabilities(weights * 100, decisions.features, decisions.open)
    assert shares.sum(axis=1) == pytest.approx(np.ones(TURNS))
    assert not shares[~decisions.open].any()


def test_a_group_of_equal_rewards_teaches_nothing() -> None:
    rewards = np.full(16, 0.1 + 0.2)
    rewards[3] += 1e-16
    assert group_advantages(rewards) == pytest.approx(np.zeros(16), abs=1e-9)


def test_what_pays_is_chosen_more_often_after_each_group() -> None:
    random = np.random.default_rng(0)
    policy = SoftmaxPolicy(1, 3)
    shares = []
    for _ in range(20):
        chosen = np.array([policy.choose(np.ones(1), np.ones(3, bool), random) for _ in range(16)])
        advantages = group_advantages((chosen == 2).astype(float))
        policy.learn(Decisions(np.ones((16, 1)), np.ones((16, 3), bool), chosen, advantages))
        shares.append(float(probabilities(policy.weights, np.ones((1, 1)), np.ones((1, 3), bool))[0, 2]))
    assert shares[0] > 1 / 3
    assert shares[-1] > 0.95


def test_entropy_draws_a_policy_back_to_equal_shares() -> None:
    policy = SoftmaxPolicy(1, 2, rate=1.0, entropy=1.0)
    policy.weights = np.array([[2.0, -2.0]])
    nothing = Decisions(np.ones((1, 1)), np.ones((1, 2), bool), np.array([0]), np.zeros(1))
    for _ in range(50):
        policy.learn(nothing)
    assert probabilities(policy.weights, np.ones((1, 1)), np.ones((1, 2), bool)) == pytest.approx(
        0.5, abs=1e-3
    )
