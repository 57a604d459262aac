"""How do steps and resets grow with the size of a repository, and with the number of changed files?

python -m benchmarks.growth [--rounds 5] [--sizes 10 100 1000 10000] [--changed 1 10 100 1000] [--json]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from benchmarks.beside import CLI, RUN, Beside
from benchmarks.made import sized_task
from benchmarks.measurement import OURS, Result, Samples, arguments, finish, in_turns, timed, timings
from benchmarks.player import Player
from deepgym_envs import SweEnv, Task
from deepgym_envs.action import ListFiles, ReadFile, RunCommand, RunTests, Search
from deepgym_envs.sandbox import Backend, choose_backend

READ, EDIT, RESET, TESTS = "read", "edit", "reset after a command, and a first read", "run_tests"
COMMAND = "command true, with the look at the files"
OPEN = "a new environment, to its first observation"
Series = dict[str, dict[str, list[list[float]]]]  # operation, who, points


def main() -> int:
    """Measure and print."""
    parser = arguments(__doc__, rounds=5)
    parser.add_argument(
        "--sizes", type=int, nargs="+", default=[10, 100, 1_000, 10_000], help="10 or more each"
    )
    parser.add_argument("--changed", type=int, nargs="+", default=[1, 10, 100, 1_000])
    given = parser.parse_args()
    if min(given.sizes) < 10 or max(given.sizes) > 40_000 or max(given.changed) > 5_000:
        parser.error("sizes must be in 10..40000 and changes at most 5000")
    return finish(measure(given, choose_backend("docker")), as_json=given.json)


def measure(given: argparse.Namespace, backend: Backend) -> Result:
    """The same operations in repositories of growing size, and resets after a growing number of changes."""
    sizes: Series = {}
    changed: Series = {}
    for size in given.sizes:
        with sized_task(size) as task:
            samples = _of_size(task, backend, given.rounds)
            _add(sizes, size, samples)
            if size == 1_000 or (1_000 not in given.sizes and size == given.sizes[-1]):
                for number in given.changed:
                    _add(changed, number, _of_changes(task, backend, number, given.rounds))
    settings = {"sizes": given.sizes, "changed": given.changed, "rounds": given.rounds}
    return Result(
        "growth", settings, figures={"p50_ms_by_files": sizes, "p50_ms_by_changed_files": changed},
        notes=["changes are new files made by one command"],
    )  # fmt: skip


def _add(series: Series, size: int, samples: Samples) -> None:
    for what, by_whom in timings(samples).items():
        for who, row in by_whom.items():
            series.setdefault(what, {}).setdefault(who, []).append([size, round(row.p50, 3)])


def _of_size(task: Task, backend: Backend, rounds: int) -> Samples:
    backend.prepare(task)
    opened: list[SweEnv] = []

    def fresh() -> float:
        env = SweEnv(task, backend, measure="never", commands=True)
        opened.append(env)
        return timed(lambda: env.reset(seed=0))

    def fresh_and_closed() -> float:
        seconds = fresh()
        opened.pop().close()
        return seconds

    try:
        fresh()
        player = Player(opened[0])
        with Beside(task) as beside:
            operations: dict[tuple[str, str], Callable[[], float]] = {
                (READ, OURS): lambda: player.step(ReadFile(path=player.path)),
                (EDIT, OURS): player.edit,
                ("search", OURS): lambda: player.step(Search(pattern=r"def part_1\b")),
                ("list", OURS): lambda: player.step(ListFiles()),
                (COMMAND, OURS): lambda: player.step(RunCommand(command="true")),
                (RESET, OURS): lambda: player.reset_after_command("touch parts/new.py"),
                (TESTS, OURS): lambda: player.step(RunTests()),
                (OPEN, OURS): fresh_and_closed,
                (READ, CLI): lambda: timed(lambda: beside.by_command("cat", player.path)),
                (RESET, RUN): lambda: timed(beside.run_and_remove),
            }
            return in_turns(operations, rounds)
    finally:
        for env in opened:
            env.close()


def _of_changes(task: Task, backend: Backend, number: int, rounds: int) -> Samples:
    env = SweEnv(task, backend, measure="never", commands=True)
    change = f"mkdir parts/new; cd parts/new; for i in $(seq {number}); do echo $i > $i.py; done"
    try:
        player = Player(env)

        def command() -> float:
            player.reset()
            return player.step(RunCommand(command=change))

        operations: dict[tuple[str, str], Callable[[], float]] = {
            ("the command, with the look at the files", OURS): command,
            (RESET, OURS): lambda: player.reset_after_command(change),
        }
        return in_turns(operations, rounds)
    finally:
        env.close()


if __name__ == "__main__":
    sys.exit(main())
