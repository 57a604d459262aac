"""Estimators by name: each needs what it says, and who was not judged counts for nothing."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from deepgym_envs.advantage import ADV_ESTIMATORS, Batch, Settings, advantages, gae, whiten

RNG = np.random.default_rng(3)
MASK = np.array([[1, 1, 0, 1], [1, 0, 1, 0], [1, 1, 1, 1], [0, 1, 1, 0], [1, 1, 0, 0], [1, 0, 0, 0]])
REWARDS = np.zeros(MASK.shape)
REWARDS[np.arange(6), [3, 2, 3, 2, 1, 0]] = [1.0, 0.0, 0.3, 1.0, 0.0, 0.9]
FULL = Batch(
    rewards=REWARDS,
    mask=MASK,
    groups=["a", "b", "a", "b", "a", "b"],
    values=RNG.normal(size=MASK.shape),
    baselines=RNG.random(6),
    potentials=RNG.random(MASK.shape),
)


@pytest.mark.parametrize("name", ADV_ESTIMATORS)
def test_each_estimator_gives_numbers_where_the_mask_holds_and_zero_elsewhere(name: str) -> None:
    found = advantages(name, FULL)
    assert found.shape == MASK.shape
    assert np.isfinite(found).all()
    assert found[MASK == 1].any()
    assert not found[MASK == 0].any()


@pytest.mark.parametrize("name", ADV_ESTIMATORS)
def test_who_was_not_judged_counts_as_if_left_out(name: str) -> None:
    judged = np.array([True, True, False, True, True, False])
    junk = np.where(judged[:, None], REWARDS, np.nan)
    found = advantages(name, dataclasses.replace(FULL, rewards=junk, judged=judged))
    assert not found[~judged].any()

    def left(value: Any) -> Any:
        return np.asarray(value)[judged]

    without = Batch(
        rewards=left(REWARDS), mask=left(MASK), groups=left(FULL.groups), values=left(FULL.values),
        baselines=left(FULL.baselines), potentials=left(FULL.potentials),
    )  # fmt: skip
    assert np.array_equal(found[judged], advantages(name, without))


def test_a_batch_that_nobody_judged_is_all_zero() -> None:
    assert not advantages("grpo", dataclasses.replace(FULL, judged=[False] * 6)).any()


def test_a_trajectory_of_no_token_is_refused_unless_nobody_judged_it() -> None:
    mask = MASK.copy()
    mask[5] = 0
    rewards = np.where(mask, REWARDS, 0)
    with pytest.raises(ValueError, match=r"mask\[5\] holds no position: expected one, or judged to be False"):
        advantages("grpo", dataclasses.replace(FULL, mask=mask, rewards=rewards))
    batch = dataclasses.replace(FULL, mask=mask, rewards=rewards, judged=[1, 1, 1, 1, 1, 0])
    assert advantages("grpo", batch)[:5].any()


def _with(field: str, value: Any) -> Batch:
    changed: dict[str, Any] = {field: value}
    return dataclasses.replace(FULL, **changed)


NEEDS = {
    "gae": ("values", r"\(B, T\)"),
    "remax": ("baselines", r"\(B,\)"),
    "turn_pbrs": ("potentials", r"\(B, T\)"),
    **dict.fromkeys(("grpo", "dr_grpo", "rloo", "opo", "gpg", "grpo_passk", "maxrl"), ("groups", r"\(B,\)")),
    "reinforce_plus_plus_baseline": ("groups", r"\(B,\)"),
}


@pytest.mark.parametrize("name", NEEDS)
def test_an_estimator_says_what_it_lacks(name: str) -> None:
    field, shape = NEEDS[name]
    with pytest.raises(ValueError, match=f"needs {field} of shape {shape}"):
        advantages(name, _with(field, None))


@pytest.mark.parametrize("name", sorted(set(ADV_ESTIMATORS) - {"reinforce_plus_plus"}))
def test_an_array_with_other_rows_is_refused(name: str) -> None:
    field = NEEDS[name][0]
    with pytest.raises(ValueError, match=f"{field} has shape .*: expected 6 rows"):
        advantages(name, _with(field, getattr(FULL, field)[:5]))


def test_an_unknown_name_is_refused_with_those_there_are() -> None:
    with pytest.raises(ValueError, match="no estimator is called 'ppo': expected one of gae, grpo,"):
        advantages("ppo", FULL)


def test_settings_reach_the_estimator() -> None:
    found = advantages("gae", FULL, Settings(gamma=0.5, lam=0.25))
    assert FULL.values is not None
    assert np.array_equal(found, whiten(gae(REWARDS, FULL.values, MASK, gamma=0.5, lam=0.25), MASK))
    assert (
        np.abs(advantages("grpo", FULL, Settings(epsilon=1.0))).max() < np.abs(advantages("grpo", FULL)).max()
    )
    assert not np.array_equal(
        advantages("turn_pbrs", FULL, Settings(gamma=0.5)), advantages("turn_pbrs", FULL)
    )
