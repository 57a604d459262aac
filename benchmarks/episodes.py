"""How many six-step episodes of the suite starter are played in a second, with how many environments?

    python -m benchmarks.episodes [--environments 1 2 4 8 16] [--tasks 16] [--group 4] [--peers] [--json]

The agent looks at files, applies the task's solution, runs the tests and submits. Environments are threads of
one process, which share out the same episodes however many they are: a group of each task, as trainers do.
``new`` solutions differ in every episode, so that each is judged; ``known`` ones do not, so that each is
judged once. In both the agent's own run of the tests is a real one in every episode.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import os
import random
import statistics
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import deepgym_envs
from benchmarks.beside import BASE, Beside
from benchmarks.boxes import boxes
from benchmarks.by_hand import Trial
from benchmarks.machine import busy_seconds, container_seconds
from benchmarks.measurement import (
    OURS,
    Aim,
    Result,
    arguments,
    finish,
    in_turns,
    positive,
    timed,
    timing,
    timings,
)
from benchmarks.peers import peers
from deepgym_envs import Memory, SweEnv, Task, TaskError
from deepgym_envs.action import Action, ListFiles, ReadFile, Search, Submit, WriteFile
from deepgym_envs.agents import OracleAgent
from deepgym_envs.owner import scratch_folder
from deepgym_envs.rollout import rollout
from deepgym_envs.sandbox import Backend

STEPS = 6
ALONE, BY_HAND = "one episode after the other", "docker run, exec, cp and rm"


def main() -> int:
    """Measure and print."""
    parser = arguments(__doc__, rounds=3, peers=True)
    parser.add_argument("--environments", type=int, nargs="+", default=[1, 2, 4, 8, 16])
    parser.add_argument("--tasks", type=positive, default=16, help="of the suite, drawn from all kinds alike")
    parser.add_argument("--group", type=positive, default=4, help="episodes of each task")
    given = parser.parse_args()
    with boxes() as backend:
        return finish(measure(given, backend), as_json=given.json)


class SixSteps:
    """The oracle, after enough looking about to make six steps of it; more where the solution takes more."""

    name = "six-steps"

    def __init__(self, *, new: bool) -> None:
        self._new = new
        self._left: Iterator[Action] = iter(())

    def begin(self, task: Task, seed: int) -> None:
        """See ``Agent.begin``."""
        actions = solution(task)
        path = next(iter(task.gold.changes))
        if self._new:
            folder = path.rpartition("/")[0]
            note = WriteFile(path=f"{folder}/note_{seed}.txt".lstrip("/"), content=f"{seed}\n")
            actions = [note, *actions]
        looking = [ListFiles(), Search(pattern=r"def \w+"), ReadFile(path=next(iter(task.base)))]
        while len(actions) < STEPS and looking:
            actions = [looking.pop(), *actions]
        self._left = iter(actions)

    def act(self, observation: Mapping[str, Any], info: Mapping[str, Any]) -> Action:  # noqa: ARG002
        """See ``Agent.act``."""
        return next(self._left, Submit())


def solution(task: Task) -> list[Action]:
    """The oracle's actions. Raises ``TaskError`` if it needs commands."""
    oracle = OracleAgent()
    oracle.begin(task, 0)
    actions: list[Action] = []
    while not (actions and isinstance(actions[-1], Submit)):
        actions.append(oracle.act({}, {}))
    return actions


@dataclass
class Played:
    """What was played; ``seconds`` by the kind of task."""

    episodes: int = 0
    steps: int = 0
    wrong: list[str] = field(default_factory=list)
    seconds: dict[str, list[float]] = field(default_factory=dict)


class Race:
    """Environments that share out the same episodes: ``group`` of each task."""

    def __init__(self, tasks: Sequence[Task], backend: Backend, *, group: int, new: bool) -> None:
        self._tasks, self._backend, self._group, self._new = tasks, backend, group, new
        self._left = iter(tasks)
        self._memory = Memory()
        self._lock = threading.Lock()
        self._seeds = itertools.count(1)
        self._errors: list[BaseException] = []
        self.played = Played()

    def play(self, environments: int) -> dict[str, float]:
        """Rates and processor time for each episode, from when all environments are open and warm."""
        ready = threading.Barrier(environments + 1)
        threads = [
            threading.Thread(target=self._work, args=(number, ready), daemon=True)
            for number in range(environments)
        ]
        for thread in threads:
            thread.start()
        with contextlib.suppress(threading.BrokenBarrierError):
            ready.wait()
        before, began = _processor(), time.monotonic()
        for thread in threads:
            thread.join()
        took, after = time.monotonic() - began, _processor()
        if self._errors:
            raise RuntimeError(f"an environment failed: {self._errors[0]!r}") from self._errors[0]
        if self.played.wrong:
            raise RuntimeError(f"episodes did not pass: {self.played.wrong[:3]}")
        count, cores = self.played.episodes, len(os.sched_getaffinity(0))
        return {
            "environments": environments,
            "episodes": count,
            "a_second": round(count / took, 3),
            "a_second_and_core": round(count / took / cores, 3),
            "steps": round(self.played.steps / count, 2),
            **{f"cpu_seconds_{name}": round((after[name] - before[name]) / count, 4) for name in before},
        }

    def _work(self, number: int, ready: threading.Barrier) -> None:
        first = self._tasks[number % len(self._tasks)]
        agent = SixSteps(new=self._new)
        try:
            with contextlib.closing(
                SweEnv(first, self._backend, measure="never", memory=self._memory)
            ) as env:
                self._episode(env, agent, first, counts=False)
                ready.wait()
                while (task := self._take()) is not None:
                    for _ in range(self._group):
                        self._episode(env, agent, task)
        except BaseException as error:  # whoever waits for this thread must learn of it
            self._errors.append(error)
            ready.abort()

    def _take(self) -> Task | None:
        with self._lock:
            return next(self._left, None) if not self._errors else None

    def _episode(self, env: SweEnv, agent: SixSteps, task: Task, *, counts: bool = True) -> None:
        with self._lock:
            seed = next(self._seeds)
        trajectory = rollout(env, agent, seed=seed, task=task)
        with self._lock:
            if not trajectory.passed:
                reason = trajectory.error or (trajectory.judgement and trajectory.judgement.reason)
                self.played.wrong.append(f"{task.id}: {reason}")
            if counts:
                self.played.episodes += 1
                self.played.steps += len(trajectory.steps)
                self.played.seconds.setdefault(task.manifest.kind, []).append(trajectory.seconds)


def _processor() -> dict[str, float]:
    own = os.times()
    found = {"this_process": own.user + own.system, "whole_machine": busy_seconds()}
    containers = container_seconds()
    return found if containers is None else {**found, "containers": containers}


def measure(given: argparse.Namespace, backend: Backend) -> Result:
    """Rates for each number of environments, with new and with known solutions, and one by one by others."""
    tasks = _drawn(given.tasks)
    for task in tasks:
        backend.prepare(task)
    rates: dict[str, list[dict[str, float]]] = {"new": [], "known": []}
    kinds: dict[str, list[float]] = {}
    for number in given.environments:
        for name, rows in rates.items():
            race = Race(tasks, backend, group=given.group, new=name == "new")
            rows.append(race.play(number))
            if name == "new":
                for kind, seconds in race.played.seconds.items():
                    kinds.setdefault(kind, []).extend(second / number for second in seconds)
    times, by_step, notes = _alone(given, tasks[-1], backend)
    best = {name: max(row["a_second"] for row in rows) for name, rows in rates.items()}
    by_hand = 1e3 / times[ALONE][BY_HAND].p50
    cores = len(os.sched_getaffinity(0))
    return Result(
        "episodes",
        {"tasks": len(tasks), "group": given.group, "cores": cores},
        times,
        {
            "rates": rates,
            "ms_by_step": by_step,
            "ms_an_episode_by_kind": {
                kind: round(statistics.mean(seconds) * 1e3, 1) for kind, seconds in sorted(kinds.items())
            },
        },
        [
            Aim(
                f"episodes a second in total, {name} solutions", best[name], 10, "1/s", at_least=True,
                peer=f"{BY_HAND}, one by one", ratio=best[name] / by_hand,
            )
            for name in rates
        ],
        notes,
    )  # fmt: skip


def _drawn(number: int) -> list[Task]:
    """That many tasks, of each kind as many as its share of the suite; those that take longest come first."""
    tasks = []
    for task in deepgym_envs.load_suite("starter"):
        with contextlib.suppress(TaskError):  # its solution takes commands
            solution(task)
            tasks.append(task)
    random.Random(0).shuffle(tasks)
    tasks.sort(key=lambda task: task.manifest.kind)
    some = [tasks[place * len(tasks) // number] for place in range(min(number, len(tasks)))]
    return sorted(some, key=lambda task: task.manifest.kind != "tests")


def _alone(
    given: argparse.Namespace, task: Task, backend: Backend
) -> tuple[Any, dict[str, float], list[str]]:
    """Episodes of one task one by one, by us, by hand, and by a peer; of ours each step too."""
    seeds = itertools.count(1)
    steps: dict[str, list[float]] = {}
    env = SweEnv(task, backend, measure="never")
    try:
        with scratch_folder("benchmark") as folder, Beside(task) as beside:
            trial = Trial(task, Path(folder))
            with peers(given.peers, beside.image, BASE, "README.md", ["deepgym"]) as others:
                operations = {
                    (ALONE, OURS): lambda: timed(lambda: _step_by_step(env, next(seeds), steps)),
                    (ALONE, BY_HAND): lambda: timed(trial.episode),
                    **others.operations({ALONE: "episode"}),
                }
                times = timings(in_turns(operations, given.rounds))
                by_step = {name: round(timing(seconds).p50, 2) for name, seconds in steps.items()}
                return times, by_step, others.notes
    finally:
        env.close()


def _step_by_step(env: SweEnv, seed: int, steps: dict[str, list[float]]) -> None:
    """One episode with a solution that is new; the seconds of its reset and of each step go to ``steps``."""
    agent = SixSteps(new=True)
    agent.begin(env.task, seed)
    over = False
    steps.setdefault("reset", []).append(timed(lambda: env.reset(seed=seed)))
    while not over:
        action = agent.act({}, {})

        def take(action: Action = action) -> None:
            nonlocal over
            _, _, terminated, truncated, _ = env.step(action.encode())
            over = terminated or truncated

        steps.setdefault(action.tool, []).append(timed(take))
    if env.verdict is None or not env.verdict.passed:
        raise RuntimeError(f"the solution of {env.task.id} did not pass")


if __name__ == "__main__":
    sys.exit(main())
