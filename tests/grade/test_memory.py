"""A memory keeps the first result, forgets the oldest, lets one find out for many, and tells of what differs."""

from __future__ import annotations

import copy
import multiprocessing
import os
import pickle
import threading
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepgym_envs import Memory, SandboxError, Verdict
from deepgym_envs.grade import TestReport
from deepgym_envs.grade import memory as memory_module

KEY = ("task", "state", "what")
PASSED = Verdict(1.0, True, "passed", "made/one", "s", tests={"t.py::a": "passed", "t.py::b": "passed"})
FAILED = Verdict(
    0.0, False, "tests_failed", "made/one", "s", tests={"t.py::a": "passed", "t.py::b": "failed"}
)


def together(count: int, do: Callable[[int], object]) -> list[object]:
    """What ``do`` gave or raised in each of that many threads, which begin at the same moment."""
    start = threading.Barrier(count, timeout=20)
    got: list[object] = [None] * count

    def run(number: int) -> None:
        start.wait()
        try:
            got[number] = do(number)
        except Exception as error:
            got[number] = error

    threads = [threading.Thread(target=run, args=(number,), daemon=True) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
    return got


def test_the_first_result_stays() -> None:
    memory = Memory()
    assert memory.get(KEY, int) is None
    assert memory.keep(KEY, 1) == 1
    assert memory.keep(KEY, 2) == 1
    assert memory.get(KEY, int) == 1
    assert memory.get(KEY, str) is None


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(allow_nan=False)), max_size=20))
def test_whatever_is_kept_later_the_first_stays(kept: list[tuple[str, float]]) -> None:
    memory = Memory()
    first: dict[str, float] = {}
    differed = set()
    for name, value in kept:
        first.setdefault(name, value)
        if value != first[name]:
            differed.add(name)
        assert memory.keep(("t", name, "w"), value) == first[name]
    assert {name: memory.get(("t", name, "w"), float) for name in first} == first
    assert {flake.state for flake in memory.flakes} == differed


def test_the_one_that_was_asked_for_longest_ago_is_forgotten() -> None:
    memory = Memory(2)
    for number in range(2):
        memory.keep(("t", str(number), "w"), number)
    memory.get(("t", "0", "w"), int)
    memory.keep(("t", "2", "w"), 2)
    assert len(memory) == 2
    assert [memory.get(("t", str(number), "w"), int) for number in range(3)] == [0, None, 2]


def test_results_that_hostile_code_made_huge_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_module, "_MAX_CHARS", 10_000)
    memory = Memory()
    huge = TestReport({"x" * 4_000: "passed"}, (), {}, True, False)
    for number in range(10):
        memory.keep(("t", str(number), "w"), huge)
    assert len(memory) == 2
    assert memory.get(("t", "9", "w"), TestReport) == huge


@pytest.mark.parametrize(("size", "recheck"), [(0, 0.0), (1, -0.1), (1, 1.1), (1, float("nan"))])
def test_numbers_that_mean_nothing_are_refused(size: int, recheck: float) -> None:
    with pytest.raises(ValueError, match="room for 1 or more"):
        Memory(size, recheck=recheck)


def test_many_threads_agree() -> None:
    memory = Memory()
    assert len(set(together(8, lambda number: memory.keep(KEY, number)))) == 1


def test_one_finds_out_and_the_others_wait() -> None:
    memory, made = Memory(), []

    def make() -> float:
        time.sleep(0.05)
        made.append(threading.get_ident())
        return 0.5

    assert together(8, lambda _: memory.once(KEY, float, make)) == [0.5] * 8
    assert len(made) == 1
    assert memory._flights == {}


def test_who_asks_for_something_else_does_not_wait() -> None:
    memory, meeting = Memory(), threading.Barrier(4, timeout=20)

    def make() -> float:
        meeting.wait()  # all four are in here at the same time
        return 1.0

    assert together(4, lambda number: memory.once(("t", str(number), "w"), float, make)) == [1.0] * 4


def test_if_the_first_fails_the_next_tries() -> None:
    memory, tries = Memory(), []

    def make() -> float:
        tries.append(1)
        if len(tries) < 3:
            raise SandboxError("no box today")
        return 0.25

    got = together(6, lambda _: memory.once(KEY, float, make))
    assert len(tries) == 3
    assert sum(isinstance(one, SandboxError) for one in got) == 2
    assert got.count(0.25) == 4
    assert memory._flights == {}


def test_who_asks_for_what_it_is_finding_out_does_not_wait_for_itself() -> None:
    memory = Memory()
    assert memory.once(KEY, float, lambda: memory.once(KEY, float, lambda: 0.5)) == 0.5


def test_a_fork_while_another_thread_finds_out_does_not_hang_the_child() -> None:
    memory, inside, go_on = Memory(), threading.Event(), threading.Event()

    def make() -> float:
        inside.set()
        go_on.wait(20)
        return 0.5

    thread = threading.Thread(target=memory.once, args=(KEY, float, make), daemon=True)
    thread.start()
    assert inside.wait(20)
    child = multiprocessing.get_context("fork").Process(
        target=lambda: os._exit(7 if memory.once(KEY, float, lambda: 0.75) == 0.75 else 1)
    )
    child.start()
    child.join(20)
    code = child.exitcode
    child.kill()
    go_on.set()
    thread.join(20)
    assert code == 7
    assert memory.get(KEY, float) == 0.5


def test_many_threads_may_fork_at_a_time() -> None:
    memories = [Memory() for _ in range(3)]

    def fork(number: int) -> int:
        child = os.fork()
        if not child:
            os._exit(int(sum(memory.keep(KEY, 1) for memory in memories)))
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    assert together(6, fork) == [3] * 6
    assert [memory.keep(KEY, 2) for memory in memories] == [2, 2, 2]


def test_two_results_for_one_state_are_a_flake_and_the_first_stays() -> None:
    memory = Memory()
    assert memory.keep(KEY, PASSED) == PASSED
    assert memory.keep(KEY, PASSED) == PASSED
    assert len(memory.flakes) == 0
    assert memory.keep(KEY, FAILED) == PASSED
    assert len(memory.flakes) == 1
    flake = memory.flakes[0]
    assert flake.key == KEY
    assert (flake.first, flake.other, flake.tests) == ("passed", "tests_failed", ("t.py::b",))
    assert memory.flake(KEY) == flake
    assert memory.flake(("task", "other", "what")) is None


def test_flakes_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_module, "_MAX_FLAKES", 3)
    memory = Memory()
    for number in range(5):
        memory.keep(("t", str(number), "w"), 0.0)
        memory.keep(("t", str(number), "w"), 1.0)
    assert [flake.state for flake in memory.flakes] == ["0", "1", "2"]


class Counting:
    """Finds out the same each time, and counts how often."""

    count = 0

    def __call__(self) -> float:
        self.count += 1
        return 0.5


def test_what_is_known_is_measured_again_as_often_as_wanted() -> None:
    for recheck, least, most in ((0.0, 0, 0), (0.3, 200, 400), (1.0, 1000, 1000)):
        memory, made = Memory(recheck=recheck), Counting()
        for _ in range(1001):
            assert memory.once(KEY, float, made) == 0.5
        assert least <= made.count - 1 <= most
        assert memory.flakes == ()


def test_measuring_again_finds_what_is_not_steady_and_changes_nothing() -> None:
    memory = Memory(recheck=1.0)
    results = iter([PASSED, FAILED])
    assert [memory.once(KEY, Verdict, lambda: next(results)) for _ in range(2)] == [PASSED, PASSED]
    assert [flake.tests for flake in memory.flakes] == [("t.py::b",)]


def test_what_cannot_be_measured_again_is_no_flake() -> None:
    memory = Memory(recheck=1.0)
    memory.keep(KEY, PASSED)

    def make() -> Verdict:
        raise SandboxError("no box today")

    assert memory.once(KEY, Verdict, make) == PASSED
    assert memory.flakes == ()


def test_a_copy_is_the_same_memory_and_a_pickle_begins_empty() -> None:
    memory = Memory(7, recheck=0.5)
    memory.keep(KEY, 0.5)
    assert copy.deepcopy(memory) is memory
    other = pickle.loads(pickle.dumps(memory))
    assert len(other) == 0
    assert other.__reduce__() == memory.__reduce__()
