"""A pool's sandboxes are like boxes of one's own, however few boxes there are and whoever else wants them."""

from __future__ import annotations

import copy
import itertools
import os
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from linecache import getline
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepgym_envs.errors import ActionError, BoxLost, SandboxError, UsageError
from deepgym_envs.sandbox import Captured, Command, Completed, Pool, Query, Sandbox
from deepgym_envs.sandbox import pool as pool_module
from deepgym_envs.sandbox import shelf as shelf_module
from deepgym_envs.sandbox import stock as stock_module
from deepgym_envs.sandbox.pool import for_grading
from deepgym_envs.state import File, WorkspaceState
from deepgym_envs.task import Limits, Task
from deepgym_envs.testing import FakeBackend, FakeSandbox, completed, make_task, sandbox_checks

from ..tiny import TrustedLocalBackend  # noqa: TID252


def answer(state: WorkspaceState, command: Command) -> tuple[Completed, WorkspaceState]:
    """``write PATH TEXT``, ``fail``, or a command that ends its box."""
    what, *rest = command.argv
    if what == "die":
        raise BoxLost("it died", after_agent_code=True)
    if what == "write":
        written = state.with_file(rest[0], rest[1].encode())
        try:
            written.tree()
        except ValueError:  # the path is a folder
            return completed(1), state
        state = written
    return completed(0, f"{len(state.changes)} changes".encode()), state


class Counting(FakeBackend):
    """Notes the largest number of boxes that were open at a time; opening takes ``seconds``."""

    def __init__(self, seconds: float = 0.0, act: Callable[..., Any] = answer) -> None:
        super().__init__(act)
        self.seconds = seconds
        self.most = 0
        self.failing: Exception | None = None
        self.attempts = 0

    def open(self, task: Task) -> Sandbox:
        self.attempts += 1
        time.sleep(self.seconds)
        if self.failing is not None:
            raise self.failing
        box = super().open(task)
        self.most = max(self.most, len(self.alive))
        return box

    @property
    def alive(self) -> list[FakeSandbox]:
        return [box for box in self.boxes if not box.closed]


def write(path: str, text: str) -> Command:
    return Command(("write", path, text), 5)


def read(box: Sandbox, path: str) -> bytes:
    return box.read(path, 1 << 20)[0]


def until(fact: Callable[[], bool]) -> None:
    """Wait for what another thread is about to bring about."""
    end = time.monotonic() + 20
    while not fact():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.002)


@pytest.fixture(scope="session")
def tasks(tmp_path_factory: pytest.TempPathFactory) -> Sequence[Task]:
    """Three small tasks; a box of each may use 100 MB, of the last 300."""
    folder = tmp_path_factory.mktemp("pool")
    return [
        make_task(
            folder / f"task-{number}",
            source={"a": f"{number}\n", "in/b": "b\n"},
            gold={"a": "gold\n"},
            hidden={"test_x.py": ""},
            fail_to_pass=["test_x.py::test_x"],
            repo=f"repo-{number}",
            limits=Limits(memory_mb=megabytes - 16, disk_mb=16),
        )
        for number, megabytes in enumerate((100, 100, 300))
    ]


# ------------------------------------------------------------------------------------------ like one's own


PATHS = ["a", "in/b", "c", "in", "a/d"]
STEPS = st.one_of(
    st.tuples(st.just("restore"), st.lists(st.tuples(st.sampled_from(PATHS), st.sampled_from([None, "1", "2"])), max_size=3)),
    st.tuples(st.just("run"), st.tuples(st.sampled_from(["a", "c", "in/b"]), st.sampled_from(["1", "2", "3"]))),
    st.tuples(st.just("read"), st.sampled_from([*PATHS, "../x"])),
    st.tuples(st.just("find"), st.sampled_from(["", "in", "none"])),
    st.tuples(st.sampled_from(["capture", "die", "close", "kill"]), st.none()),
)  # fmt: skip
WHO = st.tuples(st.integers(0, 1), st.booleans(), st.integers(0, 1))  # task, to grade, which of two


def act(box: Sandbox, task: Task, step: tuple[str, Any]) -> object:
    """What a step gives, or the kind of its error."""
    what, given_ = step
    try:
        if what == "restore":
            changes = {path: None if text is None else File(text.encode()) for path, text in given_}
            box.restore(WorkspaceState(task.base, changes))
        if what == "run":
            return box.run(write(*given_))
        if what == "die":
            return box.run(Command(("die",), 5))
        if what == "read":
            return box.read(given_, 100)
        if what == "find":
            return box.find(Query(given_))
        if what == "capture":
            return box.capture()
        if what == "close":
            box.close()
    except (ActionError, BoxLost) as error:
        return type(error), getattr(error, "after_agent_code", None)
    return None


@settings(max_examples=150, deadline=None)
@given(steps=st.lists(st.tuples(WHO, STEPS), max_size=40), size=st.integers(1, 3), bounded=st.booleans())
def test_any_interleaving_gives_what_boxes_of_ones_own_give(
    tasks: Sequence[Task], steps: list[Any], size: int, bounded: bool
) -> None:
    backend = Counting()
    own = FakeBackend(answer)
    pairs: dict[Any, tuple[Sandbox, Sandbox]] = {}
    with Pool(backend, size=size, memory_mb=250 if bounded else None) as pool:
        for who, step in steps:
            task = tasks[who[0]]
            if who not in pairs:
                pairs[who] = (pool.grading if who[1] else pool).open(task), own.open(task)
            pooled, alone = pairs[who]
            if step[0] == "kill":  # nobody notices that a box died in which no workspace lies
                for box, _ in pairs.values():
                    box.capture() if act(box, task, ("capture", None)) != (BoxLost, True) else None
                backend.alive[0].close() if backend.alive else None
                continue
            assert act(pooled, task, step) == act(alone, task, step), step
            if step[0] == "close":
                del pairs[who]
            assert len(backend.alive) <= (2 if bounded else 2 * size)
        assert backend.most <= (2 if bounded else 2 * size)
    assert not backend.alive


def test_the_conformance_suite_passes_on_fakes(tasks: Sequence[Task]) -> None:
    backend = Counting()
    with Pool(backend, size=1) as pool:
        for check in sandbox_checks(processes=False):
            check(lambda: pool.open(tasks[0]), tasks[0].base)
        assert backend.most == 1
    assert not backend.alive


# ------------------------------------------------------------------------------------------ who gets a box


def test_a_state_that_a_box_has_held_needs_no_box(tasks: Sequence[Task]) -> None:
    backend = Counting()
    with Pool(backend) as pool:
        box = pool.open(tasks[0])
        base = WorkspaceState(tasks[0].base)
        states = [base.with_file("a", b"%d" % number) for number in range(5)]
        for state in states:
            box.restore(state)
        backend.boxes[0].close()
        for state in [*states, base]:
            box.restore(state)
            assert box.capture().state is state
        assert len(backend.boxes) == 1
        assert read(box, "a") == tasks[0].base["a"].data
        assert len(backend.boxes) == 2


def test_sandboxes_share_boxes_up_to_the_size_of_the_pool(tasks: Sequence[Task]) -> None:
    backend = Counting(seconds=0.01)
    base = WorkspaceState(tasks[0].base)
    with Pool(backend, size=3) as pool:
        boxes = [pool.open(tasks[0]) for _ in range(30)]
        wrong: list[object] = []

        def use(number: int) -> None:
            box = boxes[number]
            for turn in range(10):
                text = f"{number} {turn}"
                box.run(write("a", text))
                state = box.capture().state
                box.restore(base.with_file("c", b"other"))
                box.restore(state)
                if read(box, "a") != text.encode():
                    wrong.append(number)

        threads = [threading.Thread(target=use, args=(number,)) for number in range(30)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert not any(thread.is_alive() for thread in threads)
        assert not wrong
        assert backend.most <= 3
    assert not backend.alive


def test_a_workspace_left_in_a_box_does_not_keep_others_from_it(tasks: Sequence[Task]) -> None:
    backend = Counting()
    with Pool(backend, size=1) as pool:
        boxes = [pool.open(task) for task in [*tasks, *tasks]]
        for number, box in enumerate(boxes):
            box.run(write("a", str(number)))
        for number, box in enumerate(boxes):
            assert read(box, "a") == str(number).encode()
            assert box.capture().state.get("a") == File(str(number).encode())
        assert backend.most == 1


def test_what_the_pool_had_to_drop_is_told_at_the_next_capture(tasks: Sequence[Task]) -> None:
    class Dropping(FakeSandbox):
        def capture(self) -> Captured:
            return Captured(super().capture().state, (("link", "a link"),))

    class Drops(Counting):
        def open(self, task: Task) -> Sandbox:
            return Dropping(task.base, answer)

    with Pool(Drops(), size=1) as pool:
        one, other = pool.open(tasks[0]), pool.open(tasks[0])
        one.run(write("a", "1"))
        other.run(write("a", "2"))
        assert one.capture().dropped == (("link", "a link"),)
        assert one.capture().dropped == ()


def test_hidden_tests_never_enter_a_box_in_which_agents_play(tasks: Sequence[Task]) -> None:
    backend = Counting()
    with Pool(backend, size=2) as pool:
        assert for_grading(pool) is pool.grading
        assert for_grading(backend) is backend
        for _ in range(20):
            for where, word in ((pool, "play"), (pool.grading, "grade")):
                with closing(where.open(tasks[0])) as box:
                    box.run(write("a", word))
        words = [{command.argv[2] for command in box.commands} for box in backend.boxes]
        assert sorted(map(sorted, words)) == [["grade"], ["play"]]


def test_the_box_that_holds_the_state_is_taken_before_any_other(tasks: Sequence[Task]) -> None:
    backend = Counting()
    base = WorkspaceState(tasks[0].base)
    with Pool(backend, size=2) as pool:
        one, other = pool.open(tasks[0]), pool.open(tasks[0])
        one.run(write("a", "left there"))
        other.run(write("c", "in the second box"))
        state = other.capture().state
        one.capture()
        third = pool.open(tasks[0])
        third.restore(state)
        third.run(write("in/b", "third"))
        assert [command.argv[2] for command in backend.boxes[1].commands] == ["in the second box", "third"]
        one.restore(base)
        one.run(write("a", "again"))
        assert [command.argv[2] for command in backend.boxes[0].commands] == ["left there", "again"]


def test_who_waits_is_served_in_order_whatever_the_task(tasks: Sequence[Task]) -> None:
    gate = threading.Semaphore(0)
    order: list[str] = []

    def slow(state: WorkspaceState, command: Command) -> tuple[Completed, WorkspaceState]:
        order.append(command.argv[2])
        assert gate.acquire(timeout=20)
        return answer(state, command)

    with Pool(Counting(act=slow), size=1) as pool:
        boxes = [pool.open(tasks[number % 2]) for number in range(6)]
        threads = []
        for number, box in enumerate(boxes):
            threads.append(threading.Thread(target=box.run, args=(write("a", str(number)),)))
            threads[-1].start()
            until(lambda number=number: len(order) == 1 and len(pool._stock._waiting) == number)  # type: ignore[misc]
        for _ in boxes:
            gate.release()
        for thread in threads:
            thread.join(20)
    assert order == list("012345")


def test_memory_bounds_the_boxes_of_all_tasks_together(tasks: Sequence[Task]) -> None:
    backend = Counting()
    with Pool(backend, size=4, memory_mb=300) as pool:
        small = [pool.open(tasks[0]), pool.open(tasks[1]), pool.grading.open(tasks[0])]
        for number, box in enumerate(small):
            box.run(write("a", str(number)))
        assert len(backend.alive) == 3
        big = pool.open(tasks[2])
        assert len(backend.alive) == 1
        big.run(write("a", "big"))
        for number, box in enumerate(small):
            assert read(box, "a") == str(number).encode()
        assert read(big, "a") == b"big"
    with Pool(backend, memory_mb=299) as pool, pytest.raises(SandboxError, match="may use 300 MB"):
        pool.open(tasks[2])
    with pytest.raises(UsageError):
        Pool(backend, size=0)
    with pytest.raises(UsageError, match="a pool of a pool"):
        Pool(Pool(backend))


def test_a_full_pool_gives_up_boxes_of_tasks_that_nobody_plays_first(tasks: Sequence[Task]) -> None:
    backend = Counting()
    with Pool(backend, size=2) as pool:
        kept = pool.open(tasks[0])
        pool.open(tasks[1]).close()
        first, second = backend.boxes
        pool.open(tasks[2])
        assert not first.closed
        assert second.closed
        assert read(kept, "a") == tasks[0].base["a"].data


def test_a_workspace_is_captured_before_a_box_of_another_task_is_given_up(tasks: Sequence[Task]) -> None:
    backend = Counting()
    with Pool(backend, size=2) as pool:
        owner, other = pool.open(tasks[0]), pool.open(tasks[0])
        pool.open(tasks[1]).close()
        owner.run(write("a", "1"))
        other.run(write("a", "2"))
        assert read(owner, "a") == b"1"
        assert backend.attempts == 2


def test_who_needs_much_memory_is_not_passed_by_who_needs_little(tasks: Sequence[Task]) -> None:
    gate = threading.Semaphore(0)
    order: list[str] = []

    def slow(state: WorkspaceState, command: Command) -> tuple[Completed, WorkspaceState]:
        order.append(command.argv[2])
        assert gate.acquire(timeout=20)
        return answer(state, command)

    with Pool(Counting(act=slow), size=4, memory_mb=300) as pool:
        boxes = [pool.open(task) for task in (tasks[2], tasks[0], tasks[1], tasks[0])]
        threads = []
        for number, begun in ((1, 1), (2, 2), (0, 2), (3, 2)):  # the big one waits, and a small one behind it
            threads.append(threading.Thread(target=boxes[number].run, args=(write("a", str(number)),)))
            threads[-1].start()
            until(lambda: len(order) == begun and len(pool._stock._waiting) == len(threads) - begun)  # noqa: B023
        for _ in boxes:
            gate.release()
        for thread in threads:
            thread.join(20)
    assert order in (["1", "2", "0", "3"], ["2", "1", "0", "3"])


# ------------------------------------------------------------------------------------------ ahead of need


def test_a_box_that_was_fetched_ahead_is_the_one_that_is_used(tasks: Sequence[Task]) -> None:
    backend = Counting(seconds=0.05)
    with Pool(backend) as pool:
        pool.prefetch(tasks[0])
        pool.prefetch(tasks[0])
        pool.grading.prefetch(tasks[0])
        read(pool.open(tasks[0]), "a")  # waits for the one that is being opened
        read(pool.grading.open(tasks[0]), "a")
        assert backend.attempts == 2


def test_fetching_ahead_takes_no_box_from_a_task_in_use(tasks: Sequence[Task]) -> None:
    backend = Counting()
    with Pool(backend, size=2) as pool:
        one, other = pool.open(tasks[0]), pool.open(tasks[1])
        pool.prefetch(tasks[2])
        assert backend.attempts == 2
        other.close()
        pool.prefetch(tasks[2])
        until(lambda: len(backend.boxes) == 3)
        assert not backend.boxes[0].closed
        assert read(one, "a") == tasks[0].base["a"].data


def test_trouble_while_fetching_ahead_is_met_by_who_needs_the_box(tasks: Sequence[Task]) -> None:
    backend = Counting(seconds=0.02)
    backend.failing = SandboxError("no box today")
    with Pool(backend) as pool:
        pool.prefetch(tasks[0])
        with pytest.raises(SandboxError, match="no box today"):
            pool.open(tasks[0])
        assert backend.attempts == 2
        backend.failing = None
        assert read(pool.open(tasks[0]), "in/b") == b"b\n"


# ------------------------------------------------------------------------------------------ boxes that die


def test_nobody_notices_that_an_idle_box_has_died(tasks: Sequence[Task]) -> None:
    backend = Counting()
    state = WorkspaceState(tasks[0].base).with_file("c", b"kept")
    with Pool(backend, size=3) as pool:
        boxes = [pool.open(tasks[0]) for _ in range(3)]
        for box in boxes:
            box.run(write("a", "x"))
        for box in boxes:
            box.restore(state)
        ways: list[Callable[[Sandbox], object]] = [
            lambda box: read(box, "c"),
            lambda box: box.find(Query()),
            lambda box: box.run(write("a", "y")),
            lambda box: box.restore(state.with_file("a", b"z")),
        ]
        for way in ways:
            for dead in backend.alive:
                dead.close()
            way(boxes[0])
            assert boxes[0].capture().state.get("c") == File(b"kept")


def test_a_box_that_a_command_broke_is_the_commands_fault_and_is_replaced(tasks: Sequence[Task]) -> None:
    backend = Counting()
    with Pool(backend, size=2) as pool:
        box, other = pool.open(tasks[0]), pool.open(tasks[0])
        with pytest.raises(BoxLost, match="it died") as caught:
            box.run(Command(("die",), 5))
        assert caught.value.after_agent_code
        with pytest.raises(BoxLost) as caught:
            box.restore(WorkspaceState(tasks[0].base))
        assert caught.value.after_agent_code
        until(lambda: len(backend.alive) == 1)
        assert read(other, "in/b") == b"b\n"
        assert backend.attempts == 2


@pytest.mark.parametrize("blamed", [True, False], ids=["by what ran in it", "with its engine"])
def test_a_box_that_dies_with_a_workspace_in_it_is_lost_to_its_owner_alone(
    tasks: Sequence[Task], blamed: bool
) -> None:
    class Dying(FakeSandbox):
        def capture(self) -> Captured:
            if self.commands:
                self.close()
                raise BoxLost("it is dead", after_agent_code=blamed)
            return super().capture()

    class Backend(Counting):
        def open(self, task: Task) -> Sandbox:
            self.boxes.append(Dying(task.base, answer))
            return self.boxes[-1]

    with Pool(Backend(), size=1) as pool:
        owner, other = pool.open(tasks[0]), pool.open(tasks[0])
        owner.run(write("a", "1"))
        assert read(other, "in/b") == b"b\n"
        with pytest.raises(BoxLost, match="it is dead") as caught:
            owner.capture()
        assert caught.value.after_agent_code is blamed


def test_new_boxes_that_fail_are_not_tried_for_ever(tasks: Sequence[Task]) -> None:
    class Stillborn(Counting):
        def open(self, task: Task) -> Sandbox:
            box = super().open(task)
            box.close()
            return box

    state = WorkspaceState(tasks[0].base).with_file("c", b"x")
    with Pool(Stillborn()) as pool:
        with pytest.raises(SandboxError):
            pool.open(tasks[0])
        backend = Counting()
    with Pool(backend) as pool:
        box = pool.open(tasks[0])
        backend.boxes[0].close()
        backend.failing = SandboxError("the engine is gone")
        with pytest.raises(BoxLost, match="the engine is gone") as caught:
            box.restore(state)
        assert not caught.value.after_agent_code
        with pytest.raises(BoxLost):
            read(box, "a")


def test_a_call_that_is_broken_off_costs_the_box_and_not_the_pool(tasks: Sequence[Task]) -> None:
    class Interrupted(BaseException):
        pass

    def interrupt(state: WorkspaceState, command: Command) -> tuple[Completed, WorkspaceState]:
        raise Interrupted

    backend = Counting(act=interrupt)
    with Pool(backend, size=1) as pool:
        box, other = pool.open(tasks[0]), pool.open(tasks[0])
        with pytest.raises(Interrupted):
            box.run(write("a", "1"))
        assert backend.boxes[0].closed
        with pytest.raises(BoxLost):
            box.capture()
        assert read(other, "in/b") == b"b\n"


POOL_FILES = {module.__file__ for module in (pool_module, shelf_module, stock_module)}


def interrupt(call: Callable[[], object], at: int) -> bool:
    """Press Ctrl-C before the line number ``at`` of the pool's own code that ``call`` reaches; whether it did."""
    left = at

    def trace(frame: FrameType, event: str, _: object) -> Any:
        nonlocal left
        if frame.f_code.co_filename not in POOL_FILES:
            return None
        # A line that begins with "with" comes up again at its end, where no signal is ever delivered.
        if event == "line" and not getline(frame.f_code.co_filename, frame.f_lineno).lstrip().startswith(
            "with "
        ):
            left -= 1
            if left == 0:
                raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    except KeyboardInterrupt:
        return True
    except BoxLost:
        pass
    finally:
        sys.settrace(before)
    return False


@pytest.mark.slow
@pytest.mark.parametrize("command", [write("a", "1"), Command(("die",), 5)], ids=["write", "die"])
def test_an_interrupt_anywhere_costs_no_room_for_a_box(tasks: Sequence[Task], command: Command) -> None:
    """The call evicts a box of another task, captures the workspace that lies in it, and opens its own."""
    for line in itertools.count(1):
        pool = Pool(Counting(), size=1)
        owner, box = pool.open(tasks[1]), pool.open(tasks[0])
        owner.run(write("a", "left there"))
        fired = interrupt(lambda: box.run(command), line)  # noqa: B023
        seen: list[bytes] = []

        def look(
            pool: Pool = pool, boxes: Sequence[Sandbox] = (owner, box), seen: list[bytes] = seen
        ) -> None:
            seen.append(read(pool.open(tasks[2]), "in/b"))
            for one in boxes:
                with suppress(BoxLost):  # what was in the middle of something is lost, and says so
                    seen.append(read(one, "a"))

        looking = threading.Thread(target=look, daemon=True)
        looking.start()
        looking.join(5)
        assert not looking.is_alive(), (
            f"after an interrupt at line {line} of the call somebody waits for ever"
        )
        assert set(seen) <= {b"b\n", b"left there", b"1", tasks[0].base["a"].data}
        if not fired:
            pool.close()
            assert line > 100
            return


# ------------------------------------------------------------------------------------------ the end


def test_closing_a_pool_ends_everything_and_says_so(tasks: Sequence[Task]) -> None:
    begun, gate = threading.Event(), threading.Event()

    def stuck(state: WorkspaceState, command: Command) -> tuple[Completed, WorkspaceState]:
        begun.set()
        assert gate.wait(20)
        return answer(state, command)

    backend = Counting(act=stuck)
    pool = Pool(backend, size=1)
    boxes = [pool.open(tasks[0]) for _ in range(3)]
    said: list[str] = []

    def use(box: Sandbox) -> None:
        try:
            box.run(write("a", "1"))
            box.capture()
        except BoxLost as error:
            said.append(str(error))

    threads = [threading.Thread(target=use, args=(box,)) for box in boxes]
    threads[0].start()
    assert begun.wait(20)
    for thread in threads[1:]:
        thread.start()
    until(lambda: len(pool._stock._waiting) == 2)
    pool.close()
    pool.close()
    assert not backend.alive
    gate.set()
    for thread in threads:
        thread.join(20)
    assert said == ["the pool of boxes is closed"] * 3
    with pytest.raises(SandboxError, match="make another"):
        pool.open(tasks[0])
    pool.prefetch(tasks[0])
    assert backend.attempts == 1


@pytest.mark.parametrize("ahead", [False, True])
def test_a_box_that_opens_while_the_pool_closes_is_closed(tasks: Sequence[Task], ahead: bool) -> None:
    backend = Counting(seconds=0.1)
    pool = Pool(backend)

    def need() -> None:
        with suppress(SandboxError):
            pool.open(tasks[0])

    thread = threading.Thread(target=need)
    if ahead:
        pool.prefetch(tasks[0])
    else:
        thread.start()
    until(lambda: backend.attempts == 1)
    pool.close()
    until(lambda: len(backend.boxes) == 1 and not backend.alive)
    if not ahead:
        thread.join(20)


def test_closing_a_sandbox_from_another_thread_ends_its_call_or_its_wait(tasks: Sequence[Task]) -> None:
    begun, gate = threading.Event(), threading.Event()

    def stuck(state: WorkspaceState, command: Command) -> tuple[Completed, WorkspaceState]:
        begun.set()
        assert gate.wait(20)
        return answer(state, command)

    backend = Counting(act=stuck)
    with Pool(backend, size=1) as pool:
        working, waiting = pool.open(tasks[0]), pool.open(tasks[0])
        ended: list[Sandbox] = []

        def use(box: Sandbox) -> None:
            with suppress(BoxLost):
                box.run(write("a", "1"))
            ended.append(box)

        threads = [threading.Thread(target=use, args=(box,)) for box in (working, waiting)]
        threads[0].start()
        assert begun.wait(20)
        threads[1].start()
        until(lambda: len(pool._stock._waiting) == 1)
        waiting.close()
        threads[1].join(20)
        assert ended == [waiting]
        working.close()
        assert backend.boxes[0].closed
        gate.set()
        threads[0].join(20)
        assert read(pool.open(tasks[0]), "in/b") == b"b\n"


def test_without_keep_the_boxes_end_with_the_last_sandbox(tasks: Sequence[Task]) -> None:
    backend = Counting(seconds=0.02)
    pool = Pool(backend, keep=False)
    for _ in range(2):
        one, other = pool.open(tasks[0]), pool.open(tasks[0])
        pool.grading.prefetch(tasks[0])
        one.run(write("a", "1"))
        one.close()
        assert backend.alive
        other.close()
        other.close()
        assert not backend.alive
        assert not pool._stock._shelf.slots
    pool.prefetch(tasks[0])  # nobody is there who could use it
    assert not backend.alive


def test_threads_that_open_use_and_close_leave_nothing(tasks: Sequence[Task]) -> None:
    backend = Counting(seconds=0.002)
    pool = Pool(backend, size=2, keep=False)
    wrong: list[int] = []

    def come_and_go(number: int) -> None:
        for turn in range(15):
            task = tasks[(number + turn) % 3]
            where = pool.grading if (number + turn) % 2 else pool
            where.prefetch(task)
            with closing(where.open(task)) as box, suppress(BoxLost):
                box.run(Command(("die",), 5) if turn % 5 == 4 else write("a", str(number)))
                if read(box, "a") != str(number).encode():
                    wrong.append(number)

    threads = [threading.Thread(target=come_and_go, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    assert not wrong
    until(lambda: not backend.alive and not pool._stock._shelf.slots)
    assert backend.most <= 4


def test_a_pickled_pool_is_a_new_one_and_a_copied_one_the_same() -> None:
    pool = Pool(TrustedLocalBackend(), size=3, memory_mb=4000, keep=False)
    other = pickle.loads(pickle.dumps(pool))
    assert other is not pool
    assert other.name == "local"
    assert other._again.keywords == {"size": 3, "memory_mb": 4000, "keep": False}
    assert copy.deepcopy(pool) is pool
    other.close()
    pool.close()


def test_a_forked_process_has_boxes_of_its_own(tasks: Sequence[Task]) -> None:
    backend = Counting()
    with Pool(backend) as pool:
        box = pool.open(tasks[0])
        box.run(write("a", "1"))
        box.capture()
        child = os.fork()
        if child == 0:
            good = False
            try:
                good = read(box, "a") == b"1" and len(backend.boxes) == 2
                box.close()
                pool.close()
                good = good and not backend.boxes[0].closed and backend.boxes[1].closed
            finally:
                os._exit(0 if good else 1)
        assert os.waitpid(child, 0)[1] == 0
        assert read(box, "a") == b"1"
        assert len(backend.boxes) == 1


def test_threads_of_a_forked_process_begin_its_pool_once(
    tasks: Sequence[Task], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[int] = []
    begin = stock_module.Stock._begin

    def slow(stock: stock_module.Stock) -> None:
        begun.append(1)
        time.sleep(0.05)
        begin(stock)

    with Pool(Counting(), size=1) as pool:
        monkeypatch.setattr(stock_module.Stock, "_begin", slow)
        child = os.fork()
        if child == 0:
            threads = [threading.Thread(target=pool.open, args=(tasks[0],), daemon=True) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(10)
            os._exit(0 if len(begun) == 1 else 1)
        assert os.waitpid(child, 0)[1] == 0


def test_a_program_ends_though_a_pool_is_left_open(tmp_path: Path) -> None:
    script = """
import threading, time
from deepgym_envs.sandbox import Pool
from deepgym_envs.testing import FakeBackend, make_task
from pathlib import Path

class Slow(FakeBackend):
    def open(self, task):
        time.sleep(600)

task = make_task(Path("task"), source={"a": "a"}, gold={"a": "b"}, hidden={"test_x.py": ""},
                 fail_to_pass=["test_x.py::test_x"])
Pool(Slow()).prefetch(task)
print("end", threading.active_count())
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (0, "end 2\n"), done.stderr


def test_a_sandbox_that_is_closed_while_its_box_is_being_opened_ends_its_call(tasks: Sequence[Task]) -> None:
    backend = Counting(seconds=0.2)
    ended: list[BaseException] = []
    with Pool(backend, size=2) as pool:
        one, other = pool.open(tasks[0]), pool.open(tasks[0])
        one.run(write("a", "1"))  # its workspace lies in the only box

        def look() -> None:
            try:
                read(other, "a")
            except BoxLost as error:
                ended.append(error)

        looking = threading.Thread(target=look)
        looking.start()
        until(lambda: backend.attempts == 2)
        other.close()
        looking.join(10)
        assert not looking.is_alive()
        assert [str(error) for error in ended] == ["the box is closed"]
        assert one.capture().state.get("a") == File(b"1")
