"""How long does a verdict take: on a state that is known, on a new one, and by hand?

    python -m benchmarks.grade [--rounds 6] [--task ID] [--json]

By hand: a fresh container, the solution and the hidden tests copied into it, ``docker exec`` of pytest, and
the container's removal. Every new state is one that nobody has asked about.
The same new states are judged without the oracle, and without twins too, which shows what each of them costs.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import deepgym_envs
from benchmarks.beside import Beside
from benchmarks.boxes import boxes
from benchmarks.by_hand import Trial
from benchmarks.measurement import OURS, Aim, Result, arguments, finish, in_turns, timed, timing, timings
from deepgym_envs import Grader, Memory, Task, WorkspaceState
from deepgym_envs.oracle_file import is_case
from deepgym_envs.owner import scratch_folder
from deepgym_envs.sandbox import Backend
from deepgym_envs.twin import NO_TWINS

KNOWN, NEW = "verdict on a known state", "verdict on a new state"
BY_HAND = "docker run, cp, exec pytest and rm"
TWINS_ONLY, BARE = "the same without oracle", "the same without oracle and twins"


def main() -> int:
    """Measure and print."""
    parser = arguments(__doc__, rounds=6)
    parser.add_argument("--task", default=None, help="a task id; default: the first of the suite starter")
    given = parser.parse_args()
    with boxes() as backend:
        return finish(measure(given, backend), as_json=given.json)


def measure(given: argparse.Namespace, backend: Backend) -> Result:
    """Verdicts by a grader whose box is warm, and by hand, in turns."""
    task = deepgym_envs.load_task(given.task) if given.task else deepgym_envs.load_suite("starter")[0]
    numbers = itertools.count()
    own: list[float] = []
    tests_only = _without_oracle(task)
    with (
        Grader(task, backend, Memory()) as grader,
        Grader(tests_only, backend, Memory()) as twins_only,
        Grader(
            replace(tests_only, content=replace(tests_only.files, twins=NO_TWINS)), backend, Memory()
        ) as bare,
        Beside(task) as beside,
    ):
        first = timed(lambda: _passes(grader, task.gold))
        operations: dict[tuple[str, str], Callable[[], float]] = {
            (KNOWN, OURS): lambda: timed(lambda: _passes(grader, task.gold)),
            (NEW, OURS): lambda: _timed_new(grader, task, next(numbers)),
            (NEW, TWINS_ONLY): lambda: _timed_new(twins_only, task, next(numbers)),
            (NEW, BARE): lambda: _timed_new(bare, task, next(numbers)),
            (NEW, BY_HAND): lambda: _by_hand(beside, task, own),
            ("potential of a new state", OURS): lambda: _potential(grader, task, next(numbers)),
        }
        times = timings(in_turns(operations, given.rounds))
    result = Result(
        "grade",
        {"task": task.id, "hidden tests": len(task.expected), "rounds": given.rounds},
        times,
        {
            "first_verdict_ms": round(first * 1e3, 1),
            "own_time_of_hidden_tests_ms": round(timing(own).p50, 2),
        },
    )
    known, by_hand = times[KNOWN][OURS].p50, times[NEW][BY_HAND].p50
    new, with_twins, without = (times[NEW][who].p50 for who in (OURS, TWINS_ONLY, BARE))
    aims = [
        Aim(f"{KNOWN}, p50", known, 1, "ms", peer=BY_HAND, ratio=by_hand / known),
        Aim(f"{NEW}, over the tests' own time, p50", new - timing(own).p50, 100, "ms"),
        Aim("a verdict with twins / one without", with_twins / without, 2, "times"),
    ]
    return Result(**{**vars(result), "aims": aims})


def _without_oracle(task: Task) -> Task:
    """The task as its hidden tests alone judge it."""
    tests = task.manifest.tests
    lists = {
        name: tuple(node for node in getattr(tests, name) if not is_case(node))
        for name in ("fail_to_pass", "pass_to_pass")
    }
    manifest = task.manifest.model_copy(update={"tests": tests.model_copy(update=lists)})
    return replace(task, manifest=manifest)


def _new_state(task: Task, number: int) -> WorkspaceState:
    """A solved state that differs from every other in one file, which no test looks at."""
    folder = next(path for path in task.gold.changes if task.may_edit(path)).rpartition("/")[0]
    path = f"{folder}/note_{number}.txt".lstrip("/")
    if not task.may_edit(path):
        raise ValueError(f"{task.id}: {path} would not count")
    return task.gold.with_file(path, f"note {number}\n".encode())


def _passes(grader: Grader, state: WorkspaceState) -> None:
    verdict = grader.grade(state)
    if not verdict.passed:
        raise RuntimeError(f"the solution of {grader.task.id} was judged {verdict.reason}")


def _timed_new(grader: Grader, task: Task, number: int) -> float:
    state = _new_state(task, number)
    return timed(lambda: _passes(grader, state))


def _potential(grader: Grader, task: Task, number: int) -> float:
    state = _new_state(task, number)
    return timed(lambda: grader.visible(state))


def _by_hand(beside: Beside, task: Task, own: list[float]) -> float:
    with scratch_folder("benchmark") as folder:
        trial = Trial(task, Path(folder))
        seconds = timed(lambda: trial.judge(beside))
    own.append(trial.own_seconds)
    return seconds


if __name__ == "__main__":
    sys.exit(main())
