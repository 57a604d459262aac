"""How much longer than its tests does a run of the tests take, and where does the time go?

    python -m benchmarks.run_tests [--rounds 5] [--repositories 8] [--json]

A ``conftest.py`` in the workspace notes the moments of each run, and whether it was started warm. The tests'
own time is what pytest itself says that setups, calls and teardowns took; all else is overhead. ``docker
exec`` of pytest, on the same files in a container of the same image, takes turns with our step. No state is
tested twice, so nothing is known.
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import deepgym_envs
from benchmarks import timeline
from benchmarks.beside import CLI, Beside, pytest_command
from benchmarks.boxes import boxes
from benchmarks.measurement import OURS, Aim, Result, arguments, finish, in_turns, timings
from benchmarks.player import Player
from deepgym_envs import SweEnv, Task
from deepgym_envs.action import RunCommand, RunTests, WriteFile
from deepgym_envs.sandbox import Backend

PHASES = ("start", "configuration", "collection", "tests", "between tests", "end")
MEANING = {
    "start": "the request, the start of a process, of Python and of pytest",
    "configuration": "the repository's conftest files and configuration",
    "collection": "finding and importing the tests and what they import",
    "tests": "the tests' own time",
    "between tests": "pytest's own work around each test, and the report",
    "end": "the end of pytest and of its processes, the look at the files, the answer",
}
_SOURCE = Path(timeline.__file__).read_text(encoding="utf-8")
Phases = Mapping[str, float]


def main() -> int:
    """Measure and print."""
    parser = arguments(__doc__, rounds=5)
    parser.add_argument("--repositories", type=int, default=8, help="of the suite starter, a task of each")
    given = parser.parse_args()
    with boxes() as backend:
        return finish(measure(given, backend), as_json=given.json)


def measure(given: argparse.Namespace, backend: Backend) -> Result:
    """Runs of the tests of several repositories, by us and by docker exec."""
    first: dict[str, Task] = {}
    for task in deepgym_envs.load_suite("starter"):
        if task.manifest.kind != "tests":
            first.setdefault(task.recipe.name, task)
    chosen = list(first.values())[: given.repositories]
    runs: dict[str, dict[str, list[Phases]]] = {}
    floors: dict[tuple[str, str], list[float]] = {}
    for task in chosen:
        runs[task.recipe.name], some = _runs(task, backend, given.rounds)
        for key, seconds in some.items():
            floors.setdefault(key, []).extend(seconds)
    profile = {name: {who: _median(seen) for who, seen in one.items()} for name, one in runs.items()}
    warm = {name: statistics.mean(phases["warm"] for phases in one[OURS]) for name, one in runs.items()}
    over = {
        who: statistics.median(_over(phases) for one in runs.values() for phases in one[who])
        for who in (OURS, CLI)
    }
    overhead, ratio = over[OURS] * 1e3, over[CLI] / over[OURS]
    return Result(
        "run_tests",
        {"tasks": [task.id for task in chosen], "rounds": given.rounds},
        timings(floors),
        {
            "overhead_ms": {who: round(seconds * 1e3, 1) for who, seconds in over.items()},
            "profile_ms": profile,
            "phases": MEANING,
            "warm_share": warm,
        },
        [
            Aim("run_tests beyond the tests' own time, p50", overhead, 40, "ms", peer=CLI, ratio=ratio),
        ],
    )


def _runs(
    task: Task, backend: Backend, rounds: int
) -> tuple[dict[str, list[Phases]], dict[tuple[str, str], list[float]]]:
    """The phases of each run of the task's tests, and the seconds of what any run is made of."""
    env = SweEnv(task, backend, measure="never", commands=True)
    seen: dict[str, list[Phases]] = {OURS: [], CLI: []}
    numbers = itertools.count()
    try:
        with Beside(task) as beside:
            player = Player(env)

            def note(who: str, phases: Phases) -> float:
                seen[who].append(phases)
                return phases["total"]

            def program(*argv: str) -> Callable[[], float]:
                return lambda: player.step(RunCommand(command=" ".join(argv)))

            operations: dict[tuple[str, str], Callable[[], float]] = {
                ("run_tests", OURS): lambda: note(OURS, _by_step(player, next(numbers))),
                ("run_tests", CLI): lambda: note(CLI, _by_exec(beside, task)),
                ("run the command true", OURS): program("true"),
                ("start Python", OURS): program("python", "-I", "-B", "-c", "pass"),
                ("start Python and import pytest", OURS): program(
                    "python", "-I", "-B", "-c", "'import pytest'"
                ),
            }
            samples = in_turns(operations, rounds)
    finally:
        env.close()
    return {who: phases[1:] for who, phases in seen.items()}, samples  # the first was to warm up


def _by_step(player: Player, number: int) -> Phases:
    player.step(WriteFile(path="conftest.py", content=f"{_SOURCE}\n# run {number}\n"))
    begun = time.monotonic()
    player.step(RunTests())
    ended = time.monotonic()
    written = player.env.state.get(timeline.FILE)
    if written is None:
        raise RuntimeError(f"{player.env.task.id}: pytest did not come to its end")
    return _phases(begun, ended, written.data)


def _by_exec(beside: Beside, task: Task) -> Phases:
    script = f"cat > conftest.py <<'END'\n{_SOURCE}\nEND\n"
    beside.by_command("sh", "-c", script)
    begun = time.monotonic()
    beside.by_command(*pytest_command(task))
    ended = time.monotonic()
    return _phases(begun, ended, beside.by_command("cat", timeline.FILE).encode())


def _phases(begun: float, ended: float, written: bytes) -> Phases:
    """Seconds of each phase, which sum to ``total``; and whether the run was ``warm`` (1) or not (0)."""
    at = {str(name): float(value) for name, value in json.loads(written).items()}
    return {
        "start": at["configured"] - begun,
        "configuration": at["collecting"] - at["configured"],
        "collection": at["collected"] - at["collecting"],
        "tests": at["own"],
        "between tests": at["finished"] - at["collected"] - at["own"],
        "end": ended - at["finished"],
        "total": ended - begun,
        "warm": at["warm"],
    }


def _over(phases: Phases) -> float:
    return phases["total"] - phases["tests"]


def _median(runs: list[Phases]) -> dict[str, float]:
    """Milliseconds of each phase of the run that is the middle one by its overhead; they sum to its total."""
    middle = sorted(runs, key=_over)[len(runs) // 2]
    return {name: round(middle[name] * 1e3, 2) for name in (*PHASES, "total")}


if __name__ == "__main__":
    sys.exit(main())
