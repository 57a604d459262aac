"""Time as the pool sees it: the event loop's, or one that stands still until it is advanced."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import math
from typing import Any, Awaitable, Callable, List, Optional, Tuple

from .errors import ClockError, SettingError

#: Turns of the loop in a row without any use of the clock after which all is taken to be at rest.
_QUIET_TURNS = 40
#: Turns of the loop after which waiting for rest is given up.
_MOST_TURNS = 200_000


class Timer:
    """A callback that is due at some time."""

    def __init__(self, when: float, callback: Callable[[], None]) -> None:
        self.when = when
        self._callback: Optional[Callable[[], None]] = callback

    @property
    def is_pending(self) -> bool:
        """Whether the callback is still going to be called."""
        return self._callback is not None

    def cancel(self) -> None:
        """Call the callback off.  Does nothing once it has been called."""
        self._callback = None

    def fire(self) -> None:
        """Call the callback, unless that has happened or was called off."""
        callback, self._callback = self._callback, None
        if callback is not None:
            callback()


class Clock:
    """What the pool asks of a clock.  Times are seconds from an arbitrary start."""

    def now(self) -> float:
        raise NotImplementedError

    def call_at(self, when: float, callback: Callable[[], None]) -> Timer:
        """Have *callback* called at the time given, or soon if that is past."""
        raise NotImplementedError

    async def sleep(self, seconds: float) -> None:
        """Wait for some time, on this clock."""
        woken = asyncio.get_running_loop().create_future()
        timer = self.call_at(self.now() + seconds, lambda: woken.done() or woken.set_result(None))
        try:
            await woken
        finally:
            timer.cancel()


class SystemClock(Clock):
    """The time of the running event loop."""

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def call_at(self, when: float, callback: Callable[[], None]) -> Timer:
        timer = Timer(when, callback)
        asyncio.get_running_loop().call_at(when, timer.fire)
        return timer


class VirtualClock(Clock):
    """A clock that stands still until it is advanced; for tests and simulations.

    Between two steps the clock lets the event loop run until nobody uses the
    clock any more.  No real time passes, and nothing depends on how fast the
    machine is.
    """

    def __init__(self, start: float = 0.0) -> None:
        self._now = start
        self._timers: List[Tuple[float, int, Timer]] = []
        self._order = itertools.count()
        self._uses = 0

    def now(self) -> float:
        self._uses += 1
        return self._now

    def call_at(self, when: float, callback: Callable[[], None]) -> Timer:
        self._uses += 1
        timer = Timer(when, callback)
        heapq.heappush(self._timers, (when, next(self._order), timer))
        return timer

    async def settle(self) -> None:
        """Let everything happen that can happen without time going by."""
        quiet = 0
        for _ in range(_MOST_TURNS):
            uses = self._uses
            await asyncio.sleep(0)
            quiet = quiet + 1 if uses == self._uses else 0
            if quiet == _QUIET_TURNS:
                return
        raise ClockError("something uses the clock all the time without waiting")

    async def advance(self, seconds: float) -> None:
        """Let that much time go by, step by step, everything in its turn."""
        if seconds < 0:
            raise SettingError("time does not go backwards")
        end = self._now + seconds
        await self.settle()
        while self._next_due() <= end:
            await self._step()
        self._now = end

    async def until(self, awaitable: Awaitable[Any]) -> Any:
        """Let as much time go by as *awaitable* takes, and return its result.

        Raises :class:`ClockError` if it cannot end because nothing is due.
        """
        waiting = asyncio.ensure_future(awaitable)
        try:
            await self.settle()
            while not waiting.done():
                if self._next_due() == math.inf:
                    raise ClockError(f"still waiting at {self._now:g} s, and nothing is due")
                await self._step()
            return waiting.result()
        finally:
            waiting.cancel()

    def _next_due(self) -> float:
        while self._timers and not self._timers[0][2].is_pending:
            heapq.heappop(self._timers)
        return self._timers[0][0] if self._timers else math.inf

    async def _step(self) -> None:
        """Go to the next time at which something is due, and do all that is due then."""
        due = self._next_due()
        self._now = max(self._now, due)
        while self._next_due() == due:
            heapq.heappop(self._timers)[2].fire()
        await self.settle()
