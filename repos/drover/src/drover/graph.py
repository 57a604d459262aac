"""Which jobs wait for which, and the priorities that pass from one to the other."""

from __future__ import annotations

from typing import Callable, Dict, List, NamedTuple

from .jobs import Job, JobState


class Released(NamedTuple):
    """The jobs that the end of another sets free, and those that can no longer run."""

    ready: List[Job]
    doomed: List[Job]


class DependencyGraph:
    """The unfinished jobs and their dependencies.

    *on_rank* is called with each job whose effective priority changes.
    """

    def __init__(self, on_rank: Callable[[Job], None]) -> None:
        self._on_rank = on_rank
        self._dependents: Dict[int, Dict[int, Job]] = {}
        self._missing: Dict[int, int] = {}

    def add(self, job: Job) -> Released:
        """Enter a job.  It is ready or doomed at once if its dependencies are decided."""
        self._dependents[job.number] = {}
        for dependency in job.dependencies:
            if dependency.is_finished and not _satisfies(dependency, job):
                return Released([], [job])
        waits_for = [d for d in job.dependencies if not d.is_finished]
        self._missing[job.number] = len(waits_for)
        for dependency in waits_for:
            self._dependents[dependency.number][job.number] = job
        self._rank_up(waits_for)
        return Released([] if waits_for else [job], [])

    def finish(self, job: Job) -> Released:
        """Take out a job that has ended, in the state that it ended in."""
        released = Released([], [])
        for dependent in self._dependents.pop(job.number).values():
            if not _satisfies(job, dependent):
                released.doomed.append(dependent)
                continue
            self._missing[dependent.number] -= 1
            if not self._missing[dependent.number]:
                released.ready.append(dependent)
        self._missing.pop(job.number, None)
        unfinished = [d for d in job.dependencies if not d.is_finished]
        for dependency in unfinished:
            self._dependents[dependency.number].pop(job.number, None)
        self._rank_up(unfinished)
        return released

    def reprioritise(self, job: Job, priority: int) -> None:
        """Give a job another priority of its own."""
        job.priority = priority
        self._rank_up([job])

    def blocker(self, job: Job) -> Job:
        """The first dependency that keeps a doomed job from running."""
        return next(d for d in job.dependencies if d.is_finished and not _satisfies(d, job))

    def _rank_up(self, jobs: List[Job]) -> None:
        """Find the effective priorities of *jobs* anew, and of those they wait for if they change."""
        stale = list(jobs)
        while stale:
            job = stale.pop()
            waiting = self._dependents[job.number].values()
            rank = max([job.priority, *(dependent.effective_priority for dependent in waiting)])
            if rank != job.effective_priority:
                job.effective_priority = rank
                self._on_rank(job)
                stale.extend(d for d in job.dependencies if not d.is_finished)


def _satisfies(dependency: Job, job: Job) -> bool:
    return dependency.state is JobState.SUCCEEDED or job.spec.even_if_failed
