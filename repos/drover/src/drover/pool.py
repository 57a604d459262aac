"""The pool: takes jobs, runs them on its workers, and sees each to its end."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Any, Awaitable, Callable, Dict, Iterable, List, Mapping, Optional, Tuple, Union

from .clock import Clock, SystemClock, Timer
from .errors import JobSkippedError, JobTimeoutError, PoolClosedError, SettingError, UnknownGroupError
from .events import EventKind, EventStream
from .graph import DependencyGraph, Released
from .jobs import Job, JobSpec, JobState
from .limits import Limit
from .queue import JobQueue
from .retry import NO_RETRY, RetryPolicy


@dataclass
class _Attempt:
    """One call of a job's function."""

    task: asyncio.Task[Any]
    timer: Optional[Timer] = None
    has_expired: bool = False
    is_cancelled: bool = False


class Pool:
    """Runs jobs, so many at a time, on the running event loop.

    *limits* has one limit for each group that jobs may name; *retry* is the
    policy of jobs that bring none.
    """

    def __init__(
        self,
        workers: int = 1,
        *,
        clock: Optional[Clock] = None,
        limits: Optional[Mapping[str, Limit]] = None,
        retry: RetryPolicy = NO_RETRY,
    ) -> None:
        if workers < 1:
            raise SettingError("a pool needs at least one worker")
        if not all(isinstance(limit, Limit) for limit in (limits or {}).values()):
            raise SettingError("limits are instances of Limit")
        self.workers = workers
        self.clock = clock or SystemClock()
        self.events = EventStream(self.clock)
        self.is_closed = False
        self._limits = dict(limits or {})
        self._retry = retry
        self._submitted = 0
        self._open: Dict[int, Job] = {}
        self._attempts: Dict[int, _Attempt] = {}
        self._backoffs: Dict[int, Timer] = {}
        self._queue = JobQueue()
        self._graph = DependencyGraph(self._rank_changed)
        self._alarm: Optional[Timer] = None
        self._is_dispatch_due = False
        self._drainers: List[asyncio.Future[None]] = []

    async def __aenter__(self) -> Pool:
        return self

    async def __aexit__(self, error_type: Any, error: Any, traceback: Any) -> None:
        await self.close(cancel=error_type is not None)

    # -- what users call ---------------------------------------------------

    def submit(
        self,
        function: Callable[..., Awaitable[Any]],
        *args: Any,
        name: Optional[str] = None,
        priority: int = 0,
        group: Optional[str] = None,
        after: Union[Job, Iterable[Job]] = (),
        even_if_failed: bool = False,
        retry: Optional[RetryPolicy] = None,
        timeout: Optional[float] = None,
    ) -> Job:
        """Have ``function(*args)`` awaited by a worker.

        The job waits for those in *after* and is skipped unless all of them
        succeed; *even_if_failed* runs it whatever becomes of them.  Nothing
        runs before the event loop has its next turn.
        """
        if self.is_closed:
            raise PoolClosedError("the pool is closed")
        if group is not None and group not in self._limits:
            raise UnknownGroupError(group)
        if timeout is not None and timeout <= 0:
            raise SettingError("a timeout must be positive")
        dependencies = self._checked_dependencies(after)
        self._submitted += 1
        name = name or f"job-{self._submitted}"
        spec = JobSpec(function, args, name, group, retry or self._retry, timeout, even_if_failed)
        job = Job(self, self._submitted, spec, priority, dependencies)
        self._open[job.number] = job
        released = self._graph.add(job)
        self.events.emit(EventKind.SUBMITTED, job)
        self._release(released)
        return job

    def jobs(self) -> List[Job]:
        """The unfinished jobs, as they were submitted."""
        return list(self._open.values())

    def cancel(self, job: Job) -> bool:
        """Cancel a job.  See :meth:`Job.cancel`."""
        if job.is_finished:
            return False
        attempt = self._attempts.get(job.number)
        if attempt is None:
            self._finish(job, JobState.CANCELLED)
        elif not attempt.is_cancelled:
            attempt.is_cancelled = True
            attempt.task.cancel()
        return True

    def reprioritise(self, job: Job, priority: int) -> None:
        """Change a job's priority.  See :meth:`Job.reprioritise`."""
        if not job.is_finished:
            self._graph.reprioritise(job, priority)

    async def drain(self) -> None:
        """Wait until there is no unfinished job."""
        while self._open:
            drained = asyncio.get_running_loop().create_future()
            self._drainers.append(drained)
            await drained

    async def close(self, cancel: bool = False) -> None:
        """Take no more jobs, and wait for the end of those there are.

        With *cancel* they are cancelled, the youngest first, so that none is
        skipped because of another.
        """
        self.is_closed = True
        if cancel:
            for job in reversed(self.jobs()):
                self.cancel(job)
        await self.drain()
        self.events.close()

    # -- dispatching -------------------------------------------------------

    def _checked_dependencies(self, after: Union[Job, Iterable[Job]]) -> Tuple[Job, ...]:
        jobs = (after,) if isinstance(after, Job) else tuple(after)
        if any(job.pool is not self for job in jobs):
            raise SettingError("a job can only depend on jobs of its own pool")
        return tuple({job.number: job for job in jobs}.values())

    def _rank_changed(self, job: Job) -> None:
        if job in self._queue:
            self._queue.push(job)

    def _enqueue(self, job: Job) -> None:
        job.state = JobState.QUEUED
        self._queue.push(job)
        self.events.emit(EventKind.QUEUED, job)
        self._dispatch_soon()

    def _dispatch_soon(self) -> None:
        """Fill the workers in the loop's next turn, when all that happens in this one is known."""
        if not self._is_dispatch_due:
            self._is_dispatch_due = True
            asyncio.get_running_loop().call_soon(self._dispatch)

    def _dispatch(self) -> None:
        self._is_dispatch_due = False
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        now = self.clock.now()
        openings: List[float] = []

        def may_start(job: Job) -> bool:
            if job.group is None:
                return True
            ready = self._limits[job.group].ready_at(now)
            if ready is not None and ready > now:
                openings.append(ready)
            return ready is not None and ready <= now

        while len(self._attempts) < self.workers:
            job = self._queue.pop(may_start)
            if job is None:
                break
            self._start(job, now)
        if openings and len(self._attempts) < self.workers:
            self._alarm = self.clock.call_at(min(openings), self._dispatch_soon)

    # -- attempts ----------------------------------------------------------

    def _start(self, job: Job, now: float) -> None:
        if job.group is not None:
            self._limits[job.group].acquire(now)
        job.state = JobState.RUNNING
        job.attempts += 1
        attempt = _Attempt(asyncio.get_running_loop().create_task(_call(job.spec)))
        self._attempts[job.number] = attempt
        if job.spec.timeout is not None:
            attempt.timer = self.clock.call_at(now + job.spec.timeout, lambda: _expire(attempt))
        attempt.task.add_done_callback(lambda task: self._attempt_ended(job, attempt))
        self.events.emit(EventKind.STARTED, job)

    def _attempt_ended(self, job: Job, attempt: _Attempt) -> None:
        del self._attempts[job.number]
        if attempt.timer is not None:
            attempt.timer.cancel()
        if job.group is not None:
            self._limits[job.group].release(self.clock.now())
        self._dispatch_soon()
        error: Optional[BaseException] = None
        if not attempt.task.cancelled():
            error = attempt.task.exception()
        if attempt.is_cancelled:
            self._finish(job, JobState.CANCELLED)
        elif attempt.has_expired:
            assert job.spec.timeout is not None
            self._attempt_failed(job, JobTimeoutError(job, job.spec.timeout))
        elif attempt.task.cancelled():
            self._finish(job, JobState.CANCELLED)
        elif isinstance(error, Exception):
            self._attempt_failed(job, error)
        elif error is None:
            self._finish(job, JobState.SUCCEEDED, value=attempt.task.result())

    def _attempt_failed(self, job: Job, error: Exception) -> None:
        wait = job.spec.retry.wait_after(job.attempts, error)
        if wait is None:
            self._finish(job, JobState.FAILED, error=error)
            return
        job.state = JobState.BACKING_OFF
        if wait > 0:
            self._backoffs[job.number] = self.clock.call_at(
                self.clock.now() + wait, lambda: self._end_backoff(job)
            )
        self.events.emit(EventKind.RETRYING, job, error=error, wait=wait)
        if wait == 0 and not job.is_finished:
            self._enqueue(job)

    def _end_backoff(self, job: Job) -> None:
        del self._backoffs[job.number]
        self._enqueue(job)

    # -- endings -----------------------------------------------------------

    def _finish(
        self, job: Job, state: JobState, value: Any = None, error: Optional[Exception] = None
    ) -> None:
        self._release(self._end(job, state, value, error))

    def _end(
        self, job: Job, state: JobState, value: Any = None, error: Optional[Exception] = None
    ) -> Released:
        self._queue.discard(job)
        backoff = self._backoffs.pop(job.number, None)
        if backoff is not None:
            backoff.cancel()
        del self._open[job.number]
        job.end(state, value, error)
        released = self._graph.finish(job)
        self.events.emit(EventKind(state.value), job, error=job.error())
        if not self._open:
            self._tell_drainers()
        return released

    def _release(self, released: Released) -> None:
        """Queue the jobs that have become ready, and skip those that cannot run any more."""
        rounds = deque([released])
        while rounds:
            ready, doomed = rounds.popleft()
            for job in ready:
                if not job.is_finished:
                    self._enqueue(job)
            for job in doomed:
                if not job.is_finished:
                    error = JobSkippedError(job, self._graph.blocker(job))
                    rounds.append(self._end(job, JobState.SKIPPED, error=error))

    def _tell_drainers(self) -> None:
        drainers, self._drainers = self._drainers, []
        for drained in drainers:
            if not drained.done():
                drained.set_result(None)


async def _call(spec: JobSpec) -> Any:
    return await spec.function(*spec.args)


def _expire(attempt: _Attempt) -> None:
    if not attempt.task.done():
        attempt.has_expired = True
        attempt.task.cancel()
