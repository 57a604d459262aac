from __future__ import annotations

import asyncio

import pytest

import drover
from drover import ConcurrencyLimit, Pool, RateLimit, RetryPolicy, SettingError, VirtualClock


class Site:
    def __init__(self, workers=9, **limits):
        self.clock = VirtualClock()
        self.pool = Pool(workers, clock=self.clock, limits=limits)
        self.starts = []

    async def work(self, name, seconds=1, failures=0):
        self.starts.append((name, self.clock.now()))
        await self.clock.sleep(seconds)
        if [start for start, _ in self.starts].count(name) <= failures:
            raise OSError(name)

    def submit(self, name, seconds=1, failures=0, **options):
        return self.pool.submit(self.work, name, seconds, failures, name=name, **{"group": name[0], **options})

    async def drain(self):
        await self.clock.until(self.pool.drain())


def recorder(answer=lambda now: now):
    """A limit that notes what it is told."""

    class Recorder(drover.Limit):
        def __init__(self):
            self.told = []

        def ready_at(self, now):
            return answer(now)

        def acquire(self, now):
            self.told.append(("acquire", now))

        def release(self, now):
            self.told.append(("release", now))

    return Recorder()


def play(scenario):
    return asyncio.run(scenario())


def test_opening_hours():
    class Open(drover.Limit):
        """From 9 to 12 each day, a day having 24."""

        def ready_at(self, now):
            hour = now % 24
            return now if 9 <= hour < 12 else now - hour + (9 if hour < 9 else 33)

    async def scenario():
        site = Site(1, g=Open())
        for name in ("g1", "g2", "g3", "x1", "g4"):
            site.submit(name, 2, group="g" if name[0] == "g" else None)
        await site.drain()
        return site.starts

    assert play(scenario) == [("x1", 0), ("g1", 9), ("g2", 11), ("g3", 33), ("g4", 35)]


def test_limit_that_waits_for_a_release():
    class Alternate(drover.Limit):
        """As many at a time as have ended so far, and one more."""

        ended = running = 0

        def ready_at(self, now):
            return now if self.running <= self.ended else None

        def acquire(self, now):
            self.running += 1

        def release(self, now):
            self.running -= 1
            self.ended += 1

    async def scenario():
        site = Site(g=Alternate())
        for number in range(8):
            site.submit(f"g{number}", 2)
        await site.drain()
        return [time for _, time in site.starts]

    assert play(scenario) == [0, 2, 2, 4, 4, 4, 4, 6]


def test_subclass_that_only_says_when():
    class Always(drover.Limit):
        def ready_at(self, now):
            return 0

    async def scenario():
        limit = Always()
        site = Site(g=limit)
        site.submit("g1")
        site.submit("g2", 2)
        await site.drain()
        return site.starts, limit.acquire(5), limit.release(6)

    assert play(scenario) == ([("g1", 0), ("g2", 0)], None, None)


def test_each_attempt_takes_and_gives_back():
    async def scenario():
        limit = recorder()
        site = Site(g=limit)
        await site.clock.advance(5)
        job = site.submit("g", 2, failures=2, retry=RetryPolicy(4, delay=4))
        await site.drain()
        return job.attempts, limit.told

    assert play(scenario) == (
        3, [("acquire", 5), ("release", 7), ("acquire", 11), ("release", 13), ("acquire", 21), ("release", 23)]
    )


def test_timeouts_and_failures():
    async def scenario():
        limit = recorder()
        site = Site(1, g=limit)
        site.submit("g1", 9, timeout=4, retry=RetryPolicy(2, delay=2))
        site.submit("g2", 1, failures=1)
        await site.drain()
        return limit.told

    assert play(scenario) == [
        ("acquire", 0), ("release", 4), ("acquire", 4), ("release", 5), ("acquire", 6), ("release", 10),
    ]


def test_cancelled_in_all_states():
    async def scenario():
        limit = recorder()
        site = Site(1, g=limit)
        running, queued = site.submit("g1", 9), site.submit("g2")
        blocked = site.submit("g3", after=queued)
        await site.clock.advance(3)
        for job in (queued, blocked, running):
            job.cancel()
        await site.drain()
        backing_off = site.submit("g4", 1, failures=1, retry=RetryPolicy(2, delay=8))
        await site.clock.advance(2)
        backing_off.cancel()
        await site.drain()
        return limit.told

    assert play(scenario) == [("acquire", 0), ("release", 3), ("acquire", 3), ("release", 4)]


def test_cancelled_before_the_function_is_called():
    async def scenario():
        limit = recorder()
        site = Site(g=limit)
        site.pool.events.subscribe(lambda event: event.job.cancel(), kinds=[drover.EventKind.STARTED])
        job = site.submit("g")
        await site.drain()
        return site.starts, job.state.value, limit.told

    assert play(scenario) == ([], "cancelled", [("acquire", 0), ("release", 0)])


def test_function_that_cancels_itself():
    async def scenario():
        limit = drover.AllOf(ConcurrencyLimit(1))
        site = Site(g=limit)

        async def stop():
            await site.clock.sleep(3)
            raise asyncio.CancelledError

        job = site.pool.submit(stop, group="g")
        site.submit("g2")
        await site.drain()
        return job.state.value, site.starts

    assert play(scenario) == ("cancelled", [("g2", 3)])


def test_cleaning_up_holds_on():
    async def scenario():
        limit = recorder()
        site = Site(g=limit)

        async def tidy():
            try:
                await site.clock.sleep(50)
            finally:
                await site.clock.sleep(5)

        site.pool.submit(tidy, group="g", timeout=10)
        job = site.pool.submit(tidy, group="g")
        await site.clock.advance(2)
        job.cancel()
        await site.drain()
        return limit.told

    assert play(scenario) == [("acquire", 0), ("acquire", 0), ("release", 7), ("release", 15)]


def test_concurrency_limit_alone():
    limit = ConcurrencyLimit(2)
    seen = [(limit.running, limit.ready_at(1))]
    for call, now in ((limit.acquire, 1), (limit.acquire, 2), (limit.release, 5), (limit.acquire, 5.5)):
        call(now)
        seen.append((limit.running, limit.ready_at(now)))
    assert seen == [(0, 1), (1, 1), (2, None), (1, 5), (2, None)]
    assert limit.count == 2


def test_rate_limit_is_a_limit_that_needs_no_release():
    limit = RateLimit(1, per=6, burst=2)
    assert isinstance(limit, drover.Limit)
    limit.acquire(0)
    limit.acquire(1)
    limit.release(2)
    assert limit.ready_at(2) == 6


def test_all_of_alone():
    a, b, c = RateLimit(1, per=10), RateLimit(1, per=4, burst=2), ConcurrencyLimit(2)
    limit = drover.AllOf(c, drover.AllOf(b, a))
    seen = [limit.ready_at(0)]
    limit.acquire(0)
    seen += [limit.ready_at(0), a.available(0), b.available(0), c.running]
    limit.acquire(10)
    seen += [limit.ready_at(10), c.running]
    limit.release(11)
    seen += [limit.ready_at(11), limit.ready_at(25), c.running]
    assert seen == [0, 10, 0, 1, 1, None, 2, 20, 25, 1]


def test_latest_of_the_times():
    limits = [recorder(lambda now, at=at: at) for at in (3, 8, 5)]
    limit = drover.AllOf(*limits)
    assert [limit.ready_at(now) for now in (2, 7.5)] == [8, 8]
    assert limit.ready_at(9) <= 9
    assert drover.AllOf(*limits, recorder(lambda now: None)).ready_at(9) is None
    assert [limit.told for limit in limits] == [[], [], []]


def test_all_of_in_a_pool():
    async def scenario():
        site = Site(g=drover.AllOf(RateLimit(1, per=3, burst=2), ConcurrencyLimit(2)))
        for number, seconds in enumerate((7, 1, 1, 4, 1, 1)):
            site.submit(f"g{number}", seconds)
        await site.drain()
        return [time for _, time in site.starts]

    assert play(scenario) == [0, 0, 3, 6, 9, 12]


def test_slots_for_two_groups_together():
    async def scenario():
        limit = ConcurrencyLimit(2)
        site = Site(a=limit, b=limit, c=ConcurrencyLimit(2))
        for name, seconds in (("a1", 5), ("b1", 2), ("a2", 1), ("b2", 4), ("c1", 1), ("c2", 1)):
            site.submit(name, seconds)
        await site.drain()
        return site.starts, limit.running

    assert play(scenario) == (
        [("a1", 0), ("b1", 0), ("c1", 0), ("c2", 0), ("a2", 2), ("b2", 3)], 0
    )


def test_part_of_several():
    async def scenario():
        both = ConcurrencyLimit(2)
        site = Site(
            a=drover.AllOf(both, ConcurrencyLimit(1)), b=drover.AllOf(RateLimit(1, per=8), both), c=both
        )
        for name in ("a1", "a2", "b1", "b2", "c1"):
            site.submit(name, 3)
        await site.drain()
        return site.starts

    assert play(scenario) == [("a1", 0), ("b1", 0), ("a2", 3), ("c1", 3), ("b2", 8)]


def test_what_is_refused():
    class Almost:
        def ready_at(self, now):
            return now

    with pytest.raises(SettingError):
        drover.AllOf()
    with pytest.raises(SettingError):
        Pool(limits={"g": Almost()})
    with pytest.raises(SettingError):
        Pool(limits={"a": drover.AllOf(RateLimit(1)), "g": 3})


def test_pool_knows_no_kind():
    import drover.pool

    assert [name for name in ("RateLimit", "ConcurrencyLimit", "AllOf") if hasattr(drover.pool, name)] == []
    assert drover.pool.Limit is drover.Limit
    assert {"AllOf", "Limit"} <= set(drover.__all__)
