"""Many environments at once: spaces of text, infos that differ, and episodes begun anew by a mask."""

from __future__ import annotations

import copy
import pickle
from functools import partial
from typing import Any, Literal

import numpy as np
import pytest
from gymnasium.vector import VectorEnv
from gymnasium.wrappers.vector import RecordEpisodeStatistics

from deepgym_envs import Memory, SweEnv, Task, UnknownTask, make_vec
from deepgym_envs.action import Action, EditFile, ListFiles, ReadFile, RunTests, Submit
from deepgym_envs.sandbox import Backend
from deepgym_envs.testing import FakeBackend

from .tiny import MakeTiny, TrustedLocalBackend, backend, fake, make_tiny, tiny

FIXTURES = (backend, fake, make_tiny, tiny)
MODULE = "tiny/__init__.py"
MEND = EditFile(path=MODULE, old="a - b", new="a + b")
Mode = Literal["sync", "async"]
both = pytest.mark.parametrize("mode", ["sync", "async"])


def batch(env: VectorEnv[Any, Any, Any], *actions: Action) -> dict[str, Any]:
    """One action for each environment, as an element of the batched action space."""
    rows = [action.encode() for action in actions]
    space = env.action_space
    batched = {
        name: tuple(row[name] for row in rows)
        if isinstance(rows[0][name], str)
        else np.stack([row[name] for row in rows])
        for name in rows[0]
    }
    assert batched in space
    return batched


@both
def test_environments_step_side_by_side(tiny: Task, fake: FakeBackend, mode: Mode) -> None:
    env = make_vec(
        tiny, 3, sandbox=fake, vectorization_mode=mode, max_concurrency=2 if mode == "async" else None
    )
    observations, infos = env.reset(seed=1)
    assert observations in env.observation_space
    assert infos["step"].tolist() == [0, 0, 0]
    observations, rewards, _, _, infos = env.step(batch(env, MEND, ReadFile(path="none"), RunTests()))
    assert observations["ok"].tolist() == [1, 0, 1]
    assert observations["output"][0] == f"edited {MODULE} at line 2"
    assert [str(tool) for tool in infos["tool"]] == ["edit_file", "read_file", "run_tests"]
    assert infos["reward_terms"]["shaping"].tolist() == rewards.tolist() == [0.0, 0.0, 0.0]
    *_, terminated, _, infos = env.step(batch(env, Submit(), ListFiles(), Submit()))
    assert terminated.tolist() == [True, False, True]
    assert infos["passed"].tolist() == [True, False, False]
    assert [tuple(paths) for paths in infos["changed_files"]] == [(MODULE,), (), ()]
    env.close()


@both
def test_a_mask_begins_some_episodes_anew(tiny: Task, fake: FakeBackend, mode: Mode) -> None:
    env = make_vec(tiny, 2, sandbox=fake, vectorization_mode=mode, measure="never")
    env.reset(seed=1)
    env.step(batch(env, Submit(), MEND))
    observations, infos = env.reset(options={"reset_mask": np.array([True, False])})
    assert observations["steps_left"].tolist() == [40, 39]
    assert infos["_step"].tolist() == [True, False]
    observations, _, terminated, _, infos = env.step(batch(env, ListFiles(), Submit()))
    assert terminated.tolist() == [False, True]
    assert infos["passed"].tolist() == [False, True]
    env.close()


@both
def test_tasks_with_other_limits_fit_into_one_vector(
    tiny: Task, make_tiny: MakeTiny, fake: FakeBackend, mode: Mode
) -> None:
    other = make_tiny("small", steps=3, output_bytes=2000)
    env = make_vec([tiny, other], sandbox=fake, vectorization_mode=mode, measure="never")
    observations, infos = env.reset(seed=1)
    assert [str(task) for task in infos["task"]] == ["made/one", "made/small"]
    assert observations["steps_left"].tolist() == [40, 3]
    env.close()


def test_statistics_can_be_recorded(tiny: Task, fake: FakeBackend) -> None:
    env = RecordEpisodeStatistics(make_vec(tiny, 2, sandbox=fake, vectorization_mode="sync"))
    env.reset(seed=1)
    env.step(batch(env, MEND, MEND))
    *_, infos = env.step(batch(env, Submit(), Submit()))
    assert infos["episode"]["l"].tolist() == [2, 2]
    assert infos["episode"]["r"].tolist() == pytest.approx([1 / 3, 1 / 3])
    env.close()


@pytest.mark.slow
def test_real_boxes_in_processes_of_their_own(tiny: Task, backend: Backend) -> None:
    env = make_vec(tiny, 2, sandbox=backend, max_concurrency=1)
    env.reset(seed=1)
    env.step(batch(env, MEND, ReadFile(path=MODULE)))
    _, rewards, terminated, _, infos = env.step(batch(env, Submit(), Submit()))
    assert infos["passed"].tolist() == [True, False]
    assert terminated.all()
    assert rewards.tolist() == pytest.approx([1 / 3, -2 / 3])
    env.close()


def test_the_numbers_must_fit_together(tiny: Task, fake: FakeBackend) -> None:
    for tasks, count in (([], None), ([tiny], 2), ([tiny, tiny], 1)):
        with pytest.raises(ValueError, match="environments were asked for"):
            make_vec(tasks, count, sandbox=fake)
    with pytest.raises(UnknownTask):
        make_vec("starter/none", 2, sandbox=fake, vectorization_mode="sync")


def test_what_a_worker_is_given_can_be_pickled(tiny: Task) -> None:
    """Where processes are not forked, the maker of an environment travels to its worker."""
    assert tiny.base.digest
    memory = Memory(7)
    maker = partial(SweEnv, tiny, TrustedLocalBackend(), memory=memory, measure="never")
    env = pickle.loads(pickle.dumps(maker))()
    assert env.task.digest == tiny.digest
    env.close()
    assert copy.deepcopy(memory) is memory
