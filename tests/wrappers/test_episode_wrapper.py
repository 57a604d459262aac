"""A vector does to each of its episodes what the scalar form does, in every autoreset mode."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv, VectorEnv

from deepgym_wrappers import (
    ConfidenceReward,
    FormatReward,
    GatedReward,
    HackPenalty,
    OverlongPenalty,
    ShapedReward,
    StalenessGuard,
    VectorConfidenceReward,
    VectorFormatReward,
    VectorGatedReward,
    VectorHackPenalty,
    VectorOverlongPenalty,
    VectorShapedReward,
    VectorStalenessGuard,
)
from deepgym_wrappers.episode_wrapper import row_of, rows
from deepgym_wrappers.log_prob_space import LogProbSpace

from .scripted import Play, PlayedEnv

FIRST = {
    "judged": False, "passed": False, "confidence": -1.0, "flags": (), "error": "", "masked": False, "tokens": 1,
    "reward_terms": {"rubric": 0.0, "terminal": 0.0}, "version": 0,
}  # fmt: skip


def play(rubric: float, terminal: float = 0.0, end: str = "", **info: Any) -> Play:
    return Play(rubric + terminal, {"reward_terms": {"rubric": rubric, "terminal": terminal}, **info}, end)


SOLVED = {"judged": True, "passed": True, "confidence": 0.75}
SCRIPTS = [
    [
        [play(0.5, error="no"), play(0.25), play(0.0, 1.0, "terminated", **SOLVED)],
        [play(0.125, end="truncated", judged=True)],
    ],
    [
        [play(0.5), play(-0.25, 1.0, "truncated", **SOLVED, flags=("sign:exit:a.py",))],
        [play(0.5, error="gone", masked=True, end="truncated")],
        [play(0.0), play(0.25), play(0.5, error="no"), play(0.0, 0.0, "terminated", judged=True)],
    ],
    [[play(1.0, 1.0, "terminated", **SOLVED)]],
]


def potential(observation: Any, info: Mapping[str, Any]) -> float:
    return ((3 * int(observation) + len(info["error"])) % 7) / 7


Make = Callable[[Any], Any]
PAIRS: dict[str, tuple[Make, Make]] = {
    "shaped": (partial(ShapedReward, potential=potential, gamma=0.9), partial(VectorShapedReward, potential=potential, gamma=0.9)),
    "bootstrap": (partial(ShapedReward, potential=potential, end="bootstrap"), partial(VectorShapedReward, potential=potential, end="bootstrap")),
    "gated": (partial(GatedReward, threshold=0.5, gamma=0.9), partial(VectorGatedReward, threshold=0.5, gamma=0.9)),
    "confidence": (ConfidenceReward, VectorConfidenceReward),
    "format": (partial(FormatReward, penalty=0.25), partial(VectorFormatReward, penalty=0.25)),
    "overlong": (partial(OverlongPenalty, longest=3, band=2), partial(VectorOverlongPenalty, longest=3, band=2)),
    "penalty": (HackPenalty, VectorHackPenalty),
    "mask": (partial(HackPenalty, mode="mask"), partial(VectorHackPenalty, mode="mask")),
    "staleness": (partial(StalenessGuard, limit=1), partial(VectorStalenessGuard, limit=1)),
}  # fmt: skip
Row = tuple[float, dict[str, Any]]


def plain(info: Mapping[str, Any]) -> dict[str, Any]:
    """``info`` with numbers that are Python's, whoever batched them."""
    return {
        name: plain(value) if isinstance(value, Mapping) else getattr(value, "tolist", lambda value=value: value)()
        for name, value in info.items()
    }  # fmt: skip


def alone(make: Make, script: Any, episodes: int) -> list[list[Row]]:
    """Each episode: its reset, with a reward of 0, and its steps."""
    env, found = make(PlayedEnv(script, FIRST)), []
    for _ in range(episodes):
        steps: list[Row] = [(0.0, plain(env.reset()[1]))]
        over = False
        while not over:
            _, reward, terminated, truncated, info = env.step(0)
            steps.append((float(reward), plain(info)))
            over = terminated or truncated
        found.append(steps)
    return found


def together(env: VectorEnv[Any, Any, Any], calls: int) -> list[list[list[Row]]]:
    """The same of a vector, for each environment, whatever its autoreset mode; the last episode may be cut off."""
    mode = env.metadata["autoreset_mode"]
    infos = env.reset()[1]
    found: list[list[list[Row]]] = [[[(0.0, plain(row_of(infos, one)))]] for one in range(env.num_envs)]
    over = np.zeros(env.num_envs, dtype=np.bool_)
    for _ in range(calls):
        if mode is AutoresetMode.DISABLED and over.any():
            infos = env.reset(options={"reset_mask": over})[1]
            for one in np.flatnonzero(over).tolist():
                found[one].append([(0.0, plain(row_of(infos, one)))])
        _, rewards, terminated, truncated, infos = env.step(np.zeros(env.num_envs, int))
        ended = terminated | truncated
        for one in range(env.num_envs):
            if mode is AutoresetMode.NEXT_STEP and over[one]:
                found[one].append([(float(rewards[one]), plain(row_of(infos, one)))])
            elif mode is AutoresetMode.SAME_STEP and ended[one]:
                found[one][-1].append((float(rewards[one]), plain(row_of(infos["final_info"], one))))
                found[one].append([(0.0, plain(row_of(infos, one)))])
            else:
                found[one][-1].append((float(rewards[one]), plain(row_of(infos, one))))
        over = ended
    env.close()
    return found


@pytest.mark.parametrize("mode", list(AutoresetMode))
@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
def test_a_vector_says_of_each_episode_what_it_would_say_alone(
    pair: tuple[Make, Make], mode: AutoresetMode
) -> None:
    scalar, vector = pair
    made = SyncVectorEnv([partial(PlayedEnv, script, FIRST) for script in SCRIPTS], autoreset_mode=mode)
    for one, episodes in enumerate(together(vector(made), calls=12)):
        assert len(episodes) >= 3
        for mine, theirs in zip(episodes, alone(scalar, SCRIPTS[one], len(episodes)), strict=True):
            assert mine == theirs[: len(mine)]


@pytest.mark.parametrize("mode", list(AutoresetMode))
def test_so_does_a_vector_of_processes(mode: AutoresetMode) -> None:
    scalar, vector = PAIRS["shaped"]
    made = AsyncVectorEnv(
        [partial(PlayedEnv, script, FIRST) for script in SCRIPTS[:2]],
        shared_memory=False, autoreset_mode=mode, context="fork",
    )  # fmt: skip
    for one, episodes in enumerate(together(vector(made), calls=8)):
        for mine, theirs in zip(episodes, alone(scalar, SCRIPTS[one], len(episodes)), strict=True):
            assert mine == theirs[: len(mine)]


@pytest.mark.parametrize("mode", list(AutoresetMode))
def test_wrappers_of_vectors_may_be_stacked(mode: AutoresetMode) -> None:
    names = ("format", "shaped", "overlong", "confidence", "mask", "gated", "staleness")

    def stacked(env: Any, form: int) -> Any:
        for name in names:
            env = PAIRS[name][form](env)
        return env

    made = SyncVectorEnv([partial(PlayedEnv, script, FIRST) for script in SCRIPTS], autoreset_mode=mode)
    for one, episodes in enumerate(together(stacked(made, 1), calls=12)):
        for mine, theirs in zip(
            episodes, alone(partial(stacked, form=0), SCRIPTS[one], len(episodes)), strict=True
        ):
            assert mine == theirs[: len(mine)]
            assert all(sum(info["reward_terms"].values()) == pytest.approx(paid) for paid, info in mine)


def test_a_fraction_beside_whole_numbers_is_not_cut() -> None:
    first = {"reward_terms": {"shaping": 0, "environment": 0}}
    script = [[Play(0, {"reward_terms": {"shaping": 0, "environment": 0}})]]
    env = VectorShapedReward(
        SyncVectorEnv([partial(PlayedEnv, script, first)] * 2), lambda seen, _info: int(seen) / 4
    )
    env.reset()
    _, rewards, *_, infos = env.step(np.zeros(2, int))
    assert rewards.tolist() == infos["reward_terms"]["shaping"].tolist() == [0.25, 0.25]


def test_what_a_vector_says_of_all_is_said_of_each() -> None:
    infos = {"step": np.array([1, 2]), "masked": np.array([True, False]), "_masked": np.array([True, False])}
    assert [row_of(infos, one) for one in (0, 1)] == [{"step": 1, "masked": True}, {"step": 2}]


def test_rows_of_actions_may_lack_what_is_not_needed() -> None:
    space = LogProbSpace(gym.spaces.MultiDiscrete([2, 2]), 2)
    actions = {"action": np.array([0, 1]), "logp_policy": [[-1.0], []], "logp_reference": [[-1.0], []]}
    assert rows(space, actions)[1] == {"action": 1, "logp_policy": [], "logp_reference": []}


def test_terms_that_are_no_numbers_are_refused() -> None:
    for terms, words in [
        ([1.0], "must map names to numbers"),
        ({"a": "b"}, r"\['a'\] must be a finite number"),
    ]:
        env = GatedReward(PlayedEnv([[]], {"reward_terms": terms}))
        with pytest.raises(ValueError, match=words):
            env.reset()
