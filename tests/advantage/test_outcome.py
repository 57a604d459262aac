"""Group estimators: what they must keep whatever the rewards, and small cases by hand."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepgym_envs.advantage import dr_grpo, gpg, grpo, grpo_passk, maxrl, opo, rloo
from deepgym_envs.advantage.arrays import Array
from deepgym_envs.advantage.outcome import Groups
from tests.advantage.strategies import REWARDS, grouped_rewards


def _opo(rewards: Any, groups: Groups) -> Array:
    return opo(rewards, np.arange(len(rewards)) + 1, groups)


ALL: dict[str, Callable[[Any, Groups], Array]] = {
    "grpo": grpo,
    "grpo by batch": partial(grpo, scale="batch"),
    "dr_grpo": dr_grpo,
    "rloo": rloo,
    "opo": _opo,
    "gpg": gpg,
    "grpo_passk": grpo_passk,
    "maxrl": maxrl,
}
# These look at differences within a group alone.
UNMOVED = {name: ALL[name] for name in ("grpo", "grpo by batch", "dr_grpo", "rloo", "opo", "grpo_passk")}
CENTRED = ("grpo", "grpo by batch", "dr_grpo", "rloo", "gpg", "maxrl")


@pytest.mark.parametrize("name", ALL)
@settings(max_examples=30)
@given(grouped_rewards(low=0))
def test_every_advantage_is_a_number(name: str, drawn: tuple[Array, list[int]]) -> None:
    rewards, groups = drawn
    found = ALL[name](rewards, groups)
    assert found.dtype == np.float64
    assert found.shape == rewards.shape
    assert np.isfinite(found).all()


@pytest.mark.parametrize("name", CENTRED)
@settings(max_examples=30)
@given(grouped_rewards(low=0))
def test_a_group_adds_up_to_zero(name: str, drawn: tuple[Array, list[int]]) -> None:
    rewards, groups = drawn
    found = ALL[name](rewards, groups)
    for group in set(groups):
        mine = found[np.array(groups) == group]
        assert abs(mine.sum()) <= 1e-9 * max(1.0, np.abs(mine).max()) * mine.size


@pytest.mark.parametrize("name", UNMOVED)
@settings(max_examples=30)
@given(grouped_rewards(), st.floats(-5, 5).map(lambda number: round(number, 3)))
def test_a_constant_added_to_a_group_changes_nothing(
    name: str, drawn: tuple[Array, list[int]], added: float
) -> None:
    rewards, groups = drawn
    moved = np.round(rewards + added * (np.array(groups) == groups[0]), 6)
    # Deviations smaller than epsilon's neighbourhood magnify rounding, so the tolerance is not the least.
    if name == "grpo by batch":
        moved = np.round(rewards + added, 6)
    assert np.allclose(ALL[name](moved, groups), ALL[name](rewards, groups), atol=1e-5)


@given(grouped_rewards(), st.floats(0.1, 9))
def test_without_a_division_advantages_scale_with_rewards(
    drawn: tuple[Array, list[int]], factor: float
) -> None:
    rewards, groups = drawn
    for estimator in (dr_grpo, rloo, _opo):
        assert np.allclose(
            estimator(factor * rewards, groups), factor * estimator(rewards, groups), atol=1e-9
        )


@given(grouped_rewards(), st.floats(0.1, 9))
def test_grpo_does_not_scale_with_rewards(drawn: tuple[Array, list[int]], factor: float) -> None:
    rewards, groups = drawn
    scaled = grpo(factor * rewards, groups, epsilon=1e-12)
    assert np.allclose(scaled, grpo(rewards, groups, epsilon=1e-12), atol=1e-6)


@given(grouped_rewards())
def test_rloo_is_the_distance_to_the_mean_of_the_others(drawn: tuple[Array, list[int]]) -> None:
    rewards, groups = drawn
    names = np.array(groups)
    for row, found in enumerate(rloo(rewards, groups)):
        others = (names == names[row]) & (np.arange(len(names)) != row)
        wanted = rewards[row] - rewards[others].mean() if others.any() else 0.0
        assert found == pytest.approx(wanted, abs=1e-9)


@pytest.mark.parametrize("name", ALL)
@settings(max_examples=30)
@given(REWARDS.map(abs), st.integers(1, 9))
def test_a_group_without_variance_gets_exactly_zero(name: str, reward: float, size: int) -> None:
    assert ALL[name]([reward] * size, [0] * size).tolist() == [0.0] * size


@pytest.mark.parametrize("name", ALL)
def test_a_group_of_one_gets_exactly_zero(name: str) -> None:
    assert ALL[name]([0.7, 1.0, 0.0], ["alone", "b", "b"])[0] == 0.0


@pytest.mark.parametrize("name", sorted(set(ALL) - {"opo"}))  # whose lengths go by row here
def test_the_order_of_rows_does_not_matter(name: str) -> None:
    rewards, groups = np.array([1.0, 0.2, 0.0, 0.7, 1.0]), np.array([0, 1, 0, 1, 0])
    order = np.array([4, 1, 3, 0, 2])
    assert np.allclose(ALL[name](rewards[order], groups[order]), ALL[name](rewards, groups)[order])


def test_opo_weighs_the_baseline_by_length() -> None:
    assert opo([1, 0, 0], [2, 1, 1], [0, 0, 0]).tolist() == [0.5, -0.5, -0.5]


def test_gpg_weighs_up_for_what_was_paid_nothing() -> None:
    assert gpg([1, 0, 1, 1], [0, 0, 1, 1]).round(6).tolist() == [0.666667, -0.666667, 0.0, 0.0]


def test_the_best_row_is_paid_its_lead_over_the_second() -> None:
    assert grpo_passk([0.2, 1.0, 0.7, 0.1], [0] * 4, scaled=False).round(9).tolist() == [0, 0.3, 0, 0]


def test_two_best_rows_have_nothing_over_each_other() -> None:
    assert grpo_passk([1, 1, 0], [0, 0, 0]).tolist() == [0.0, 0.0, 0.0]


def test_maxrl_weighs_a_rare_success_by_its_rarity() -> None:
    rare, common = maxrl([1] + [0] * 9, [0] * 10)[0], maxrl([1] * 5 + [0] * 5, [0] * 10)[0]
    assert (rare, common) == (pytest.approx(9, abs=1e-3), pytest.approx(1, abs=1e-3))


def test_maxrl_refuses_a_negative_reward() -> None:
    with pytest.raises(ValueError, match=r"rewards holds -1.0: expected numbers from 0"):
        maxrl([1, -1], [0, 0])


@pytest.mark.parametrize("groups", [[0], [[0, 0]], [0.5, 1.0], [None, None], [[0], [0, 1]]])
def test_groups_of_another_shape_or_kind_are_refused(groups: Any) -> None:
    with pytest.raises(ValueError, match=r"groups has shape .*: expected \(2,\) integers or strings"):
        grpo([1, 0], groups)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e200])
def test_a_reward_that_is_no_number_is_refused(name: str, bad: float) -> None:
    with pytest.raises(ValueError, match=r"rewards\[1\] is"):
        ALL[name]([1.0, bad], [0, 0])


@pytest.mark.parametrize("name", ALL)
def test_no_rows_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"rewards has shape \(0,\)"):
        ALL[name](np.array([]), [])


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match="scale is 'row': expected 'group', 'batch' or 'none'"):
        grpo([1, 0], [0, 0], scale="row")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="epsilon is -1"):
        grpo([1, 0], [0, 0], epsilon=-1)
    with pytest.raises(ValueError, match="lengths holds 0: expected numbers of at least 1"):
        opo([1, 0], [0, 1], [0, 0])


@pytest.mark.parametrize("rewards", [[1e100, 0.0, 1e99], [5e-324, 0.0, 1e-200], [1.0, 1.0 + 2**-52, 1.0]])
def test_the_largest_and_the_least_differences_stay_numbers(rewards: list[float]) -> None:
    estimators: list[Callable[[Any, Groups], Array]] = [*ALL.values(), partial(grpo, epsilon=1e-12)]
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        for estimator in estimators:
            assert np.isfinite(estimator(rewards, [0, 0, 0])).all()
