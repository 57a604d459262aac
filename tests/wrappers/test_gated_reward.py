"""Low rewards come in one sum at the end of an episode that is good enough, or never."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepgym_wrappers import GatedReward

from .scripted import Play, PlayedEnv, episode

LOW = st.lists(st.floats(-5, 5), min_size=1, max_size=8)


def plays(low: list[float], terminal: float, **info: Any) -> list[Play]:
    """Steps that pay ``low`` by name, and ``terminal`` beside the last one."""
    return [
        Play(
            value + (terminal if last else 0.0),
            {
                "reward_terms": {"rubric": value, "terminal": terminal if last else 0.0},
                **(info if last else {}),
            },
            "terminated" if last else "",
        )
        for value, last in ((value, number == len(low)) for number, value in enumerate(low, start=1))
    ]


@given(low=LOW, terminal=st.floats(-1, 2), threshold=st.floats(-1, 2), gamma=st.floats(0.2, 1))
def test_the_discounted_return_is_that_of_the_formula(
    low: list[float], terminal: float, threshold: float, gamma: float
) -> None:
    env = GatedReward(PlayedEnv([plays(low, terminal)]), threshold, gamma=gamma)
    steps = episode(env)
    found = sum(gamma**time * reward for time, (reward, _) in enumerate(steps))
    high = gamma ** (len(low) - 1) * terminal
    allowed = sum(gamma**time * value for time, value in enumerate(low)) if terminal >= threshold else 0.0
    assert found == pytest.approx(high + allowed, abs=1e-9)


def test_nothing_low_is_paid_before_the_end() -> None:
    steps = episode(GatedReward(PlayedEnv([plays([0.5, 0.25, 0.125], 1.0)])))
    assert [reward for reward, _ in steps] == [0.0, 0.0, 1.875]
    assert [info["gate"] for _, info in steps] == [
        {"open": False, "withheld": 0.5},
        {"open": False, "withheld": 0.75},
        {"open": True, "withheld": 0.0},
    ]
    assert steps[-1][1]["reward_terms"] == {"rubric": 0.125, "terminal": 1.0, "gate": 0.75}


def test_what_is_withheld_from_a_failure_is_not_paid_later() -> None:
    env = GatedReward(PlayedEnv([plays([0.5, 0.5], 0.0), plays([0.25], 1.0)]))
    assert [reward for reward, _ in episode(env)] == [0.0, 0.0]
    assert [reward for reward, _ in episode(env)] == [1.25]


def test_a_masked_episode_is_not_paid_what_was_withheld() -> None:
    env = GatedReward(PlayedEnv([plays([0.5, 0.5], 1.0, masked=True)]), 0.0)
    assert [reward for reward, _ in episode(env)] == [0.0, 1.0]


def test_without_names_the_last_reward_is_the_high_one() -> None:
    env = GatedReward(PlayedEnv([[Play(0.5), Play(0.5), Play(1.0, end="truncated")]]))
    steps = episode(env)
    assert [reward for reward, _ in steps] == [0.0, 0.0, 2.0]
    assert steps[-1][1]["reward_terms"] == {"environment": 1.0, "gate": 1.0}


def test_other_terms_may_be_high() -> None:
    first = {"reward_terms": {"rubric": 0.0, "terminal": 0.0}}
    env = GatedReward(PlayedEnv([plays([0.5, 0.5], 0.0)], first), 1.0, high=("rubric", "terminal"))
    assert [reward for reward, _ in episode(env)] == [0.5, 0.5]


def test_a_term_that_is_not_there_is_refused() -> None:
    first = {"reward_terms": {"rubric": 0.0, "terminal": 0.0}}
    env = GatedReward(PlayedEnv([plays([0.5], 0.0)], first), high=("judge",))
    with pytest.raises(ValueError, match="no reward term is called 'judge'; there are rubric, terminal"):
        env.reset()


def test_a_discount_that_makes_the_sum_too_large_is_no_silent_infinity() -> None:
    env = GatedReward(PlayedEnv([plays([1.0] * 400, 1.0)]), gamma=0.1)
    with pytest.raises(ValueError, match="what gate adds to a reward must be a finite number, not inf"):
        episode(env)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"threshold": float("nan")}, "threshold must be a finite number"),
        ({"gamma": 1.5}, r"gamma must be in \(0, 1\]"),
        ({"high": "terminal"}, "high must be names of reward terms"),
        ({"high": ()}, "high must be names of reward terms"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        GatedReward(PlayedEnv([[]]), **arguments)
