"""Limits on how many attempts of a group of jobs start, or run at a time."""

from __future__ import annotations

from typing import Optional

from .errors import SettingError


class Limit:
    """Decides when one more attempt of a group may start.

    The pool asks :meth:`ready_at` as often as it likes, so asking must change
    nothing.  Each start is one :meth:`acquire`, and each end of an attempt,
    however it ended, is one :meth:`release`.
    """

    def ready_at(self, now: float) -> Optional[float]:
        """When one more attempt may start.

        A time that is not after *now* means at once; None means not before an
        attempt has been released.
        """
        raise NotImplementedError

    def acquire(self, now: float) -> None:
        """An attempt starts.  Only called when ready."""

    def release(self, now: float) -> None:
        """An attempt has ended."""


class RateLimit(Limit):
    """So many starts per period, evenly, with a stock for bursts.

    A start takes one token out of a stock of at most ``burst``, which is full
    at the beginning.  While the stock is not full it gets a token every
    ``per / count`` seconds.
    """

    def __init__(self, count: int, per: float = 1.0, burst: Optional[int] = None) -> None:
        if count < 1 or per <= 0:
            raise SettingError("a rate is a positive count per positive time")
        if burst is not None and burst < 1:
            raise SettingError("a rate limit needs room for one start")
        self.interval = per / count
        self.burst = count if burst is None else burst
        self._tokens = self.burst
        self._counted_to = 0.0

    def available(self, now: float) -> int:
        """How many attempts could start now."""
        tokens, counted_to = self._tokens, self._counted_to
        while tokens < self.burst and counted_to + self.interval <= now:
            tokens += 1
            counted_to += self.interval
        return tokens

    def ready_at(self, now: float) -> Optional[float]:
        return now if self.available(now) else self._counted_to + self.interval

    def acquire(self, now: float) -> None:
        tokens = self.available(now)
        if tokens == self.burst:
            self._counted_to = now
        else:
            self._counted_to += (tokens - self._tokens) * self.interval
        self._tokens = tokens - 1


class ConcurrencyLimit(Limit):
    """So many attempts at a time."""

    def __init__(self, count: int) -> None:
        if count < 1:
            raise SettingError("a concurrency limit needs room for one attempt")
        self.count = count
        self.running = 0

    def ready_at(self, now: float) -> Optional[float]:
        return now if self.running < self.count else None

    def acquire(self, now: float) -> None:
        self.running += 1

    def release(self, now: float) -> None:
        self.running -= 1


class AllOf(Limit):
    """Several limits at once: an attempt starts when all of them let it."""

    def __init__(self, *limits: Limit) -> None:
        if not limits:
            raise SettingError("name at least one limit")
        self.limits = limits

    def ready_at(self, now: float) -> Optional[float]:
        latest = now
        for limit in self.limits:
            ready = limit.ready_at(now)
            if ready is None:
                return None
            latest = max(latest, ready)
        return latest

    def acquire(self, now: float) -> None:
        for limit in self.limits:
            limit.acquire(now)

    def release(self, now: float) -> None:
        for limit in self.limits:
            limit.release(now)
