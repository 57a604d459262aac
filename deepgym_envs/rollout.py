"""Plays one episode."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import gymnasium as gym

from deepgym_envs.action import Action
from deepgym_envs.agents import Agent
from deepgym_envs.env import SweEnv
from deepgym_envs.errors import SandboxError
from deepgym_envs.patch import make_patch
from deepgym_envs.task import Task
from deepgym_envs.trajectory import Judgement, Step, Trajectory

Environment = gym.Env[dict[str, Any], Mapping[str, Any] | str]


def rollout(
    env: Environment, agent: Agent, *, seed: int, index: int = 0, task: Task | None = None
) -> Trajectory:
    """Let ``agent`` play one episode of ``env`` to its end.

    ``env`` is a ``SweEnv``, wrapped or not, whose actions are still those of ``deepgym_envs.action``.
    ``task`` makes it change to another task. ``seed`` seeds the environment and the agent; ``index`` only
    goes into the trajectory. A failure of the infrastructure ends in a masked trajectory, not in an error.

    Raises:
        TypeError: there is no ``SweEnv`` inside ``env``.
        TaskError: the agent cannot play this task.
    """
    inner = env.unwrapped
    if not isinstance(inner, SweEnv):
        raise TypeError(f"a rollout needs a SweEnv, wrapped or not; this is {inner!r}")
    started = time.monotonic()
    steps: list[Step] = []
    playing = task or inner.task
    agent.begin(playing, seed)
    error = ""
    try:
        observation, info = env.reset(seed=seed, options={"task": task} if task else None)
        start_state, start_potential = str(info["state"]), float(info["potential"])
        instruction = str(observation["instruction"])
        while not steps or not (steps[-1].terminated or steps[-1].truncated):
            action = agent.act(observation, info)
            observation, reward, terminated, truncated, info = env.step(action.encode())
            steps.append(_step(action, observation, float(reward), terminated, truncated, info))
        if info["masked"]:
            error = str(info["error"])
        patch = make_patch(inner.state)
    except SandboxError as failure:  # from reset: no box can be had
        info = {"masked": True, "judged": False}
        error, patch = str(failure), b""
        start_state, start_potential, instruction = "", 0.0, playing.instruction
    return Trajectory(
        task=playing.id,
        task_digest=playing.digest,
        agent=agent.name,
        sandbox=inner.sandbox,
        seed=seed,
        index=index,
        instruction=instruction,
        start_state=start_state,
        start_potential=start_potential,
        steps=tuple(steps),
        judgement=_judgement(info),
        patch=patch.decode("utf-8", "surrogateescape"),
        masked=bool(info["masked"]),
        error=error,
        seconds=time.monotonic() - started,
    )


def _step(
    action: Action,
    observation: Mapping[str, Any],
    reward: float,
    terminated: bool,
    truncated: bool,
    info: Mapping[str, Any],
) -> Step:
    passed, failed = observation["tests"]
    return Step(
        tool=action.tool,
        arguments=action.arguments(),
        output=str(observation["output"]),
        ok=bool(observation["ok"]),
        tests=(int(passed), int(failed)),
        error=str(info["error"]),
        reward=reward,
        reward_terms={str(name): float(value) for name, value in info["reward_terms"].items()},
        state=str(info["state"]),
        potential=float(info["potential"]),
        terminated=bool(terminated),
        truncated=bool(truncated),
    )


def _judgement(info: Mapping[str, Any]) -> Judgement | None:
    if not info["judged"]:
        return None
    return Judgement(
        passed=bool(info["passed"]),
        reason=str(info["reason"]),
        flags=tuple(str(flag) for flag in info["flags"]),
        forge_probability=float(info["forge_probability"]),
    )
