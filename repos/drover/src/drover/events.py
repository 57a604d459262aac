"""The event stream of a pool: hooks, and listeners to loop over."""

from __future__ import annotations

import asyncio
import enum
from collections import deque
from dataclasses import dataclass
from typing import Callable, Deque, FrozenSet, Iterable, List, Optional, Tuple

from .clock import Clock
from .errors import SettingError
from .jobs import Job


class EventKind(enum.Enum):
    """What can happen to a job.  The last four happen to each job once, one of them."""

    SUBMITTED = "submitted"
    QUEUED = "queued"
    STARTED = "started"
    RETRYING = "retrying"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Event:
    """Something that happened to a job.

    ``number`` counts the events of a stream from 1.  ``attempt`` is the number
    of attempts made so far.  ``error`` goes with RETRYING and with the final
    kinds but SUCCEEDED, ``wait`` (seconds until the next attempt) with RETRYING.
    """

    number: int
    time: float
    kind: EventKind
    job: Job
    attempt: int
    error: Optional[Exception] = None
    wait: Optional[float] = None


Hook = Callable[[Event], None]


class Subscription:
    """A hook in a stream; ``cancel()`` takes it out."""

    def __init__(self, hook: Hook, kinds: Optional[Iterable[EventKind]], since: int) -> None:
        self.hook = hook
        self.kinds: Optional[FrozenSet[EventKind]] = None if kinds is None else frozenset(kinds)
        self.is_active = True
        self._since = since

    def wants(self, event: Event) -> bool:
        if not self.is_active or event.number <= self._since:
            return False
        return self.kinds is None or event.kind in self.kinds

    def cancel(self) -> None:
        self.is_active = False


class EventStream:
    """Hands each event to every hook, in the order in which the hooks were subscribed.

    All hooks see the events in the order of their numbers.  An event that is
    emitted while another is being handed out (a hook may submit and cancel
    jobs) waits until every hook has had that one.

    An exception from a hook stops neither the pool nor the other hooks; it is
    kept in ``errors``, of which there are the last hundred.
    """

    def __init__(self, clock: Clock) -> None:
        self.errors: Deque[Tuple[Event, Exception]] = deque(maxlen=100)
        self._clock = clock
        self._subscriptions: List[Subscription] = []
        self._listeners: List[Listener] = []
        self._emitted = 0
        self._waiting: Deque[Event] = deque()
        self._is_delivering = False

    def subscribe(self, hook: Hook, kinds: Optional[Iterable[EventKind]] = None) -> Subscription:
        """Have *hook* called with the events that are emitted from now on."""
        subscription = Subscription(hook, kinds, self._emitted)
        self._subscriptions.append(subscription)
        return subscription

    def listen(self, kinds: Optional[Iterable[EventKind]] = None, capacity: int = 1000) -> Listener:
        """An asynchronous iterator over the events that are emitted from now on."""
        listener = Listener(capacity)
        listener.subscription = self.subscribe(listener.put, kinds)
        self._listeners.append(listener)
        return listener

    def emit(
        self, kind: EventKind, job: Job, error: Optional[Exception] = None, wait: Optional[float] = None
    ) -> None:
        """Tell of an event.  Called by the pool."""
        self._emitted += 1
        self._waiting.append(
            Event(self._emitted, self._clock.now(), kind, job, job.attempts, error, wait)
        )
        if not self._is_delivering:
            self._deliver()

    def close(self) -> None:
        """End the loops over all listeners."""
        for listener in self._listeners:
            listener.close()

    def _deliver(self) -> None:
        self._is_delivering = True
        try:
            while self._waiting:
                event = self._waiting.popleft()
                for subscription in list(self._subscriptions):
                    if subscription.wants(event):
                        self._call(subscription, event)
                self._subscriptions = [s for s in self._subscriptions if s.is_active]
        finally:
            self._is_delivering = False

    def _call(self, subscription: Subscription, event: Event) -> None:
        try:
            subscription.hook(event)
        except Exception as error:
            self.errors.append((event, error))


class Listener:
    """Events to loop over with ``async for``.

    Holds ``capacity`` events at most; if nobody takes them, the oldest go and
    are counted in ``dropped``.
    """

    def __init__(self, capacity: int) -> None:
        if capacity < 1:
            raise SettingError("a listener holds at least one event")
        self.dropped = 0
        self.subscription: Optional[Subscription] = None
        self._events: Deque[Event] = deque()
        self._capacity = capacity
        self._is_closed = False
        self._news: Optional[asyncio.Future[None]] = None

    def put(self, event: Event) -> None:
        self._events.append(event)
        if len(self._events) > self._capacity:
            self._events.popleft()
            self.dropped += 1
        self._tell()

    def close(self) -> None:
        """End the loop when the events at hand are used up."""
        self._is_closed = True
        if self.subscription is not None:
            self.subscription.cancel()
        self._tell()

    def _tell(self) -> None:
        if self._news is not None and not self._news.done():
            self._news.set_result(None)

    def __aiter__(self) -> Listener:
        return self

    async def __anext__(self) -> Event:
        while not self._events:
            if self._is_closed:
                raise StopAsyncIteration
            self._news = asyncio.get_running_loop().create_future()
            await self._news
        return self._events.popleft()
