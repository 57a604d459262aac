"""Rows and prompts are drawn as documented: how many for certain, which by chance."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepgym_envs.advantage import Difficulty, curriculum, resample_on_correct


@st.composite
def rollouts(draw: Any) -> tuple[list[bool], list[float], list[int], int]:
    """correct, penalties, groups, keep."""
    sizes = draw(st.lists(st.integers(2, 8), min_size=1, max_size=3))
    total = sum(sizes)
    correct = draw(st.lists(st.booleans(), min_size=total, max_size=total))
    penalties = draw(st.lists(st.sampled_from([0.0, 0.1, 0.5, 1.0]), min_size=total, max_size=total))
    groups = [group for group, size in enumerate(sizes) for _ in range(size)]
    return correct, penalties, groups, draw(st.integers(2, min(sizes)))


@given(rollouts(), st.integers(0, 9))
def test_each_group_keeps_its_number_and_its_mixture(
    drawn: tuple[list[bool], list[float], list[int], int], seed: int
) -> None:
    correct, penalties, groups, keep = drawn
    rows = resample_on_correct(correct, groups, penalties, penalties, keep, np.random.default_rng(seed))
    assert rows.tolist() == sorted(set(rows.tolist()))
    for group in set(groups):
        had = [correct[row] for row in range(len(groups)) if groups[row] == group]
        kept = [correct[row] for row in rows if groups[row] == group]
        assert len(kept) == keep
        assert abs(sum(kept) - sum(had) * keep / len(had)) <= 1
        assert set(kept) == set(had)


def test_a_clean_right_row_goes_before_one_that_stumbled() -> None:
    for seed in range(50):
        rows = resample_on_correct(
            [1, 1, 1, 1, 0, 0, 0, 0],
            [0] * 8,
            [0.5, 0, 0.5, 0, 0, 0, 0, 0],
            [0] * 8,
            4,
            np.random.default_rng(seed),
        )
        assert {1, 3} == {int(row) for row in rows if row < 4}


def test_a_right_row_is_drawn_in_proportion_to_one_by_its_penalty() -> None:
    """Of two right rows one is kept: penalties 0.1 and 0.3 make it 3 to 1."""
    rng = np.random.default_rng(1)
    drawn = Counter(
        int(resample_on_correct([1, 1, 0, 0], [0] * 4, [0.1, 0.2, 0, 0], [0, 0.1, 0, 0], 2, rng)[0])
        for _ in range(2000)
    )
    assert drawn[0] / 2000 == pytest.approx(0.75, abs=0.04)


def test_wrong_rows_are_drawn_uniformly_whatever_their_penalty() -> None:
    rng = np.random.default_rng(1)
    drawn = Counter(
        int(resample_on_correct([1, 1, 0, 0], [0] * 4, [0.5, 0.5, 0, 1], [0] * 4, 2, rng)[1])
        for _ in range(2000)
    )
    assert drawn[2] / 2000 == pytest.approx(0.5, abs=0.04)


def test_the_same_seed_draws_the_same_rows() -> None:
    arguments = ([1, 0] * 8, [0] * 16, np.linspace(0, 1, 16), np.zeros(16), 8)
    first, second = (resample_on_correct(*arguments, np.random.default_rng(7)) for _ in range(2))
    assert np.array_equal(first, second)


def test_what_cannot_be_resampled_is_refused() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(
        ValueError, match=r"keep is 3: expected a whole number in \[2, 2\], the smallest group"
    ):
        resample_on_correct([1, 0], [0, 0], [0, 0], [0, 0], 3, rng)
    with pytest.raises(ValueError, match="keep is 1"):
        resample_on_correct([1, 0], [0, 0], [0, 0], [0, 0], 1, rng)
    with pytest.raises(ValueError, match=r"tool_errors\[0\] is 1.5: expected numbers in \[0, 1\]"):
        resample_on_correct([1, 0], [0, 0], [1.5, 0], [0, 0], 2, rng)


EVEN = Difficulty().observed(passes=4, fails=4)
HARD = Difficulty().observed(passes=0, fails=300)
ALWAYS = Difficulty().observed(passes=300, fails=0)


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 50)), min_size=1, max_size=6), st.floats(0, 1))
def test_chances_add_up_to_one_and_none_is_below_the_floor(
    counts: list[tuple[int, int]], floor: float
) -> None:
    prompts = [Difficulty().observed(passes=passes, fails=fails) for passes, fails in counts]
    found = curriculum(prompts, 8, floor=floor)
    assert found.sum() == pytest.approx(1)
    assert (found >= floor / len(prompts) - 1e-12).all()


def test_what_is_half_solved_is_drawn_most_and_what_is_hopeless_now_and_then() -> None:
    even, hard = curriculum([EVEN, HARD], 8, floor=0.1)
    assert even > 0.9
    assert hard > 0.05


def test_a_prompt_that_never_failed_waits_for_its_audit() -> None:
    assert curriculum([EVEN, ALWAYS], 8).tolist() == [1.0, 0.0]
    looked_at = Difficulty(passes=300, audited=True)
    assert 0 < curriculum([EVEN, looked_at], 8)[1] < 0.1


def test_when_all_wait_there_is_nothing_to_draw() -> None:
    for prompts in ([ALWAYS], []):
        with pytest.raises(ValueError, match="prompts can be drawn: expected one that needs no audit first"):
            curriculum(prompts, 8)
    with pytest.raises(ValueError, match="floor is 2"):
        curriculum([EVEN], 8, floor=2)
