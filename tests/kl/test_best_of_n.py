"""Both formulas are checked against all that can be drawn."""

from __future__ import annotations

import math
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepgym_envs.kl import best_of_n_kl, best_of_n_kl_of_binary, exact_kl


def _best_of(n: int, policy: list[float], scores: list[int]) -> list[float]:
    """The distribution of the best of n draws, ties broken uniformly, by going through all draws."""
    chosen = [0.0] * len(policy)
    for draw in product(range(len(policy)), repeat=n):
        best = max(scores[one] for one in draw)
        tied = [one for one in draw if scores[one] == best]
        for one in tied:
            chosen[one] += math.prod(policy[other] for other in draw) / len(tied)
    return chosen


@pytest.mark.parametrize("n", [1, 2, 3, 5])
@pytest.mark.parametrize("policy", [[0.1, 0.2, 0.3, 0.4], [0.7, 0.1, 0.1, 0.1]])
def test_the_binary_form_is_what_all_draws_give(n: int, policy: list[float]) -> None:
    scores = [1, 0, 0, 1]
    exact = exact_kl(np.log(_best_of(n, policy, scores)), np.log(policy))
    assert best_of_n_kl_of_binary(n, policy[0] + policy[3]) == pytest.approx(float(exact), abs=1e-12)


def test_the_form_without_ties_is_the_limit_of_many_outcomes() -> None:
    """Of m equally likely outcomes, the i-th is the best of n with probability (i/m)^n - ((i-1)/m)^n."""
    m, n = 100_000, 16
    edges = np.linspace(0, 1, m + 1) ** n
    chosen = np.diff(edges)
    exact = float(np.sum(chosen * np.log(np.maximum(chosen, 1e-300) * m)))
    assert best_of_n_kl(n) == pytest.approx(exact, rel=1e-3)


@given(n=st.integers(1, 10**9), p=st.floats(0, 1))
def test_ties_bring_the_best_nearer_to_the_policy(n: int, p: float) -> None:
    found = best_of_n_kl_of_binary(n, p)
    assert 0 <= found <= best_of_n_kl(n) + 1e-9
    if p:
        assert found <= math.log(1 / p) + 1e-9


@pytest.mark.parametrize("n", [0, -1, 1.5, float("nan"), True])
def test_n_is_a_whole_number_from_1(n: Any) -> None:
    with pytest.raises(ValueError, match="n must be a whole number from 1"):
        best_of_n_kl(n)
    with pytest.raises(ValueError, match="n must be a whole number from 1"):
        best_of_n_kl_of_binary(n, 0.5)


@pytest.mark.parametrize("rate", [-0.1, 1.1, float("nan")])
def test_a_pass_rate_is_one(rate: float) -> None:
    with pytest.raises(ValueError, match=r"pass_rate must be in \[0, 1\]"):
        best_of_n_kl_of_binary(2, rate)
