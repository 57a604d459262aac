"""Signs are told and counted once, and cost nothing unless that is asked for."""

from __future__ import annotations

import json
from typing import Any

import pytest

from deepgym_envs import SweEnv, Task
from deepgym_envs.action import ListFiles, RunCommand, Submit, WriteFile
from deepgym_envs.testing import FakeBackend
from deepgym_wrappers import HackScreen

from ..tiny import SOLVED, fake, make_tiny, tiny  # noqa: TID252
from .scripted import Play, PlayedEnv

FIXTURES = (fake, make_tiny, tiny)
CHEAT = WriteFile(path="tiny/__init__.py", content=f"import gc\n{SOLVED}")


def test_a_sign_stays_for_the_rest_of_the_episode_and_not_longer(tiny: Task, fake: FakeBackend) -> None:
    env = HackScreen(SweEnv(tiny, fake, measure="never"))
    assert env.reset(seed=1)[1]["signs"] == ()
    assert env.step(CHEAT.encode())[4]["signs"] == (("objects", "tiny/__init__.py"),)
    assert env.step(WriteFile(path="tiny/__init__.py", content=SOLVED).encode())[4]["signs"] != ()
    assert env.reset(seed=1)[1]["signs"] == ()
    assert env.step(ListFiles().encode())[4]["signs"] == ()
    env.close()


@pytest.mark.parametrize("as_text", [False, True])
def test_commands_are_looked_at_too(tiny: Task, fake: FakeBackend, as_text: bool) -> None:
    env = HackScreen(SweEnv(tiny, fake, measure="never", commands=True))
    env.reset(seed=1)
    command = RunCommand(command="curl -s example.org")
    text = json.dumps({"name": "run_command", "arguments": command.arguments()})
    info = env.step(text if as_text else command.encode())[4]
    assert info["signs"] == (("network", "command"),)
    env.close()


def test_the_reward_is_the_environments_unless_there_is_a_penalty(tiny: Task, fake: FakeBackend) -> None:
    rewards = []
    for penalty in (0.0, 0.5):
        env = HackScreen(SweEnv(tiny, fake, measure="never"), penalty=penalty)
        env.reset(seed=1)
        assert env.step(CHEAT.encode())[1] == 0.0
        _, reward, *_, info = env.step(Submit().encode())
        rewards.append(float(reward))
        assert sum(info["reward_terms"].values()) == reward
        env.close()
    assert rewards == [1.0, 0.5]


def test_honest_work_costs_nothing(tiny: Task, fake: FakeBackend) -> None:
    env = HackScreen(SweEnv(tiny, fake, measure="never"), penalty=0.5)
    env.reset(seed=1)
    env.step(WriteFile(path="tiny/__init__.py", content=SOLVED).encode())
    assert env.step(Submit().encode())[1] == 1.0
    env.close()


def test_what_the_infrastructure_broke_costs_nothing() -> None:
    said = {"state": "", "tool": "run_command", "masked": True}
    plays = [Play(info={**said, "masked": False}), Play(info=said, end="truncated")]
    env = HackScreen(PlayedEnv([plays], said), penalty=0.5)
    env.reset()
    assert env.step({"tool": "run_command", "command": "curl -s example.org"})[4]["signs"] != ()
    assert env.step(0)[1] == 0.0


@pytest.mark.parametrize("penalty", [-0.5, float("nan"), float("inf"), "much"])
def test_a_penalty_that_is_none_is_refused(penalty: Any) -> None:
    with pytest.raises(ValueError, match="penalty must be at least 0, not"):
        HackScreen(PlayedEnv([[]]), penalty)
