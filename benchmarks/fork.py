"""How long does it take to branch an episode, and how many containers do the branches need?

    python -m benchmarks.fork [--rounds 12] [--branches 64] [--alive 8] [--json]

Beside it stands what the engine can do: commit the container, run a second one of that image.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from contextlib import ExitStack

from benchmarks.beside import RUN, Beside
from benchmarks.boxes import boxes
from benchmarks.machine import containers_of
from benchmarks.made import own_copy, sized_task
from benchmarks.measurement import OURS, Result, arguments, finish, in_turns, timed, timing, timings
from deepgym_envs import SweEnv
from deepgym_envs.action import ReadFile, WriteFile
from deepgym_envs.sandbox import Backend, choose_backend

FORK, FIRST, BACK, AWAY = "fork", "fork and a first read", "go back to a snapshot", "close a fork"
BOX = "a new box, and its end"
COMMIT = "docker commit and run, and removal"


def main() -> int:
    """Measure and print."""
    parser = arguments(__doc__, rounds=12)
    parser.add_argument("--files", type=int, default=100, help="in the repository, 3 or more")
    parser.add_argument("--branches", type=int, default=64, help="of one search, one after the other")
    parser.add_argument("--alive", type=int, default=8, help="forks that are open at a time")
    given = parser.parse_args()
    with boxes() as backend:
        return finish(measure(given, backend), as_json=given.json)


def measure(given: argparse.Namespace, backend: Backend) -> Result:
    """Forks of an environment in the middle of an episode, and their counterpart, in turns."""
    anew = choose_backend("docker")
    with sized_task(given.files) as made, ExitStack() as stack:
        task = own_copy(made)
        env = SweEnv(task, backend, measure="never", commands=True)
        stack.callback(env.close)
        env.reset(seed=0)
        for number in range(3):
            env.step(WriteFile(path=f"made/new_{number}.py", content="x = 1\n" * 50).encode())
        beside = stack.enter_context(Beside(task))
        operations: dict[tuple[str, str], Callable[[], float]] = {
            **_ours(env),
            (FORK, COMMIT): lambda: timed(beside.branch),
            (BOX, OURS): lambda: timed(lambda: anew.open(task).close()),
            (BOX, RUN): lambda: timed(beside.run_and_remove),
        }
        samples = in_turns(operations, given.rounds)
        branches = _search(env, given.branches)
        alive, containers = _alive(env, given.alive)
    times = timings({**samples, (f"each of {given.branches} branches in one box", OURS): branches})
    settings = {"files": given.files, "rounds": given.rounds, "branches": given.branches}
    figures = {"forks alive": given.alive, "ms to open each": alive, "containers while they are": containers}
    result = Result("fork", settings, times, figures)
    return Result(**{**vars(result), "aims": result.aimed(FORK, 10, COMMIT)})


def _ours(env: SweEnv) -> dict[tuple[str, str], Callable[[], float]]:
    snapshot = env.snapshot()

    def fork(*, read: bool) -> float:
        twins: list[SweEnv] = []

        def begin() -> None:
            twins.append(env.fork())
            if read:
                twins[0].step(ReadFile(path="made/__init__.py").encode())

        try:
            return timed(begin)
        finally:
            for twin in twins:
                twin.close()

    def close() -> float:
        twin = env.fork()
        return timed(twin.close)

    def back() -> float:
        env.step(WriteFile(path="made/other.py", content="y = 2\n").encode())
        return timed(lambda: env.restore(snapshot))

    return {
        (FORK, OURS): lambda: fork(read=False),
        (FIRST, OURS): lambda: fork(read=True),
        (AWAY, OURS): close,
        (BACK, OURS): back,
    }


def _search(env: SweEnv, branches: int) -> list[float]:
    """Seconds of each branch of a search in one box: go back, change a file, and remember where that led."""
    root = env.snapshot()

    def branch(number: int) -> None:
        env.restore(root)
        env.step(WriteFile(path="made/branch.py", content=f"x = {number}\n").encode())
        env.snapshot()

    return [timed(lambda number=number: branch(number)) for number in range(branches)]  # type: ignore[misc]


def _alive(env: SweEnv, number: int) -> tuple[float, int]:
    """Milliseconds to open each of ``number`` forks that are open at a time, and all containers."""
    with ExitStack() as stack:
        seconds = []
        for _ in range(number):
            forks: list[SweEnv] = []
            seconds.append(timed(lambda forks=forks: forks.append(env.fork())))  # type: ignore[misc]
            stack.callback(forks[0].close)
        return round(timing(seconds).p50, 2), len(containers_of({env.task.id}))


if __name__ == "__main__":
    sys.exit(main())
