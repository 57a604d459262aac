"""One awaited episode is told like one that was played in turn."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from deepgym_envs import AsyncSweEnv, Memory, SandboxError, SweEnv, Task
from deepgym_envs.action import Action
from deepgym_envs.agents import Agent, NoopAgent, OracleAgent, RandomAgent
from deepgym_envs.async_rollout import async_rollout
from deepgym_envs.rollout import rollout
from deepgym_envs.sandbox import Sandbox
from deepgym_envs.testing import FakeBackend

from .tiny import MakeTiny, fake, make_tiny, tiny

FIXTURES = fake, make_tiny, tiny


class Awaited:
    """An agent that lets others act before it answers."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent

    @property
    def name(self) -> str:
        return self._agent.name

    def begin(self, task: Task, seed: int) -> None:
        self._agent.begin(task, seed)

    async def act(self, observation: Mapping[str, Any], info: Mapping[str, Any]) -> Action:
        await asyncio.sleep(0)
        return self._agent.act(observation, info)


@pytest.mark.parametrize("make", [OracleAgent, RandomAgent, NoopAgent])
def test_awaited_episodes_are_those_that_are_played_in_turn(
    make: type[Agent], make_tiny: MakeTiny, tiny: Task, fake: FakeBackend
) -> None:
    other, memory = make_tiny("other", steps=6), Memory()
    plain = SweEnv(tiny, fake)
    expected = [rollout(plain, make(), seed=seed, index=seed, task=other) for seed in range(8)]
    plain.close()

    async def main() -> list[Any]:
        envs = [AsyncSweEnv(SweEnv(tiny, fake, memory=memory)) for _ in range(8)]
        episodes = [
            async_rollout(env, Awaited(make()), seed=seed, index=seed, task=other)
            for seed, env in enumerate(envs)
        ]
        done = await asyncio.gather(*episodes)
        await asyncio.gather(*(env.close() for env in envs))
        return done

    assert asyncio.run(main()) == expected


def test_an_episode_that_cannot_begin_is_masked(tiny: Task) -> None:
    class NoBoxes(FakeBackend):
        def open(self, task: Task) -> Sandbox:
            raise SandboxError("there is no room for a box")

    done = asyncio.run(async_rollout(AsyncSweEnv(SweEnv(tiny, NoBoxes())), Awaited(NoopAgent()), seed=0))
    assert (done.masked, done.error, done.steps) == (True, "there is no room for a box", ())
