"""Advantages of a graded group: every estimator by its name, and NaN where nobody could tell."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepgym_envs.advantage import ADV_ESTIMATORS, grpo
from deepgym_envs.batch import GradedBatch, Outcome

MASKED = Outcome(math.nan, "masked", masked=True, detail="gone")
PASSED, FAILED = Outcome(1.0, "passed"), Outcome(0.0, "tests_failed")
GROUP = GradedBatch("made/a", (PASSED, MASKED, FAILED, FAILED))
NEEDED = {
    "values": np.full((4, 3), 0.5),
    "baselines": np.zeros(4),
    "potentials": np.full((4, 3), 0.25),
}


@pytest.mark.parametrize("name", ADV_ESTIMATORS)
def test_every_estimator_can_be_had_by_its_name(name: str) -> None:
    mask = np.array([[1, 1, 0], [1, 1, 1], [1, 1, 1], [1, 0, 0]])
    found = GROUP.advantages(name, mask, **NEEDED)  # type: ignore[arg-type]
    assert found.shape == (4, 3)
    assert np.isnan(found[1]).all()
    rest = found[[0, 2, 3]]
    assert np.isfinite(rest).all()
    assert not rest[mask[[0, 2, 3]] == 0].any()
    assert rest[0].max() > rest[1:].max()


@given(st.lists(st.sampled_from([PASSED, FAILED, MASKED]), min_size=1, max_size=10))
def test_those_that_were_judged_get_what_they_would_get_alone(outcomes: list[Outcome]) -> None:
    batch = GradedBatch("made/a", tuple(outcomes))
    judged = [outcome.reward for outcome in outcomes if not outcome.masked]
    found = batch.advantages("grpo")
    assert np.isnan(found).tolist() == batch.masked.tolist()
    if judged:
        assert found[~batch.masked] == pytest.approx(grpo(judged, [0] * len(judged)))


def test_the_reward_lies_on_the_last_position_that_the_policy_wrote() -> None:
    found = GROUP.advantages("remax", [[1, 1, 0], [1, 1, 1], [1, 1, 1], [1, 0, 0]], baselines=[0, 0, 0, 0])
    assert found[0].tolist() == [1.0, 1.0, 0.0]


def test_a_longer_answer_weighs_more_where_the_estimator_says_so() -> None:
    batch = GradedBatch("made/a", (PASSED, FAILED))
    assert batch.advantages("opo", [[1, 1, 1], [1, 0, 0]])[:, 0] == pytest.approx([0.25, -0.75])


def test_a_wrong_name_shape_or_lack_is_told() -> None:
    with pytest.raises(ValueError, match="no estimator is called 'grop'"):
        GROUP.advantages("grop")
    with pytest.raises(ValueError, match=r"mask has shape \(2, 1\): expected 4 rows"):
        GROUP.advantages("grpo", [[1], [1]])
    with pytest.raises(ValueError, match="needs values of shape"):
        GROUP.advantages("gae")
