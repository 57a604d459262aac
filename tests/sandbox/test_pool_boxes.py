"""A pool of real boxes: every promise of the contract in one box that all share, and boxes that are killed."""

from __future__ import annotations

import os
import pickle
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from deepgym_envs.errors import BoxLost
from deepgym_envs.sandbox import Backend, Command, Pool, Sandbox
from deepgym_envs.sandbox.box import Box
from deepgym_envs.state import WorkspaceState
from deepgym_envs.task import Task
from deepgym_envs.testing import SandboxCheck, sandbox_checks

from ..opening import Opening  # noqa: TID252
from ..tiny import isolating  # noqa: TID252
from .processes import command_lines, gone, parent_of, tagged

FIXTURES = (isolating,)


@pytest.fixture
def opening(isolating: Backend) -> Opening:
    return Opening(isolating)


@pytest.fixture(scope="module")
def narrow(isolating: Backend) -> Iterator[Pool]:
    """A pool of one box, which the checks share."""
    with Pool(isolating, size=1) as pool:
        yield pool


def sh(box: Sandbox, script: str, seconds: float = 30) -> bytes:
    return box.run(Command(("sh", "-c", script), seconds)).output


def kill(box: Box) -> None:
    """Kill a box's program from outside, with all that it runs."""
    mark = tagged("kill")
    running = threading.Thread(target=_ignored, args=(lambda: sh(box, f"sleep 60; : {mark}"),))
    running.start()
    os.kill(_boxd_above(started(mark)), signal.SIGKILL)
    running.join(30)


def started(mark: str) -> int:
    """A process that has ``mark`` in its command line, once there is one."""
    end = time.monotonic() + 20
    while not (found := [pid for pid, line in command_lines().items() if mark in line]):
        assert time.monotonic() < end
        time.sleep(0.01)
    return found[0]


def _boxd_above(pid: int) -> int:
    """The topmost program of the box in which process ``pid`` runs."""
    lines, top = command_lines(), 0
    while pid > 1:
        pid = parent_of(pid) or 0
        if "boxd/__main__.py" in lines.get(pid, "") and "bwrap" not in lines[pid].split("\0")[0]:
            top = pid
    assert top
    return top


def _ignored(call: Callable[[], object]) -> None:
    with suppress(BoxLost):
        call()


@pytest.mark.slow
@pytest.mark.parametrize("check", sandbox_checks(), ids=str)
def test_every_promise_is_kept_in_a_box_that_all_checks_share(
    check: SandboxCheck, narrow: Pool, tiny: Task
) -> None:
    check(lambda: narrow.open(tiny), tiny.base)


def test_two_threads_that_share_one_box_do_not_see_each_other(opening: Opening, tiny: Task) -> None:
    wrong: list[bytes] = []
    with Pool(opening, size=1) as pool:
        boxes = [pool.open(tiny), pool.open(tiny)]

        def use(number: int) -> None:
            for turn in range(10):
                sh(boxes[number], f"echo {number} {turn} > mine; mkdir -p own-{number}; touch own-{number}/x")
                state = boxes[number].capture().state
                seen = sh(boxes[number], "cat mine; ls -d own-*")
                boxes[number].restore(state)
                if seen != f"{number} {turn}\nown-{number}\n".encode():
                    wrong.append(seen)

        threads = [threading.Thread(target=use, args=(number,)) for number in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        assert len(opening.boxes) == 1
    assert not wrong
    assert opening.alive == 0


def test_nobody_notices_that_an_idle_real_box_was_killed(opening: Opening, tiny: Task) -> None:
    with Pool(opening, size=1) as pool:
        box = pool.open(tiny)
        sh(box, "echo kept > kept")
        box.capture()
        looks: list[Callable[[], bytes]] = [lambda: box.read("kept", 10)[0], lambda: sh(box, "cat kept")]
        for look in looks:
            kill(opening.boxes[-1])
            assert look() == b"kept\n"
            box.capture()
        assert len(opening.boxes) == 3
        assert opening.alive == 1


def test_a_real_box_killed_in_a_call_is_lost_and_replaced(opening: Opening, tiny: Task) -> None:
    with Pool(opening, size=1) as pool:
        box = pool.open(tiny)
        errors, mark = list[BoxLost](), tagged("call")

        def use() -> None:
            try:
                sh(box, f"echo x > begun; sleep 60; : {mark}")
            except BoxLost as error:
                errors.append(error)

        thread = threading.Thread(target=use)
        thread.start()
        os.kill(_boxd_above(started(mark)), signal.SIGKILL)
        thread.join(30)
        assert errors[0].after_agent_code
        with pytest.raises(BoxLost):
            box.capture()
        box.close()
        assert b"begun" not in sh(pool.open(tiny), "ls")


def test_closing_a_pool_in_mid_run_ends_the_run(opening: Opening, tiny: Task) -> None:
    pool = Pool(opening, size=1)
    box, errors, mark = pool.open(tiny), list[BoxLost](), tagged("run")

    def use() -> None:
        try:
            sh(box, f"sleep 60; : {mark}", seconds=60)
        except BoxLost as error:
            errors.append(error)

    thread = threading.Thread(target=use)
    thread.start()
    started(mark)
    pool.close()
    thread.join(10)
    assert len(errors) == 1
    assert gone(mark)
    assert opening.alive == 0


def test_opening_from_a_warm_pool_makes_no_box(opening: Opening, tiny: Task) -> None:
    with Pool(opening, size=2) as pool:
        for number in range(20):
            box = pool.open(tiny)
            sh(box, f"echo {number} > made; test $(ls | wc -l) -lt 10")
            box.close()
            assert pool.open(tiny).capture().state == WorkspaceState(tiny.base)
        assert len(opening.boxes) == 1


def test_a_pickled_pool_opens_boxes_elsewhere(isolating: Backend, tiny: Task) -> None:
    with Pool(isolating, size=1) as pool, pickle.loads(pickle.dumps(pool)) as other:
        sh(pool.open(tiny), "echo x > here")
        assert other.open(tiny).capture().state == WorkspaceState(tiny.base)
