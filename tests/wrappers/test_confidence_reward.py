"""Who knows how likely it is to be right does best, and who says nothing does worst."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepgym_envs import SweEnv, Task
from deepgym_envs.action import ListFiles, Submit, WriteFile
from deepgym_envs.testing import FakeBackend
from deepgym_wrappers import ConfidenceReward

from ..tiny import SOLVED, fake, make_tiny, tiny  # noqa: TID252
from .scripted import Play, PlayedEnv, episode

FIXTURES = (fake, make_tiny, tiny)
FIRST = {"judged": False, "passed": False, "confidence": -1.0}


def reward(passed: bool, confidence: Any, **info: Any) -> float:
    said = {"judged": True, "passed": passed, "confidence": confidence, **info}
    env = ConfidenceReward(PlayedEnv([[Play(float(passed), said, "terminated")]], FIRST))
    return episode(env)[0][0]


@given(q=st.floats(0, 1), passed=st.booleans())
def test_the_reward_is_that_of_the_formula_and_in_its_range(q: float, passed: bool) -> None:
    assert reward(passed, q) == pytest.approx(passed - (q - passed) ** 2)
    assert -1 <= reward(passed, q) <= 1


@pytest.mark.parametrize("p", [0.0, 0.2, 0.5, 0.9, 1.0])
def test_most_is_expected_of_the_true_probability(p: float) -> None:
    expected = {q: p * reward(True, q) + (1 - p) * reward(False, q) for q in np.linspace(0, 1, 21).tolist()}
    best = max(expected, key=lambda q: expected[q])
    assert best == pytest.approx(p)
    assert expected[best] == pytest.approx(p * p)


@pytest.mark.parametrize("passed", [True, False])
def test_who_says_nothing_gets_the_lowest_reward(passed: bool) -> None:
    assert reward(passed, -1.0) == -1.0


def test_what_was_not_judged_and_what_is_masked_stay_as_they_are() -> None:
    assert reward(False, 0.9, judged=False) == 0.0
    assert reward(False, 0.9, masked=True) == 0.0


def test_the_environments_confidence_is_read(tiny: Task, fake: FakeBackend) -> None:
    env = ConfidenceReward(SweEnv(tiny, fake, measure="never"))
    env.reset(seed=1)
    env.step(WriteFile(path="tiny/__init__.py", content=SOLVED).encode())
    assert env.step(ListFiles().encode())[1] == 0.0
    _, paid, *_, info = env.step(Submit(confidence=0.75).encode())
    assert paid == 1 - 0.0625
    assert info["reward_terms"] == {"shaping": 0.0, "terminal": 1.0, "confidence": -0.0625}
    env.close()


@pytest.mark.parametrize("q", [float("nan"), 1.5, float("inf"), "sure"])
def test_what_is_no_confidence_is_refused(q: Any) -> None:
    with pytest.raises(ValueError, match=r"info\['confidence'\] must be in \[0, 1\], or below 0 for none"):
        reward(True, q)


def test_an_environment_that_tells_no_confidence_is_refused() -> None:
    with pytest.raises(ValueError, match=r"ConfidenceReward needs info\['judged'\], as a DeepGym"):
        ConfidenceReward(PlayedEnv([[]])).reset()
