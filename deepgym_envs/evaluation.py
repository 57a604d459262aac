"""Lets an agent play many tasks, side by side, and counts what it solves."""

from __future__ import annotations

import hashlib
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deepgym_envs.agents import Agent, AgentFactory, make_agent, script_digests
from deepgym_envs.crew import Crew, Job
from deepgym_envs.env import Measure
from deepgym_envs.errors import UsageError
from deepgym_envs.grade import Flake, Memory
from deepgym_envs.sandbox import Backend, BackendName, choose_backend
from deepgym_envs.signing_key import signing_key
from deepgym_envs.statistics import wilson
from deepgym_envs.store import RunStore
from deepgym_envs.task import Task
from deepgym_envs.trajectory import Trajectory

MAX_WORKERS = 8


@dataclass(frozen=True)
class Tally:
    """What was counted over some episodes. Masked ones were not judged, so they did not fail."""

    tasks: int
    episodes: int
    solved: int
    masked: int

    @property
    def judged(self) -> int:
        """Episodes that have a verdict."""
        return self.episodes - self.masked

    @property
    def failed(self) -> int:
        """Episodes that were judged and not solved."""
        return self.judged - self.solved

    @property
    def pass_at_1(self) -> float | None:
        """Share of the judged episodes that solved their task, in [0, 1]; None when none was judged."""
        return self.solved / self.judged if self.judged else None

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval of ``pass_at_1``; see ``statistics.wilson`` for what it assumes."""
        return wilson(self.solved, self.judged)


@dataclass(frozen=True)
class TaskRow:
    """How the episodes of one task went.

    ``reasons`` counts the verdicts' reasons, ``troubles`` why episodes were masked; ``seconds`` is the
    episodes' time together.
    """

    task: str
    kind: str
    episodes: int
    solved: int
    masked: int
    reasons: Mapping[str, int]
    seconds: float
    troubles: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Evaluation:
    """The outcome of ``evaluate``; ``seconds`` is the wall-clock time of this call.

    ``flaky`` names tasks of which one state was seen to give two results; the first one was counted.
    """

    agent: str
    sandbox: str
    seed: int
    rows: tuple[TaskRow, ...]
    seconds: float
    flaky: Mapping[str, tuple[Flake, ...]] = field(default_factory=dict)

    @property
    def total(self) -> Tally:
        """Everything together."""
        return _tally(self.rows)

    @property
    def by_kind(self) -> Mapping[str, Tally]:
        """The same for each kind of task, by name."""
        kinds = sorted({row.kind for row in self.rows})
        return {kind: _tally(row for row in self.rows if row.kind == kind) for kind in kinds}

    @property
    def masked_share(self) -> float:
        """Share of the episodes that say nothing, in [0, 1]."""
        return self.total.masked / self.total.episodes if self.total.episodes else 0.0

    def summary(self) -> dict[str, Any]:
        """As plain JSON values, in the form that ``deepgym-envs eval --json`` prints."""
        return {
            **_counts(self.total),
            "seconds": round(self.seconds, 3),
            "sandbox": self.sandbox,
            "flaky": {task: [_plain(flake) for flake in flakes] for task, flakes in self.flaky.items()},
            "by_kind": {kind: _counts(tally) for kind, tally in self.by_kind.items()},
            "per_task": {
                row.task: {
                    **_counts(_tally([row])),
                    "kind": row.kind,
                    "reasons": dict(row.reasons),
                    "troubles": dict(row.troubles),
                    "seconds": round(row.seconds, 3),
                }
                for row in self.rows
            },
        }


def _plain(flake: Flake) -> dict[str, Any]:
    return {
        "asked": flake.asked.split(" ")[0],
        "state": flake.state,
        "first": flake.first,
        "other": flake.other,
        "tests": list(flake.tests),
    }


def _tally(rows: Iterable[TaskRow]) -> Tally:
    counted = [(row.episodes, row.solved, row.masked) for row in rows]
    episodes, solved, masked = (
        (sum(column) for column in zip(*counted, strict=True)) if counted else (0, 0, 0)
    )
    return Tally(len(counted), episodes, solved, masked)


def _counts(tally: Tally) -> dict[str, Any]:
    return {
        "tasks": tally.tasks,
        "episodes": tally.episodes,
        "solved": tally.solved,
        "failed": tally.failed,
        "masked": tally.masked,
        "pass_at_1": tally.pass_at_1,
    }


def episode_seed(seed: int, task: str, index: int) -> int:
    """The seed of one episode, in [0, 2^32): the first 4 bytes of a SHA-256, so it depends on nothing else.

    >>> episode_seed(0, "starter/x", 0) == episode_seed(0, "starter/x", 0) != episode_seed(0, "starter/x", 1)
    True
    """
    return int.from_bytes(hashlib.sha256(f"episode 1 {seed} {task} {index}".encode()).digest()[:4], "big")


def evaluate(  # noqa: PLR0913 - all but two are settings by name
    tasks: Sequence[Task],
    agent: str,
    *,
    episodes: int = 1,
    workers: int | None = None,
    seed: int = 0,
    sandbox: BackendName | Backend = "auto",
    commands: bool = False,
    measure: Measure = "never",
    out: Path | None = None,
    resume: bool = False,
    memory: Memory | None = None,
    key: bytes | None = None,
    on_episode: Callable[[Trajectory], None] | None = None,
) -> Evaluation:
    """Let the agent that ``agent`` names (see ``make_agent``) play ``episodes`` episodes of each task.

    ``workers`` threads (by default one for each processor, at most 8) have an environment each. Every
    episode's seed follows from ``seed``, its task and its index, whatever the number of workers. An episode
    that meets a failure of the infrastructure is played once more in a new environment, and is masked if
    that fails too.

    No verdict depends on ``measure``, which says when potentials are measured (see ``SweEnv``): shaping
    rewards in the trajectories cost test runs of their own, so there are none unless they are asked for.

    With ``out``, each episode is stored in that folder as it ends (``RunStore``). With ``resume``, what is
    stored there and was not masked is not played again; the number of episodes may differ from before,
    nothing else may. ``on_episode`` is called in the caller's thread for each episode, those that were
    stored before included. What is stored is signed with ``key``, by default the host's own.

    ``memory`` holds results that are known already; by default the workers share an empty one.

    When this is interrupted, or a worker fails, all boxes are closed and what is stored stays.

    Raises:
        UsageError: there is no such agent; numbers are below 1; two tasks have one id; ``resume`` without
            ``out``; the run in ``out`` is another.
        TaskError: a task is broken, or the agent cannot play it.
        SandboxUnavailable: no sandbox of that kind can run here.
        OSError: an episode cannot be stored.
        RuntimeError: an agent or this package failed in an unforeseen way, which is the cause.
    """
    started = time.monotonic()
    if episodes < 1 or (workers is not None and workers < 1):
        raise UsageError("there must be at least one episode and one worker")
    if resume and out is None:
        raise UsageError("resume needs out, the folder of the run to go on with")
    make = make_agent(agent, commands=commands)
    player = _check_playable(tasks, make)
    name = player.name
    backend = choose_backend(sandbox)
    settings = {
        "agent": name,
        "seed": seed,
        "sandbox": backend.name,
        "commands": commands,
        "measure": measure,
        "tasks": {task.id: task.digest for task in tasks},
    }
    scripts = script_digests(player, tasks)
    if scripts:
        settings["scripts"] = scripts
    jobs = [
        Job(task, index, episode_seed(seed, task.id, index)) for task in tasks for index in range(episodes)
    ]
    tell = on_episode or _nobody
    if key is None and out is not None:
        key = signing_key()
    memory = memory if memory is not None else Memory()
    ended = {task.id: _Ended(task) for task in tasks}
    with RunStore.create(out, settings, resume=resume) if out is not None else nullcontext() as store:
        if store is not None:
            jobs = _unplayed(jobs, store, ended, tell)
        keep = store.add if store is not None else None
        crew = Crew(
            jobs, make, backend, commands=commands, measure=measure, memory=memory, keep=keep, key=key
        )
        # Closed at once, whatever ends the loop: with it end the workers and their boxes.
        with closing(crew.play(workers or min(len(os.sched_getaffinity(0)), MAX_WORKERS))) as played:
            for trajectory in played:
                ended[trajectory.task].add(trajectory)
                tell(trajectory)
    rows = tuple(one.row() for one in ended.values())
    return Evaluation(name, backend.name, seed, rows, time.monotonic() - started, _flaky(tasks, memory))


def _flaky(tasks: Sequence[Task], memory: Memory) -> dict[str, tuple[Flake, ...]]:
    found: dict[str, tuple[Flake, ...]] = {}
    names = {task.digest: task.id for task in tasks}
    for flake in memory.flakes:
        if flake.task in names:
            found[names[flake.task]] = (*found.get(names[flake.task], ()), flake)
    return dict(sorted(found.items()))


def _check_playable(tasks: Sequence[Task], make: AgentFactory) -> Agent:
    """An agent of which it is known that it can play each of the tasks."""
    names = Counter(task.id for task in tasks)
    twice = next((name for name, count in names.items() if count > 1), None)
    if twice is not None:
        raise UsageError(f"there are two tasks with the id {twice!r}; give each its own")
    agent = make()
    for task in tasks:
        agent.begin(task, 0)
    return agent


def _unplayed(
    jobs: Sequence[Job], store: RunStore, ended: Mapping[str, _Ended], tell: Callable[[Trajectory], None]
) -> list[Job]:
    """The jobs whose episodes are not in ``store``; those that are there are counted."""
    left = {(job.task.id, job.index, job.seed): job for job in jobs}
    for trajectory in store.trajectories():
        key = (trajectory.task, trajectory.index, trajectory.seed)
        if not trajectory.masked and left.pop(key, None) is not None:
            ended[trajectory.task].add(trajectory)
            tell(trajectory)
    return list(left.values())


def _nobody(trajectory: Trajectory) -> None:
    pass


@dataclass
class _Ended:
    """Counts the episodes of one task as they end."""

    task: Task
    solved: int = 0
    masked: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    troubles: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    episodes: int = 0

    def add(self, trajectory: Trajectory) -> None:
        self.episodes += 1
        self.solved += trajectory.passed
        self.masked += trajectory.masked
        self.seconds += trajectory.seconds
        if trajectory.judgement is not None:
            self.reasons[trajectory.judgement.reason] += 1
        if trajectory.masked:
            self.troubles[trajectory.error] += 1

    def row(self) -> TaskRow:
        counts = self.episodes, self.solved, self.masked
        reasons, troubles = (dict(sorted(seen.items())) for seen in (self.reasons, self.troubles))
        return TaskRow(self.task.id, self.task.manifest.kind, *counts, reasons, self.seconds, troubles)
