"""What is told of divergences is what the pure functions say of the tokens, for one environment as for many."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Mapping
from functools import partial
from typing import Any, Literal

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from hypothesis import given
from hypothesis import strategies as st

from deepgym_envs import AsyncSweEnv, Memory, SweEnv, Task, make_vec
from deepgym_envs.action import ListFiles, RunTests, Submit, WriteFile
from deepgym_envs.kl import (
    DIRECTIONS,
    ESTIMATORS,
    AdaptiveCoefficient,
    FixedCoefficient,
    LinearCoefficient,
    episode_sum,
    kl_per_token,
)
from deepgym_envs.testing import FakeBackend
from deepgym_wrappers import KLLogging, KLSettings, ToolCallText, VectorKLLogging

from ..tiny import SOLVED, fake, make_tiny, tiny  # noqa: TID252
from .scripted import ScriptedEnv, rewards

FIXTURES = (fake, make_tiny, tiny)
MEND = WriteFile(path="tiny/__init__.py", content=SOLVED)
PRICED = KLSettings(penalty=True, coefficient=FixedCoefficient(0.1))
NAN = float("nan")


class Kept:
    """A sink that keeps what it is given."""

    def __init__(self) -> None:
        self.rows: list[tuple[Mapping[str, float], int]] = []

    def __call__(self, metrics: Mapping[str, float], step: int, /) -> None:
        self.rows.append((metrics, step))


def said(action: Any, policy: Any, reference: Any, mask: Any = None) -> dict[str, Any]:
    masked = {} if mask is None else {"mask": mask}
    return {"action": action, "logp_policy": policy, "logp_reference": reference, **masked}


def costing(*nats: float) -> dict[str, Any]:
    """An action of the scripted environment whose tokens have these values of k1."""
    return said(0, [-9.0] * len(nats), [-9.0 - nat for nat in nats])


def test_every_number_is_that_of_the_pure_functions(tiny: Task, fake: FakeBackend) -> None:
    env = KLLogging(SweEnv(tiny, fake, measure="never"))
    env.reset(seed=1)
    policy, reference, mask = [-1.0, NAN, -0.2, -3.0], [-1.5, 0.0, -0.1, -2.0], [1, 0, 1, 1]
    before = env.step(said(ListFiles().encode(), [-0.5], [-0.75]))[4]["kl"]
    told = env.step(said(ListFiles().encode(), policy, reference, mask))[4]["kl"]
    for direction in DIRECTIONS:
        for name in ESTIMATORS:
            every = kl_per_token(policy, reference, mask, estimator=name, direction=direction)
            found = told[direction]
            assert found["token"][name] == tuple(every[[0, 2, 3]].tolist())
            assert found["step"][name] == pytest.approx(float(episode_sum(every)))
            assert found["episode"][name] == pytest.approx(
                before[direction]["episode"][name] + found["step"][name]
            )
    assert (told["tokens"], told["episode_tokens"]) == (3, 4)
    env.close()


def test_reset_and_step_tell_the_same_keys_and_reset_begins_at_0(tiny: Task, fake: FakeBackend) -> None:
    env = KLLogging(SweEnv(tiny, fake, measure="never"), PRICED)
    first = env.reset(seed=1)[1]
    stepped = env.step(said(ListFiles().encode(), [-1.0], [-2.0]))[4]
    again = env.reset(seed=1)[1]
    assert set(first) == set(stepped)
    assert set(first["kl"]) == set(stepped["kl"])
    assert first["kl"] == again["kl"]
    assert again["kl"]["reverse"]["episode"] == dict.fromkeys(ESTIMATORS, 0.0)
    assert first["reward_terms"] == {"shaping": 0.0, "terminal": 0.0, "kl": 0.0}
    env.close()


def test_without_a_penalty_reward_and_terms_are_the_environments(tiny: Task, fake: FakeBackend) -> None:
    env = KLLogging(SweEnv(tiny, fake), KLSettings(coefficient=FixedCoefficient(5.0)))
    env.reset(seed=1)
    env.step(said(MEND.encode(), [-1.0], [-2.0]))
    _, reward, _, _, info = env.step(said(RunTests().encode(), [-1.0], [-2.0]))
    assert reward == info["reward_terms"]["shaping"] > 0
    assert set(info["reward_terms"]) == {"shaping", "terminal"}
    assert (info["kl"]["penalty"], info["kl"]["coefficient"]) == (0.0, 5.0)
    env.close()


def test_with_a_penalty_the_terms_sum_to_the_reward(tiny: Task, fake: FakeBackend) -> None:
    env = KLLogging(SweEnv(tiny, fake), PRICED)
    env.reset(seed=1)
    total = 0.0
    for action in (MEND, RunTests(), Submit()):
        _, reward, *_, info = env.step(said(action.encode(), [-1.0, -1.0], [-1.5, -2.5]))
        assert info["reward_terms"]["kl"] == pytest.approx(-0.2) == -info["kl"]["penalty"]
        assert float(reward) == pytest.approx(sum(info["reward_terms"].values()))
        total += float(reward)
    assert total == pytest.approx(1 - 2 / 3 - 0.6)
    env.close()


def test_an_environment_without_named_terms_gets_them() -> None:
    env = KLLogging(ScriptedEnv([rewards(2.0, 3.0)]), PRICED)
    assert env.reset()[1]["reward_terms"] == {"environment": 0.0, "kl": 0.0}
    _, reward, *_, info = env.step(costing(1.0))
    assert (reward, info["reward_terms"]) == (1.9, {"environment": 2.0, "kl": -0.1})


def test_the_charged_estimator_is_the_one_that_was_chosen() -> None:
    settings = KLSettings("k3", "forward", penalty=True, coefficient=FixedCoefficient(1.0), limit=0.5)
    env = KLLogging(ScriptedEnv([rewards(0.0)]), settings)
    env.reset()
    info = env.step(costing(0.5, -3.0))[4]
    tokens = info["kl"]["forward"]["token"]["k3"]
    assert tokens[1] == 0.5
    assert info["kl"]["penalty"] == pytest.approx(sum(tokens))


@pytest.mark.parametrize(
    ("action", "words"),
    [
        (ListFiles().encode(), "an action must be a mapping with action, logp_policy, logp_reference"),
        ('{"name": "list_files"}', "and mask if need be, not str"),
        ({"action": 0, "logp_policy": []}, "this one has action, logp_policy"),
        (said(0, [], []) | {"logprob": 1}, "this one has action, logp_policy, logp_reference, logprob"),
        (said(0, [-1.0], []), r"the policy's have \(1,\), the reference's \(0,\)"),
        (said(0, [NAN], [-1.0]), r"the policy's at \[0\] is nan"),
        (said(0, [-1.0], [-float("inf")]), r"the reference's at \[0\] is -inf"),
        (said(0, [-1.0], [-1.0], [1, 1]), r"mask must have the shape \(1,\)"),
        (said(0, [[-1.0]], [[-1.0]]), r"the shape \(tokens,\), not \(1, 1\)"),
        (said(0, [-800.0], [0.0]), "too large for a number; give a limit"),
    ],
)
def test_what_does_not_fit_is_refused_before_the_environment_steps(
    tiny: Task, fake: FakeBackend, action: Any, words: str
) -> None:
    env = KLLogging(SweEnv(tiny, fake, measure="never"))
    env.reset(seed=1)
    with pytest.raises(ValueError, match=words):
        env.step(action)
    info = env.step(said(ListFiles().encode(), [], []))[4]
    assert (info["step"], info["kl"]["episode_tokens"]) == (1, 0)
    env.close()


def test_the_alarm_is_raised_above_the_budget_and_until_the_episode_ends() -> None:
    env = KLLogging(ScriptedEnv([rewards(0, 0, 0, 0)]), KLSettings(budget=2.0))
    env.reset()
    alarms = [env.step(costing(nat))[4]["kl"]["alarm"] for nat in (2.0, 0.5, 0.5)]
    assert alarms == [False, True, True]
    assert not env.reset()[1]["kl"]["alarm"]


def test_a_coefficient_answers_to_the_mean_of_as_many_episodes_as_it_should() -> None:
    start = AdaptiveCoefficient(1.0, target=2.0, horizon=10)
    settings = KLSettings(penalty=True, coefficient=start, episodes_per_update=2)
    env = KLLogging(ScriptedEnv([rewards(0.0, 0.0)]), settings)
    charged = []
    for nats in (1.0, 1.2, 9.0):
        env.reset()
        env.step(costing(nats))
        charged.append(env.step(costing(nats))[4]["kl"]["coefficient"])
    assert charged == [1.0, 1.0, start.updated(2.2, 2).value]


def test_a_schedule_counts_episodes() -> None:
    settings = KLSettings(penalty=True, coefficient=LinearCoefficient(1.0, 0.0, length=2))
    env = KLLogging(ScriptedEnv([rewards(0.0)]), settings)
    paid = [env.step(costing(1.0))[1] for _ in range(3) if env.reset()]
    assert paid == [-1.0, -0.5, 0.0]


def test_a_masked_episode_costs_nothing_and_is_not_counted() -> None:
    kept = Kept()
    settings = KLSettings(penalty=True, coefficient=LinearCoefficient(1.0, 0.0, length=2))
    env = KLLogging(ScriptedEnv([rewards(0.0, masked=True), rewards(0.0)]), settings, sinks=[kept])
    env.reset()
    assert env.step(costing(1.0))[1] == 0.0
    env.reset()
    assert env.step(costing(1.0))[1] == -1.0
    assert len(kept.rows) == 1


def test_sinks_get_each_finished_episode_by_the_names_of_the_field() -> None:
    kept, printed = Kept(), Kept()
    env = KLLogging(ScriptedEnv([rewards(0.0, 0.0)]), PRICED, sinks=[kept, printed])
    for nats in (1.0, 2.0):
        env.reset()
        env.step(costing(nats, nats))
        env.reset() if nats == 1.0 else None  # cut short: not logged
        env.step(costing())
        if nats == 1.0:
            env.step(costing(0.5))
    assert kept.rows == printed.rows
    (first, _), (second, number) = kept.rows
    assert number == 2
    assert (first["kl"], second["kl"], second["kl/k1"], second["kl/per_token"]) == (0.5, 4.0, 4.0, 2.0)
    assert second["kl/penalty"] == pytest.approx(0.4)
    assert (second["kl/coef"], second["kl/tokens"], second["kl/steps"], second["kl/alarm"]) == (0.1, 2, 2, 0)
    assert {"kl/k2", "kl/k3", "kl/abs", "kl/forward/k3"} < set(second)


@given(steps=st.lists(st.lists(st.floats(-20, 20), max_size=5), min_size=1, max_size=5))
def test_steps_sum_to_episodes_whatever_is_sampled(steps: list[list[float]]) -> None:
    env = KLLogging(ScriptedEnv([rewards(*[0.0] * len(steps))]), KLSettings(limit=10.0))
    env.reset()
    told = [
        env.step(said(0, [-20.0] * len(row), [-20.0 - abs(nat) for nat in row]))[4]["kl"] for row in steps
    ]
    for direction in DIRECTIONS:
        for name in ESTIMATORS:
            total = sum(one[direction]["step"][name] for one in told)
            assert told[-1][direction]["episode"][name] == pytest.approx(total)
            assert all(
                one[direction]["step"][name] == pytest.approx(sum(one[direction]["token"][name]))
                for one in told
            )


def test_the_environment_checks_out_and_samples_can_be_played(tiny: Task, fake: FakeBackend) -> None:
    env = KLLogging(SweEnv(tiny, fake, measure="never"))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*different from the unwrapped version")
        check_env(env, skip_render_check=True)
    env.action_space.seed(1)
    env.reset(seed=1)
    for _ in range(5):
        sample = env.action_space.sample()
        assert sample in env.action_space
        if sample["action"]["tool"] != Submit().encode()["tool"]:
            env.step(sample)
    assert {**sample, "logp_policy": [1.0]} not in env.action_space
    assert {**sample, "logp_policy": "x"} not in env.action_space
    env.close()


def test_it_goes_around_a_wrapper_of_texts(tiny: Task, fake: FakeBackend) -> None:
    env = KLLogging(ToolCallText(SweEnv(tiny, fake, measure="never")))
    env.reset(seed=1)
    info = env.step(said('{"name": "list_files", "arguments": {}}', [-1.0], [-2.0]))[4]
    assert (info["tool"], info["kl"]["tokens"]) == ("list_files", 1)
    env.close()


async def _awaited(env: AsyncSweEnv) -> dict[str, Any]:
    async with env:
        await env.reset(seed=1)
        return dict((await env.step(said(ListFiles().encode(), [-1.0], [-2.0])))[4])


def test_it_can_be_awaited(tiny: Task, fake: FakeBackend) -> None:
    info = asyncio.run(_awaited(AsyncSweEnv(KLLogging(SweEnv(tiny, fake, measure="never")))))
    assert info["kl"]["reverse"]["step"]["k1"] == 1.0


def test_the_spec_makes_it_again(tiny: Task, fake: FakeBackend) -> None:
    kept = Kept()
    made = gym.make("deepgym_envs/SWE-v0", task=tiny, sandbox=fake, measure="never")
    env = KLLogging(made, PRICED, sinks=[kept])
    assert env.spec is not None
    again = gym.make(env.spec)
    assert isinstance(again, KLLogging)
    again.reset(seed=1)
    assert again.step(said(Submit().encode(), [-1.0], [-2.0]))[1] == -0.1
    assert len(kept.rows) == 1
    again.close()
    env.close()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"estimator": "k9"}, "estimator must be one of"),
        ({"direction": "up"}, "direction must be one of"),
        ({"budget": 0.0}, "budget must be above 0"),
        ({"budget": NAN}, "budget must be above 0"),
        ({"limit": -1.0}, "limit must be above 0"),
        ({"episodes_per_update": 0}, "episodes must be at least 1"),
        (
            {"coefficient": AdaptiveCoefficient(1.0, target=1.0, horizon=1), "episodes_per_update": 5},
            "longer horizon",
        ),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        KLSettings(**settings)


def batch(action: Any, count: int) -> dict[str, Any]:
    row = action.encode()
    return {
        name: (value,) * count if isinstance(value, str) else np.stack([value] * count)
        for name, value in row.items()
    }


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_a_vector_tells_of_each_environment_what_it_would_tell_alone(
    tiny: Task, fake: FakeBackend, mode: Literal["sync", "async"]
) -> None:
    made = make_vec(tiny, 2, sandbox=fake, vectorization_mode=mode, measure="never", memory=Memory())
    env = VectorKLLogging(made, PRICED)
    _, infos = env.reset(seed=1)
    assert infos["reward_terms"]["kl"].tolist() == [0.0, 0.0]
    policy, reference = [[-1.0], [-1.0, -2.0]], [[-1.5], [-1.0, -3.0]]
    _, paid, _, _, infos = env.step(said(batch(ListFiles(), 2), policy, reference))
    for number in (0, 1):
        one = KLLogging(SweEnv(tiny, fake, measure="never"), PRICED)
        one.reset(seed=1)
        _, reward, *_, info = one.step(said(ListFiles().encode(), policy[number], reference[number]))
        one.close()
        assert paid[number] == reward
        assert _of(infos["kl"], number) == info["kl"]
        assert _of(infos["reward_terms"], number) == info["reward_terms"]
    env.close()


def _of(infos: Mapping[str, Any], number: int) -> dict[str, Any]:
    """What the infos of a vector say of one environment."""
    return {
        name: _of(value, number) if isinstance(value, dict) else value[number]
        for name, value in infos.items()
        if not name.startswith("_")
    }


def test_one_array_with_a_mask_does_for_all_environments() -> None:
    env = VectorKLLogging(SyncVectorEnv([partial(ScriptedEnv, [rewards(0.0, 0.0)])] * 2))
    env.reset()
    action = said(
        np.zeros(2, int), np.full((2, 3), -1.0), np.full((2, 3), -2.0), np.array([[1, 1, 0], [0, 0, 0]])
    )
    infos = env.step(action)[4]
    assert infos["kl"]["reverse"]["step"]["k1"].tolist() == [2.0, 0.0]


def vector(mode: AutoresetMode, *scripts: Any) -> SyncVectorEnv:
    return SyncVectorEnv([partial(ScriptedEnv, script) for script in scripts], autoreset_mode=mode)


ZERO, ONE = [-1.0], [-2.0]


def test_a_mask_begins_some_episodes_anew_and_the_others_go_on() -> None:
    env = VectorKLLogging(vector(AutoresetMode.DISABLED, [rewards(0)], [rewards(0, 0, 0)]))
    env.reset()
    env.step(said(np.zeros(2, int), [ZERO] * 2, [ONE] * 2))
    mask = np.array([True, False])
    options = {"reset_mask": mask}
    _, infos = env.reset(options=options)
    assert infos["_kl"].tolist() == [True, False]
    infos = env.step(said(np.zeros(2, int), [ZERO] * 2, [ONE] * 2))[4]
    assert infos["kl"]["reverse"]["episode"]["k1"].tolist() == [1.0, 2.0]


def test_a_step_that_only_resets_counts_for_nothing() -> None:
    kept = Kept()
    env = VectorKLLogging(
        vector(AutoresetMode.NEXT_STEP, [rewards(1.0)], [rewards(0, 0, 0)]), PRICED, sinks=[kept]
    )
    env.reset()
    action = said(np.zeros(2, int), [ZERO] * 2, [ONE] * 2)
    totals, paid = [], []
    for _ in range(3):
        _, reward, *_, infos = env.step(action)
        totals.append(infos["kl"]["reverse"]["episode"]["k1"].tolist())
        paid.append(reward.tolist())
    assert totals == [[1.0, 1.0], [0.0, 2.0], [1.0, 3.0]]
    assert paid == [[0.9, -0.1], [0.0, -0.1], [0.9, -0.1]]
    assert [row["kl"] for row, _ in kept.rows] == [1.0, 1.0, 3.0]


def test_all_environments_of_a_step_are_charged_alike() -> None:
    settings = KLSettings(penalty=True, coefficient=LinearCoefficient(1.0, 0.0, length=2))
    env = VectorKLLogging(vector(AutoresetMode.DISABLED, [rewards(0)], [rewards(0)]), settings)
    env.reset()
    action = said(np.zeros(2, int), [ZERO] * 2, [ONE] * 2)
    assert env.step(action)[1].tolist() == [-1.0, -1.0]
    env.reset()
    assert env.step(action)[1].tolist() == [0.0, 0.0]


def test_a_vector_says_which_environment_does_not_fit() -> None:
    env = VectorKLLogging(vector(AutoresetMode.DISABLED, [rewards(0, 0)], [rewards(0, 0)]))
    env.reset()
    for action, words in [
        (
            said(np.zeros(2, int), [ZERO], [ONE] * 2),
            "logp_policy must have 2 rows, one an environment, not 1",
        ),
        (said(np.zeros(2, int), [ZERO] * 2, [ONE] * 2, [[1]]), "mask must have 2 rows"),
        (said(np.zeros(2, int), [ZERO] * 2, [ONE, [NAN]]), r"environment 1: .*reference's at \[0\] is nan"),
        ({"action": np.zeros(2, int)}, "this one has action"),
    ]:
        with pytest.raises(ValueError, match=words):
            env.step(action)
    infos = env.step(said(np.zeros(2, int), [ZERO] * 2, [ONE] * 2))[4]
    assert infos["kl"]["episode_tokens"].tolist() == [1, 1]


def test_samples_of_a_vectors_space_can_be_played() -> None:
    env = VectorKLLogging(vector(AutoresetMode.DISABLED, [rewards(0, 0)], [rewards(0, 0)]))
    env.action_space.seed(1)
    env.reset()
    sample = env.action_space.sample()
    assert sample in env.action_space
    env.step(sample)


def test_environments_whose_last_info_is_lost_are_refused() -> None:
    with pytest.raises(ValueError, match="autoreset_mode must be DISABLED, as make_vec has it, or NEXT_STEP"):
        VectorKLLogging(vector(AutoresetMode.SAME_STEP, [rewards(0)]))
