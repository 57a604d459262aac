"""A sample says which policy made it, and one that is too old is masked or told."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gymnasium.vector import SyncVectorEnv

from deepgym_wrappers import StalenessGuard, VectorStalenessGuard

from .scripted import Play, PlayedEnv

THREE = [[Play(1.0), Play(1.0), Play(1.0, end="terminated")]]


def told(env: StalenessGuard, versions: list[int]) -> list[dict[str, Any]]:
    """The ``info`` of a reset and of steps, while the policy has these versions."""
    found = []
    for number, version in enumerate(versions):
        env.set_version(version)
        found.append(env.step(0)[4] if number else env.reset()[1])
    return found


def test_versions_and_age_are_those_of_the_episode() -> None:
    infos = told(StalenessGuard(PlayedEnv(THREE), limit=2), [4, 4, 5, 7])
    policies = [tuple(info["policy"].values()) for info in infos]
    assert policies == [(4, 4, 0, False), (4, 4, 0, False), (4, 5, 1, False), (4, 7, 3, True)]
    assert [info["masked"] for info in infos] == [False, False, False, True]
    assert infos[-1]["mask_reason"] == "the policy is 3 versions old, more than 2"


def test_who_only_logs_masks_nothing() -> None:
    info = told(StalenessGuard(PlayedEnv(THREE), limit=0, mode="log"), [1, 9])[-1]
    assert (info["policy"]["stale"], info["masked"], info["mask_reason"]) == (True, False, "")


def test_going_back_makes_a_sample_no_younger() -> None:
    infos = told(StalenessGuard(PlayedEnv(THREE), limit=2), [5, 9, 5, 5])
    assert [info["policy"]["age"] for info in infos] == [0, 4, 4, 4]
    assert [info["masked"] for info in infos] == [False, True, True, True]
    older = told(StalenessGuard(PlayedEnv(THREE), limit=2), [5, 2])[-1]
    assert (older["policy"]["age"], older["masked"]) == (3, True)


def test_the_next_episode_is_as_young_as_its_policy() -> None:
    env = StalenessGuard(PlayedEnv(THREE), limit=0)
    assert told(env, [1, 2])[-1]["masked"]
    assert [info["masked"] for info in told(env, [2, 2])] == [False, False]


def test_the_reward_is_the_environments() -> None:
    env = StalenessGuard(PlayedEnv(THREE), limit=0)
    told(env, [1])
    env.set_version(9)
    _, reward, *_, info = env.step(0)
    assert (reward, "reward_terms" in info) == (1.0, False)


def test_a_function_is_asked_at_each_step_and_nothing_else_can_be_set() -> None:
    versions = iter([1, 1, 8])
    env = StalenessGuard(PlayedEnv(THREE), 3, current_version=lambda: next(versions))
    env.reset()
    assert [env.step(0)[4]["policy"]["version_end"] for _ in range(2)] == [1, 8]
    with pytest.raises(ValueError, match="the version comes from current_version"):
        env.set_version(2)


def test_one_version_is_that_of_all_environments_of_a_vector() -> None:
    env = VectorStalenessGuard(SyncVectorEnv([lambda: PlayedEnv(THREE)] * 2), limit=1)
    env.set_version(3)
    env.reset()
    env.set_version(5)
    infos = env.step(np.zeros(2, int))[4]
    assert infos["policy"]["version_start"].tolist() == [3, 3]
    assert infos["masked"].tolist() == [True, True]


def test_a_reason_that_is_there_is_kept() -> None:
    said = {"masked": True, "mask_reason": "flagged"}
    env = StalenessGuard(PlayedEnv([[Play(info=said)]]), limit=0)
    info = told(env, [1, 2])[-1]
    assert info["mask_reason"] == "flagged; the policy is 1 versions old, more than 0"


@pytest.mark.parametrize("version", [-1, 1.5, float("nan"), "3", True, None])
def test_what_is_no_version_is_refused(version: Any) -> None:
    env = StalenessGuard(PlayedEnv(THREE), limit=1)
    with pytest.raises(ValueError, match="a policy's version must be a whole number of at least 0, not"):
        env.set_version(version)
    asked = StalenessGuard(PlayedEnv(THREE), 1, current_version=lambda: version)
    with pytest.raises(ValueError, match="a policy's version must be a whole number"):
        asked.reset()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"limit": -1}, "limit must be a whole number of at least 0, not -1"),
        ({"limit": 0.5}, "limit must be a whole number"),
        ({"limit": 1, "mode": "drop"}, "mode must be one of mask, log"),
        ({"limit": 1, "current_version": 3}, "current_version must be callable"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        StalenessGuard(PlayedEnv(THREE), **arguments)
