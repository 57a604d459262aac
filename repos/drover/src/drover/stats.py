"""Figures about the work of a pool, gathered from its events."""

from __future__ import annotations

from bisect import insort
from collections import Counter
from typing import Dict, List, Optional

from .errors import SettingError
from .events import Event, EventKind, EventStream


class Statistics:
    """Counts what an event stream tells from now on.

    ``waiting`` jobs are submitted and neither running nor finished; ``open``
    ones are not finished.  Run times are those of single attempts, and wait
    times are the times for which jobs were queued before an attempt.
    """

    def __init__(self, stream: EventStream) -> None:
        self.peak_running = 0
        self.peak_open = 0
        self._counts: Counter[EventKind] = Counter()
        self._waiting: Dict[int, float] = {}
        self._running: Dict[int, float] = {}
        self._run_times: List[float] = []
        self._wait_times: List[float] = []
        self._subscription = stream.subscribe(self._take)

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    @property
    def running(self) -> int:
        return len(self._running)

    @property
    def open(self) -> int:
        return self.waiting + self.running

    @property
    def mean_run_time(self) -> Optional[float]:
        return _mean(self._run_times)

    @property
    def mean_wait_time(self) -> Optional[float]:
        return _mean(self._wait_times)

    def count(self, kind: EventKind) -> int:
        """How many events of that kind there were."""
        return self._counts[kind]

    def run_time(self, share: float) -> Optional[float]:
        """The time in which at least that share of the attempts had ended.

        ``run_time(0.5)`` is the median, ``run_time(1)`` the longest; None if no
        attempt has ended yet.
        """
        if not 0 <= share <= 1:
            raise SettingError("a share is between 0 and 1")
        if not self._run_times:
            return None
        needed = -int(-share * len(self._run_times) // 1)
        return self._run_times[max(needed, 1) - 1]

    def stop(self) -> None:
        """Count no further events."""
        self._subscription.cancel()

    def snapshot(self) -> Dict[str, int]:
        """All counts by name, for logs."""
        counts = {kind.value: self._counts[kind] for kind in EventKind}
        counts.update(waiting=self.waiting, running=self.running)
        counts.update(peak_running=self.peak_running, peak_open=self.peak_open)
        return counts

    def _take(self, event: Event) -> None:
        number, time = event.job.number, event.time
        self._counts[event.kind] += 1
        if event.kind in (EventKind.SUBMITTED, EventKind.QUEUED):
            self._waiting[number] = time
        elif event.kind is EventKind.STARTED:
            insort(self._wait_times, time - self._waiting.pop(number, time))
            self._running[number] = time
        else:
            self._end_attempt(number, time)
            if event.kind is EventKind.RETRYING:
                self._waiting[number] = time
        self.peak_running = max(self.peak_running, self.running)
        self.peak_open = max(self.peak_open, self.open)

    def _end_attempt(self, number: int, time: float) -> None:
        self._waiting.pop(number, None)
        started = self._running.pop(number, None)
        if started is not None:
            insort(self._run_times, time - started)


def _mean(times: List[float]) -> Optional[float]:
    return sum(times) / len(times) if times else None
