"""Several potentials as one: a mean whose weights are ratios, each part remembered by its own key."""

from __future__ import annotations

import math
import pickle

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepgym_envs import Grader, Task, WorkspaceState
from deepgym_envs.reward import distance_to_gold, localisation, measured, visible_tests, weighted
from deepgym_envs.testing import FakeBackend

from ..tiny import fake, make_tiny, tiny  # noqa: TID252

FIXTURES = (fake, make_tiny, tiny)


class Constant:
    def __init__(self, value: float, key: str | None = None) -> None:
        self.value, self.asked = value, 0
        if key:
            self.key = key

    def __call__(self, grader: Grader, state: WorkspaceState) -> float:
        self.asked += 1
        return self.value


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    parts=st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1e300)), min_size=1, max_size=5).filter(
        lambda parts: sum(weight for _, weight in parts) > 0
    )
)
def test_it_is_the_weighted_mean_and_never_more_than_1(
    tiny: Task, fake: FakeBackend, parts: list[tuple[float, float]]
) -> None:
    total = sum(weight for _, weight in parts)
    with Grader(tiny, fake) as grader:
        value = measured(weighted({Constant(phi): weight for phi, weight in parts}), grader, tiny.gold)
    assert value == pytest.approx(sum(phi * (weight / total) for phi, weight in parts))
    assert value <= 1


def test_a_part_of_weight_0_is_never_asked_and_one_with_a_key_once(tiny: Task, fake: FakeBackend) -> None:
    never, once = Constant(1.0), Constant(0.25, key="once 1")
    both = weighted({never: 0, once: 2})
    with Grader(tiny, fake) as grader:
        assert [measured(both, grader, tiny.gold) for _ in range(3)] == [0.25] * 3
    assert (never.asked, once.asked) == (0, 1)


def test_a_part_that_is_no_potential_is_refused(tiny: Task, fake: FakeBackend) -> None:
    with Grader(tiny, fake) as grader, pytest.raises(ValueError, match=r"must be in \[0, 1\]"):
        weighted({Constant(2.0): 0.5, Constant(0.0): 0.5})(grader, tiny.gold)


@pytest.mark.parametrize(
    "weights", [(), (0.0, 0.0), (-1.0, 2.0), (math.nan, 1.0), (math.inf, 1.0), (1e308, 1e308)]
)
def test_weights_that_are_none_are_refused(weights: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="weight"):
        weighted({Constant(0.0): weight for weight in weights})


def test_it_goes_to_other_processes() -> None:
    both = weighted({visible_tests: 1, localisation: 2, distance_to_gold: 1})
    assert pickle.loads(pickle.dumps(both)) == both
