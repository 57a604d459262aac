"""The Gymnasium id: made by name, made again from its spec, and registered once."""

from __future__ import annotations

import importlib
import json

import gymnasium as gym
import pytest

import deepgym_envs
from deepgym_envs import SweEnv, Task
from deepgym_envs.suite import task_ids
from deepgym_envs.testing import FakeBackend

from .tiny import fake, make_tiny, tiny

FIXTURES = (fake, make_tiny, tiny)
ID = "deepgym_envs/SWE-v0"


def test_importing_registers_one_id_and_again_changes_nothing() -> None:
    ours = [name for name in gym.registry if name.startswith("deepgym_envs/")]
    assert ours == [ID]
    spec = gym.registry[ID]
    importlib.reload(deepgym_envs)
    assert gym.registry[ID] is spec


@pytest.mark.parametrize("name", [ID, f"deepgym_envs:{ID}"])
def test_it_is_made_by_its_id(tiny: Task, fake: FakeBackend, name: str) -> None:
    env = gym.make(name, task=tiny, sandbox=fake, measure="never")
    assert isinstance(env.unwrapped, SweEnv)
    assert env.reset(seed=1)[1]["task"] == tiny.id
    env.close()


def test_a_spec_of_plain_values_survives_json() -> None:
    task = task_ids("starter")[0]
    env = gym.make(ID, task=task, sandbox="local", commands=True, measure="every_step", gamma=0.9)
    assert env.spec is not None
    said = env.spec.to_json()
    assert json.loads(said)["kwargs"]["task"] == task
    spec = gym.envs.registration.EnvSpec.from_json(said)
    again = gym.make(spec)
    assert isinstance(again.unwrapped, SweEnv)
    assert again.unwrapped.task.id == task
    assert again.action_space == env.action_space
    assert again.spec == env.spec
    env.close()
    again.close()


def test_a_spec_with_objects_makes_it_again(tiny: Task, fake: FakeBackend) -> None:
    memory = deepgym_envs.Memory()
    env = gym.make(ID, task=tiny, sandbox=fake, memory=memory)
    env.reset(seed=1)
    assert env.spec is not None
    again = gym.make(env.spec)
    assert isinstance(again.unwrapped, SweEnv)
    assert again.unwrapped._memory is memory
    assert again.unwrapped.task.digest == tiny.digest
    env.close()
    again.close()
