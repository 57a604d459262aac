"""The awaitable environment: the same episodes, many at a time, and nothing left of a call that is cancelled."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
import warnings
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import gymnasium as gym
import pytest
from gymnasium.error import AlreadyPendingCallError, ResetNeeded

from deepgym_envs import AsyncSweEnv, Memory, Pool, SandboxError, SweEnv, Task, UnknownTask, WorkspaceState
from deepgym_envs.action import Action, EditFile, ReadFile, RunCommand, RunTests, Submit, WriteFile
from deepgym_envs.errors import BoxLost
from deepgym_envs.owner import this_process
from deepgym_envs.sandbox import Backend, Command, Completed, Sandbox
from deepgym_envs.sandbox.engine import LABEL, OWNER_LABEL, connect
from deepgym_envs.testing import FakeBackend, FakeSandbox, completed

from .sandbox.processes import command_lines, gone, tagged
from .tiny import MakeTiny, backend, fake, isolating, make_tiny, tiny, tiny_tests

FIXTURES = backend, fake, isolating, make_tiny, tiny
MODULE = "tiny/__init__.py"
MEND = EditFile(path=MODULE, old="a - b", new="a + b")
EPISODE = [ReadFile(path=MODULE), ReadFile(path="none"), RunTests(), MEND, RunTests(), Submit(confidence=0.5)]

T = TypeVar("T")


def hangs(mark: str) -> str:
    """Python code that does not end, in a process that can be found by ``mark``."""
    return f"import subprocess\nsubprocess.run(['sh', '-c', 'sleep 60; :', '{mark}'])\n"


# What hangs, as the actions that lead to it, of which the last one hangs.
HANGING: dict[str, Callable[[str], list[Action]]] = {
    "command": lambda mark: [RunCommand(command=f"sh -c 'sleep 60; :' {mark}")],
    "tests": lambda mark: [WriteFile(path="tests/test_tiny.py", content=hangs(mark)), RunTests()],
    "grading": lambda mark: [WriteFile(path=MODULE, content=hangs(mark)), Submit()],
}


class Gate:
    """What a fake box does: every run of it waits until it is let go."""

    def __init__(self) -> None:
        self.reached, self.open = threading.Semaphore(0), threading.Event()

    def __call__(self, state: WorkspaceState, command: Command) -> tuple[Completed, WorkspaceState]:
        self.reached.release()
        assert self.open.wait(60)
        return tiny_tests(state, command)

    async def is_reached(self) -> None:
        await asyncio.to_thread(self.reached.acquire)


@pytest.fixture
def gate() -> Iterator[Gate]:
    made = Gate()
    yield made
    made.open.set()


def look() -> tuple[set[threading.Thread], set[str], int]:
    children: set[str] = set()
    for place in Path("/proc/self/task").glob("*/children"):
        with suppress(OSError):  # the thread has ended
            children.update(place.read_text().split())
    threads = {thread for thread in threading.enumerate() if thread.is_alive()}
    return threads, children, len(os.listdir("/proc/self/fd"))  # noqa: PTH208


@contextmanager
def nothing_left() -> Iterator[None]:
    """No thread, child process or descriptor is left of what is done in it, nor any complaint."""
    said: list[Any] = []
    end = time.monotonic() + 5
    # Of tests before: a box that was being opened ahead when its environment was closed, a call's last breath.
    ending = ("deepgym-box", "deepgym-async")
    while any(thread.name in ending for thread in threading.enumerate()) and time.monotonic() < end:
        time.sleep(0.01)
    before = look()
    sys.unraisablehook, hook = said.append, sys.unraisablehook
    try:
        yield
        gc.collect()
        end = time.monotonic() + 5
        while (after := look()) != before and time.monotonic() < end:
            time.sleep(0.02)
            gc.collect()
            subprocess.run(["true"], check=True)  # with each child Python reaps those that nobody waited for
    finally:
        sys.unraisablehook = hook
    assert after == before
    assert said == []


def play(main: Callable[[], Awaitable[T]]) -> T:
    """What ``main`` returns, on an event loop that must not complain of anything."""
    complaints: list[dict[str, Any]] = []

    async def watched() -> T:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
        async with asyncio.timeout(100):
            return await main()

    done = asyncio.run(watched())
    gc.collect()
    assert complaints == []
    return done


async def until(ready: Callable[[], bool]) -> None:
    while not ready():
        await asyncio.sleep(0.01)


def marked(mark: str) -> int:
    """How many shells run that are marked so."""
    return sum(line.startswith("sh\0-c\0sleep") and mark in line for line in command_lines().values())


def containers(where: Backend, task: Task) -> int:
    """How many containers this process has for ``task``."""
    if where.name != "docker":
        return 0
    client = connect()
    try:
        labels = [f"{LABEL}={task.id}", f"{OWNER_LABEL}={this_process()}"]
        return len(client.api.containers(all=True, filters={"label": labels}))
    finally:
        client.close()


async def cancel(task: asyncio.Task[Any]) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


# ----------------------------------------------------------------------------------------------- the same episodes


@pytest.mark.slow
def test_an_awaited_episode_is_that_of_a_plain_environment(backend: Backend, tiny: Task) -> None:
    plain = SweEnv(tiny, backend)
    expected: list[Any] = [plain.reset(seed=3), *(plain.step(action.encode()) for action in EPISODE)]
    plain.close()

    async def main() -> list[Any]:
        async with AsyncSweEnv(SweEnv(tiny, backend)) as env:
            seen: list[Any] = [await env.reset(seed=3)]
            seen += [await env.step(action.encode()) for action in EPISODE]
            assert env.verdict is not None
            assert (env.verdict.passed, env.task, env.sandbox) == (True, tiny, backend.name)
            assert env.state == tiny.gold
            assert env.action_space.contains(MEND.encode())
            assert env.observation_space.contains(seen[-1][0])
            return seen

    with nothing_left():
        assert str(play(main)) == str(expected)


def test_it_refuses_what_a_plain_environment_refuses(tiny: Task, fake: FakeBackend) -> None:
    async def main() -> None:
        async with AsyncSweEnv(SweEnv(tiny, fake)) as env:
            with pytest.raises(ResetNeeded):
                await env.step({"tool": "list_files"})
            with pytest.raises(UnknownTask):
                await env.reset(options={"task": "none/such"})
            with pytest.raises(ValueError, match="unknown options"):
                await env.reset(options={"colour": 1})
            observation, _ = await env.reset()
            assert observation["output"] == ""
            assert (await env.step({"tool": "nonsense"}))[4]["error"]

    play(main)
    with pytest.raises(TypeError, match="needs a SweEnv"):
        AsyncSweEnv(gym.make("CartPole-v1"))


def test_wrappers_take_part(tiny: Task, fake: FakeBackend) -> None:
    async def main() -> bool:
        async with AsyncSweEnv(gym.wrappers.TimeLimit(SweEnv(tiny, fake), 2)) as env:
            await env.reset()
            await env.step({"tool": "list_files"})
            return (await env.step({"tool": "list_files"}))[3]

    assert play(main)


def test_snapshots_and_forks_share_nothing(tiny: Task, fake: FakeBackend) -> None:
    async def main() -> None:
        async with AsyncSweEnv(SweEnv(tiny, fake)) as env:
            await env.reset(seed=1)
            kept = env.snapshot()
            await env.step(MEND.encode())
            async with await env.fork() as fork:
                assert fork.state == env.state == tiny.gold
                await env.restore(kept)
                assert env.state != fork.state
                assert (await fork.step(Submit().encode()))[4]["passed"]
            assert not (await env.step(Submit().encode()))[4]["passed"]

    play(main)


def test_a_lost_engine_masks_the_episode(tiny: Task) -> None:
    def answer(state: WorkspaceState, command: Command) -> tuple[Completed, WorkspaceState]:
        if "command.sh" in command.files:
            raise BoxLost("the engine went away")
        return tiny_tests(state, command)

    async def main() -> None:
        env = AsyncSweEnv(SweEnv(tiny, FakeBackend(answer), commands=True))
        await env.reset()
        *_, terminated, truncated, info = await env.step(RunCommand(command="true").encode())
        assert (terminated, truncated, info["masked"]) == (False, True, True)
        assert "the engine went away" in info["error"]

    play(main)


def test_a_potential_that_fails_is_told_to_who_awaits(tiny: Task, fake: FakeBackend) -> None:
    def broken(grader: object, state: WorkspaceState) -> float:
        raise ZeroDivisionError

    async def main() -> None:
        async with AsyncSweEnv(SweEnv(tiny, fake, potential=broken)) as env:
            with pytest.raises(ZeroDivisionError):
                await env.reset()

    with nothing_left():
        play(main)


# ---------------------------------------------------------------------------------------------------- many at once


def test_two_calls_at_a_time_on_one_environment_are_the_callers_fault(tiny: Task, gate: Gate) -> None:
    async def main() -> None:
        env = AsyncSweEnv(SweEnv(tiny, FakeBackend(gate)))
        first = asyncio.create_task(env.reset())
        await gate.is_reached()
        for call in (env.reset, env.fork, lambda: env.step({"tool": "list_files"})):
            with pytest.raises(AlreadyPendingCallError, match="await that first"):
                await call()
        with pytest.raises(AlreadyPendingCallError):
            env.snapshot()
        gate.open.set()
        assert (await first)[1]["step"] == 0
        await env.close()

    play(main)


def test_environments_that_share_threads_are_in_calls_that_many_at_a_time(tiny: Task) -> None:
    lock, now, most = threading.Lock(), 0, 0

    def answer(state: WorkspaceState, command: Command) -> tuple[Completed, WorkspaceState]:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.01)
        with lock:
            now -= 1
        return tiny_tests(state, command)

    async def episode(env: AsyncSweEnv) -> bool:
        async with env:
            await env.reset()
            await env.step(MEND.encode())
            return bool((await env.step(Submit().encode()))[4]["passed"])

    async def main() -> list[bool]:
        where = FakeBackend(answer)
        with ThreadPoolExecutor(3) as executor:
            envs = [AsyncSweEnv(SweEnv(tiny, where), executor) for _ in range(12)]
            passed = await asyncio.gather(*map(episode, envs))
        assert all(box.closed for box in where.boxes)
        return passed

    with nothing_left():
        assert play(main) == [True] * 12
    assert most == 3


@pytest.mark.alone
def test_the_loop_stays_free_while_two_hundred_environments_play(tiny: Task) -> None:
    def answer(state: WorkspaceState, command: Command) -> tuple[Completed, WorkspaceState]:
        time.sleep(0.02)
        return completed(), state

    where, memory, late = FakeBackend(answer), Memory(), []

    async def episode(env: AsyncSweEnv) -> int:
        async with env:
            await env.reset()
            for _ in range(5):
                await asyncio.sleep(0.05)
                *_, info = await env.step(RunCommand(command="true").encode())
            return int(info["step"])

    async def tick() -> None:
        while True:
            began = time.monotonic()
            await asyncio.sleep(0.005)
            late.append(time.monotonic() - began - 0.005)

    async def main() -> list[int]:
        ticking = asyncio.create_task(tick())
        with ThreadPoolExecutor(16) as executor:
            envs = [
                AsyncSweEnv(SweEnv(tiny, pool, commands=True, measure="never", memory=memory), executor)
                for _ in range(200)
            ]
            steps = await asyncio.gather(*map(episode, envs))
        await cancel(ticking)
        return steps

    with nothing_left(), Pool(where, size=16) as pool:
        assert play(main) == [5] * 200
    assert len(where.boxes) <= 16 + 16
    assert all(box.closed for box in where.boxes)
    assert sorted(late)[len(late) // 2] < 0.05


def test_one_environment_serves_two_loops_one_after_another(tiny: Task, fake: FakeBackend) -> None:
    env = AsyncSweEnv(SweEnv(tiny, fake))
    asyncio.run(env.reset(seed=1))
    asyncio.run(env.step(MEND.encode()))
    assert asyncio.run(env.step(Submit().encode()))[4]["passed"]
    asyncio.run(env.close())


# ------------------------------------------------------------------------------------------------- cancelled calls


@pytest.mark.slow
@pytest.mark.parametrize("what", HANGING)
def test_a_cancelled_step_ends_what_runs_and_leaves_nothing(
    what: str, isolating: Backend, make_tiny: MakeTiny
) -> None:
    task, mark, memory = make_tiny("hanging", test_seconds=60, command_seconds=60), tagged(what), Memory()
    *before, last = HANGING[what](mark)

    async def main() -> None:
        env = AsyncSweEnv(SweEnv(task, isolating, commands=True, measure="never", memory=memory))
        await env.reset()
        for action in before:
            await env.step(action.encode())
        step = asyncio.create_task(env.step(last.encode()))
        await until(lambda: marked(mark) > 0)
        began = time.monotonic()
        await cancel(step)
        assert time.monotonic() - began < 10
        assert containers(isolating, task) == 0
        assert gone(mark)
        with pytest.raises(ResetNeeded):
            await env.step({"tool": "list_files"})
        await env.reset()
        await env.step(MEND.encode())
        assert (await env.step(Submit().encode()))[4]["passed"]
        await env.close()

    with nothing_left():
        play(main)
    assert len(memory) == 1  # what was cut short is not taken for a verdict


@pytest.mark.slow
def test_many_steps_that_time_out_at_once_are_all_ended(isolating: Backend, make_tiny: MakeTiny) -> None:
    task, mark = make_tiny("hanging", test_seconds=60, command_seconds=60), tagged("many")

    async def episode(env: AsyncSweEnv) -> None:
        async with env:
            await env.reset()
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(2):
                    await env.step(HANGING["command"](mark)[0].encode())

    async def main() -> None:
        with ThreadPoolExecutor(4) as executor:  # the others are cancelled before they have a thread
            envs = [
                AsyncSweEnv(SweEnv(task, isolating, commands=True, measure="never"), executor)
                for _ in range(8)
            ]
            await asyncio.gather(*map(episode, envs))

    began = time.monotonic()
    with nothing_left():
        play(main)
    assert gone(mark)
    assert time.monotonic() - began < 50


def test_a_step_that_is_cancelled_before_a_thread_was_free_has_not_happened(tiny: Task, gate: Gate) -> None:
    async def main() -> None:
        where = FakeBackend(gate)
        with ThreadPoolExecutor(1) as executor:
            busy, env = (
                AsyncSweEnv(SweEnv(tiny, where, measure=m), executor) for m in ("run_tests", "never")
            )
            await env.reset()
            resetting = asyncio.create_task(busy.reset())
            await gate.is_reached()
            step = asyncio.create_task(env.step(MEND.encode()))
            await asyncio.sleep(0.05)
            await cancel(step)
            gate.open.set()
            await resetting
            *_, info = await env.step({"tool": "list_files"})
            assert (info["step"], info["changed_files"]) == (1, ())
            await busy.close()
            await env.close()

    with nothing_left():
        play(main)


def test_after_a_cancelled_reset_the_next_one_works(tiny: Task, gate: Gate) -> None:
    where = FakeBackend(gate)

    async def main() -> None:
        env = AsyncSweEnv(SweEnv(tiny, where))
        reset = asyncio.create_task(env.reset())
        await gate.is_reached()
        asyncio.get_running_loop().call_later(0.1, gate.open.set)
        await cancel(reset)
        assert all(box.closed for box in where.boxes)
        await env.reset()
        await env.step(MEND.encode())
        assert (await env.step(Submit().encode()))[4]["passed"]
        await env.close()

    with nothing_left():
        play(main)
    assert all(box.closed for box in where.boxes)


class SlowToOpen(FakeBackend):
    """Each of its boxes takes a while to open."""

    def __init__(self) -> None:
        super().__init__(tiny_tests)
        self.opening = 0

    def open(self, task: Task) -> Sandbox:
        self.opening += 1
        time.sleep(0.2)
        return super().open(task)


@pytest.mark.parametrize("opening", [1, 2], ids=["agent's box", "grader's box"])
def test_a_box_that_is_just_being_opened_is_closed_too(tiny: Task, opening: int) -> None:
    where = SlowToOpen()

    async def main() -> None:
        env = AsyncSweEnv(SweEnv(tiny, where))
        reset = asyncio.create_task(env.reset())
        await until(lambda: where.opening == opening)
        await cancel(reset)
        assert len(where.boxes) >= opening
        assert all(box.closed for box in where.boxes)

    with nothing_left():
        play(main)


def test_a_cancelled_fork_is_closed_and_its_origin_plays_on(tiny: Task) -> None:
    where = FakeBackend(tiny_tests)
    forks: list[SweEnv] = []

    class SlowToFork(SweEnv):
        def fork(self) -> SweEnv:
            forks.append(super().fork())
            time.sleep(0.2)
            return forks[-1]

    async def main() -> None:
        env = AsyncSweEnv(SlowToFork(tiny, where, measure="never"))
        await env.reset()
        fork = asyncio.create_task(env.fork())
        await until(lambda: len(forks) == 1)
        await cancel(fork)
        with pytest.raises(ResetNeeded):  # it is closed
            forks[0].step(MEND.encode())
        await env.step(MEND.encode())
        assert (await env.step(Submit().encode()))[4]["passed"]
        await env.close()

    with nothing_left():
        play(main)
    assert all(box.closed for box in where.boxes)


def test_who_cancels_twice_does_not_wait_but_the_next_call_does(tiny: Task, gate: Gate) -> None:
    where = FakeBackend(gate)

    async def main() -> None:
        env = AsyncSweEnv(SweEnv(tiny, where))
        reset = asyncio.create_task(env.reset())
        await gate.is_reached()
        reset.cancel()
        await asyncio.sleep(0.05)
        assert not reset.done()
        await cancel(reset)
        again = asyncio.create_task(env.reset())
        await asyncio.sleep(0.05)
        assert len(where.boxes) == 2
        gate.open.set()
        await again
        assert [box.closed for box in where.boxes] == [True, True, False, False]
        await env.close()

    with nothing_left():
        play(main)


def test_a_cancelled_close_completes(tiny: Task) -> None:
    let_go = threading.Event()

    def release() -> None:
        assert let_go.wait(60)

    class SlowToClose(FakeBackend):
        def open(self, task: Task) -> Sandbox:
            self.boxes.append(FakeSandbox(task.base, tiny_tests, release))
            return self.boxes[-1]

    where = SlowToClose()

    async def main() -> None:
        env = AsyncSweEnv(SweEnv(tiny, where, measure="never"))
        await env.reset()
        close = asyncio.create_task(env.close())
        await until(lambda: any(box.closed for box in where.boxes))
        await cancel(close)
        let_go.set()
        await env.reset()
        await env.close()
        await env.close()

    with nothing_left():
        play(main)
    assert all(box.closed for box in where.boxes)


# ----------------------------------------------------------------------------------------------- ends of all kinds


@pytest.mark.slow
def test_close_ends_a_step_that_another_task_awaits(isolating: Backend, make_tiny: MakeTiny) -> None:
    task, mark = make_tiny("hanging", test_seconds=60, command_seconds=60), tagged("closed")

    async def main() -> None:
        env = AsyncSweEnv(SweEnv(task, isolating, commands=True, measure="never"))
        await env.reset()
        step = asyncio.create_task(env.step(HANGING["command"](mark)[0].encode()))
        await until(lambda: marked(mark) > 0)
        await env.close()
        *_, reward, terminated, truncated, info = await step
        assert (reward, terminated, truncated, info["masked"]) == (0.0, False, True, True)
        assert "closed" in info["error"]

    with nothing_left():
        play(main)
    assert gone(mark)


@pytest.mark.slow
@pytest.mark.bwrap
def test_an_interrupted_program_ends_at_once_and_leaves_nothing() -> None:
    """Ctrl-C while two environments are in a call, and one is open and idle."""
    mark = tagged("interrupted")
    program = textwrap.dedent("""
        import asyncio, sys
        from deepgym_envs import AsyncSweEnv, SweEnv
        from deepgym_envs.sandbox.bwrap import BwrapBackend

        async def main():
            backend, task = BwrapBackend(), "starter/tallybook-register-opening"
            made = [SweEnv(task, backend, commands=True, measure="never") for _ in range(3)]
            envs = [AsyncSweEnv(env) for env in made]
            await asyncio.gather(*(env.reset() for env in envs))
            step = {"tool": "run_command", "command": "sh -c 'sleep 60; :' " + sys.argv[1]}
            await asyncio.gather(*(env.step(step) for env in envs[:2]))

        asyncio.run(main())
    """)
    command = [sys.executable, "-c", program, mark]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1]) as child:
        asyncio.run(asyncio.wait_for(until(lambda: marked(mark) >= 2), 100))
        child.send_signal(signal.SIGINT)
        said = child.communicate(timeout=30)[1]
    assert said.strip().splitlines()[-1] == "KeyboardInterrupt"
    assert "never retrieved" not in said
    assert gone(mark)


@pytest.mark.slow
def test_a_loop_that_ends_cancels_what_runs_and_open_environments_go_on_in_the_next(
    isolating: Backend, make_tiny: MakeTiny
) -> None:
    task, mark = make_tiny("hanging", test_seconds=60, command_seconds=60), tagged("ended")
    envs = [AsyncSweEnv(SweEnv(task, isolating, commands=True, measure="never")) for _ in range(2)]

    async def leaves() -> asyncio.Task[Any]:
        await asyncio.gather(*(env.reset() for env in envs))
        step = asyncio.create_task(envs[0].step(HANGING["command"](mark)[0].encode()))
        await until(lambda: marked(mark) > 0)
        return step

    async def goes_on() -> None:
        with pytest.raises(ResetNeeded):
            await envs[0].step({"tool": "list_files"})
        assert (await envs[1].step({"tool": "list_files"}))[4]["step"] == 1
        await asyncio.gather(*(env.close() for env in envs))

    with nothing_left():
        step = play(leaves)
        assert step.cancelled()
        assert gone(mark)
        play(goes_on)


@pytest.mark.slow
def test_a_loop_that_is_closed_in_the_middle_of_a_step_does_not_leave_it(
    isolating: Backend, make_tiny: MakeTiny
) -> None:
    task, mark = make_tiny("hanging", test_seconds=60, command_seconds=60), tagged("dropped")

    def leaves() -> None:
        env = AsyncSweEnv(SweEnv(task, isolating, commands=True, measure="never"))
        loop = asyncio.new_event_loop()
        loop.run_until_complete(env.reset())
        step = env.step(HANGING["command"](mark)[0].encode())

        async def begin() -> None:
            step.send(None)  # as a task would, which would warn that it was destroyed
            await until(lambda: marked(mark) > 0)

        loop.run_until_complete(begin())
        loop.close()
        step.close()

    with nothing_left():
        leaves()
        assert gone(mark, 10)


def test_an_environment_that_is_dropped_without_close_gives_its_box_up(
    isolating: Backend, make_tiny: MakeTiny
) -> None:
    task = make_tiny("dropped")
    with warnings.catch_warnings(), nothing_left():
        warnings.simplefilter("ignore", ResourceWarning)
        env = AsyncSweEnv(SweEnv(task, isolating, measure="never"))
        asyncio.run(env.reset())
        del env
        gc.collect()
    end = time.monotonic() + 10
    while containers(isolating, task):
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_reset_that_can_have_no_box_says_so_and_the_next_may(tiny: Task) -> None:
    class Sometimes(FakeBackend):
        refused = False

        def open(self, task: Task) -> Sandbox:
            if not self.refused:
                self.refused = True
                raise SandboxError("no room")
            return super().open(task)

    async def main() -> None:
        async with AsyncSweEnv(SweEnv(tiny, Sometimes(tiny_tests))) as env:
            with pytest.raises(SandboxError, match="no room"):
                await env.reset()
            assert (await env.reset())[1]["potential"] == pytest.approx(2 / 3)

    play(main)
