"""Jobs: what is to be called and how, and the handle by which its caller follows it."""

from __future__ import annotations

import asyncio
import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Awaitable, Callable, Generator, Optional, Tuple

from .errors import JobCancelledError, JobUnfinishedError
from .retry import RetryPolicy

if TYPE_CHECKING:
    from .pool import Pool


class JobState(enum.Enum):
    """Where a job is in its life.  The last four are final."""

    BLOCKED = "blocked"
    QUEUED = "queued"
    RUNNING = "running"
    BACKING_OFF = "backing off"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"

    @property
    def is_final(self) -> bool:
        return self in _FINAL


_FINAL = frozenset((JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED, JobState.SKIPPED))


@dataclass(frozen=True)
class JobSpec:
    """What was asked for when the job was submitted."""

    function: Callable[..., Awaitable[Any]]
    args: Tuple[Any, ...]
    name: str
    group: Optional[str]
    retry: RetryPolicy
    timeout: Optional[float]
    even_if_failed: bool


class Job:
    """A submitted job.  ``await job`` gives its result or raises its error.

    ``number`` counts the jobs of a pool from 1.  ``attempts`` is how often the
    function has been called.  ``effective_priority`` is what the queue goes by:
    the highest priority among the job's own and those of the unfinished jobs
    that depend on it, directly or not.
    """

    def __init__(
        self, pool: Pool, number: int, spec: JobSpec, priority: int, dependencies: Tuple[Job, ...]
    ) -> None:
        self.number = number
        self.spec = spec
        self.priority = priority
        self.effective_priority = priority
        self.dependencies = dependencies
        self.state = JobState.BLOCKED
        self.attempts = 0
        self.pool = pool
        self._value: Any = None
        self._error: Optional[Exception] = None
        self._ended = asyncio.get_running_loop().create_future()

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def group(self) -> Optional[str]:
        return self.spec.group

    @property
    def is_finished(self) -> bool:
        return self.state.is_final

    def result(self) -> Any:
        """What the function returned; raises the job's error if it has one."""
        error = self.error()
        if error is not None:
            raise error
        return self._value

    def error(self) -> Optional[Exception]:
        """Why the job did not succeed, or None if it did."""
        if not self.is_finished:
            raise JobUnfinishedError(self)
        return self._error

    async def wait(self) -> Job:
        """Wait for the end of the job, whatever it is."""
        # A waiter that is cancelled must not take the future of all along.
        await asyncio.shield(self._ended)
        return self

    def __await__(self) -> Generator[Any, None, Any]:
        yield from self.wait().__await__()
        return self.result()

    def cancel(self) -> bool:
        """Cancel the job.  Returns False if it has finished already.

        A running job is cancelled when its function has ended, which may take
        a while if the function cleans up.
        """
        return self.pool.cancel(self)

    def reprioritise(self, priority: int) -> None:
        """Change the priority.  The job keeps its place among those of the new priority."""
        self.pool.reprioritise(self, priority)

    def end(self, state: JobState, value: Any = None, error: Optional[Exception] = None) -> None:
        """Bring the job into a final state.  Called by the pool."""
        self.state = state
        self._value = value
        self._error = JobCancelledError(self) if state is JobState.CANCELLED else error
        if not self._ended.done():
            self._ended.set_result(None)

    def __repr__(self) -> str:
        return f"<Job {self.number} {self.name!r} {self.state.value}>"
