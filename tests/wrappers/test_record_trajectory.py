"""What is written down is what was played, under the rewards that the outermost wrapper pays."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from deepgym_envs import SweEnv, Task, WorkspaceState
from deepgym_envs.action import ListFiles, RunCommand, RunTests, Submit, WriteFile
from deepgym_envs.agents import ScriptedAgent
from deepgym_envs.errors import BoxLost
from deepgym_envs.rollout import rollout
from deepgym_envs.sandbox import Command, Completed
from deepgym_envs.testing import FakeBackend
from deepgym_wrappers import (
    FormatReward,
    KLLogging,
    RecordTrajectory,
    StalenessGuard,
    ToolCallText,
    read_trajectories,
)

from ..tiny import SOLVED, fake, make_tiny, tiny  # noqa: TID252
from .scripted import PlayedEnv

FIXTURES = (fake, make_tiny, tiny)
SOLVE = [WriteFile(path="tiny/__init__.py", content=SOLVED), RunTests(), Submit(confidence=0.5)]


def test_it_writes_what_a_rollout_returns(tiny: Task, fake: FakeBackend, tmp_path: Path) -> None:
    agent = ScriptedAgent("scripted", SOLVE)
    env = RecordTrajectory(SweEnv(tiny, fake), tmp_path, "scripted")
    returned = rollout(env, agent, seed=5)
    [written] = read_trajectories(tmp_path)
    assert written == returned
    assert written.passed
    assert written.total_reward == pytest.approx(1 / 3)
    env.close()


def test_rewards_and_masks_are_those_of_the_wrappers_inside(
    tiny: Task, fake: FakeBackend, tmp_path: Path
) -> None:
    guard = StalenessGuard(FormatReward(SweEnv(tiny, fake, measure="never"), penalty=0.25), limit=0)
    env = RecordTrajectory(guard, tmp_path)
    env.reset()
    env.step("Let me think.")
    guard.set_version(1)
    env.step(Submit().encode())
    [written] = read_trajectories(tmp_path)
    assert [step.reward for step in written.steps] == [-0.25, 0.0]
    assert written.steps[0].reward_terms == {"shaping": 0.0, "terminal": 0.0, "format": -0.25}
    assert (written.masked, written.seed) == (True, -1)
    assert written.error == "the policy is 1 versions old, more than 0"
    env.close()


def test_every_form_of_an_action_is_read(tiny: Task, fake: FakeBackend, tmp_path: Path) -> None:
    env = RecordTrajectory(KLLogging(ToolCallText(SweEnv(tiny, fake, measure="never"))), tmp_path)
    env.reset(seed=1)
    texts: list[Any] = [
        "Let me think. \ud800",
        '{"name": "run_command", "arguments": {"command": "ls"}}',
        ListFiles().encode(),
        '{"name": "submit", "arguments": {"confidence": 0.5}}',
    ]
    for text in texts:
        env.step({"action": text, "logp_policy": [-1.0], "logp_reference": [-1.0]})
    [written] = read_trajectories(tmp_path)
    assert [(step.tool, bool(step.error)) for step in written.steps] == [
        ("", True),
        ("run_command", True),
        ("list_files", False),
        ("submit", False),
    ]
    assert str(written.steps[0].arguments["text"]).startswith("Let me think.")
    assert written.steps[1].arguments == RunCommand(command="ls").arguments()
    env.close()


def test_an_episode_that_is_cut_short_is_not_written(tiny: Task, fake: FakeBackend, tmp_path: Path) -> None:
    env = RecordTrajectory(SweEnv(tiny, fake, measure="never"), tmp_path)
    env.reset(seed=1)
    env.step(ListFiles().encode())
    env.reset(seed=2)
    env.step(Submit().encode())
    [written] = read_trajectories(tmp_path)
    assert (written.seed, len(written.steps)) == (2, 1)
    env.close()


def lost(state: WorkspaceState, command: Command) -> tuple[Completed, WorkspaceState]:
    raise BoxLost("the box is gone")


def test_the_infrastructures_failure_is_written_as_masked(tiny: Task, tmp_path: Path) -> None:
    env = RecordTrajectory(SweEnv(tiny, FakeBackend(lost), measure="never"), tmp_path)
    env.reset(seed=1)
    assert env.step(RunTests().encode())[4]["masked"]
    [written] = read_trajectories(tmp_path)
    assert (written.masked, written.judgement, written.error) == (True, None, "the box is gone")
    env.close()


@pytest.mark.parametrize("mode", list(AutoresetMode))
def test_inside_a_vector_each_episode_is_written_once(
    tiny: Task, fake: FakeBackend, tmp_path: Path, mode: AutoresetMode
) -> None:
    def make() -> gym.Env[Any, Any]:
        return RecordTrajectory(SweEnv(tiny, fake, measure="never"), tmp_path)

    env = SyncVectorEnv([make] * 2, autoreset_mode=mode)
    env.reset(seed=7)
    action = env.action_space.sample()
    action["tool"][:] = Submit().encode()["tool"]
    env.step(action)
    if mode is AutoresetMode.DISABLED:
        env.reset(options={"reset_mask": np.array([True, True])})
    elif mode is AutoresetMode.NEXT_STEP:
        env.step(action)
    env.step(action)
    found = list(read_trajectories(tmp_path))
    assert [(done.index, done.seed, len(done.steps)) for done in found] == [
        (0, 7, 1), (1, 8, 1), (2, -1, 1), (3, -1, 1),
    ]  # fmt: skip
    env.close()


def test_the_other_format_appears_beside_each_line(tiny: Task, fake: FakeBackend, tmp_path: Path) -> None:
    env = RecordTrajectory(SweEnv(tiny, fake, measure="never"), tmp_path, "me", atif=True)
    for _ in range(2):
        env.reset(seed=1)
        env.step(Submit().encode())
    assert sorted(path.name for path in (tmp_path / "atif").iterdir()) == ["000000.json", "000001.json"]
    said = json.loads((tmp_path / "atif" / "000001.json").read_text())
    assert said["extra"]["index"] == 1
    env.close()


def test_only_a_deepgym_environment_can_be_written_down(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="a trajectory is of a SweEnv, wrapped or not"):
        RecordTrajectory(PlayedEnv([[]]), tmp_path)
