"""Only tokens that count are looked at, and sums per step and episode are of those."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from deepgym_envs.kl import episode_sum, exact_kl, kl_per_token, log_ratio, step_sums, token_mean

NAN, INF = float("nan"), float("inf")
SHAPES = hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=5)


def test_what_is_masked_may_hold_anything_and_counts_0() -> None:
    found = log_ratio([-1.0, NAN, INF, 5.0], [-1.5, -INF, NAN, 0.0], [1, 0, 0, 0])
    assert found.tolist() == [-0.5, 0.0, 0.0, 0.0]
    assert kl_per_token([-1.0, NAN], [-1.5, 0.0], [True, False], estimator="k3").tolist()[1] == 0.0


@pytest.mark.parametrize("bad", [NAN, INF, -INF, 0.5])
@pytest.mark.parametrize("whose", ["policy", "reference"])
def test_a_token_that_counts_needs_a_log_probability(whose: str, bad: float) -> None:
    good, broken = [[-1.0, -1.0]], [[-1.0, bad]]
    arguments = (broken, good) if whose == "policy" else (good, broken)
    with pytest.raises(ValueError, match=rf"the {whose}'s at \[0, 1\] is {bad}"):
        log_ratio(*arguments)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (([-1.0], [-1.0, -2.0]), r"the policy's have \(1,\), the reference's \(2,\)"),
        ((-1.0, -1.0), r"shape \(\.\.\., tokens\); the policy's have \(\)"),
        (([-1.0], [-1.0], [1, 0]), r"mask must have the shape \(1,\) of the tokens, not \(2,\)"),
        (([-1.0], [-1.0], [[1]]), r"not \(1, 1\)"),
        (([-1.0], [-1.0], [0.5]), "true and false, or 1 and 0"),
        (([-1.0], [-1.0], [NAN]), "true and false, or 1 and 0"),
    ],
)
def test_shapes_and_masks_must_fit(arguments: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        log_ratio(*arguments)


def test_no_tokens_sum_to_0() -> None:
    assert kl_per_token([], []).tolist() == []
    assert episode_sum([]) == 0.0
    assert token_mean([]) == 0.0
    assert token_mean([[NAN], [3.0]], [[0], [1]]).tolist() == [0.0, 3.0]
    assert step_sums([], []).tolist() == []
    assert step_sums([], [], count=2).tolist() == [0.0, 0.0]
    assert step_sums(np.zeros((3, 0)), np.zeros((3, 0), dtype=int)).shape == (3, 0)


@given(data=st.data(), shape=SHAPES)
def test_steps_add_up_to_the_episode(data: st.DataObject, shape: tuple[int, ...]) -> None:
    values = data.draw(hnp.arrays(np.float64, shape, elements=st.floats(-10, 10)))
    steps = data.draw(hnp.arrays(np.int64, shape, elements=st.integers(0, 3)))
    mask = data.draw(hnp.arrays(np.bool_, shape))
    sums = step_sums(values, steps, mask, count=4)
    assert sums.shape == (*shape[:-1], 4)
    np.testing.assert_allclose(sums.sum(axis=-1), episode_sum(values, mask), atol=1e-12)
    np.testing.assert_allclose(
        token_mean(values, mask) * mask.sum(axis=-1), episode_sum(values, mask), atol=1e-12
    )


def test_each_row_has_its_own_steps() -> None:
    sums = step_sums([[1.0, 2.0], [3.0, 4.0]], [[0, 1], [1, 1]])
    assert sums.tolist() == [[1.0, 2.0], [0.0, 7.0]]


@pytest.mark.parametrize(
    ("steps", "count", "words"),
    [
        ([0], None, r"steps must have the shape \(2,\) of the values, not \(1,\)"),
        ([0.0, 1.0], None, "steps must be integers"),
        ([-1, 0], None, "steps must be in 0 to 0, not -1 to 0"),
        ([0, 5], 5, "steps must be in 0 to 4, not 0 to 5"),
    ],
)
def test_steps_must_be_numbers_of_steps(steps: Any, count: int | None, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        step_sums([1.0, 2.0], steps, count=count)


@pytest.mark.parametrize("aggregate", [episode_sum, token_mean])
def test_a_value_that_counts_must_be_finite(aggregate: Any) -> None:
    with pytest.raises(ValueError, match=r"that at \[1\] is nan"):
        aggregate([1.0, NAN])
    with pytest.raises(ValueError, match=r"\(\.\.\., tokens\), not \(\)"):
        aggregate(1.0)


@pytest.mark.parametrize("estimator", ["k1", "k3"])
def test_the_sum_over_an_episode_estimates_the_divergence_of_whole_episodes(estimator: Any) -> None:
    """Every episode of two tokens, the second of which depends on the first, enumerated."""
    p0, q0 = np.array([0.6, 0.4]), np.array([0.5, 0.5])
    p1, q1 = np.array([[0.9, 0.1], [0.3, 0.7]]), np.array([[0.7, 0.3], [0.6, 0.4]])
    whole_p, whole_q = (first[:, None] * then for first, then in ((p0, p1), (q0, q1)))
    mean = sum(
        whole_p[a, b]
        * episode_sum(kl_per_token(np.log([p0[a], p1[a, b]]), np.log([q0[a], q1[a, b]]), estimator=estimator))
        for a, b in product((0, 1), repeat=2)
    )
    assert mean == pytest.approx(float(exact_kl(np.log(whole_p.ravel()), np.log(whole_q.ravel()))))
