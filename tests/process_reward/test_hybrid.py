"""Choosing one of several solutions, and how often that is right."""

from __future__ import annotations

from itertools import combinations
from math import comb, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepgym_envs.advantage import pass_at_k
from deepgym_envs.process_reward import Candidate, best_at_k, execution_free_score, hybrid_choice

FEW = st.sampled_from([0.0, 0.25, 0.5, 1.0])
POOLS = st.lists(st.tuples(FEW, FEW, FEW, st.booleans()), min_size=1, max_size=9)


def _made(rows: list[tuple[float, float, float, bool]]) -> tuple[list[Candidate], list[bool]]:
    return [Candidate(str(n), *row[:3]) for n, row in enumerate(rows)], [row[3] for row in rows]


def test_the_four_criteria_apply_in_their_order() -> None:
    pool = [
        Candidate("the judge dislikes it", 0.0, 9, 9),
        Candidate("breaks a test", 0.9, 7, 9),
        Candidate("fails generated tests", 0.8, 8, 1),
        Candidate("is good", 0.6, 8, 2),
        Candidate("is as good, and liked better", 0.7, 8, 2),
        *[Candidate("the judge dislikes that too", 0.1, 9, 9)] * 3,
    ]
    assert pool[hybrid_choice(pool)].name == "is as good, and liked better"


def test_three_are_kept_of_few_and_half_of_many() -> None:
    few = [Candidate(str(n), 1 - n / 10, n) for n in range(4)]
    assert hybrid_choice(few) == 2
    many = [Candidate(str(n), 1 - n / 100, n) for n in range(21)]
    assert hybrid_choice(many) == 9


def test_of_what_is_alike_the_first_is_chosen() -> None:
    assert hybrid_choice([Candidate("a", 0.5, 1), Candidate("b", 0.5, 1)]) == 0


@given(POOLS, st.data())
def test_best_at_k_is_the_mean_over_all_subsets(
    rows: list[tuple[float, float, float, bool]], data: st.DataObject
) -> None:
    pool, correct = _made(rows)
    k = data.draw(st.integers(1, len(pool)))
    right = 0
    for chosen in combinations(range(len(pool)), k):
        right += correct[chosen[hybrid_choice([pool[index] for index in chosen])]]
    assert best_at_k(pool, correct, k) == pytest.approx(right / comb(len(pool), k))


@given(POOLS, st.data())
def test_best_at_k_is_never_more_than_pass_at_k(
    rows: list[tuple[float, float, float, bool]], data: st.DataObject
) -> None:
    pool, correct = _made(rows)
    k = data.draw(st.integers(1, len(pool)))
    assert best_at_k(pool, correct, k) <= pass_at_k(len(pool), sum(correct), k) + 1e-12


def test_best_of_all_is_the_one_that_is_chosen() -> None:
    pool = [Candidate(str(n), n % 7 / 7, n % 3, n % 5) for n in range(40)]
    chosen = hybrid_choice(pool)
    assert best_at_k(pool, [index == chosen for index in range(40)], 40) == 1.0
    assert best_at_k(pool, [True] * 40, 20) == pytest.approx(1.0)


def test_a_judge_s_answers_are_averaged() -> None:
    assert execution_free_score([0.9], [0.1]) == pytest.approx(0.9)
    assert execution_free_score([0.9, 0.0], [0.1, 0.3]) == pytest.approx(0.45)
    for yes, no in (([0.0], [0.0]), ([-0.1], [0.5])):
        with pytest.raises(ValueError, match="expected none below 0"):
            execution_free_score(yes, no)


def test_what_is_no_score_is_refused() -> None:
    with pytest.raises(ValueError, match="a: execution_free is nan"):
        Candidate("a", nan, 1)
    with pytest.raises(ValueError, match="a: regression is nan: expected a finite number"):
        Candidate("a", 0.5, nan)
    with pytest.raises(ValueError, match="candidates is empty"):
        hybrid_choice([])
    with pytest.raises(ValueError, match=r"k is 2: expected a whole number in \[1, 1\]"):
        best_at_k([Candidate("a", 0.5, 1)], [True], 2)
    with pytest.raises(ValueError, match=r"correct has shape \(2,\): expected \(1,\)"):
        best_at_k([Candidate("a", 0.5, 1)], [True, False], 1)
