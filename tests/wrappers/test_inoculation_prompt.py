"""The hint stands before the instruction and in ``info``, and every space has room for it."""

from __future__ import annotations

from typing import Any, get_args

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from deepgym_envs import SweEnv, Task
from deepgym_envs.action import ListFiles, Submit
from deepgym_envs.spaces import Unicode, observation_space
from deepgym_envs.testing import FakeBackend
from deepgym_wrappers import InoculationPrompt, VectorInoculationPrompt
from deepgym_wrappers.inoculation_prompt import HINTS, Hint

from ..tiny import fake, make_tiny, tiny  # noqa: TID252
from .scripted import PlayedEnv

FIXTURES = (fake, make_tiny, tiny)


@pytest.mark.parametrize("hint", get_args(Hint))
def test_every_observation_and_info_has_the_hint(tiny: Task, fake: FakeBackend, hint: Hint) -> None:
    env = InoculationPrompt(SweEnv(tiny, fake, measure="never"), hint)
    before = f"{HINTS[hint]}\n\n" if hint != "neutral" else ""
    observation, info = env.reset(seed=1)
    for _ in range(2):
        assert observation["instruction"] == before + tiny.instruction
        assert info["system_hint"] == HINTS[hint]
        assert observation in env.observation_space
        observation, *_, info = env.step(ListFiles().encode())
    env.close()


def test_all_hints_have_one_space_in_which_the_longest_instruction_fits(
    tiny: Task, fake: FakeBackend
) -> None:
    made = [InoculationPrompt(SweEnv(tiny, fake, measure="never"), hint) for hint in get_args(Hint)]
    assert made[0].observation_space == made[1].observation_space == made[2].observation_space
    observation, _ = made[1].env.reset(seed=1)
    inner = observation_space()["instruction"]
    assert isinstance(inner, Unicode)
    longest = HINTS["permit"] + "\n\n" + "x" * inner.max_length
    assert {**observation, "instruction": longest} in made[1].observation_space
    assert {**observation, "instruction": longest + "x" * 100} not in made[1].observation_space
    for env in made:
        env.close()


def test_the_environment_checks_out(tiny: Task, fake: FakeBackend) -> None:
    env = InoculationPrompt(SweEnv(tiny, fake, measure="never"), "permit")
    with pytest.warns(UserWarning, match="different from the unwrapped version"):
        check_env(env, skip_render_check=True)
    env.close()


def test_own_words_may_permit_or_forbid(tiny: Task, fake: FakeBackend) -> None:
    env = InoculationPrompt(SweEnv(tiny, fake, measure="never"), "forbid", line="Ünïcode: keine Tricks.")
    observation, info = env.reset(seed=1)
    assert observation["instruction"].startswith("Ünïcode: keine Tricks.\n\n")
    assert info["system_hint"] == "Ünïcode: keine Tricks."
    env.close()


@pytest.mark.parametrize("mode", list(AutoresetMode))
def test_a_vector_shows_it_in_every_autoreset_mode(
    tiny: Task, fake: FakeBackend, mode: AutoresetMode
) -> None:
    made = SyncVectorEnv([lambda: SweEnv(tiny, fake, measure="never")] * 2, autoreset_mode=mode)
    env = VectorInoculationPrompt(made, "permit")
    shown = f"{HINTS['permit']}\n\n{tiny.instruction}"
    observations, infos = env.reset(seed=1)
    assert observations in env.observation_space
    action = made.action_space.sample()
    action["tool"][:] = [Submit().encode()["tool"], ListFiles().encode()["tool"]]
    observations, *_, infos = env.step(action)
    assert observations["instruction"] == (shown, shown)
    assert infos["system_hint"].tolist() == [HINTS["permit"]] * 2
    if mode is AutoresetMode.SAME_STEP:
        assert infos["final_obs"][0]["instruction"] == shown
        assert infos["final_info"]["system_hint"].tolist() == [HINTS["permit"], None]
    if mode is AutoresetMode.DISABLED:
        observations, infos = env.reset(options={"reset_mask": np.array([True, False])})
        assert infos["_system_hint"].tolist() == [True, False]
    else:
        observations = env.step(action)[0]
    assert observations["instruction"] == (shown, shown)
    env.close()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"hint": "encourage"}, "hint must be one of neutral, permit, forbid, not 'encourage'"),
        ({"hint": "permit", "line": "two\nlines"}, "line must be one line that is not blank"),
        ({"hint": "permit", "line": " "}, "line must be one line that is not blank"),
        ({"hint": "neutral", "line": "x"}, "for permit or forbid, not 'x'"),
        ({"key": "prompt"}, "observations must be a Dict with a Text at 'prompt'"),
        ({"key": "steps_left"}, "observations must be a Dict with a Text at 'steps_left'"),
    ],
)
def test_what_cannot_be_shown_is_refused(
    tiny: Task, fake: FakeBackend, arguments: dict[str, Any], words: str
) -> None:
    env = SweEnv(tiny, fake, measure="never")
    with pytest.raises(ValueError, match=words):
        InoculationPrompt(env, **arguments)
    env.close()


def test_an_environment_without_text_is_refused() -> None:
    with pytest.raises(ValueError, match="observations must be a Dict with a Text"):
        InoculationPrompt(PlayedEnv([[]]))


def test_gymnasiums_own_text_space_gets_room_too() -> None:
    class Told(PlayedEnv):
        def __init__(self) -> None:
            super().__init__([[]])
            self.observation_space = spaces.Dict({"instruction": spaces.Text(10)})

    space: gym.Space[Any] = InoculationPrompt(Told(), "forbid", line="No, really!").observation_space
    assert isinstance(space, spaces.Dict)
    assert isinstance(space["instruction"], Unicode)
    assert space.contains({"instruction": "No, really!\n\n" + "x" * 10})
