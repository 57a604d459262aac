"""What can go wrong.  Everything drover raises of its own accord is a :class:`DroverError`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .jobs import Job


class DroverError(Exception):
    """Base of all errors of this package."""


class SettingError(DroverError, ValueError):
    """A pool, job, policy or limit was given a value that makes no sense."""


class UnknownGroupError(DroverError, LookupError):
    """A job names a group for which the pool has no limit."""

    def __init__(self, group: str) -> None:
        super().__init__(f"the pool has no limit for group {group!r}")
        self.group = group


class PoolClosedError(DroverError):
    """A job was submitted to a pool that takes no more."""


class ClockError(DroverError):
    """A virtual clock was asked to wait for something that will not happen."""


class JobError(DroverError):
    """Base of the errors about one job."""

    def __init__(self, job: Job, message: str) -> None:
        super().__init__(f"{job.name}: {message}")
        self.job = job


class JobUnfinishedError(JobError):
    """The result of a job was asked for before it had one."""

    def __init__(self, job: Job) -> None:
        super().__init__(job, f"is still {job.state.value}")


class JobTimeoutError(JobError):
    """An attempt took longer than the job's timeout."""

    def __init__(self, job: Job, seconds: float) -> None:
        super().__init__(job, f"timed out after {seconds:g} s")
        self.seconds = seconds


class JobCancelledError(JobError):
    """The job was cancelled."""

    def __init__(self, job: Job) -> None:
        super().__init__(job, "was cancelled")


class JobSkippedError(JobError):
    """The job never ran, because one that it depends on did not succeed."""

    def __init__(self, job: Job, dependency: Job) -> None:
        super().__init__(job, f"skipped, since {dependency.name} has {dependency.state.value}")
        self.dependency = dependency


class RetryAfter(DroverError):
    """Raised by a job's function to be called again after a time of its own choice."""

    def __init__(self, seconds: float, reason: str = "asked to be retried") -> None:
        super().__init__(f"{reason} (after {seconds:g} s)")
        self.seconds = seconds
