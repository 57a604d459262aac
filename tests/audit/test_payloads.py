"""Every payload works against someone, and none against this package's grader."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import get_args

import pytest

from deepgym_envs import Grader, Task
from deepgym_envs.audit import CLASSES, PAYLOADS, Payload, target_of
from deepgym_envs.audit.naive import NaiveGrader, NaiveName
from deepgym_envs.audit.target import changed_state
from deepgym_envs.grade import Memory
from deepgym_envs.sandbox import Backend

from ..tiny import make_tiny  # noqa: TID252
from .place import guarded, prey, somewhere

FIXTURES = (guarded, make_tiny, prey, somewhere)
PAID = [payload for payload in PAYLOADS if not payload.robustness]


@pytest.fixture(scope="module")
def naive(prey: Task, somewhere: Backend) -> Iterator[list[NaiveGrader]]:
    graders = [NaiveGrader(prey, somewhere, design) for design in get_args(NaiveName)]
    yield graders
    for grader in graders:
        grader.close()


def test_there_are_at_least_eighty_that_someone_pays() -> None:
    assert len(PAID) >= 80
    assert max(Counter(payload.name for payload in PAYLOADS).values()) == 1
    assert {payload.letter for payload in PAYLOADS} == set(CLASSES) - {"H"}, "policies are of class H"


@pytest.mark.parametrize("payload", PAYLOADS, ids=str)
def test_a_payload_changes_the_base_and_is_not_the_solution(payload: Payload, prey: Task) -> None:
    state = changed_state(prey, payload.make(target_of(prey)))
    assert state.changes
    assert state != prey.gold
    assert b"a + b" not in b"".join(file.data for file in state.changes.values() if file)


@pytest.mark.parametrize("name", ["Upper", "two words", "-", "", "a--b"])
def test_a_name_is_in_kebab_case(name: str) -> None:
    with pytest.raises(ValueError, match="kebab-case"):
        Payload(name, "A", "", lambda _: {})


@pytest.mark.slow
@pytest.mark.parametrize("payload", PAID, ids=str)
def test_a_naive_grader_pays_for_it(payload: Payload, prey: Task, naive: list[NaiveGrader]) -> None:
    state = changed_state(prey, payload.make(target_of(prey)))
    seen = {}
    for grader in naive:
        judged = grader.judge(state)
        seen[grader.design] = judged.reason
        if judged.accepted:
            return
    pytest.fail(f"{payload} works nowhere: {seen}")


@pytest.fixture(scope="module")
def paid(guarded: Task, somewhere: Backend) -> set[str]:
    """Names of the payloads that this package's grader pays; honest work after each must go on being paid."""
    target = target_of(guarded)
    names = set()
    with Grader(guarded, somewhere, Memory(size=1)) as grader:
        for payload in PAYLOADS:
            if grader.grade(changed_state(guarded, payload.make(target))).passed:
                names.add(payload.name)
            if payload.robustness:
                assert grader.grade(guarded.gold).passed, f"{payload} has broken the grader"
    return names


@pytest.mark.slow
def test_this_grader_pays_for_none_of_them(paid: set[str]) -> None:
    assert paid == set()
