"""A tool call in JSON does what the action would, and any other text becomes an observation."""

from __future__ import annotations

import json
from typing import Any

import gymnasium as gym
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepgym_envs import SweEnv, Task
from deepgym_envs.action import EditFile, ReadFile, RunTests, Submit
from deepgym_envs.spaces import Unicode
from deepgym_envs.testing import FakeBackend
from deepgym_wrappers import ToolCallText

from ..tiny import fake, make_tiny, tiny  # noqa: TID252

FIXTURES = (fake, make_tiny, tiny)
ACTIONS = [
    ReadFile(path="tiny/__init__.py"),
    ReadFile(path="none"),
    EditFile(path="tiny/__init__.py", old="a - b", new="a + b"),
    RunTests(tests=("tests/test_tiny.py",)),
    Submit(confidence=0.5),
]


def _plain(value: Any) -> Any:
    return {key: _plain(inner) for key, inner in value.items()} if isinstance(value, dict) else str(value)


def test_text_does_what_the_action_would(tiny: Task, fake: FakeBackend) -> None:
    plain = SweEnv(tiny, fake)
    text = ToolCallText(SweEnv(tiny, fake))
    assert isinstance(text.action_space, Unicode)
    assert text.observation_space == plain.observation_space
    assert _plain(text.reset(seed=1)[1]) == _plain(plain.reset(seed=1)[1])
    for number, action in enumerate(ACTIONS):
        call = {"name": action.tool, "arguments": action.arguments()}
        theirs = text.step(json.dumps([call] if number % 2 else call))
        ours = plain.step(action.encode())
        assert [_plain(part) for part in theirs] == [_plain(part) for part in ours]
    plain.close()
    text.close()


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("Let me think.", "not JSON"),
        ("[]", "0 tool calls"),
        (
            '{"name": "run_command", "arguments": {"command": "ls"}}',
            "no tool 'run_command'; use one of read_file",
        ),
        ('{"name": "read_file", "arguments": {"file": "x"}}', "path: Field required"),
        ("\ud800", "not JSON"),
    ],
)
def test_other_text_becomes_an_observation(tiny: Task, fake: FakeBackend, said: str, words: str) -> None:
    env = ToolCallText(SweEnv(tiny, fake, measure="never"))
    env.reset(seed=1)
    observation, reward, terminated, truncated, info = env.step(said)
    assert (observation["ok"], reward, terminated, truncated, info["step"]) == (0, 0.0, False, False, 1)
    assert words in observation["output"]
    assert info["error"] == observation["output"]
    assert observation in env.observation_space
    env.close()


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text())
def test_no_text_raises(tiny: Task, fake: FakeBackend, text: str) -> None:
    env = ToolCallText(SweEnv(tiny, fake, measure="never"))
    env.reset()
    assert env.step(text)[0]["ok"] == 0
    env.close()


def test_samples_of_the_space_may_be_played(tiny: Task, fake: FakeBackend) -> None:
    env = ToolCallText(SweEnv(tiny, fake, measure="never"), max_length=50)
    env.action_space.seed(1)
    env.reset(seed=1)
    sample = env.action_space.sample()
    assert isinstance(sample, str)
    assert len(sample) <= 50
    env.step(sample)
    env.close()


def test_the_spec_makes_it_again(tiny: Task, fake: FakeBackend) -> None:
    made = gym.make("deepgym_envs/SWE-v0", task=tiny, sandbox=fake, measure="never")
    env = ToolCallText(made, max_length=77)
    assert env.spec is not None
    again = gym.make(env.spec)
    assert isinstance(again, ToolCallText)
    assert again.action_space == Unicode(77)
    again.reset(seed=1)
    assert again.step('{"name": "list_files"}')[4]["tool"] == "list_files"
    again.close()
    env.close()
