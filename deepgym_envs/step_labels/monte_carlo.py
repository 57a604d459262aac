"""Finds out how good each state of an episode is: by forking it, and playing on from there, several times.

The estimate of a step is the share of continuations from the state after it that solve the task
(Math-Shepherd, Wang et al., arXiv:2312.08935, equation 4): the value of that state under the policy that
plays on, with the steps and the time that are left there.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deepgym_envs.action import Action, from_tool_call
from deepgym_envs.agents import Agent, AgentFactory, ScriptedAgent
from deepgym_envs.env import Snapshot, SweEnv
from deepgym_envs.errors import ActionError, SandboxError, UsageError
from deepgym_envs.parallel import side_by_side
from deepgym_envs.rollout import rollout
from deepgym_envs.step_labels.label import Continuations, LabelledEpisode
from deepgym_envs.task import Task
from deepgym_envs.trajectory import Step, Trajectory


@dataclass(frozen=True)
class _Visit:
    """A state in which an action was asked for, and what the agent had been shown."""

    snapshot: Snapshot
    observation: Mapping[str, Any]
    info: Mapping[str, Any]


@dataclass(frozen=True)
class _Job:
    visit: int
    seed: int


def continuation_seed(seed: int, step: int, number: int) -> int:
    """The seed of one continuation, in [0, 2^32), from that of its episode and the steps before it.

    >>> continuation_seed(0, 1, 0) == continuation_seed(0, 1, 0) != continuation_seed(0, 1, 1)
    True
    """
    said = f"continuation 1 {seed} {step} {number}".encode()
    return int.from_bytes(hashlib.sha256(said).digest()[:4], "big")


def label_episode(
    env: SweEnv,
    agent: Agent,
    policy: AgentFactory,
    *,
    seed: int,
    index: int = 0,
    task: Task | None = None,
    continuations: int = 4,
    workers: int = 1,
) -> LabelledEpisode:
    """Let ``agent`` play an episode, as ``rollout`` does, and ``policy`` go on from each of its states.

    An agent that ``policy`` makes is begun anew in each state, with the last observation: what was seen
    before, it does not know. From each state it plays ``continuations`` episodes; of one that always does the
    same a single one is enough. ``workers`` play at a time, each in a fork of ``env``, whose memory they
    share: no state is judged twice.

    Raises:
        UsageError: there is no continuation, or no worker.
        SandboxError: the episode itself is masked, so there is nothing to label.
        TaskError: an agent cannot play this task.
    """
    _check(continuations, workers)
    witness = _Witness(env, agent)
    trajectory = rollout(env, witness, seed=seed, index=index, task=task)
    return _labelled(env, trajectory, witness.visits, policy, continuations, workers)


def label_trajectory(
    env: SweEnv,
    trajectory: Trajectory,
    policy: AgentFactory,
    *,
    continuations: int = 4,
    workers: int = 1,
) -> LabelledEpisode:
    """The same for an episode that was played before: its actions are played again in ``env``.

    ``env`` plays the task already, and allows commands if the episode did.

    Raises:
        UsageError: the episode is of another task or version of it, or comes to other states when it is
            played again; or as ``label_episode``.
        SandboxError: the episode is masked, now or then.
        TaskError: the policy cannot play this task.
    """
    _check(continuations, workers)
    where = f"{trajectory.task} episode {trajectory.index} of {trajectory.agent}"
    if (trajectory.task, trajectory.task_digest) != (env.task.id, env.task.digest):
        raise UsageError(
            f"{where} cannot be labelled: the task is another, or has changed since; play it anew"
        )
    _refuse_masked(trajectory)
    witness = _Witness(
        env, ScriptedAgent(trajectory.agent, [_action(step, where) for step in trajectory.steps])
    )
    again = rollout(env, witness, seed=trajectory.seed, index=trajectory.index)
    _refuse_masked(again)
    then, now = ([(step.tool, step.state) for step in one.steps] for one in (trajectory, again))
    if then != now or trajectory.passed != again.passed:
        same = next((i for i, pair in enumerate(zip(then, now, strict=False)) if pair[0] != pair[1]), None)
        what = "its end is another" if same is None else f"step {same} leads to another state"
        raise UsageError(f"{where} cannot be labelled: played again, {what}; play it anew")
    return _labelled(env, trajectory, witness.visits, policy, continuations, workers)


class _Witness:
    """An agent that keeps each state in which it was asked for an action."""

    def __init__(self, env: SweEnv, agent: Agent) -> None:
        self._env, self._agent = env, agent
        self.visits: list[_Visit] = []

    @property
    def name(self) -> str:
        return self._agent.name

    def begin(self, task: Task, seed: int) -> None:
        self._agent.begin(task, seed)

    def act(self, observation: Mapping[str, Any], info: Mapping[str, Any]) -> Action:
        self.visits.append(_Visit(self._env.snapshot(), observation, info))
        return self._agent.act(observation, info)


def _labelled(
    env: SweEnv,
    trajectory: Trajectory,
    visits: list[_Visit],
    policy: AgentFactory,
    continuations: int,
    workers: int,
) -> LabelledEpisode:
    _refuse_masked(trajectory)
    jobs = [
        _Job(visit, continuation_seed(trajectory.seed, visit, number))
        for visit in range(len(visits))
        for number in range(continuations)
    ]
    players: list[_Player] = []
    try:
        players.extend(_Player(env.fork(), policy()) for _ in range(min(workers, len(jobs))))
        ends = side_by_side(
            lambda player, job, stopped: player.solves(visits[job.visit], job.seed, stopped),
            players, jobs, close=_Player.close,
        )  # fmt: skip
    finally:
        for player in players:
            player.close()
    name = players[0].agent.name
    states = [
        _counted(visit.snapshot.state.digest, ends[number * continuations : (number + 1) * continuations])
        for number, visit in enumerate(visits)
    ]
    last = Continuations(trajectory.steps[-1].state, int(trajectory.passed), 1, final=True)
    return LabelledEpisode(trajectory, name, states[0], (*states[1:], last))


@dataclass(frozen=True)
class _Player:
    env: SweEnv
    agent: Agent

    def solves(self, visit: _Visit, seed: int, stopped: threading.Event) -> bool | None:
        """Whether the agent solves the task from there; None if nobody can tell."""
        try:
            self.env.restore(visit.snapshot)
        except SandboxError:
            return None
        self.agent.begin(self.env.task, seed)
        observation, info = visit.observation, visit.info
        while not stopped.is_set():
            action = self.agent.act(observation, info)
            observation, _, terminated, truncated, info = self.env.step(action.encode())
            if terminated or truncated:
                return bool(info["passed"]) if info["judged"] else None
        return None

    def close(self) -> None:
        self.env.close()


def _counted(state: str, ends: list[bool | None]) -> Continuations:
    judged = [end for end in ends if end is not None]
    return Continuations(state, sum(judged), len(judged), len(ends) - len(judged))


def _action(step: Step, where: str) -> Action:
    try:
        return from_tool_call(step.tool, step.arguments)
    except ActionError as error:
        raise UsageError(f"{where} cannot be labelled: it holds a call that is none: {error}") from None


def _refuse_masked(trajectory: Trajectory) -> None:
    if trajectory.masked or trajectory.judgement is None:
        why = trajectory.error or "it has no verdict"
        raise SandboxError(f"{trajectory.task} episode {trajectory.index} cannot be labelled: {why}")


def _check(continuations: int, workers: int) -> None:
    if continuations < 1 or workers < 1:
        raise UsageError(
            f"there must be at least one continuation and one worker, not {continuations} and {workers}"
        )
