"""Losses by name are a loss of tokens and an aggregation."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings

from deepgym_envs.advantage import POLICY_LOSSES, Recipe, aggregate, policy_loss, ppo_clip
from deepgym_envs.advantage.arrays import Array, Mask
from tests.advantage.strategies import token_batches


@pytest.mark.parametrize("name", POLICY_LOSSES)
@settings(max_examples=30)
@given(token_batches())
def test_on_policy_the_gradient_is_that_of_reinforce(
    name: str, drawn: tuple[Array, Array, Array, Mask]
) -> None:
    _, old, advantages, mask = drawn
    loss = policy_loss(name, old, old, advantages, mask)
    mode = POLICY_LOSSES[name].aggregation
    assert loss.gradient.sum() == pytest.approx(aggregate(-advantages, mask, mode), abs=1e-9)
    assert loss.clip_fraction == 0.0


def test_dapo_is_ppo_with_a_higher_ceiling() -> None:
    arrays = ([[-1.0]], [[-2.0]], [[1.0]], [[1]])
    assert policy_loss("ppo", *arrays).value == pytest.approx(-1.2)
    assert policy_loss("dapo", *arrays).value == pytest.approx(-1.28)


def test_dr_grpo_does_not_favour_short_wrong_rows() -> None:
    """Of two wrong rows each token of the shorter weighs more in GRPO, and the same in Dr. GRPO."""
    logp, mask = np.full((2, 4), -1.0), np.array([[1, 0, 0, 0], [1, 1, 1, 1]])
    paid = np.full((2, 4), -1.0)
    grpo = policy_loss("grpo", logp, logp, paid, mask).gradient
    fair = policy_loss("dr_grpo", logp, logp, paid, mask, length=8).gradient
    assert grpo[0, 0] == 4 * grpo[1, 0]
    assert fair[0, 0] == fair[1, 0] == pytest.approx(1 / 16)


def test_a_recipe_of_ones_own_has_its_own_bounds() -> None:
    recipe = Recipe(partial(ppo_clip, low=0.1, high=0.1), "token-sum")
    loss = policy_loss(recipe, [[-1.0, -1.0]], [[-2.0, -1.0]], [[1.0, 1.0]], [[1, 1]])
    assert (loss.value, loss.clip_fraction) == pytest.approx((-2.1, 0.5))


def test_an_unknown_name_is_refused_with_those_there_are() -> None:
    with pytest.raises(ValueError, match="no loss is called 'vanilla': expected one of ppo, grpo,"):
        policy_loss("vanilla", [[-1.0]], [[-1.0]], [[1.0]], [[1]])
