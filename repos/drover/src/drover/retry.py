"""When a failed attempt is made again, and how long to wait before it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Callable, Optional, Tuple, Type

from .errors import RetryAfter, SettingError

ErrorTypes = Tuple[Type[Exception], ...]


@dataclass(frozen=True)
class RetryPolicy:
    """How often and when a job is attempted again.

    ``attempts`` counts all attempts, the first included.  The wait before the
    second attempt is ``delay``, and each further one is ``factor`` times the
    one before, but never more than ``max_delay``.  ``jitter`` is given the wait
    so found and returns the one to use.

    An error is retried if it is one of ``retry_on`` and not one of
    ``give_up_on``, subclasses included.
    """

    attempts: int = 1
    delay: float = 1.0
    factor: float = 2.0
    max_delay: Optional[float] = None
    retry_on: ErrorTypes = (Exception,)
    give_up_on: ErrorTypes = ()
    jitter: Optional[Callable[[float], float]] = None

    def __post_init__(self) -> None:
        if self.attempts < 1:
            raise SettingError("a job has at least one attempt")
        if self.delay < 0 or self.factor < 0:
            raise SettingError("waits cannot be negative")
        if self.max_delay is not None and self.max_delay < 0:
            raise SettingError("waits cannot be negative")

    def retries(self, error: Exception) -> bool:
        """Whether an error of this kind is worth another attempt."""
        if isinstance(error, self.give_up_on):
            return False
        return isinstance(error, (RetryAfter, *self.retry_on))

    def backoff(self, failures: int) -> float:
        """The wait after so many failed attempts, before any jitter."""
        try:
            wait = self.delay * self.factor ** (failures - 1)
        except OverflowError:
            wait = math.inf
        return wait if self.max_delay is None else min(wait, self.max_delay)

    def wait_after(self, failures: int, error: Exception) -> Optional[float]:
        """How long to wait before the next attempt, or None if there is none.

        *failures* is the number of attempts that have failed, the one with
        *error* included.
        """
        if failures >= self.attempts or not self.retries(error):
            return None
        if isinstance(error, RetryAfter):
            wait = error.seconds
        else:
            wait = self.backoff(failures)
            if self.jitter is not None:
                wait = self.jitter(wait)
        return max(0.0, wait)


#: One attempt and no more.
NO_RETRY = RetryPolicy()
