"""Five ways to add up, by hand and in what they have in common."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from deepgym_envs.advantage import AGGREGATIONS, aggregate, token_weights
from deepgym_envs.advantage.arrays import Mask
from tests.advantage.strategies import masks

LOSSES = [[1.0, 3.0, 9.0], [5.0, 9.0, 9.0], [9.0, 9.0, 9.0]]
MASK = [[1, 1, 0], [1, 0, 0], [0, 0, 0]]  # the last row holds no token and counts for nothing


@pytest.mark.parametrize(
    ("mode", "wanted"),
    [
        ("token-mean", 9 / 3),
        ("token-sum", 9),
        ("seq-mean-token-sum", (4 + 5) / 2),
        ("seq-mean-token-sum-norm", (4 + 5) / 2 / 10),
        ("seq-mean-token-mean", (2 + 5) / 2),
    ],
)
def test_each_mode_by_hand(mode: str, wanted: float) -> None:
    assert aggregate(LOSSES, MASK, mode, length=10) == pytest.approx(wanted)


def test_the_constant_length_is_that_of_the_array_unless_given() -> None:
    assert aggregate(LOSSES, MASK, "seq-mean-token-sum-norm") == pytest.approx(4.5 / 3)


@given(masks(full_rows=True))
def test_means_give_weights_that_add_up_to_one(mask: Mask) -> None:
    for mode in ("token-mean", "seq-mean-token-mean"):
        assert token_weights(mask, mode).sum() == pytest.approx(1)


@given(masks())
def test_weights_are_zero_where_the_mask_does_not_hold(mask: Mask) -> None:
    mask[0, 0] = True
    for mode in AGGREGATIONS:
        weights = token_weights(mask, mode)
        assert not weights[~mask].any()
        assert (weights[mask] > 0).all()


def test_all_means_agree_when_all_rows_are_full() -> None:
    losses, mask = np.arange(6.0).reshape(2, 3), np.ones((2, 3))
    found = {mode: aggregate(losses, mask, mode) for mode in AGGREGATIONS}
    assert found["token-mean"] == found["seq-mean-token-mean"] == found["seq-mean-token-sum-norm"] == 2.5


def test_bad_input_is_refused() -> None:
    with pytest.raises(ValueError, match="no aggregation is called 'mean': expected one of token-mean,"):
        aggregate(LOSSES, MASK, "mean")
    with pytest.raises(ValueError, match=r"mask of shape \(1, 2\) holds no token"):
        aggregate([[1.0, 2.0]], [[0, 0]], "token-mean")
    with pytest.raises(ValueError, match="length is 0: expected a number in"):
        aggregate(LOSSES, MASK, "seq-mean-token-sum-norm", length=0)
    with pytest.raises(ValueError, match=r"losses\[0, 0\] is nan"):
        aggregate([[np.nan]], [[1]], "token-mean")
