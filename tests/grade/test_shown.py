"""A run of the tests is shown again on the same state, to whoever shares the memory, and never where it would mislead."""

from __future__ import annotations

from dataclasses import replace

from deepgym_envs import Grader, Memory, Task, WorkspaceState
from deepgym_envs.action import RunTests
from deepgym_envs.grade import Outcome, ShownRuns, TestReport
from deepgym_envs.sandbox import Backend, Command, Completed
from deepgym_envs.testing import FakeSandbox, completed
from deepgym_envs.testing.fakes import Answer
from deepgym_envs.toolbox import Toolbox

from ..tiny import SOLVED, fake, isolating, make_tiny, tiny, tiny_tests  # noqa: TID252

FIXTURES = (fake, isolating, make_tiny, tiny)


def boxes(
    task: Task, memory: Memory, answer: Answer = tiny_tests, backend: str = "fake"
) -> tuple[FakeSandbox, Toolbox]:
    box = FakeSandbox(task.base, answer)
    return box, Toolbox(box, task, ShownRuns(task, backend, memory))


def test_equal_states_share_one_run(tiny: Task) -> None:
    memory = Memory()
    state = WorkspaceState(tiny.base).with_file("tiny/__init__.py", SOLVED.encode())
    first, one = boxes(tiny, memory)
    second, other = boxes(tiny, memory)
    first.restore(state)
    second.restore(state)
    seen = one.perform(RunTests(), state, 60)
    assert other.perform(RunTests(), state, 60) == seen
    assert one.perform(RunTests(), state, 60) == seen
    assert (len(first.commands), len(second.commands)) == (1, 0)


def test_other_tests_other_states_and_other_sandboxes_are_other_runs(tiny: Task) -> None:
    memory = Memory()
    base = WorkspaceState(tiny.base)
    box, toolbox = boxes(tiny, memory)
    toolbox.perform(RunTests(), base, 60)
    toolbox.perform(RunTests(tests=("tests/test_tiny.py",)), base, 60)
    changed = base.with_file("tiny/__init__.py", SOLVED.encode())
    box.restore(changed)
    toolbox.perform(RunTests(), changed, 60)
    assert len(box.commands) == 3
    elsewhere, toolbox = boxes(tiny, memory, backend="another")
    toolbox.perform(RunTests(), base, 60)
    assert len(elsewhere.commands) == 1


def test_a_run_that_changes_files_is_repeated(tiny: Task) -> None:
    def writing(state: WorkspaceState, command: Command) -> tuple[Completed, WorkspaceState]:
        done, _ = tiny_tests(state, command)
        return done, state.with_file("written.txt", b"x")

    box, toolbox = boxes(tiny, Memory(), writing)
    base = WorkspaceState(tiny.base)
    for _ in range(2):
        box.restore(base)
        assert toolbox.perform(RunTests(), base, 60).state.changed_paths == ("written.txt",)
    assert len(box.commands) == 2


def test_a_run_that_does_not_come_to_its_end_is_repeated(tiny: Task) -> None:
    def stopped(state: WorkspaceState, command: Command) -> tuple[Completed, WorkspaceState]:
        return completed(None), state

    box, toolbox = boxes(tiny, Memory(), stopped)
    for _ in range(2):
        assert "stopped after" in toolbox.perform(RunTests(), WorkspaceState(tiny.base), 60).output
    assert len(box.commands) == 2


def test_runs_that_differ_on_one_state_are_told_of(tiny: Task) -> None:
    memory = Memory()
    shown = ShownRuns(tiny, "fake", memory)
    base = WorkspaceState(tiny.base)
    outcomes: list[Outcome] = ["passed", "failed"]
    reports = [TestReport({"t.py::a": outcome}, (), {}, True, False) for outcome in outcomes]
    assert [shown.keep(base, (), one) for one in reports] == [reports[0], reports[0]]
    assert [flake.tests for flake in memory.flakes] == [("t.py::a",)]


def test_a_box_to_play_in_says_what_one_to_grade_in_says(tiny: Task, isolating: Backend) -> None:
    """That is why the run of the one can stand for that of the other."""
    memory = Memory()
    with isolating.open(tiny) as box:  # type: ignore[attr-defined]
        box.restore(tiny.gold)
        Toolbox(box, tiny, ShownRuns(tiny, isolating.name, memory)).perform(RunTests(), tiny.gold, 60)
    with Grader(tiny, isolating) as grader:
        measured = grader.visible(tiny.gold)  # with a memory of its own, so in a box of its own
    with Grader(tiny, isolating, memory) as grader:
        seen = grader.shown.get(tiny.gold, ())
        assert seen is not None
        assert grader.visible(tiny.gold) == replace(seen, details={}) == measured
