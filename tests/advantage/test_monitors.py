"""Sameness, counted in pairs."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepgym_envs.advantage import collapse, diversity

ANSWERS = st.lists(st.sampled_from("abc"), min_size=2, max_size=9)


@given(ANSWERS)
def test_diversity_is_the_share_of_pairs_that_differ(answers: list[str]) -> None:
    pairs = [one != other for one, other in itertools.combinations(answers, 2)]
    assert diversity(answers, [0] * len(answers)) == pytest.approx(sum(pairs) / len(pairs))


@given(ANSWERS, ANSWERS)
def test_groups_count_alike_whatever_their_size(first: list[str], second: list[str]) -> None:
    groups = ["x"] * len(first) + ["y"] * len(second) + ["alone"]
    wanted = np.mean([diversity(answers, [0] * len(answers)) for answers in (first, second)])
    assert diversity([*first, *second, "z"], groups) == pytest.approx(wanted)


def test_what_all_say_alike_in_each_group_is_no_diversity() -> None:
    assert diversity([b"p", b"p", b"q", b"q"], [0, 0, 1, 1]) == 0.0


def test_collapse_is_the_share_lost() -> None:
    assert collapse(["a", "a", "a", "b"], ["a", "a", "b", "b"]) == pytest.approx(0.25)
    assert collapse(["a", "b", "c"], ["a", "a", "b"]) == 0.0
    assert collapse(["a", "b"], ["a", "a"]) == 0.0


def test_what_has_no_pairs_is_refused() -> None:
    with pytest.raises(ValueError, match="each of 2 groups has one row"):
        diversity(["a", "b"], [0, 1])
    with pytest.raises(ValueError, match="answers is empty"):
        diversity([], [])
    with pytest.raises(ValueError, match=r"groups has shape \(1,\)"):
        diversity(["a", "b"], [0])
    with pytest.raises(ValueError, match="each of 1 groups has one row"):
        collapse(["a"], ["a", "b"])
