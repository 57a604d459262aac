"""How long does a step take on Docker, beside what a user would do instead?

    python -m benchmarks.step [--rounds 30] [--task ID] [--peers] [--json]

Beside it stand ``docker exec`` (command line and Python SDK) in a container of the same image and, with
``--peers``, SWE-ReX, mini-swe-agent and deepgym.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

import deepgym_envs
from benchmarks.beside import BASE, CLI, SDK, Beside
from benchmarks.boxes import boxes
from benchmarks.measurement import OURS, Result, arguments, finish, in_turns, timed, timings
from benchmarks.peers import peers
from benchmarks.player import Player, editable_line
from deepgym_envs.action import ListFiles, ReadFile, RunCommand, Search
from deepgym_envs.sandbox import Backend, Command

READ, EDIT, TRUE = "read a file", "edit a file", "run the command true"
EXECUTE = "run the program true without a shell"
BURST = 3


def main() -> int:
    """Measure and print."""
    parser = arguments(__doc__, rounds=30, peers=True)
    parser.add_argument("--task", default=None, help="a task id; default: the first of the suite starter")
    given = parser.parse_args()
    with boxes() as backend:
        return finish(measure(given, backend), as_json=given.json)


def measure(given: argparse.Namespace, backend: Backend) -> Result:
    """Steps of an environment and their counterparts, in turns."""
    task = deepgym_envs.load_task(given.task) if given.task else deepgym_envs.load_suite("starter")[0]
    path, _ = editable_line(task)
    env = deepgym_envs.SweEnv(task, backend, measure="never", commands=True)
    box = backend.open(task)
    try:
        with Beside(task) as beside, peers(given.peers, beside.image, BASE, path) as others:
            operations: dict[tuple[str, str], Callable[[], float]] = {
                **_ours(Player(env)),
                (READ, "the box alone"): lambda: timed(lambda: box.read(path, 1 << 20)),
                (TRUE, "the box alone"): lambda: timed(lambda: box.run(Command(("true",), 10))),
                **_beside(beside, path),
                **others.operations({READ: "read", EDIT: "edit", TRUE: "true", EXECUTE: "execute"}),
            }
            times = timings(in_turns(operations, given.rounds, BURST))
    finally:
        box.close()
        env.close()
    settings = {"task": task.id, "files": len(task.base), "rounds": given.rounds, "burst": BURST}
    result = Result("step", settings, times, notes=others.notes)
    aims = [
        *result.aimed(READ, 0.6, CLI, at_least_ratio=80),
        *result.aimed(EDIT, 0.6, CLI, at_least_ratio=80),
    ]
    return Result(**{**vars(result), "aims": aims})


def _ours(player: Player) -> dict[tuple[str, str], Callable[[], float]]:
    path = player.path
    return {
        (READ, OURS): lambda: player.step(ReadFile(path=path)),
        (EDIT, OURS): player.edit,
        (TRUE, OURS): lambda: player.step(RunCommand(command="true")),
        ("search all files", OURS): lambda: player.step(Search(pattern=r"def \w+")),
        ("list all files", OURS): lambda: player.step(ListFiles()),
    }


def _beside(beside: Beside, path: str) -> dict[tuple[str, str], Callable[[], float]]:
    edit = ("sed", "-i", "-e", "1s/$/ /", path)
    search = ("grep", "-rnE", "def [[:alnum:]_]+", "--include=*.py", ".")
    return {
        (READ, CLI): lambda: timed(lambda: beside.by_command("cat", path)),
        (READ, SDK): lambda: timed(lambda: beside.by_sdk("cat", path)),
        (EDIT, CLI): lambda: timed(lambda: beside.by_command(*edit)),
        (EDIT, SDK): lambda: timed(lambda: beside.by_sdk(*edit)),
        (TRUE, CLI): lambda: timed(lambda: beside.by_command("true")),
        (TRUE, SDK): lambda: timed(lambda: beside.by_sdk("true")),
        ("search all files", CLI): lambda: timed(lambda: beside.by_command(*search)),
        ("list all files", CLI): lambda: timed(lambda: beside.by_command("find", ".", "-type", "f")),
    }


if __name__ == "__main__":
    sys.exit(main())
