"""How long does it take to begin an episode anew, beside a fresh container for each?

python -m benchmarks.reset [--rounds 12] [--files 1000] [--peers] [--json]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from benchmarks.beside import BASE, RUN, Beside
from benchmarks.boxes import boxes
from benchmarks.made import sized_task, small_file
from benchmarks.measurement import OURS, Result, arguments, finish, in_turns, timed, timings
from benchmarks.peers import peers
from benchmarks.player import Player
from deepgym_envs import SweEnv, Task
from deepgym_envs.action import ReadFile, RunCommand
from deepgym_envs.sandbox import Backend, choose_backend

EDITS, COMMAND, NOTHING = (
    f"reset after {what}, and a first read" for what in ("two edits", "a command", "reading")
)
FRESH = "a new environment in a new box, to its first observation, and its end"
WARM = "a new environment in a warm box, to its first observation, and its end"


def main() -> int:
    """Measure and print."""
    parser = arguments(__doc__, rounds=12, peers=True)
    parser.add_argument("--files", type=int, default=1000, help="in the repository, 3 or more")
    given = parser.parse_args()
    with boxes() as backend:
        return finish(measure(given, backend), as_json=given.json)


def measure(given: argparse.Namespace, backend: Backend) -> Result:
    """Resets of an environment and their counterparts, in turns."""
    anew = choose_backend("docker")
    with sized_task(given.files) as task:
        env = SweEnv(task, backend, measure="never", commands=True)
        try:
            with Beside(task) as beside, peers(given.peers, beside.image, BASE, "pyproject.toml") as others:
                operations: dict[tuple[str, str], Callable[[], float]] = {
                    **_ours(Player(env)),
                    (EDITS, RUN): lambda: timed(beside.run_and_remove),
                    (COMMAND, "git reset and clean by docker exec"): lambda: _git_reset(beside),
                    (COMMAND, RUN): lambda: timed(beside.run_and_remove),
                    (WARM, OURS): lambda: timed(lambda: _fresh(task, backend)),
                    (FRESH, OURS): lambda: timed(lambda: _fresh(task, anew)),
                    (FRESH, RUN): lambda: timed(lambda: beside.run_and_remove("true")),
                    **others.operations({FRESH: "open"}),
                }
                times = timings(in_turns(operations, given.rounds))
        finally:
            env.close()
    result = Result("reset", {"files": given.files, "rounds": given.rounds}, times, notes=others.notes)
    aims = [
        *result.aimed(EDITS, 10, RUN, at_least_ratio=30),
        *result.aimed(COMMAND, 10, RUN, at_least_ratio=30),
    ]
    return Result(**{**vars(result), "aims": aims})


def _ours(player: Player) -> dict[tuple[str, str], Callable[[], float]]:
    def after_reading() -> float:
        player.step(ReadFile(path=player.path))
        return player.reset()

    change = f"echo x = 2 > {player.path}; mkdir -p deep/er; touch deep/er/new.py; rm -f {small_file(0)}"

    def command_and_reset() -> float:
        player.reset()
        return player.step(RunCommand(command=change)) + player.reset()

    return {
        (NOTHING, OURS): after_reading,
        (EDITS, OURS): player.reset_after_edits,
        (COMMAND, OURS): lambda: player.reset_after_command(change),
        ("the command, the look at what it changed, reset and read", OURS): command_and_reset,
    }


def _fresh(task: Task, backend: Backend) -> None:
    env = SweEnv(task, backend, measure="never")
    try:
        env.reset(seed=0)
    finally:
        env.close()


def _git_reset(beside: Beside) -> float:
    beside.by_command("sh", "-c", f"echo x = 2 > made/__init__.py; touch new.py; rm -f {small_file(0)}")
    return timed(lambda: beside.by_command("sh", "-c", "git reset -q --hard && git clean -fdq"))


if __name__ == "__main__":
    sys.exit(main())
