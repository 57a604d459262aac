"""Refused actions cost a little, and never so much that failing neatly is worth more than solving."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepgym_envs import SweEnv, Task
from deepgym_envs.action import EditFile, ListFiles, RunTests
from deepgym_envs.testing import FakeBackend
from deepgym_wrappers import FormatReward

from ..tiny import fake, make_tiny, tiny  # noqa: TID252
from .scripted import Play, PlayedEnv, episode

FIXTURES = (fake, make_tiny, tiny)


@given(
    refused=st.lists(st.booleans(), min_size=1, max_size=30),
    penalty=st.floats(0.01, 0.9),
    more=st.floats(0, 0.09),
)
def test_an_episode_pays_for_each_up_to_the_most(refused: list[bool], penalty: float, more: float) -> None:
    steps = [Play(info={"error": "no" * bad}) for bad in refused]
    env = FormatReward(PlayedEnv([[*steps, Play(1.0, end="terminated")]]), penalty, penalty + more)
    played = episode(env)
    total = sum(reward for reward, _ in played)
    assert total == pytest.approx(1 - min(penalty * sum(refused), penalty + more))
    assert total > 0
    assert played[-1][1]["refused_actions"] == sum(refused)


def test_what_the_environment_refuses_is_charged_and_nothing_else(tiny: Task, fake: FakeBackend) -> None:
    env = FormatReward(SweEnv(tiny, fake, measure="never"), penalty=0.25)
    env.reset(seed=1)
    given_actions: list[tuple[Any, float]] = [
        (ListFiles().encode(), 0.0),
        (RunTests().encode(), 0.0),
        ("Let me think.", -0.25),
        (EditFile(path="tiny/__init__.py", old="a", new="b").encode(), -0.25),
        ({"tool": "no such tool"}, 0.0),
    ]
    for action, price in given_actions:
        _, reward, *_, info = env.step(action)
        assert (reward, info["reward_terms"]["format"]) == (price, price)
    assert env.reset(seed=1)[1]["refused_actions"] == 0
    assert env.step("Let me think.")[1] == -0.25
    env.close()


def test_an_observation_that_is_not_ok_is_a_refusal_too() -> None:
    class Told(PlayedEnv):
        def step(self, action: int) -> Any:
            seen, *rest = super().step(action)
            return {"seen": seen, "ok": np.int64(seen != 1)}, *rest

    steps = [Play(), Play(), Play(end="terminated")]
    assert [reward for reward, _ in episode(FormatReward(Told([steps]), 0.25))] == [-0.25, 0.0, 0.0]


def test_what_the_infrastructure_broke_costs_nothing() -> None:
    env = FormatReward(PlayedEnv([[Play(info={"error": "engine gone", "masked": True}, end="truncated")]]))
    assert episode(env)[0][0] == 0.0


@pytest.mark.parametrize(
    ("penalty", "most", "words"),
    [
        (0.1, 1.0, r"most must be in \(0, 1\), below what solving the task pays, not 1.0"),
        (0.1, float("nan"), "most must be"),
        (0.0, 0.5, r"penalty must be in \(0, most = 0.5\], not 0.0"),
        (0.6, 0.5, "penalty must be"),
        (float("inf"), 0.5, "penalty must be"),
        (-0.1, 0.5, "penalty must be"),
    ],
)
def test_prices_that_could_outweigh_the_task_are_refused(penalty: float, most: float, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        FormatReward(PlayedEnv([[]]), penalty, most)
