"""How far a state is from the reference solution: bounded, ordered, and quick whatever an agent writes."""

from __future__ import annotations

import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepgym_envs import Grader, Task, WorkspaceState
from deepgym_envs.reward import distance_to_gold
from deepgym_envs.testing import FakeBackend, make_task

from ..tiny import BROKEN, SOLVED, fake, make_tiny, tiny  # noqa: TID252

FIXTURES = (fake, make_tiny, tiny)
MODULE = "tiny/__init__.py"


def value(task: Task, fake: FakeBackend, files: dict[str, bytes | None]) -> float:
    with Grader(task, fake) as grader:
        return distance_to_gold(grader, WorkspaceState(task.base).with_files(files))


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, 0.0),
        ({MODULE: SOLVED.encode()}, 1.0),
        ({MODULE: SOLVED.replace("\n", "  \n").encode()}, 1.0),
        ({MODULE: SOLVED.replace("return a + b", "return b").encode()}, 0.0),
        ({MODULE: (SOLVED + "x = 1\n").encode()}, 1 - 3 / 4),  # one pair has gone, two have come
        ({MODULE: SOLVED.encode(), "tiny/more.py": b"x = 1\n" * 2}, 0.0),
        ({MODULE: SOLVED.encode(), "elsewhere.py": b"x = 1\n"}, 1.0),
        ({MODULE: None}, 0.0),
        ({MODULE: "\n".join(reversed(SOLVED.split("\n"))).encode()}, 0.0),
    ],
)
def test_it_is_the_share_of_the_way_that_is_done(
    tiny: Task, fake: FakeBackend, files: dict[str, bytes | None], expected: float
) -> None:
    assert value(tiny, fake, files) == pytest.approx(expected)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from([*BROKEN.splitlines(), *SOLVED.splitlines(), "pass", ""]), max_size=12))
def test_it_is_always_a_share(tiny: Task, fake: FakeBackend, lines: list[str]) -> None:
    assert 0 <= value(tiny, fake, {MODULE: "\n".join(lines).encode()}) <= 1


def test_each_of_two_changes_that_lie_apart_is_half_of_the_way(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    lines = [f"x{number} = {number}" for number in range(20)]
    one = [*lines[:3], "changed", *lines[4:]]
    both = [*one[:15], "changed too", *one[16:]]
    task = make_task(
        tmp_path_factory.mktemp("tasks") / "apart",
        source={"p/a.py": "\n".join(lines)},
        hidden={"test_hidden.py": "def test_f():\n    pass\n"},
        gold={"p/a.py": "\n".join(both)},
        fail_to_pass=["test_hidden.py::test_f"],
        editable=["p/**"],
    )
    assert value(task, FakeBackend(), {"p/a.py": "\n".join(one).encode()}) == 0.5


def test_a_file_that_is_huge_is_far_away_and_not_looked_into(tiny: Task, fake: FakeBackend) -> None:
    assert value(tiny, fake, {MODULE: SOLVED.encode() + b"\n" * (5 << 20)}) == 0.0
    assert value(tiny, fake, {MODULE: SOLVED.encode(), "tiny/big.bin": b"x" * (5 << 20)}) == 1 - 2 / 4


def test_a_file_made_to_be_slow_to_compare_is_compared_quickly(tiny: Task, fake: FakeBackend) -> None:
    since = time.process_time()
    value(tiny, fake, {MODULE: b"".join(b"%d\n" % (number % 977) for number in range(300_000))})
    assert time.process_time() - since < 20  # a diff by Python's difflib would take hours
