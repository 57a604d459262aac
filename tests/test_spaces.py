"""Any text is an element of a Unicode space, and the spaces are good Gymnasium spaces."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector.utils import batch_space
from hypothesis import given
from hypothesis import strategies as st

from deepgym_envs.action import TOOLS
from deepgym_envs.spaces import Unicode, action_space, observation_space
from deepgym_envs.task import Limits


@given(st.text(max_size=30))
def test_any_text_of_fitting_length_is_an_element(text: str) -> None:
    assert (text in Unicode(20)) == (len(text) <= 20)
    assert (text in Unicode(20, min_length=3)) == (3 <= len(text) <= 20)


@pytest.mark.parametrize("other", [b"bytes", 3, None, ["a"], np.array("a")])
def test_what_is_no_text_is_no_element(other: object) -> None:
    assert other not in Unicode(20)


@given(st.integers(0, 2**31), st.integers(0, 5), st.integers(0, 100))
def test_samples_are_elements_and_follow_the_seed(seed: int, least: int, more: int) -> None:
    space, twin = (Unicode(least + more, min_length=least, seed=seed) for _ in range(2))
    samples = [space.sample() for _ in range(5)]
    assert all(sample in space for sample in samples)
    assert samples == [twin.sample() for _ in range(5)]


def test_masks_are_refused() -> None:
    with pytest.raises(ValueError, match="no alphabet"):
        Unicode(3).sample(mask=(1, None))


def test_equality_is_by_length() -> None:
    assert Unicode(3) == Unicode(3)
    assert Unicode(3) != Unicode(4)
    assert Unicode(3) != Unicode(3, min_length=1)
    assert Unicode(3) != spaces.Text(3)
    assert repr(Unicode(3)) == "Unicode(3)"


@pytest.mark.parametrize(
    "space", [action_space(commands=True), action_space(commands=False), observation_space()]
)
@pytest.mark.filterwarnings("ignore:.*Casting input x to numpy array")  # its samples of shape () are scalars
def test_the_spaces_can_be_copied_pickled_batched_and_sampled(space: spaces.Dict) -> None:
    assert copy.deepcopy(space) == space
    assert pickle.loads(pickle.dumps(space)) == space
    assert space.contains(space.sample())
    batch = batch_space(space, 2)
    assert batch.contains(batch.sample())


def test_the_action_space_has_every_field_of_every_tool() -> None:
    fields = {name for model in TOOLS for name in model.model_fields}
    assert set(action_space(commands=True)) == {"tool", *fields}


def test_the_observation_space_holds_whatever_limits_allow() -> None:
    space = observation_space()
    most = {name: field.metadata for name, field in Limits.model_fields.items()}
    greatest = {name: max(getattr(rule, "le", 0) for rule in rules) for name, rules in most.items()}
    assert space["output"].max_length >= greatest["output_bytes"] + 1000  # type: ignore[attr-defined]
    assert space["steps_left"].high >= greatest["steps"]  # type: ignore[attr-defined]
