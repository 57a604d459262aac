"""Advantages are told when an episode, or its group, is complete, and never before."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from deepgym_envs import SweEnv, Task
from deepgym_envs.action import RunTests, Submit, WriteFile
from deepgym_envs.testing import FakeBackend
from deepgym_wrappers import AdvantageClip, AdvantageRule, VectorAdvantageClip

from ..tiny import SOLVED, fake, make_tiny, tiny  # noqa: TID252
from .scripted import ScriptedEnv, rewards

FIXTURES = (fake, make_tiny, tiny)
GROUP = AdvantageRule(baseline="group_mean")
Rows = list[tuple[Mapping[str, float], int]]


def played(env: AdvantageClip, steps: int) -> list[dict[str, Any]]:
    """The advantages that an episode of the scripted environment tells, from its reset on."""
    return [env.reset()[1]["advantages"], *(env.step(0)[4]["advantages"] for _ in range(steps))]


def test_an_episodes_advantages_are_told_when_it_ends(tiny: Task, fake: FakeBackend) -> None:
    env = AdvantageClip(SweEnv(tiny, fake), AdvantageRule(clip=(-0.1, 0.2)))
    told = [env.reset(seed=1)[1]["advantages"]]
    for action in (WriteFile(path="tiny/__init__.py", content=SOLVED), RunTests(), Submit()):
        _, _, _, _, info = env.step(action.encode())
        told.append(info["advantages"])
    assert [one["ready"] for one in told] == [False, False, False, True]
    assert told[-1]["returns"] == pytest.approx((1 / 3, 1 / 3, 0.0))
    assert told[-1]["steps"] == pytest.approx((0.2, 0.2, 0.0))
    assert told[-1]["clip_frac"] == pytest.approx(2 / 3)
    assert [set(one) for one in told[:-1]] == [set(told[-1])] * 3
    env.close()


def test_the_reward_is_the_environments() -> None:
    env = AdvantageClip(ScriptedEnv([rewards(100.0)]), AdvantageRule(clip=(-1, 1)))
    env.reset()
    assert env.step(0)[1] == 100.0


def test_an_episode_that_is_cut_short_leaves_nothing() -> None:
    env = AdvantageClip(ScriptedEnv([rewards(1, 1, 1)]))
    played(env, 2)
    assert played(env, 3)[-1]["returns"] == (3.0, 2.0, 1.0)


def test_a_running_mean_is_that_of_the_episodes_before() -> None:
    env = AdvantageClip(
        ScriptedEnv([rewards(1), rewards(3), rewards(5)]), AdvantageRule(baseline="running_mean")
    )
    assert [played(env, 1)[-1]["baseline"] for _ in range(3)] == [0.0, 1.0, 2.0]


def test_a_masked_episode_has_none_and_moves_no_baseline() -> None:
    script = [rewards(7, masked=True), rewards(1), rewards(1)]
    env = AdvantageClip(ScriptedEnv(script), AdvantageRule(baseline="running_mean"))
    told = [played(env, 1)[-1] for _ in range(3)]
    assert [one["ready"] for one in told] == [False, True, True]
    assert [one["baseline"] for one in told] == [0.0, 0.0, 1.0]


def test_sinks_get_the_share_that_was_clipped() -> None:
    rows: Rows = []
    env = AdvantageClip(
        ScriptedEnv([rewards(1, 1, 1, 1)]), AdvantageRule(clip=(-2, 2)), sinks=[lambda *row: rows.append(row)]
    )
    played(env, 4)
    assert rows == [
        (
            {
                "advantages/clip_frac": 0.5,
                "advantages/mean": 1.75,
                "advantages/std": pytest.approx(0.4330127),
                "advantages/min": 1.0,
                "advantages/max": 2.0,
            },
            1,
        )
    ]


def test_a_reward_that_is_none_is_refused() -> None:
    env = AdvantageClip(ScriptedEnv([rewards(1.0, float("nan"))]))
    with pytest.raises(ValueError, match="that of step 1 is nan"):
        played(env, 2)


def test_a_group_needs_several_environments() -> None:
    with pytest.raises(ValueError, match="use VectorAdvantageClip"):
        AdvantageClip(ScriptedEnv([rewards(1)]), GROUP)


def test_the_spec_makes_it_again(tiny: Task, fake: FakeBackend) -> None:
    made = gym.make("deepgym_envs/SWE-v0", task=tiny, sandbox=fake, measure="never")
    env = AdvantageClip(made, AdvantageRule(clip=(0.25, 0.75)))
    assert env.spec is not None
    again = gym.make(env.spec)
    again.reset(seed=1)
    assert again.step(Submit().encode())[4]["advantages"]["steps"] == (0.25,)
    again.close()
    env.close()


def vector(
    *scripts: Any,
    rule: AdvantageRule = GROUP,
    groups: Any = None,
    sinks: Any = (),
    mode: Any = AutoresetMode.NEXT_STEP,
) -> VectorAdvantageClip:
    made = SyncVectorEnv([partial(ScriptedEnv, script) for script in scripts], autoreset_mode=mode)
    return VectorAdvantageClip(made, rule, "g" * len(scripts) if groups is None else groups, sinks)


def steps(env: VectorAdvantageClip, count: int) -> list[dict[str, Any]]:
    return [env.step(np.zeros(env.num_envs, int))[4]["advantages"] for _ in range(count)]


def test_a_group_is_told_when_its_last_episode_ends() -> None:
    env = vector([rewards(3)], [rewards(0, 0, 0)], mode=AutoresetMode.DISABLED)
    env.reset()
    [told] = steps(env, 1)
    assert told["ready"].tolist() == [False, False]
    env.reset(options={"reset_mask": np.array([True, False])})
    [told] = steps(env, 1)
    env.reset(options={"reset_mask": np.array([True, False])})
    [told] = steps(env, 1)
    assert told["ready"].tolist() == [True, True]
    assert told["episode"].tolist() == [1.5, -1.5]
    assert told["steps"].tolist() == [(1.5,), (-1.5, -1.5, -1.5)]


def test_the_nth_episodes_of_all_are_a_group_however_many_one_has_finished() -> None:
    env = vector([rewards(1), rewards(2), rewards(3)], [rewards(*[0.0] * 5), rewards(0.0)])
    env.reset()
    told = steps(env, 7)
    assert [one["ready"].any() for one in told] == [False] * 4 + [True, False, True]
    assert told[4]["episode"].tolist() == [0.5, -0.5]
    assert told[6]["episode"].tolist() == [1.0, -1.0]


def test_labels_keep_groups_apart() -> None:
    env = vector(
        [rewards(1)],
        [rewards(10)],
        [rewards(3)],
        [rewards(30)],
        groups="abab",
        rule=AdvantageRule((-99, 99), baseline="group_mean"),
    )
    env.reset()
    assert steps(env, 1)[0]["episode"].tolist() == [-1.0, -10.0, 1.0, 10.0]


def test_masked_episodes_are_left_out_of_their_group() -> None:
    rows: Rows = []
    env = vector([rewards(9, masked=True)], [rewards(1)], [rewards(3)], sinks=[lambda *row: rows.append(row)])
    env.reset()
    [told] = steps(env, 1)
    assert told["ready"].tolist() == [False, True, True]
    assert told["episode"].tolist() == [0.0, -1.0, 1.0]
    assert [row["advantages/mean"] for row, _ in rows] == [0.0]


def test_a_group_that_is_masked_altogether_is_passed_over() -> None:
    rows: Rows = []
    script = [rewards(9, masked=True), rewards(1)]
    env = vector(script, script, sinks=[lambda *row: rows.append(row)])
    env.reset()
    assert [one["ready"].tolist() for one in steps(env, 3)] == [[False] * 2, [False] * 2, [True] * 2]
    assert len(rows) == 1


def test_a_reset_of_all_forgets_what_waits() -> None:
    env = vector([rewards(1), rewards(2), rewards(2)], [rewards(0, 0)], mode=AutoresetMode.DISABLED)
    env.reset()
    steps(env, 1)
    env.reset()
    [told] = steps(env, 1)
    env.reset(options={"reset_mask": np.array([True, False])})
    [told] = steps(env, 1)
    assert told["episode"].tolist() == [1.0, -1.0]


def test_without_groups_each_environment_is_by_itself_and_shares_the_running_mean() -> None:
    env = vector([rewards(2)], [rewards(4)], rule=AdvantageRule(baseline="running_mean"), groups=())
    env.reset()
    told = steps(env, 3)
    assert told[0]["baseline"].tolist() == [0.0, 0.0]
    assert told[2]["baseline"].tolist() == [3.0, 3.0]


def test_a_group_needs_a_label_for_each_environment() -> None:
    with pytest.raises(ValueError, match="label each of 2 environments, not 0"):
        vector([rewards(1)], [rewards(1)], groups=())
    with pytest.raises(ValueError, match="not SAME_STEP"):
        vector([rewards(1)], mode=AutoresetMode.SAME_STEP)
