"""Timings are added to every info, and to nothing else."""

from __future__ import annotations

import gymnasium as gym

from deepgym_envs import SweEnv, Task
from deepgym_envs.action import ListFiles
from deepgym_envs.testing import FakeBackend
from deepgym_wrappers import EpisodeTimings

from ..tiny import fake, make_tiny, tiny  # noqa: TID252

FIXTURES = (fake, make_tiny, tiny)


def test_every_info_has_timings_that_grow(tiny: Task, fake: FakeBackend) -> None:
    plain = SweEnv(tiny, fake, measure="never")
    env = EpisodeTimings(SweEnv(tiny, fake, measure="never"))
    _, info = env.reset(seed=1)
    assert set(info) == {*plain.reset(seed=1)[1], "timings"}
    before = info["timings"]
    for _ in range(3):
        *_, info = env.step(ListFiles().encode())
        now = info["timings"]
        assert 0 < now["step_seconds"] < now["episode_seconds"]
        assert now["episode_seconds"] >= before["episode_seconds"] + now["step_seconds"]
        before = now
    _, info = env.reset(seed=1)
    assert info["timings"]["episode_seconds"] == info["timings"]["step_seconds"]
    plain.close()
    env.close()


def test_the_environments_own_info_stays_without(tiny: Task, fake: FakeBackend) -> None:
    inner = SweEnv(tiny, fake, measure="never")
    env = EpisodeTimings(inner)
    env.reset(seed=1)
    assert "timings" not in inner.step(ListFiles().encode())[4]
    env.close()


def test_the_spec_makes_it_again(tiny: Task, fake: FakeBackend) -> None:
    env = EpisodeTimings(gym.make("deepgym_envs/SWE-v0", task=tiny, sandbox=fake, measure="never"))
    assert env.spec is not None
    again = gym.make(env.spec)
    assert isinstance(again, EpisodeTimings)
    assert "timings" in again.reset(seed=1)[1]
    again.close()
    env.close()
