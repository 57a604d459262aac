"""Shaping sums to what it must for every kind of end, and whoever is paid already is refused."""

from __future__ import annotations

import itertools
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from hypothesis import given
from hypothesis import strategies as st

from deepgym_envs import SweEnv, Task, make_vec
from deepgym_envs.action import ListFiles, RunTests, Submit, WriteFile
from deepgym_envs.testing import FakeBackend
from deepgym_wrappers import ShapedReward, VectorShapedReward

from ..tiny import SOLVED, fake, make_tiny, tiny  # noqa: TID252
from .scripted import Play, PlayedEnv, episode

FIXTURES = (fake, make_tiny, tiny)
PHI = st.floats(0, 1)


def ends_after(steps: int, end: str, **info: Any) -> list[Play]:
    return [Play(end=end if number == steps else "", info=info) for number in range(1, steps + 1)]


def changed_files(observation: Any, info: Any) -> float:
    return min(1.0, len(info["changed_files"]) / 2)


@given(phis=st.lists(PHI, min_size=2, max_size=8), gamma=st.floats(0.05, 1), end=st.sampled_from(["terminated", "truncated"]))  # fmt: skip
def test_the_discounted_sum_is_that_of_the_first_potential_alone(
    phis: list[float], gamma: float, end: str
) -> None:
    env = ShapedReward(PlayedEnv([ends_after(len(phis) - 1, end)]), lambda seen, _info: phis[seen], gamma)
    total = sum(gamma**time * reward for time, (reward, _) in enumerate(episode(env)))
    assert total == pytest.approx(-phis[0])


@given(phis=st.lists(PHI, min_size=2, max_size=8), gamma=st.floats(0.05, 1))
def test_a_bootstrap_leaves_the_last_potential_at_a_truncation_only(phis: list[float], gamma: float) -> None:
    steps = len(phis) - 1
    for end, left in (("truncated", gamma**steps * phis[-1]), ("terminated", 0.0)):
        env = ShapedReward(
            PlayedEnv([ends_after(steps, end)]), lambda seen, _info: phis[seen], gamma, "bootstrap"
        )
        total = sum(gamma**time * reward for time, (reward, _) in enumerate(episode(env)))
        assert total == pytest.approx(left - phis[0])


def test_a_potential_that_flickers_earns_nothing_because_what_was_added_is_subtracted() -> None:
    flicker = itertools.cycle([0.2, 0.9, 0.1, 0.7, 0.3])
    env = ShapedReward(PlayedEnv([ends_after(4, "terminated")]), lambda _seen, _info: next(flicker))
    steps = episode(env)
    assert [round(info["potential"], 1) for _, info in steps] == [0.9, 0.1, 0.7, 0.0]
    assert sum(reward for reward, _ in steps) == pytest.approx(-0.2)


def test_an_episode_that_is_cut_short_leaves_no_potential_to_the_next() -> None:
    env = ShapedReward(PlayedEnv([ends_after(3, "terminated")]), lambda seen, _info: seen / 4)
    env.reset()
    env.step(0)
    env.step(0)
    assert sum(reward for reward, _ in episode(env)) == 0.0


def test_a_masked_end_is_paid_nothing() -> None:
    plays = [Play(), Play(end="truncated", info={"masked": True})]
    env = ShapedReward(PlayedEnv([plays], {"masked": False}), lambda _seen, _info: 0.5)
    assert [reward for reward, _ in episode(env)] == [0.0, 0.0]


def test_it_is_named_beside_the_terms_that_are_there(tiny: Task, fake: FakeBackend) -> None:
    env = ShapedReward(SweEnv(tiny, fake, measure="never"), changed_files)
    assert env.reset(seed=1)[1]["reward_terms"] == {"shaping": 0.0, "terminal": 0.0}
    _, reward, *_, info = env.step(WriteFile(path="tiny/__init__.py", content=SOLVED).encode())
    assert (reward, info["reward_terms"], info["potential"]) == (0.5, {"shaping": 0.5, "terminal": 0.0}, 0.5)
    _, reward, *_, info = env.step(Submit().encode())
    assert (reward, info["reward_terms"]) == (0.5, {"shaping": -0.5, "terminal": 1.0})
    env.close()


def test_an_environment_without_named_terms_gets_them() -> None:
    env = ShapedReward(PlayedEnv([[Play(2.0, end="terminated")]]), lambda _seen, _info: 0.25)
    assert env.reset()[1]["reward_terms"] == {"environment": 0.0, "shaping": 0.0}
    _, reward, *_, info = env.step(0)
    assert (reward, info["reward_terms"]) == (1.75, {"environment": 2.0, "shaping": -0.25})


@pytest.mark.parametrize("measure", ["run_tests", "every_step"])
def test_a_deepgym_environment_that_pays_shaping_is_refused(
    tiny: Task, fake: FakeBackend, measure: Any
) -> None:
    inner = SweEnv(tiny, fake, measure=measure)
    with pytest.raises(ValueError, match="pays shaping itself; make it with measure='never', or say beside"):
        ShapedReward(gym.wrappers.OrderEnforcing(inner), changed_files)
    inner.close()


def test_both_are_paid_if_that_is_asked_for_and_both_potentials_are_told(
    tiny: Task, fake: FakeBackend
) -> None:
    env = ShapedReward(SweEnv(tiny, fake), changed_files, beside=True)
    env.reset(seed=1)
    for action, paid in ((WriteFile(path="tiny/__init__.py", content=SOLVED), 0.5), (RunTests(), 1 / 3)):
        _, reward, *_, info = env.step(action.encode())
        assert reward == info["reward_terms"]["shaping"] == pytest.approx(paid)
    info = env.step(ListFiles().encode())[4]
    assert info["potential"] == pytest.approx(1.5)
    env.step(Submit().encode())
    env.close()


def test_one_inside_another_is_refused_when_it_pays() -> None:
    inner = ShapedReward(PlayedEnv([ends_after(2, "terminated")]), lambda seen, _info: seen / 2)
    env = ShapedReward(inner, lambda _seen, _info: 0.0)
    env.reset()
    with pytest.raises(ValueError, match="pays shaping itself"):
        env.step(0)


def test_a_vector_that_pays_shaping_is_refused_when_it_pays(tiny: Task, fake: FakeBackend) -> None:
    made = make_vec(tiny, 2, sandbox=fake, vectorization_mode="sync")
    env = VectorShapedReward(made, changed_files)
    with pytest.raises(ValueError, match="pays shaping itself"):
        env.reset(seed=1)
    env.close()


@pytest.mark.parametrize("phi", [-0.1, 1.1, float("nan"), float("inf"), "high", None, [0.5], np.array([0.5])])
def test_what_is_no_potential_is_refused_at_once(phi: Any) -> None:
    env = ShapedReward(PlayedEnv([ends_after(2, "terminated")]), lambda _seen, _info: phi)
    with pytest.raises(ValueError, match=r"the potential must be in \[0, 1\], not "):
        env.reset()


def test_what_a_potential_raises_says_where_it_came_from() -> None:
    env = ShapedReward(PlayedEnv([[]]), lambda _seen, info: info["no such key"])
    with pytest.raises(KeyError) as raised:
        env.reset()
    assert "raised by the potential of ShapedReward" in raised.value.__notes__[0]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"gamma": 0.0}, r"gamma must be in \(0, 1\], not 0.0"),
        ({"gamma": float("nan")}, r"gamma must be in \(0, 1\], not nan"),
        ({"gamma": np.ones(3)}, r"not something of the shape \(3,\)"),
        ({"end": "keep"}, "end must be one of zero, bootstrap, not 'keep'"),
        ({"potential": 0.5}, r"potential must be callable with \(observation, info\)"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        ShapedReward(PlayedEnv([[]]), **{"potential": changed_files, **arguments})


@pytest.mark.parametrize("mode", list(AutoresetMode))
@pytest.mark.parametrize("reward", [float("nan"), float("inf")])
def test_a_reward_that_is_none_is_refused(mode: AutoresetMode, reward: float) -> None:
    def make() -> gym.Env[Any, Any]:
        return PlayedEnv([[Play(reward, end="terminated")]])

    env = ShapedReward(make(), lambda _seen, _info: 0.0)
    env.reset()
    with pytest.raises(ValueError, match=r"the environment's reward must be a finite number"):
        env.step(0)
    many = VectorShapedReward(SyncVectorEnv([make] * 2, autoreset_mode=mode), lambda _seen, _info: 0.0)
    many.reset()
    with pytest.raises(ValueError, match=r"the reward of environment 0 must be a finite number"):
        many.step(np.zeros(2, int))
