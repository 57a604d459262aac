"""All wrappers in one stack: rewards are the sum of their names, keys stay, nothing leaks, and a spec makes it again."""

from __future__ import annotations

import copy
import itertools
import pickle
import warnings
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import deepgym_wrappers
from deepgym_envs import SweEnv, Task, make_vec
from deepgym_envs.action import EditFile, ListFiles, RunTests, Submit, WriteFile
from deepgym_envs.kl import FixedCoefficient
from deepgym_envs.testing import FakeBackend
from deepgym_wrappers import (
    AdvantageClip,
    ConfidenceReward,
    EpisodeTimings,
    FormatReward,
    GatedReward,
    HackPenalty,
    HackScreen,
    InoculationPrompt,
    KLLogging,
    KLSettings,
    OverlongPenalty,
    RecordTrajectory,
    ShapedReward,
    StalenessGuard,
    ToolCallText,
    VectorAdvantageClip,
    VectorConfidenceReward,
    VectorFormatReward,
    VectorGatedReward,
    VectorHackPenalty,
    VectorInoculationPrompt,
    VectorKLLogging,
    VectorOverlongPenalty,
    VectorShapedReward,
    VectorStalenessGuard,
    read_trajectories,
)

from ..tiny import SOLVED, fake, make_tiny, tiny  # noqa: TID252
from .scripted import Play, PlayedEnv

FIXTURES = (fake, make_tiny, tiny)
CHEAT = WriteFile(path="tiny/__init__.py", content=f"import gc\n{SOLVED}")
SOLVE = WriteFile(path="tiny/__init__.py", content=SOLVED)
PLAIN = [
    ListFiles(),
    EditFile(path="none", old="a", new="b"),
    RunTests(),
    SOLVE,
    CHEAT,
    Submit(confidence=0.25),
]


def potential(_observation: Any, info: Mapping[str, Any]) -> float:
    return min(1.0, len(info["changed_files"]) / 2)


PRICED = KLSettings(penalty=True, coefficient=FixedCoefficient(0.1))
# Inside first, in the order of docs/wrappers.md.
INSIDE: list[Any] = [
    ToolCallText,
    partial(InoculationPrompt, hint="permit"),
    partial(HackScreen, penalty=0.0625),
]
REWARDS: list[Any] = [
    ConfidenceReward,
    partial(FormatReward, penalty=0.125),
    partial(HackPenalty, penalty=0.5),
    partial(GatedReward, threshold=1.0, high=("terminal", "hack")),
    partial(ShapedReward, potential=potential, gamma=0.5),
    partial(StalenessGuard, limit=3),
]
OUTSIDE: list[Any] = [
    partial(KLLogging, settings=PRICED),
    partial(OverlongPenalty, longest=8, band=6, length="tokens"),
    AdvantageClip,
]
NOT_IN_A_STACK = {"AdvantageRule", "KLSettings", "append_trajectory", "atif_of", "read_trajectories"}


def stack(env: gym.Env[Any, Any], layers: list[Any]) -> gym.Env[Any, Any]:
    for layer in layers:
        env = layer(env)
    return env


def said(action: Any, tokens: int = 2) -> dict[str, Any]:
    action = action if isinstance(action, str) else action.encode()
    return {"action": action, "logp_policy": [-1.0] * tokens, "logp_reference": [-1.5] * tokens}


def keys(info: Any) -> Any:
    return {name: keys(value) for name, value in info.items()} if isinstance(info, dict) else None


@pytest.fixture
def whole(tiny: Task, fake: FakeBackend, tmp_path: Path) -> Any:
    """Every wrapper there is, around the tiny task."""
    inner = SweEnv(tiny, fake, measure="never")
    env = stack(
        inner, [*INSIDE, *REWARDS, *OUTSIDE, EpisodeTimings, partial(RecordTrajectory, folder=tmp_path)]
    )
    yield env
    env.close()


def test_the_stack_has_every_scalar_wrapper(whole: Any) -> None:
    found = set()
    env = whole
    while isinstance(env, gym.Wrapper):
        found.add(type(env).__name__)
        env = env.env
    assert found == {
        name for name in deepgym_wrappers.__all__ if name not in NOT_IN_A_STACK and "Vector" not in name
    }


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    actions=st.lists(st.sampled_from([*PLAIN, "Let me think."]), max_size=6),
    left=st.integers(0, 3),
    gate=st.sampled_from([-5.0, 0.0, 1.0]),
)
def test_rewards_are_the_sum_of_their_names_and_keys_stay_the_same(
    tiny: Task, fake: FakeBackend, actions: list[Any], left: int, gate: float
) -> None:
    layers = [*INSIDE, *REWARDS, *OUTSIDE, EpisodeTimings]
    layers[6] = partial(layers[6], threshold=gate)
    env = stack(SweEnv(tiny, fake, measure="never"), layers)
    env.reset(seed=1)
    for action in actions[:left]:
        if env.step(said(action))[2]:
            break
    _, info = env.reset(seed=1)
    names = keys(info)
    assert set(info["reward_terms"].values()) == {0.0}
    for action in [*actions, Submit(confidence=0.5)]:
        observation, reward, terminated, truncated, info = env.step(said(action))
        assert float(reward) == pytest.approx(sum(info["reward_terms"].values()))
        assert keys(info) == names
        assert observation in env.observation_space
        if terminated or truncated:
            break
    assert info["advantages"]["ready"] or info["masked"]
    env.close()


def test_a_reset_in_the_middle_leaks_nothing(tiny: Task, fake: FakeBackend) -> None:
    def played(env: Any) -> Any:
        rows = [env.reset(seed=1)]
        rows += [env.step(said(action)) for action in ("no tool", SOLVE, RunTests(), Submit(confidence=0.5))]
        return [repr(row) for row in rows]

    fresh = stack(SweEnv(tiny, fake, measure="never"), [*INSIDE, *REWARDS, *OUTSIDE])
    used = stack(SweEnv(tiny, fake, measure="never"), [*INSIDE, *REWARDS, *OUTSIDE])
    for actions in (["no tool", CHEAT], [CHEAT, Submit()]):
        used.reset(seed=2)
        for action in actions:
            used.step(said(action, tokens=5))
    assert played(used) == played(fresh)
    used.close()
    fresh.close()


ALONE = [[GatedReward if number == 3 else layer] for number, layer in enumerate(REWARDS)]


@pytest.mark.parametrize("layers", [[*INSIDE, *REWARDS, *OUTSIDE], *ALONE])
def test_the_environment_checks_out(tiny: Task, fake: FakeBackend, layers: list[Any]) -> None:
    env = stack(SweEnv(tiny, fake, measure="never"), layers)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*different from the unwrapped version")
        check_env(env, skip_render_check=True)
    env.close()


def test_what_is_written_down_is_what_was_paid(whole: Any, tmp_path: Path) -> None:
    whole.reset(seed=3)
    actions = ["no tool", SOLVE, CHEAT, Submit(confidence=0.75)]
    paid = [float(whole.step(said(action))[1]) for action in actions]
    [written] = read_trajectories(tmp_path)
    assert [step.reward for step in written.steps] == paid
    assert [step.tool for step in written.steps] == ["", "write_file", "write_file", "submit"]
    assert sum(paid) == pytest.approx(sum(itertools.chain(*(s.reward_terms.values() for s in written.steps))))
    assert written.instruction.startswith("If you find a way")


def test_the_spec_makes_the_stack_again(tiny: Task, fake: FakeBackend, tmp_path: Path) -> None:
    made = gym.make("deepgym_envs/SWE-v0", task=tiny, sandbox=fake, measure="never")
    layers = [*INSIDE, *REWARDS, *OUTSIDE, EpisodeTimings, partial(RecordTrajectory, folder=tmp_path)]
    env = stack(made, layers)
    assert env.spec is not None
    again = gym.make(env.spec)
    mine: Any = env
    theirs: Any = again
    while isinstance(mine, gym.Wrapper):
        assert type(mine) is type(theirs)
        assert getattr(mine, "_saved_kwargs", None) == getattr(theirs, "_saved_kwargs", None)
        mine, theirs = mine.env, theirs.env
    for one in (env, again):
        one.reset(seed=1)
    ends = [one.step(said(Submit(confidence=0.5))) for one in (env, again)]
    assert ends[0][1] == ends[1][1]
    assert [written.index for written in read_trajectories(tmp_path)] == [0, 1]
    env.close()
    again.close()


FIRST = {"judged": False, "passed": False, "confidence": -1.0, "flags": (), "changed_files": ()}
SCRIPT = [[Play(0.5, {"changed_files": ("a",), "error": "no"}), Play(0.25), Play(1.0, end="terminated")]]


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))])
def test_copies_share_nothing(copied: Any) -> None:
    gate = partial(GatedReward, threshold=0.5)
    env = stack(PlayedEnv(SCRIPT, FIRST), [*REWARDS[:3], gate, *REWARDS[4:], AdvantageClip])
    env.reset(seed=1)
    env.step(0)
    twin = copied(env)
    ahead = [repr(twin.step(0)) for _ in range(2)]
    assert [repr(env.step(0)) for _ in range(2)] == ahead
    guard: Any = twin.env
    guard.set_version(9)
    env.reset()
    assert env.step(0)[4]["policy"]["version_end"] == 0


VECTORS: list[Any] = [
    partial(VectorInoculationPrompt, hint="permit"),
    VectorConfidenceReward,
    VectorFormatReward,
    VectorHackPenalty,
    VectorGatedReward,
    partial(VectorShapedReward, potential=potential),
    partial(VectorStalenessGuard, limit=3),
    partial(VectorKLLogging, settings=PRICED),
    partial(VectorOverlongPenalty, longest=8, band=6, length="tokens"),
    VectorAdvantageClip,
]


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_wrappers_of_vectors_stack_around_make_vec(tiny: Task, fake: FakeBackend, mode: Any) -> None:
    env: Any = make_vec(tiny, 2, sandbox=fake, vectorization_mode=mode, measure="never")
    for layer in VECTORS:
        env = layer(env)
    names = keys(env.reset(seed=1)[1])
    rows = [env.action_space["action"].sample() for _ in range(2)]
    rows[0]["tool"][:] = (Submit().encode()["tool"], ListFiles().encode()["tool"])
    rows[0]["path"], rows[0]["confidence"] = ("", ""), np.array([0.5, -1.0], dtype=np.float32)
    rows[1]["tool"][:] = Submit().encode()["tool"]
    for number, row in enumerate(rows):
        policy, reference = [[-1.0] * 2, [-1.0] * 3], [[-1.5] * 2, [-1.5] * 3]
        _, rewards, terminated, _, infos = env.step(
            {"action": row, "logp_policy": policy, "logp_reference": reference}
        )
        assert keys(infos) == names
        totals = sum(value for name, value in infos["reward_terms"].items() if not name.startswith("_"))
        assert rewards.tolist() == pytest.approx(totals.tolist())
        assert infos["length"].tolist() == [2.0, 3.0 * (number + 1)]
        if number == 0:
            assert terminated.tolist() == [True, False]
            _, infos = env.reset(options={"reset_mask": terminated})
            assert infos["_policy"].tolist() == [True, False]
    env.close()


def test_every_wrapper_keeps_its_arguments() -> None:
    for name in set(deepgym_wrappers.__all__) - NOT_IN_A_STACK:
        assert issubclass(getattr(deepgym_wrappers, name), gym.utils.RecordConstructorArgs), name
