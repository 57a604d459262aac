"""What a grader judges, what it remembers, and whom it blames."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from deepgym_envs import Grader, Memory, SandboxError, Task, WorkspaceState, grade
from deepgym_envs.action import RunTests
from deepgym_envs.errors import BoxLost
from deepgym_envs.grade import ShownRuns
from deepgym_envs.grade import key as key_module
from deepgym_envs.sandbox import Backend, Command, Completed
from deepgym_envs.testing import FakeBackend, FakeSandbox, completed
from deepgym_envs.toolbox import Effect, Toolbox

from ..tiny import BROKEN, SOLVED, TINY_TWINS, MakeTiny, fake, isolating, make_tiny, tiny, tiny_tests  # noqa: TID252

FIXTURES = (fake, isolating, make_tiny, tiny)
MODULE = "tiny/__init__.py"


class Counting(FakeBackend):
    """A fake that counts the runs of tests."""

    def __init__(self) -> None:
        super().__init__(self._count)
        self.runs = 0

    def _count(self, state: WorkspaceState, command: Command) -> tuple[Completed, WorkspaceState]:
        self.runs += 1
        return tiny_tests(state, command)


def test_gold_passes_and_nothing_fails(tiny: Task, fake: FakeBackend) -> None:
    good = grade(tiny, tiny.gold_files(), sandbox=fake)
    assert (good.reward, good.passed, good.reason, good.flags) == (1.0, True, "passed", ())
    assert (good.task, good.state) == (tiny.id, tiny.gold.digest)
    assert good.tests == dict.fromkeys(tiny.expected, "passed")
    bad = grade(tiny, {}, sandbox=fake)
    assert (bad.reward, bad.passed, bad.reason) == (0.0, False, "tests_failed")
    assert bad.tests["test_hidden.py::test_double"] == "passed"
    assert bad.tests["test_hidden.py::test_add"] == "failed"


def test_the_same_state_is_judged_once(tiny: Task) -> None:
    backend, memory = Counting(), Memory()
    with Grader(tiny, backend, memory) as grader, Grader(tiny, backend, memory) as other:
        verdict = grader.grade(tiny.gold)
        assert grader.grade(tiny.gold) == verdict
        assert other.grade(WorkspaceState(tiny.base).with_file(MODULE, SOLVED.encode())) == verdict
    assert (backend.runs, len(backend.boxes)) == (1, 1)


class Named(Counting):
    """A fake that is called something else."""

    @property
    def name(self) -> str:
        return "other"


def test_no_sandbox_answers_for_another(tiny: Task) -> None:
    memory, one, other = Memory(), Counting(), Named()
    for backend in (one, other):
        with Grader(tiny, backend, memory) as grader:
            assert grader.grade(tiny.gold).passed
    assert (one.runs, other.runs) == (1, 1)


def test_a_grader_that_has_changed_asks_again(tiny: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    memory, backend = Memory(), Counting()
    with Grader(tiny, backend, memory) as grader:
        grader.grade(tiny.gold)
        monkeypatch.setattr(key_module, "_ways", lambda: "another")
        grader.grade(tiny.gold)
        grader.grade(tiny.gold)
    assert backend.runs == 2


class Unsteady(Counting):
    """A fake in which nothing fails every second time, from the ``first`` run on."""

    def __init__(self, first: int) -> None:
        super().__init__()
        self.first = first

    def _count(self, state: WorkspaceState, command: Command) -> tuple[Completed, WorkspaceState]:
        done = super()._count(state, command)
        return solving(state, command) if self.runs % 2 == self.first else done


def solving(state: WorkspaceState, command: Command) -> tuple[Completed, WorkspaceState]:
    return tiny_tests(WorkspaceState(state.base).with_file(MODULE, SOLVED.encode()), command)


FLAKY = ("flaky:test_hidden.py::test_add", "flaky:test_hidden.py::test_negative")


def test_a_verdict_that_is_known_stays_and_says_that_it_is_not_steady(tiny: Task) -> None:
    memory = Memory(recheck=1.0)
    base = WorkspaceState(tiny.base)
    with Grader(tiny, Counting(), memory) as grader:
        first = grader.grade(base)
        assert (first.passed, first.flags) == (False, ())
    with Grader(tiny, FakeBackend(solving), memory) as grader:
        again = grader.grade(base)
        assert (again.passed, again.reason, again.tests) == (False, first.reason, first.tests)
        assert again.flags == FLAKY


@pytest.mark.parametrize("first", [0, 1])
def test_what_is_graded_twice_passes_only_if_both_gradings_say_so(tiny: Task, first: int) -> None:
    backend = Unsteady(first)
    with Grader(tiny, backend, Memory(recheck=1.0)) as grader:
        base = WorkspaceState(tiny.base)
        verdict = grader.grade(base)
        assert (verdict.passed, verdict.reason, verdict.flags) == (False, "tests_failed", FLAKY)
        assert verdict.claim is not None
        assert "F" in verdict.claim.vector
        assert Grader(tiny, Counting()).grade(tiny.gold).passed
    assert backend.runs == 2


def test_a_second_grading_has_other_names_another_order_and_an_interpreter_of_its_own(
    tiny: Task, fake: FakeBackend
) -> None:
    task = replace(tiny, content=replace(tiny.files, twins=TINY_TWINS))
    with Grader(task, fake, Memory(recheck=1.0)) as grader:
        grader.grade(task.gold)
    first, second = fake.boxes[0].commands
    assert (first.warm, second.warm) == (True, False)
    assert first.stdin != second.stdin
    assert first.files["tests/test_hidden.py"] != second.files["tests/test_hidden.py"]


def test_a_group_of_equal_patches_is_graded_once(tiny: Task) -> None:
    backend, memory = Counting(), Memory()
    start = threading.Barrier(6, timeout=20)
    verdicts = []

    def judge() -> None:
        with Grader(tiny, backend, memory) as grader:
            start.wait()
            verdicts.append(grader.grade(tiny.gold))

    threads = [threading.Thread(target=judge) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(verdicts) == 6
    assert all(verdict == verdicts[0] for verdict in verdicts)
    assert (backend.runs, len(backend.boxes)) == (1, 1)


def test_a_grader_that_is_closed_while_it_waits_opens_no_box(tiny: Task) -> None:
    inside, go_on = threading.Event(), threading.Event()

    def answer(state: WorkspaceState, command: Command) -> tuple[Completed, WorkspaceState]:
        inside.set()
        go_on.wait(20)
        raise BoxLost("lost", after_agent_code=False)

    memory, failing = Memory(), FakeBackend(answer)
    waiting, errors = FakeBackend(tiny_tests), []

    def judge(grader: Grader) -> None:
        try:
            grader.grade(tiny.gold)
        except SandboxError as error:
            errors.append(str(error))

    with Grader(tiny, failing, memory) as first, Grader(tiny, waiting, memory) as second:
        threads = [
            threading.Thread(target=judge, args=(first,)),
            threading.Thread(target=judge, args=(second,)),
        ]
        threads[0].start()
        assert inside.wait(20)
        threads[1].start()
        while not any(flight.aboard == 2 for flight in list(memory._flights.values())):
            time.sleep(0.001)
        second.close()
        go_on.set()
        for thread in threads:
            thread.join(20)
        assert waiting.boxes == []
    assert any("closed meanwhile" in error for error in errors)
    assert len(errors) == 2


def test_states_that_are_equal_in_their_judged_part_share_a_run(tiny: Task) -> None:
    backend = Counting()
    with Grader(tiny, backend) as grader:
        plain = grader.grade(tiny.gold)
        noted = grader.grade(tiny.gold.with_file("notes.txt", b"x").with_file("tests/test_tiny.py", None))
    assert backend.runs == 1
    assert noted.passed
    assert noted.flags == ("outside_editable:notes.txt", "outside_editable:tests/test_tiny.py")
    assert noted.state != plain.state
    assert plain.flags == ()


def test_what_honest_work_seldom_does_is_flagged_and_decides_nothing(tiny: Task, fake: FakeBackend) -> None:
    source = f"import gc\n{SOLVED}"
    with Grader(tiny, fake) as grader:
        verdict = grader.grade(tiny.gold.with_file(MODULE, source.encode()))
    assert (verdict.passed, verdict.flags) == (True, (f"sign:objects:{MODULE}",))


def test_only_the_judged_part_enters_the_box(tiny: Task, fake: FakeBackend) -> None:
    state = tiny.gold.with_files({"conftest.py": b"evil", "pytest.ini": b"evil", "tests/test_tiny.py": None})
    with Grader(tiny, fake) as grader:
        grader.grade(state)
        assert fake.boxes[0].capture().state == tiny.gold


def test_hidden_tests_never_enter_the_workspace(tiny: Task, fake: FakeBackend) -> None:
    with Grader(tiny, fake) as grader:
        grader.grade(tiny.gold)
        grader.visible(tiny.gold)
        hidden, visible = fake.boxes[0].commands
    assert "tests/test_hidden.py" in hidden.files
    assert not any("test_hidden" in path for path in visible.files)


def test_a_state_of_another_base_is_refused(tiny: Task, fake: FakeBackend) -> None:
    other = WorkspaceState(tiny.gold.tree())
    with Grader(tiny, fake) as grader, pytest.raises(ValueError, match="does not belong to made/one"):
        grader.grade(other)
    with pytest.raises(ValueError, match="not a path relative"):
        grade(tiny, {"/etc/passwd": b""}, sandbox=fake)


def test_files_that_cannot_stand_side_by_side_do_not_fit(tiny: Task, fake: FakeBackend) -> None:
    verdict = grade(tiny, {f"{MODULE}/x.py": b""}, sandbox=fake)
    assert (verdict.passed, verdict.reason) == (False, "does_not_fit")
    with Grader(tiny, fake) as grader:
        grader.grade(WorkspaceState(tiny.base).with_file(f"{MODULE}/x.py", b""))
        assert grader.grade(tiny.gold).passed


Answer = Callable[[WorkspaceState, Command], tuple[Completed, WorkspaceState]]


def dying(agent_ran: bool) -> Answer:
    def answer(state: WorkspaceState, command: Command) -> tuple[Completed, WorkspaceState]:
        if b"die" in state.tree()[MODULE].data:
            raise BoxLost("lost", after_agent_code=agent_ran)
        return tiny_tests(state, command)

    return answer


def test_a_box_that_the_code_broke_is_a_fail_and_the_next_state_gets_a_new_one(tiny: Task) -> None:
    backend = FakeBackend(dying(agent_ran=True))
    with Grader(tiny, backend) as grader:
        verdict = grader.grade(WorkspaceState(tiny.base).with_file(MODULE, b"die"))
        assert (verdict.reward, verdict.reason) == (0.0, "box_lost")
        assert grader.grade(tiny.gold).passed
        assert grader.visible(WorkspaceState(tiny.base).with_file(MODULE, b"die")).outcomes == {}
    assert len(backend.boxes) == 2
    assert all(box.closed for box in backend.boxes)


def test_infrastructure_is_never_a_verdict_and_never_remembered(tiny: Task) -> None:
    state = WorkspaceState(tiny.base).with_file(MODULE, b"die")
    memory = Memory()
    gone = FakeBackend(dying(agent_ran=True), problem="the engine is gone")
    for backend in (FakeBackend(dying(agent_ran=False)), gone):
        with (
            Grader(tiny, backend, memory) as grader,
            pytest.raises(SandboxError, match="could not be judged"),
        ):
            grader.grade(state)
    assert len(memory) == 0


def test_visible_tests_are_the_bases_own(make_tiny: MakeTiny, fake: FakeBackend) -> None:
    task = make_tiny("everything", editable=("tiny/**", "tests/**", "*.py"))
    base = WorkspaceState(task.base)
    with Grader(task, fake) as grader:
        honest = grader.visible(base)
        for path, data in {
            "tests/test_tiny.py": b"def test_add(): pass\n",
            "tests/conftest.py": b"raise SystemExit",
            "conftest.py": b"",
            "tests/more_test.py": b"",
        }.items():
            assert grader.visible(base.with_file(path, data)) == honest
        assert grader.visible(base.with_file("tests/test_tiny.py", None)) == honest
        assert len(fake.boxes[0].commands) == 1


def shown(task: Task, state: WorkspaceState, memory: Memory, answer: Answer = tiny_tests) -> Effect:
    """What an agent sees of a run of the tests on ``state``, in a box to play in."""
    with FakeSandbox(task.base, answer) as box:
        box.restore(state)
        return Toolbox(box, task, ShownRuns(task, "fake", memory)).perform(RunTests(), state, 60)


def test_a_run_that_an_agent_was_shown_is_the_visible_one(tiny: Task) -> None:
    memory, backend = Memory(), Counting()
    shown(tiny, tiny.gold, memory)
    with Grader(tiny, Counting()) as alone, Grader(tiny, backend, memory) as grader:
        assert grader.visible(tiny.gold) == alone.visible(tiny.gold)
        assert grader.visible(tiny.gold.with_file("notes.txt", b"x")).details == {}
    assert (backend.runs, backend.boxes) == (0, [])


def test_what_the_base_says_is_found_out_in_the_grading_box(tiny: Task) -> None:
    memory, backend = Memory(), Counting()
    base = WorkspaceState(tiny.base)
    shown(tiny, base, memory)
    with Grader(tiny, backend, memory) as grader:
        grader.visible(base)
    assert backend.runs == 1


@pytest.mark.parametrize("path", ["tests/test_tiny.py", "tests/conftest.py", "conftest.py", "notes.txt"])
def test_a_run_on_anything_but_the_judged_value_is_not_the_visible_one(
    make_tiny: MakeTiny, path: str
) -> None:
    task = make_tiny("open", editable=("tiny/**", "tests/**", "*.py"))
    memory, backend = Memory(), Counting()
    state = task.gold.with_file(path, b"def test_nothing():\n    pass\n")
    assert shown(task, state, memory).tests is not None
    with Grader(task, backend, memory) as grader:
        assert len(grader.visible(state).passed) == 3
    assert backend.runs == 1


def test_a_run_that_changed_files_or_was_cut_short_is_not_the_visible_one(tiny: Task) -> None:
    def writing(state: WorkspaceState, command: Command) -> tuple[Completed, WorkspaceState]:
        return tiny_tests(state, command)[0], state.with_file("written.txt", b"x")

    def late(state: WorkspaceState, command: Command) -> tuple[Completed, WorkspaceState]:
        return replace(tiny_tests(state, command)[0], exit_code=None, timed_out=True), state

    def malformed(state: WorkspaceState, command: Command) -> tuple[Completed, WorkspaceState]:
        done = tiny_tests(state, command)[0]
        return replace(done, report=done.report + b"more"), state

    def crashing(state: WorkspaceState, command: Command) -> tuple[Completed, WorkspaceState]:
        done = tiny_tests(state, command)[0]
        return replace(done, report=done.report[: done.report.rindex(b'{"exit"')]), state

    for answer in (writing, late, malformed, crashing):
        memory, backend = Memory(), Counting()
        shown(tiny, tiny.gold, memory, answer)
        with Grader(tiny, backend, memory) as grader:
            grader.visible(tiny.gold)
        assert backend.runs == 1, answer


def test_a_run_of_some_tests_is_not_the_visible_one(tiny: Task) -> None:
    memory, backend = Memory(), Counting()
    with FakeSandbox(tiny.base, tiny_tests) as box:
        box.restore(tiny.gold)
        some = RunTests(tests=("tests/test_tiny.py",))
        Toolbox(box, tiny, ShownRuns(tiny, "fake", memory)).perform(some, tiny.gold, 60)
    with Grader(tiny, backend, memory) as grader:
        grader.visible(tiny.gold)
    assert backend.runs == 1


def test_a_run_that_an_agent_was_shown_is_checked_like_any_result(tiny: Task) -> None:
    def failing(state: WorkspaceState, command: Command) -> tuple[Completed, WorkspaceState]:
        return tiny_tests(WorkspaceState(state.base), command)[0], state

    memory, backend = Memory(recheck=1.0), Counting()
    shown(tiny, tiny.gold, memory, failing)
    with Grader(tiny, backend, memory) as grader:
        assert grader.visible(tiny.gold).failed == ("tests/test_tiny.py::test_add",)
    assert backend.runs == 1
    assert [flake.tests for flake in memory.flakes] == [("tests/test_tiny.py::test_add",)]


def test_a_report_that_floods_is_malformed(tiny: Task) -> None:
    def answer(state: WorkspaceState, command: Command) -> tuple[Completed, WorkspaceState]:
        done, after = tiny_tests(state, command)
        return completed(0, report=done.report, report_overflow=True), after

    assert grade(tiny, {MODULE: SOLVED.encode()}, sandbox=FakeBackend(answer)).reason == "malformed_report"
    assert grade(tiny, {MODULE: BROKEN.encode()}, sandbox=FakeBackend(answer)).reason == "malformed_report"


def test_closed_from_another_thread_nothing_is_judged_and_nothing_remembered(tiny: Task) -> None:
    """Who takes a grader's box away says nothing about the state, although its code was running."""
    running, let_go = threading.Event(), threading.Event()

    def answer(state: WorkspaceState, command: Command) -> tuple[Completed, WorkspaceState]:
        running.set()
        assert let_go.wait(20)
        raise BoxLost("gone", after_agent_code=True)

    memory, backend = Memory(), FakeBackend(answer)
    grader = Grader(tiny, backend, memory)

    def close() -> None:
        assert running.wait(20)
        grader.close()
        let_go.set()

    closing = threading.Thread(target=close)
    closing.start()
    with pytest.raises(SandboxError, match="could not be judged: the box was closed while it was in use"):
        grader.grade(tiny.gold)
    closing.join(20)
    assert len(memory) == 0
    assert all(box.closed for box in backend.boxes)


MAPPED = """
import mmap, os
end = os.open("tests/test_tiny.py", os.O_RDWR)
with mmap.mmap(end, 0) as mapped:
    mapped[0]
    mapped[0:8] = b"raise X "
"""
NOTES = """
import os, struct
lists = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", tag, 0, 0xFFFFFFFF) for tag in (0x01, 0x04, 0x20))
for folder in ("/workspace", "/tmp", "/inputs", "/dev/shm"):
    for name, value in (("user.note", b"x"), ("system.posix_acl_default", lists)):
        try:
            os.setxattr(folder, name, value)
        except OSError:
            pass
"""


@pytest.mark.parametrize("trick", [MAPPED, NOTES], ids=["a shared mapping", "access lists of folders"])
def test_what_one_solution_does_to_the_box_does_not_reach_the_next(
    isolating: Backend, tiny: Task, trick: str
) -> None:
    hostile = WorkspaceState(tiny.base).with_file(
        "tiny/__init__.py", f"{SOLVED}\n\nexec({trick!r})\n".encode()
    )
    with Grader(tiny, isolating) as grader:
        for number in range(2):
            time.sleep(0.1)  # longer than any clock tick
            attack = hostile.with_file("tiny/note.py", b"x = %d\n" % number)
            grader.grade(attack)
            grader.visible(attack)
            honest = tiny.gold.with_file("tiny/note.py", b"y = %d\n" % number)
            assert grader.grade(honest).reason == "passed"
            assert len(grader.visible(honest).passed) == 3
