"""Nothing up to where the band begins, then a slope, then -1."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepgym_envs import SweEnv, Task
from deepgym_envs.action import ListFiles, Submit
from deepgym_envs.testing import FakeBackend
from deepgym_wrappers import KLLogging, OverlongPenalty, ToolCallText
from deepgym_wrappers.overlong_penalty import overlong

from ..tiny import fake, make_tiny, tiny  # noqa: TID252
from .scripted import Play, PlayedEnv, episode

FIXTURES = (fake, make_tiny, tiny)


@given(length=st.floats(0, 1000), longest=st.floats(1, 500), share=st.floats(0.01, 1))
def test_it_is_dapos_formula(length: float, longest: float, share: float) -> None:
    band = share * longest
    if length <= longest - band:
        assert overlong(length, longest, band) == 0
    elif length <= longest:
        assert overlong(length, longest, band) == pytest.approx((longest - band - length) / band)
    else:
        assert overlong(length, longest, band) == -1


def steps(count: int, **last: Any) -> list[Play]:
    return [*[Play(info={"tokens": 10})] * (count - 1), Play(1.0, {"tokens": 10, **last}, "terminated")]


@pytest.mark.parametrize(("count", "price"), [(6, 0.0), (7, -0.25), (8, -0.5), (10, -1.0), (20, -1.0)])
@pytest.mark.parametrize(("unit", "scale"), [("steps", 1), ("tokens", 10)])
def test_the_last_step_pays_for_the_length_of_all(count: int, price: float, unit: Any, scale: int) -> None:
    played = episode(OverlongPenalty(PlayedEnv([steps(count)]), 10 * scale, 4 * scale, unit))
    assert [reward for reward, _ in played] == [0.0] * (count - 1) + [1.0 + price]
    assert [info["length"] for _, info in played] == [scale * step for step in range(1, count + 1)]


def test_a_new_episode_begins_at_0() -> None:
    env = OverlongPenalty(PlayedEnv([steps(3)]), 4, 1)
    env.reset()
    env.step(0)
    env.step(0)
    assert env.reset()[1]["length"] == 0.0
    assert episode(env)[-1][0] == 1.0


def test_a_masked_episode_pays_nothing() -> None:
    assert episode(OverlongPenalty(PlayedEnv([steps(9, masked=True)]), 4, 1))[-1][0] == 1.0


def test_characters_are_those_of_all_texts_of_an_action(tiny: Task, fake: FakeBackend) -> None:
    env = OverlongPenalty(ToolCallText(SweEnv(tiny, fake, measure="never")), 100, 50, "characters")
    env.reset(seed=1)
    assert env.step("x" * 30)[4]["length"] == 30
    assert env.step('{"name": "submit"}')[4]["length"] == 48
    env.reset(seed=1)
    assert env.step({"tool": "write_file", "path": "abc", "content": "de"})[4]["length"] == 15
    env.close()


def test_tokens_may_be_those_that_kl_logging_counts(tiny: Task, fake: FakeBackend) -> None:
    env = OverlongPenalty(KLLogging(SweEnv(tiny, fake, measure="never")), 4, 4, "tokens")
    env.reset(seed=1)
    paid = [
        env.step({"action": action.encode(), "logp_policy": [-1.0], "logp_reference": [-1.0]})[1]
        for action in (ListFiles(), Submit())
    ]
    assert paid == [0.0, -0.5]
    env.close()


@pytest.mark.parametrize("length", [float("nan"), -1.0, float("inf"), None, "long", [1.0]])
def test_a_length_that_is_none_is_refused(length: Any) -> None:
    env = OverlongPenalty(PlayedEnv([steps(1)]), 4, 1, lambda _action, _info: length)
    env.reset()
    with pytest.raises(ValueError, match="the length of an action must be at least 0, not"):
        env.step(0)


def test_tokens_that_nobody_counts_are_refused() -> None:
    env = OverlongPenalty(PlayedEnv([[Play()]]), 4, 1, "tokens")
    env.reset()
    with pytest.raises(ValueError, match="nor that of KLLogging; count steps or characters"):
        env.step(0)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((0, 1), "longest must be above 0"),
        ((float("inf"), 1), "longest must be above 0, not inf"),
        ((4, 0), r"band must be in \(0, longest = 4\]"),
        ((4, 5), "band must be"),
        ((4, 1, "words"), "must be one of steps, characters, tokens, not 'words'"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        OverlongPenalty(PlayedEnv([[]]), *arguments)
