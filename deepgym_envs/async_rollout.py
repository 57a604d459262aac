"""Plays one episode on an event loop, beside hundreds of others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from deepgym_envs.action import Action
from deepgym_envs.async_env import AsyncSweEnv
from deepgym_envs.errors import SandboxError
from deepgym_envs.rollout import Record
from deepgym_envs.task import Task
from deepgym_envs.trajectory import Trajectory


class AsyncAgent(Protocol):
    """An ``Agent`` whose answers are awaited, such as a model behind a network."""

    @property
    def name(self) -> str:
        """What reports call it."""

    def begin(self, task: Task, seed: int) -> None:
        """See ``Agent.begin``."""

    async def act(self, observation: Mapping[str, Any], info: Mapping[str, Any]) -> Action:
        """See ``Agent.act``."""


async def async_rollout(
    env: AsyncSweEnv,
    agent: AsyncAgent,
    *,
    seed: int,
    index: int = 0,
    task: Task | None = None,
    key: bytes | None = None,
) -> Trajectory:
    """Let ``agent`` play one episode of ``env`` to its end; the arguments are those of ``rollout``.

    Raises:
        TaskError: the agent cannot play this task.
    """
    record = Record(task or env.task, agent.name, env.sandbox, seed=seed, index=index, key=key)
    agent.begin(record.task, seed)
    try:
        observation, info = await env.reset(seed=seed, options={"task": task} if task else None)
        record.begin(observation, info)
        while not record.over:
            action = await agent.act(observation, info)
            observation, info = record.add(action, *await env.step(action.encode()))
    except SandboxError as error:  # from reset: no box can be had
        return record.failed(str(error))
    return record.ended(env.state, env.verdict)
