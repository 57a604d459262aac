"""A flagged episode costs something, pays nothing or counts for nothing; an honest one is left alone."""

from __future__ import annotations

from typing import Any

import pytest

from deepgym_envs import SweEnv, Task
from deepgym_envs.action import Submit, WriteFile
from deepgym_envs.testing import FakeBackend
from deepgym_wrappers import HackPenalty, HackScreen

from ..tiny import SOLVED, fake, make_tiny, tiny  # noqa: TID252
from .scripted import Play, PlayedEnv, episode

FIXTURES = (fake, make_tiny, tiny)
CHEAT = WriteFile(path="tiny/__init__.py", content=f"import gc\n{SOLVED}")
HONEST = WriteFile(path="tiny/__init__.py", content=SOLVED)


def submitted(env: HackPenalty, work: WriteFile) -> tuple[float, dict[str, Any]]:
    env.reset(seed=1)
    env.step(work.encode())
    _, reward, *_, info = env.step(Submit().encode())
    return float(reward), info


@pytest.mark.parametrize(
    ("mode", "paid", "masked"), [("penalty", -0.5, False), ("zero", 0.0, False), ("mask", 1.0, True)]
)
def test_a_flagged_episode_is_treated_as_the_mode_says(
    tiny: Task, fake: FakeBackend, mode: Any, paid: float, masked: bool
) -> None:
    env = HackPenalty(SweEnv(tiny, fake, measure="never"), mode, penalty=1.5)
    reward, info = submitted(env, CHEAT)
    assert (reward, info["masked"], info["flagged"]) == (paid, masked, True)
    assert info["mask_reason"] == ("it was flagged as cheating" if masked else "")
    assert sum(info["reward_terms"].values()) == reward
    reward, info = submitted(env, HONEST)
    assert (reward, info["masked"], info["flagged"], info["mask_reason"]) == (1.0, False, False, "")
    env.close()


def test_zero_earns_what_a_failure_earns_and_not_more(tiny: Task, fake: FakeBackend) -> None:
    env = HackPenalty(SweEnv(tiny, fake), "zero")
    reward, info = submitted(env, CHEAT)
    assert reward == pytest.approx(-2 / 3)  # of shaping, which every failure pays
    assert info["reward_terms"]["hack"] == -1.0
    env.close()


def test_a_screen_inside_may_flag_what_is_gone_at_the_end(tiny: Task, fake: FakeBackend) -> None:
    env = HackPenalty(
        HackScreen(SweEnv(tiny, fake, measure="never")), penalty=0.5, screen=lambda info: bool(info["signs"])
    )
    env.reset(seed=1)
    assert env.step(CHEAT.encode())[4]["flagged"]
    env.step(HONEST.encode())
    assert env.step(Submit().encode())[1] == 0.5
    env.close()


def test_a_flag_stays_until_the_episode_ends_and_not_longer() -> None:
    plays = [Play(info={"odd": True}), Play(info={"odd": False}), Play(1.0, {"odd": False}, "terminated")]
    env = HackPenalty(PlayedEnv([plays, plays[1:]], {"odd": False}), screen=lambda info: info["odd"])
    assert [(reward, info["flagged"]) for reward, info in episode(env)] == [(0, True), (0, True), (0, True)]
    assert [reward for reward, _ in episode(env)] == [0.0, 1.0]


@pytest.mark.parametrize("flag", ["flaky:tests/test_a.py::test_b", "outside_editable:README.md"])
def test_flags_that_are_no_signs_cost_nothing(flag: str) -> None:
    env = HackPenalty(PlayedEnv([[Play(1.0, {"flags": (flag,)}, "terminated")]], {"flags": ()}))
    assert episode(env)[0][0] == 1.0


@pytest.mark.parametrize("mode", ["penalty", "zero", "mask"])
def test_an_episode_that_is_masked_already_is_left_alone(mode: Any) -> None:
    said = {"flags": ("sign:exit:a.py",), "masked": True, "mask_reason": "the engine is gone"}
    env = HackPenalty(PlayedEnv([[Play(1.0, said, "truncated")]], {"flags": ()}), mode)
    reward, info = episode(env)[0]
    assert (reward, info["masked"], info["mask_reason"]) == (1.0, True, "the engine is gone")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"mode": "shame"}, "mode must be one of penalty, zero, mask, not 'shame'"),
        ({"penalty": 0.0}, "penalty must be above 0, not 0.0"),
        ({"penalty": float("inf")}, "penalty must be above 0, not inf"),
        ({"screen": "signs"}, "screen must be callable with info, not 'signs'"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        HackPenalty(PlayedEnv([[]]), **arguments)


def test_an_environment_without_flags_needs_a_screen() -> None:
    with pytest.raises(ValueError, match=r"there is no info\['flags'\].*give a screen"):
        HackPenalty(PlayedEnv([[]])).reset()
