"""What is dropped has advantage 0, and what is kept has not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from deepgym_envs.advantage import dr_grpo, dynamic_sampling, no_positive_resampling, varied
from deepgym_envs.advantage.arrays import Array
from tests.advantage.strategies import grouped_rewards


@given(grouped_rewards())
def test_a_group_is_dropped_exactly_if_its_advantages_are_all_zero(drawn: tuple[Array, list[int]]) -> None:
    rewards, groups = drawn
    kept, found = varied(rewards, groups), dr_grpo(rewards, groups)
    for group in set(groups):
        mine = np.array(groups) == group
        assert kept[mine].all() == found[mine].any() == kept[mine].any()


def test_rounding_keeps_no_group_alive() -> None:
    assert not varied([0.1 + 0.2, 0.1 + 0.2, 0.1 + 0.2], [0, 0, 0]).any()


def test_dynamic_sampling_keeps_what_is_neither_solved_nor_hopeless() -> None:
    groups = ["solved"] * 2 + ["open"] * 2 + ["hopeless"] * 2
    assert dynamic_sampling([1, 1, 1, 0, 0, 0], groups).tolist() == [False, False, True, True, False, False]


def test_dynamic_sampling_asks_for_yes_or_no() -> None:
    with pytest.raises(ValueError, match=r"correct\[1\] is 0.3: expected booleans, or 0 and 1"):
        dynamic_sampling([1, 0.3], [0, 0])


def test_a_prompt_at_the_threshold_goes() -> None:
    assert no_positive_resampling([90, 89, 100, 0, 0], [100, 100, 100, 100, 0]).tolist() == [
        False, True, False, True, True,
    ]  # fmt: skip


@pytest.mark.parametrize("trials", range(1, 60))
def test_the_threshold_is_free_of_rounding(trials: int) -> None:
    kept = no_positive_resampling(np.arange(trials + 1), np.full(trials + 1, trials))
    assert kept.tolist() == [10 * passes < 9 * trials for passes in range(trials + 1)]


def test_impossible_counts_are_refused() -> None:
    with pytest.raises(ValueError, match=r"passes\[1\] is 4 of 3 trials"):
        no_positive_resampling([1, 4], [1, 3])
    with pytest.raises(ValueError, match=r"passes has shape \(1,\): expected \(2,\)"):
        no_positive_resampling([1], [1, 3])
    with pytest.raises(ValueError, match=r"trials\[0\] is 1.5: expected whole numbers"):
        no_positive_resampling([1], [1.5])
    with pytest.raises(ValueError, match="threshold is 0"):
        no_positive_resampling([1], [1], threshold=0)
