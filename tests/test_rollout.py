"""One episode, from its reset to its end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import pytest

from deepgym_envs import SandboxError, SweEnv, Task, WorkspaceState
from deepgym_envs.action import Action, ReadFile, RunTests
from deepgym_envs.agents import NoopAgent, OracleAgent
from deepgym_envs.errors import BoxLost
from deepgym_envs.patch import state_from_patch
from deepgym_envs.rollout import rollout
from deepgym_envs.sandbox import Backend, Command, Completed, Sandbox
from deepgym_envs.testing import FakeBackend, completed

from .tiny import MakeTiny, backend, fake, make_tiny, tiny, tiny_tests

FIXTURES = backend, fake, make_tiny, tiny


def test_a_trajectory_tells_what_happened(tiny: Task, backend: Backend) -> None:
    env = SweEnv(tiny, backend)
    try:
        done = rollout(env, OracleAgent(), seed=3, index=2)
        again = rollout(env, OracleAgent(), seed=3, index=2)
    finally:
        env.close()
    assert again == done
    assert done.key == (tiny.id, "oracle", 2, 3)
    assert (done.task_digest, done.sandbox) == (tiny.digest, backend.name)
    assert done.instruction == tiny.instruction
    assert done.start_state == WorkspaceState(tiny.base).digest
    assert done.start_potential == pytest.approx(2 / 3)
    assert done.passed
    assert not done.masked
    assert done.error == ""
    assert done.seconds > 0
    edit, tests, submit = done.steps
    assert edit.arguments["path"] == "tiny/__init__.py"
    assert edit.state == tests.state == tiny.gold.digest
    assert (tests.tests, tests.potential) == ((3, 0), 1.0)
    assert tests.reward == tests.reward_terms["shaping"] == pytest.approx(1 / 3)
    assert submit.terminated
    assert (submit.reward_terms["terminal"], submit.potential) == (1.0, 0.0)
    assert done.total_reward == pytest.approx(1 - 2 / 3)
    assert state_from_patch(tiny.base, done.patch.encode(errors="surrogateescape")) == tiny.gold


def test_the_task_can_be_changed_and_the_environment_wrapped(
    make_tiny: MakeTiny, tiny: Task, fake: FakeBackend
) -> None:
    other = make_tiny("other", steps=9)
    env = gym.wrappers.TimeLimit(gym.wrappers.OrderEnforcing(SweEnv(tiny, fake)), 100)
    with pytest.raises(TypeError, match="needs a SweEnv"):
        rollout(gym.make("CartPole-v1"), NoopAgent(), seed=0)
    done = rollout(env, NoopAgent(), seed=0, task=other)
    assert done.task == other.id
    assert rollout(env, NoopAgent(), seed=0).task == other.id
    env.close()


class Restless:
    """Reads for ever."""

    name = "restless"

    def begin(self, task: Task, seed: int) -> None:
        pass

    def act(self, observation: Mapping[str, Any], info: Mapping[str, Any]) -> Action:
        return RunTests() if info["step"] % 2 else ReadFile(path="tiny/__init__.py")


def test_an_episode_ends_with_its_budget(make_tiny: MakeTiny, fake: FakeBackend) -> None:
    env = SweEnv(make_tiny("short", steps=4), fake)
    done = rollout(env, Restless(), seed=0)
    env.close()
    assert len(done.steps) == 4
    assert done.steps[-1].truncated
    assert done.judgement is not None


class NoBoxes(FakeBackend):
    def open(self, task: Task) -> Sandbox:
        raise SandboxError("there is no room for a box")


def test_an_episode_that_cannot_begin_is_masked(tiny: Task) -> None:
    env = SweEnv(tiny, NoBoxes())
    done = rollout(env, NoopAgent(), seed=0)
    assert done.masked
    assert (done.error, done.judgement, done.steps, done.patch) == (
        "there is no room for a box",
        None,
        (),
        "",
    )
    assert done.instruction == tiny.instruction


def test_an_episode_whose_box_goes_is_masked(tiny: Task) -> None:
    runs = []

    def answer(state: WorkspaceState, command: Command) -> tuple[Completed, WorkspaceState]:
        runs.append(command)
        if len(runs) > 1:
            raise BoxLost("the engine went away", after_agent_code=False)
        return tiny_tests(state, command) if runs else (completed(), state)

    env = SweEnv(tiny, FakeBackend(answer))
    done = rollout(env, Restless(), seed=0)
    assert done.masked
    assert "the engine went away" in done.error
    assert done.judgement is None
    assert done.steps[-1].truncated
    assert done.steps[-1].reward == 0.0
