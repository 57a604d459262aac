"""Threads that play episodes side by side, each in an environment of its own."""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deepgym_envs.action import Action
from deepgym_envs.agents import Agent, AgentFactory
from deepgym_envs.env import Measure, SweEnv
from deepgym_envs.errors import DeepGymError
from deepgym_envs.grade import Memory
from deepgym_envs.rollout import rollout
from deepgym_envs.sandbox import Backend, Pool
from deepgym_envs.task import Task
from deepgym_envs.trajectory import Trajectory

_STOP_SECONDS = 10.0
_RECOVERY_SECONDS = 30.0
_LOOK_SECONDS = 0.2


@dataclass(frozen=True)
class Job:
    """One episode to be played."""

    task: Task
    index: int
    seed: int


class Crew:
    """Plays each of ``jobs`` once.

    ``keep`` is given each episode, in the thread that played it, before it is reported. With a ``key`` it has
    a signed record of its verdict.
    """

    def __init__(
        self,
        jobs: Sequence[Job],
        make: AgentFactory,
        backend: Backend,
        *,
        commands: bool = False,
        measure: Measure = "never",
        memory: Memory | None = None,
        keep: Callable[[Trajectory], object] | None = None,
        key: bytes | None = None,
    ) -> None:
        self._jobs = _Jobs(jobs)
        self._size = len(jobs)
        self._make = make
        self._backend = backend
        self._commands = commands
        self._measure: Measure = measure
        self._keep = keep
        self._key = key
        self._memory = memory if memory is not None else Memory()
        self._stop = threading.Event()
        self._recovery = _Recovery(backend, self._stop)
        self._reports: queue.SimpleQueue[Trajectory | BaseException | None] = queue.SimpleQueue()
        self._environments: dict[int, SweEnv] = {}

    def play(self, workers: int) -> Generator[Trajectory, None, None]:
        """Every episode as it ends. When the caller closes this, or a worker fails, all boxes are closed.

        Raises:
            DeepGymError, OSError: a worker met one that is no matter of one episode.
            RuntimeError: a worker failed in an unforeseen way, which is the cause.
        """
        count = min(workers, self._size)
        given = self._backend if isinstance(self._backend, Pool) else None
        # One box more than there are workers, for the task that is next.
        pool = given or Pool(self._backend, size=count + 1)
        # They are daemons so that one that hangs cannot keep the program from ending, with which its boxes
        # end too.
        threads = [
            threading.Thread(target=self._work, args=(number, pool), name=f"deepgym-{number}", daemon=True)
            for number in range(count)
        ]
        try:
            for thread in threads:
                thread.start()
            working = len(threads)
            while working:
                report = self._reports.get()
                if isinstance(report, Trajectory):
                    yield report
                elif isinstance(report, DeepGymError | OSError):
                    raise report
                elif report is not None:
                    raise RuntimeError(f"a worker failed: {report!r}") from report
                else:
                    working -= 1
        finally:
            self._stop.set()
            self._end(threads)
            if given is None:
                pool.close()

    def _end(self, threads: Sequence[threading.Thread]) -> None:
        """Let the workers end by themselves for a while, then take the boxes from under those that do not."""
        deadline = time.monotonic() + _STOP_SECONDS
        for thread in threads:
            if thread.ident is not None:
                thread.join(max(0.0, deadline - time.monotonic()))
        for number, thread in enumerate(threads):
            environment = self._environments.get(number)
            if thread.is_alive() and environment is not None:
                environment.close()

    def _work(self, number: int, pool: Pool) -> None:
        try:
            agent = _Stoppable(self._make(), self._stop)
            task: Task | None = None
            while not self._stop.is_set() and (job := self._jobs.take(task)) is not None:
                if task is not None and task.id != job.task.id:
                    self._close(number)  # what the last task leaves has room for the one after this
                task = job.task
                self._open_ahead(pool)
                self._report(self._play(number, agent, job, pool))
        except _Stopped:
            pass
        except BaseException as error:  # whatever it is, the one who waits for this thread must learn of it
            self._stop.set()
            self._reports.put(error)
        finally:
            try:
                self._close(number)
            finally:
                self._reports.put(None)

    def _open_ahead(self, pool: Pool) -> None:
        """Have boxes of the next task ready when a worker comes to it."""
        task = self._jobs.next_task()
        if task is not None:
            pool.prefetch(task)
            pool.grading.prefetch(task)

    def _report(self, trajectory: Trajectory) -> None:
        if trajectory.masked and self._stop.is_set():
            raise _Stopped  # its box may have been taken from under it
        if self._keep is not None:
            self._keep(trajectory)
        self._reports.put(trajectory)

    def _play(self, number: int, agent: Agent, job: Job, pool: Pool) -> Trajectory:
        """The episode; one that is masked is played once more, in a new environment, once one can be had."""
        trajectory = self._attempt(number, agent, job, pool)
        if trajectory.masked and not self._stop.is_set():
            self._close(number)
            self._recovery.wait()
            trajectory = self._attempt(number, agent, job, pool)
        return trajectory

    def _attempt(self, number: int, agent: Agent, job: Job, pool: Pool) -> Trajectory:
        env = self._environments.get(number)
        if env is None:
            env = SweEnv(job.task, pool, commands=self._commands, measure=self._measure, memory=self._memory)
            self._environments[number] = env
        return rollout(env, agent, seed=job.seed, index=job.index, task=job.task, key=self._key)

    def _close(self, number: int) -> None:
        env = self._environments.pop(number, None)
        if env is not None:
            env.close()


class _Jobs:
    """Hands out jobs so that a worker stays on its task, and none waits while there is work."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, deque[Job]] = {}
        self._begun: set[str] = set()
        for job in jobs:
            self._waiting.setdefault(job.task.id, deque()).append(job)

    def take(self, task: Task | None) -> Job | None:
        """A job of ``task`` if one is left, else of a task that nobody plays, else of the longest queue."""
        with self._lock:
            chosen = task.id if task is not None else ""
            if chosen not in self._waiting:
                if not self._waiting:
                    return None
                fresh = (name for name in self._waiting if name not in self._begun)
                longest = max(self._waiting, key=lambda name: len(self._waiting[name]))
                chosen = next(fresh, longest)
            self._begun.add(chosen)
            job = self._waiting[chosen].popleft()
            if not self._waiting[chosen]:
                del self._waiting[chosen]
            return job

    def next_task(self) -> Task | None:
        """The first task that nobody has begun."""
        with self._lock:
            fresh = (jobs[0].task for name, jobs in self._waiting.items() if name not in self._begun)
            return next(fresh, None)


class _Recovery:
    """Waits for a backend that broke down, such as an engine that is restarted.

    Once it was waited for in vain, nobody waits again before it was seen to work: a backend that is gone for
    good costs a run one wait.
    """

    def __init__(self, backend: Backend, stop: threading.Event) -> None:
        self._backend = backend
        self._stop = stop
        self._given_up = threading.Event()

    def wait(self) -> None:
        """Return when the backend works, or there is no hope that it will soon."""
        deadline = time.monotonic() + _RECOVERY_SECONDS
        while self._backend.problem() is not None:
            if self._given_up.is_set() or time.monotonic() > deadline:
                self._given_up.set()
                return
            if self._stop.wait(_LOOK_SECONDS):
                return
        self._given_up.clear()


class _Stopped(Exception):
    """The episode is not wanted any more."""


class _Stoppable:
    """An agent that gives up as soon as the crew is to stop."""

    def __init__(self, agent: Agent, stop: threading.Event) -> None:
        self._agent = agent
        self._stop = stop

    @property
    def name(self) -> str:
        return self._agent.name

    def begin(self, task: Task, seed: int) -> None:
        self._agent.begin(task, seed)

    def act(self, observation: Mapping[str, Any], info: Mapping[str, Any]) -> Action:
        if self._stop.is_set():
            raise _Stopped
        return self._agent.act(observation, info)
