"""Plays one episode."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, SupportsFloat

import gymnasium as gym

from deepgym_envs.action import Action
from deepgym_envs.agents import Agent
from deepgym_envs.env import SweEnv
from deepgym_envs.errors import SandboxError
from deepgym_envs.grade import Verdict, evidence_of, sign
from deepgym_envs.patch import make_patch
from deepgym_envs.state import WorkspaceState
from deepgym_envs.task import Task
from deepgym_envs.trajectory import Judgement, Step, Trajectory

Environment = gym.Env[dict[str, Any], Mapping[str, Any] | str]


def rollout(
    env: Environment,
    agent: Agent,
    *,
    seed: int,
    index: int = 0,
    task: Task | None = None,
    key: bytes | None = None,
) -> Trajectory:
    """Let ``agent`` play one episode of ``env`` to its end.

    ``env`` is a ``SweEnv``, wrapped or not, whose actions are still those of ``deepgym_envs.action``.
    ``task`` makes it change to another task. ``seed`` seeds the environment and the agent; ``index`` only
    goes into the trajectory. With a ``key`` the trajectory has a signed record of its verdict. A failure of
    the infrastructure ends in a masked trajectory, not in an error.

    Raises:
        TypeError: there is no ``SweEnv`` inside ``env``.
        TaskError: the agent cannot play this task.
    """
    inner = env.unwrapped
    if not isinstance(inner, SweEnv):
        raise TypeError(f"a rollout needs a SweEnv, wrapped or not; this is {inner!r}")
    record = Record(task or inner.task, agent.name, inner.sandbox, seed=seed, index=index, key=key)
    agent.begin(record.task, seed)
    try:
        observation, info = env.reset(seed=seed, options={"task": task} if task else None)
        record.begin(observation, info)
        while not record.over:
            action = agent.act(observation, info)
            observation, info = record.add(action, *env.step(action.encode()))
    except SandboxError as error:  # from reset: no box can be had
        return record.failed(str(error))
    return record.ended(inner.state, inner.verdict)


class Record:
    """An episode while it is played, whoever drives it: ``begin``, ``add`` for each step, then its end."""

    def __init__(
        self, task: Task, agent: str, sandbox: str, *, seed: int, index: int, key: bytes | None = None
    ) -> None:
        self.task = task
        self._key = key
        self._agent, self._sandbox, self._seed, self._index = agent, sandbox, seed, index
        self._started = time.monotonic()
        self._steps: list[Step] = []
        self._instruction = task.instruction
        self._start_state, self._start_potential = "", 0.0
        self._info: Mapping[str, Any] = {"masked": True, "judged": False}

    @property
    def over(self) -> bool:
        """Whether the last step ended the episode."""
        return bool(self._steps) and (self._steps[-1].terminated or self._steps[-1].truncated)

    def begin(self, observation: Mapping[str, Any], info: Mapping[str, Any]) -> None:
        """Note what ``reset`` returned."""
        self._start_state, self._start_potential = str(info["state"]), float(info["potential"])
        self._instruction = str(observation["instruction"])

    def add(
        self,
        action: Action,
        observation: dict[str, Any],
        reward: SupportsFloat,
        terminated: bool,
        truncated: bool,
        info: dict[str, Any],
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Note what ``step`` returned for ``action``; gives back what an agent is shown of it."""
        self._steps.append(_step(action, observation, float(reward), terminated, truncated, info))
        self._info = info
        return observation, info

    def ended(self, state: WorkspaceState, verdict: Verdict | None) -> Trajectory:
        """The trajectory of the episode, which has come to its end in ``state`` with ``verdict``."""
        error = str(self._info["error"]) if self._info["masked"] else ""
        done = self._trajectory(make_patch(state), error)
        if self._key is None or verdict is None or done.masked:
            return done
        evidence = evidence_of(verdict, self.task, state, self._sandbox).of_episode(done)
        return replace(done, record=sign(evidence, self._key))

    def failed(self, error: str) -> Trajectory:
        """The trajectory of an episode that could not begin."""
        return self._trajectory(b"", error)

    def _trajectory(self, patch: bytes, error: str) -> Trajectory:
        return Trajectory(
            task=self.task.id,
            task_digest=self.task.digest,
            agent=self._agent,
            sandbox=self._sandbox,
            seed=self._seed,
            index=self._index,
            instruction=self._instruction,
            start_state=self._start_state,
            start_potential=self._start_potential,
            steps=tuple(self._steps),
            judgement=_judgement(self._info),
            patch=patch.decode("utf-8", "surrogateescape"),
            masked=bool(self._info["masked"]),
            error=error,
            seconds=time.monotonic() - self._started,
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
