"""Drover: an asyncio job pool whose time is under your control."""

from .clock import Clock, SystemClock, VirtualClock
from .errors import (
    ClockError, DroverError, JobCancelledError, JobError, JobSkippedError, JobTimeoutError,
    JobUnfinishedError, PoolClosedError, RetryAfter, SettingError, UnknownGroupError,
)
from .events import Event, EventKind, EventStream
from .jobs import Job, JobState
from .limits import AllOf, ConcurrencyLimit, Limit, RateLimit
from .pool import Pool
from .retry import NO_RETRY, RetryPolicy
from .stats import Statistics

__version__ = "0.7.0"

__all__ = [
    "AllOf", "Clock", "ClockError", "ConcurrencyLimit", "DroverError", "Event", "EventKind", "EventStream",
    "Job", "JobCancelledError", "JobError", "JobSkippedError", "JobState", "JobTimeoutError",
    "JobUnfinishedError", "Limit", "NO_RETRY", "Pool", "PoolClosedError", "RateLimit", "RetryAfter",
    "RetryPolicy", "SettingError", "Statistics", "SystemClock", "UnknownGroupError", "VirtualClock",
]
