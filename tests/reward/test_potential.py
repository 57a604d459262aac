"""The share of visible tests that pass, which nothing but better code can raise."""

from __future__ import annotations

import json

import pytest

from deepgym_envs import Grader, Memory, SandboxError, Task, WorkspaceState
from deepgym_envs.reward import measured, visible_tests
from deepgym_envs.sandbox import Command, Completed
from deepgym_envs.testing import FakeBackend, completed

from ..tiny import SOLVED, MakeTiny, fake, make_tiny, tiny, tiny_tests  # noqa: TID252

FIXTURES = (fake, make_tiny, tiny)
MODULE = "tiny/__init__.py"


def potential(task: Task, backend: FakeBackend, files: dict[str, bytes | None]) -> float:
    with Grader(task, backend) as grader:
        return visible_tests(grader, WorkspaceState(task.base).with_files(files))


@pytest.mark.parametrize(
    ("module", "value"),
    [
        (None, 2 / 3),
        (SOLVED, 1.0),
        ("def add(:", 0.0),
        ("def add(a, b):\n    return 0\n\n\ndef double(a):\n    return 0\n", 0.0),
    ],
)
def test_it_is_the_share_that_passes(tiny: Task, fake: FakeBackend, module: str | None, value: float) -> None:
    files: dict[str, bytes | None] = {} if module is None else {MODULE: module.encode()}
    assert potential(tiny, fake, files) == pytest.approx(value)


def test_a_run_that_does_not_come_to_its_end_is_worth_nothing(tiny: Task) -> None:
    def answer(state: WorkspaceState, command: Command) -> tuple[Completed, WorkspaceState]:
        return (completed(0), state) if state.changes else tiny_tests(state, command)

    assert potential(tiny, FakeBackend(answer), {MODULE: b"import sys\nsys.exit()"}) == 0.0


def test_without_a_whole_run_at_the_base_nothing_can_be_measured_nor_is_that_remembered(tiny: Task) -> None:
    ends = iter([False, True, True])

    def answer(state: WorkspaceState, command: Command) -> tuple[Completed, WorkspaceState]:
        return tiny_tests(state, command) if next(ends) else (completed(None), state)

    with Grader(tiny, FakeBackend(answer)) as grader:
        with pytest.raises(SandboxError, match="did not come to their end at its base"):
            visible_tests(grader, tiny.gold)
        assert visible_tests(grader, tiny.gold) == 1.0


@pytest.mark.parametrize("editable", [("tiny/**",), ("tiny/**", "tests/**", "*.py")])
@pytest.mark.parametrize(
    "tests",
    [
        None,
        b"",
        b"def test_add():\n    pass\n",
        b"import pytest\npytestmark = pytest.mark.skip\n",
        b"def test_new():\n    pass\n" * 5,
    ],
)
def test_weaker_visible_tests_gain_nothing(
    make_tiny: MakeTiny, fake: FakeBackend, editable: tuple[str, ...], tests: bytes | None
) -> None:
    task = make_tiny(editable=editable)
    assert potential(task, fake, {"tests/test_tiny.py": tests}) == pytest.approx(2 / 3)
    assert potential(task, fake, {"tests/test_tiny.py": tests, MODULE: SOLVED.encode()}) == 1.0


def reports(base: list[object], other: list[object]) -> FakeBackend:
    """Boxes whose tests say ``base`` of the base and ``other`` of any other state."""

    def answer(state: WorkspaceState, command: Command) -> tuple[Completed, WorkspaceState]:
        rows = [*(other if state.changes else base), {"exit": 0, "collected": 1}]
        return completed(0, report="".join(json.dumps(row) + "\n" for row in rows).encode()), state

    return FakeBackend(answer)


def rows(node: str, outcome: str = "passed") -> list[object]:
    results = {"setup": "passed", "call": outcome, "teardown": "passed"}
    return [{"test": node, "when": when, "outcome": result, "detail": ""} for when, result in results.items()]


BROKEN_FILE = {"broken": "t.py", "detail": ""}


@pytest.mark.parametrize(
    ("base", "now", "value"),
    [
        ([], [], 0.0),
        ([], rows("t.py::a"), 0.0),
        ([BROKEN_FILE], [BROKEN_FILE], 0.0),
        ([BROKEN_FILE], rows("t.py::a"), 1.0),
        ([BROKEN_FILE], [*rows("t.py::a"), *rows("t.py::b", "skipped")], 1.0),
        ([BROKEN_FILE], [*rows("t.py::a"), *rows("t.py::b", "failed")], 0.0),
        ([BROKEN_FILE], [], 0.0),
        (rows("t.py::a"), [*rows("t.py::b"), *rows("t.py::c")], 0.0),
        (
            [*rows("t.py::a"), *rows("t.py::b", "failed")],
            [*rows("t.py::a"), *rows("t.py::b"), *rows("t.py::c")],
            1.0,
        ),
        ([*rows("t.py::a"), *rows("t.py::a")], rows("t.py::a"), 1.0),
        (rows("t.py::a"), [*rows("t.py::a"), *rows("t.py::a")], 0.0),
    ],
)
def test_it_counts_over_what_the_base_has(
    tiny: Task, base: list[object], now: list[object], value: float
) -> None:
    assert potential(tiny, reports(base, now), {MODULE: b"changed"}) == value


class Sized:
    """A potential of its own kind; counts how often it is asked."""

    def __init__(self, key: object = None, value: float = 0.5) -> None:
        if key is not None:
            self.key = key
        self.value = value
        self.asked = 0

    def __call__(self, grader: Grader, state: WorkspaceState) -> float:
        self.asked += 1
        return self.value


def test_a_potential_with_a_key_is_asked_once_for_a_state(tiny: Task, fake: FakeBackend) -> None:
    memory, base = Memory(), WorkspaceState(tiny.base)
    keyed, later, nameless = Sized("size 1"), Sized("size 1", 0.75), Sized()
    with Grader(tiny, fake, memory) as grader:
        assert [measured(keyed, grader, base) for _ in range(3)] == [0.5] * 3
        assert measured(later, grader, base) == 0.5
        assert measured(later, grader, base.with_file("notes.txt", b"x")) == 0.75
        assert measured(Sized("size 2", 0.25), grader, base) == 0.25
        assert [measured(nameless, grader, base) for _ in range(3)] == [0.5] * 3
    assert (keyed.asked, later.asked, nameless.asked) == (1, 1, 3)


def test_what_is_no_potential_is_not_remembered(tiny: Task, fake: FakeBackend) -> None:
    memory, base = Memory(), WorkspaceState(tiny.base)
    with Grader(tiny, fake, memory) as grader:
        for value in (1.5, float("nan")):
            with pytest.raises(ValueError, match=r"the potential .* must be in"):
                measured(Sized("size 1", value), grader, base)
        for key in ("", 3):
            with pytest.raises(TypeError, match="the key of a potential is a text"):
                measured(Sized(key), grader, base)
    assert len(memory) == 0
