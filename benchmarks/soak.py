"""Is anything left after thousands of episodes?

    python -m benchmarks.soak [--episodes 5000] [--environments 3] [--sandbox docker] [--shared] [--json]

Agents that wander, solve, follow scripts or do nothing play tasks of the suite in no order, in environments
that are threads; now and then an episode is forked, and now and then a container is killed in the middle of
one. What there is on the machine is counted before the first and after the last; the program ends with 1 if
anything grew, or if this process holds more memory than ``--memory-mb`` above what it held after a tenth of
the episodes.
Where others use the machine at the same time, ``--shared`` judges only what is known to be of this run.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import os
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from gymnasium.error import ResetNeeded

import deepgym_envs
from benchmarks.boxes import boxes
from benchmarks.machine import all_containers, below, containers_of, processes, resident_bytes
from benchmarks.made import own_copy
from benchmarks.measurement import Aim, Result, arguments, finish, positive
from deepgym_envs import Memory, SandboxError, SweEnv, Task
from deepgym_envs.action import ListFiles, RunTests, Submit, WriteFile
from deepgym_envs.agents import Agent, NoopAgent, OracleAgent, RandomAgent, ScriptedAgent
from deepgym_envs.owner import this_process
from deepgym_envs.rollout import rollout
from deepgym_envs.sandbox import Backend
from deepgym_envs.sandbox.engine import connect
from deepgym_envs.sandbox.reaper import host_places

SETTLE_SECONDS = 60.0
FORKED, KILLED = 0.05, 0.01  # shares of the episodes


def main() -> int:
    """Play and count."""
    parser = arguments(__doc__)
    parser.add_argument("--episodes", type=positive, default=5000)
    parser.add_argument("--environments", type=positive, default=3)
    parser.add_argument("--tasks", type=int, default=None, help="of the suite, drawn at random; default: all")
    parser.add_argument("--sandbox", choices=("docker", "bwrap"), default="docker")
    parser.add_argument("--memory-mb", type=float, default=64)
    parser.add_argument("--shared", action="store_true")
    given = parser.parse_args()
    return finish(measure(given), as_json=given.json)


class Soak:
    """Environments that play until all episodes are used up."""

    def __init__(self, tasks: Sequence[Task], backend: Backend, episodes: int) -> None:
        self._tasks, self._backend = tasks, backend
        self._episodes = iter(range(episodes))
        self._lock = threading.Lock()
        self._memory = Memory()
        self._done = itertools.count(1)
        self.counts: Counter[str] = Counter()
        self.resident: list[tuple[int, float]] = []  # episodes played, MB
        self.errors: list[BaseException] = []
        self._every = max(1, episodes // 40)

    def play(self, environments: int) -> None:
        """Play all of them. Raises ``RuntimeError`` if an environment failed in an unforeseen way."""
        threads = [threading.Thread(target=self._work, daemon=True) for _ in range(environments)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self.errors:
            raise RuntimeError(f"an environment failed: {self.errors[0]!r}") from self.errors[0]

    def _work(self) -> None:
        env: SweEnv | None = None
        try:
            while (episode := self._take()) is not None:
                drawn = random.Random(episode)
                if env is None:
                    env = SweEnv(drawn.choice(self._tasks), self._backend, memory=self._memory)
                # Most stay on their task, as the groups of a trainer do.
                task = env.task if drawn.random() < 0.7 else drawn.choice(self._tasks)
                self._episode(env, task, drawn, episode)
        except BaseException as error:  # whoever waits for this thread must learn of it
            self.errors.append(error)
            with self._lock:
                self._episodes = iter(())
        finally:
            if env is not None:
                env.close()

    def _take(self) -> int | None:
        with self._lock:
            return next(self._episodes, None)

    def _episode(self, env: SweEnv, task: Task, drawn: random.Random, episode: int) -> None:
        killer = threading.Timer(drawn.random() * 0.3, _kill_one, (task, drawn))
        if self._backend.name == "docker" and drawn.random() < KILLED:
            killer.start()
            self._count("containers killed")
        try:
            trajectory = rollout(env, _agent(task, drawn), seed=episode, task=task)
        finally:
            killer.cancel()
            if killer.ident is not None:
                killer.join()
        outcome = "masked" if trajectory.masked else "solved" if trajectory.passed else "not solved"
        self._count(f"episodes {outcome}")
        if drawn.random() < FORKED:
            self._fork(env, task)
        with self._lock:
            done = next(self._done)
            if done % self._every == 0:
                self.resident.append((done, round(resident_bytes() / 1e6, 1)))

    def _fork(self, env: SweEnv, task: Task) -> None:
        """A fork in the middle of a new episode, which goes on to its own end."""
        try:
            env.reset(options={"task": task})
            env.step(WriteFile(path="forked.txt", content="x\n").encode())
            twin = env.fork()
        except (SandboxError, ResetNeeded):
            self._count("forks that met a killed box")
            return
        with contextlib.closing(twin):
            twin.step(Submit().encode())
        self._count("forks")

    def _count(self, what: str) -> None:
        with self._lock:
            self.counts[what] += 1


def _agent(task: Task, drawn: random.Random) -> Agent:
    """One of many kinds; those that look about stop after a few steps, so that thousands can be played."""
    scripted = ScriptedAgent(
        "some steps", [ListFiles(), WriteFile(path="notes.md", content=str(drawn.random())), RunTests()]
    )
    made: list[Agent] = [NoopAgent(), scripted, _Brief(RandomAgent(), 6)]
    oracle = OracleAgent()
    try:
        oracle.begin(task, 0)
    except deepgym_envs.TaskError:  # its solution takes commands
        pass
    else:
        made += [oracle, oracle]
    return drawn.choice(made)


class _Brief:
    """An agent that submits after a number of steps."""

    def __init__(self, agent: Agent, steps: int) -> None:
        self._agent, self._steps, self._left = agent, steps, steps
        self.name = agent.name

    def begin(self, task: Task, seed: int) -> None:
        self._left = self._steps
        self._agent.begin(task, seed)

    def act(self, observation: Any, info: Any) -> Any:
        self._left -= 1
        return Submit() if self._left < 0 else self._agent.act(observation, info)


def _kill_one(task: Task, drawn: random.Random) -> None:
    """Kill a container of a task of this run; that there is none any more is no matter."""
    boxes = sorted(containers_of({task.id}))
    if boxes:
        client = connect()
        try:
            with contextlib.suppress(Exception):
                client.api.kill(drawn.choice(boxes))
        finally:
            client.close()


def measure(given: argparse.Namespace) -> Result:
    """Count, play, count."""
    tasks = deepgym_envs.load_suite("starter")
    drawn = random.Random(0).sample(tasks, min(given.tasks or len(tasks), len(tasks)))
    tasks = [own_copy(task) for task in drawn]
    names = {task.id for task in tasks}
    with boxes(given.sandbox) as backend:
        for task in tasks:
            backend.prepare(task)
        _warm_up(tasks[0], backend)
    before = counted(names, shared=given.shared)
    began = time.monotonic()
    with boxes(given.sandbox) as backend:
        soak = Soak(tasks, backend, given.episodes)
        soak.play(given.environments)
    took = time.monotonic() - began
    after = settled(names, before, shared=given.shared, patience=SETTLE_SECONDS)
    grown = {name: after[name] - before[name] for name in before if after[name] > before[name]}
    early = next((mb for done, mb in soak.resident if done >= given.episodes / 10), 0.0)
    late = soak.resident[-1][1] if soak.resident else early
    aims = [
        Aim("kinds of things of which there are more than before", len(grown), 0, "kinds"),
        Aim("growth of this process after the first tenth", round(late - early, 1), given.memory_mb, "MB"),
    ]
    settings = {"episodes": given.episodes, "environments": given.environments, "tasks": len(tasks),
                "sandbox": backend.name, "shared": given.shared}  # fmt: skip
    figures = {
        "before": before,
        "after": after,
        "grown": grown,
        "played": dict(sorted(soak.counts.items())),
        "seconds": round(took, 1),
        "resident_mb": soak.resident,
    }
    return Result("soak", settings, figures=figures, aims=aims, failed=not all(aim.met for aim in aims))


def _warm_up(task: Task, backend: Backend) -> None:
    """One episode, so that what is loaded once is there before anything is counted."""
    env = SweEnv(task, backend)
    try:
        rollout(env, ScriptedAgent("warm up", [RunTests()]), seed=0)
    finally:
        env.close()


def settled(names: set[str], before: dict[str, int], *, shared: bool, patience: float) -> dict[str, int]:
    """What there is once no more than before is left, or ``patience`` seconds later."""
    deadline = time.monotonic() + patience
    while True:
        after = counted(names, shared=shared)
        if all(after[name] <= before[name] for name in before) or time.monotonic() > deadline:
            return after
        time.sleep(0.5)


def counted(names: set[str], *, shared: bool) -> dict[str, int]:
    """What there is now; unless ``shared``, of the whole machine too."""
    own: dict[str, Callable[[], int]] = {
        "containers with a box of these tasks": lambda: len(containers_of(names)),
        "children of this process": lambda: len(below(os.getpid())),
        "descriptors of this process": lambda: len(list(Path("/proc/self/fd").iterdir())),
        "threads of this process": lambda: len(list(Path("/proc/self/task").iterdir())),
        "groups, folders and programs of this process": _belongings,
    }
    whole: dict[str, Callable[[], int]] = {
        "containers of the engine": all_containers,
        "processes of the machine": lambda: len(processes()),
        "mounts": lambda: len(Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()),
        "control groups of containers": lambda: _control_groups("docker/*/"),
        "folders for temporary files": lambda: len(list(Path(tempfile.gettempdir()).glob("*deepgym*"))),
    }
    return {name: count() for name, count in (own if shared else {**own, **whole}).items()}


def _belongings() -> int:
    me = this_process()
    return sum(one.owner == me for place in host_places() for one in place.belongings())


def _control_groups(pattern: str) -> int:
    root = Path("/sys/fs/cgroup")
    return len([*root.glob(pattern), *root.glob(f"*/{pattern}")])


if __name__ == "__main__":
    sys.exit(main())
