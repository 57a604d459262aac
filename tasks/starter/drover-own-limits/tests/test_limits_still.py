from __future__ import annotations

import asyncio

import pytest

from drover import ConcurrencyLimit, Pool, RateLimit, RetryPolicy, SettingError, UnknownGroupError, VirtualClock


class Site:
    def __init__(self, workers=9, **limits):
        self.clock = VirtualClock()
        self.pool = Pool(workers, clock=self.clock, limits=limits)
        self.starts = []

    async def work(self, name, seconds, failures):
        self.starts.append((name, self.clock.now()))
        await self.clock.sleep(seconds)
        if [start for start, _ in self.starts].count(name) <= failures:
            raise OSError(name)

    def submit(self, name, seconds=1, failures=0, **options):
        group = name[0] if name[0] in "ab" else None
        return self.pool.submit(self.work, name, seconds, failures, name=name, group=group, **options)

    async def drain(self):
        await self.clock.until(self.pool.drain())


def play(scenario):
    return asyncio.run(scenario())


def test_rate_and_slots_side_by_side():
    async def scenario():
        site = Site(a=RateLimit(1, per=3, burst=2), b=ConcurrencyLimit(2))
        for name in ("a1", "b1", "a2", "b2", "a3", "b3", "a4", "b4"):
            site.submit(name, 2)
        await site.drain()
        return site.starts

    assert play(scenario) == [
        ("a1", 0), ("b1", 0), ("a2", 0), ("b2", 0), ("b3", 2), ("b4", 2), ("a3", 3), ("a4", 6),
    ]


def test_slots_of_two_groups_are_their_own():
    async def scenario():
        site = Site(a=ConcurrencyLimit(1), b=ConcurrencyLimit(1))
        for name in ("a1", "b1", "a2", "b2"):
            site.submit(name, 3)
        await site.drain()
        return site.starts

    assert play(scenario) == [("a1", 0), ("b1", 0), ("a2", 3), ("b2", 3)]


def test_slot_is_free_while_backing_off():
    async def scenario():
        site = Site(a=ConcurrencyLimit(1))
        site.submit("a1", 2, failures=1, retry=RetryPolicy(2, delay=1))
        site.submit("a2", 4)
        await site.drain()
        return site.starts

    assert play(scenario) == [("a1", 0), ("a2", 2), ("a1", 6)]


def test_cancelled_jobs_leave_their_slots():
    async def scenario():
        site = Site(a=ConcurrencyLimit(1))
        first, second = site.submit("a1", 9), site.submit("a2", 9)
        site.submit("a3", 2)
        await site.clock.advance(1)
        second.cancel()
        first.cancel()
        await site.drain()
        return site.starts

    assert play(scenario) == [("a1", 0), ("a3", 1)]


def test_timed_out_job_keeps_its_slot_until_it_has_ended():
    async def scenario():
        site = Site(a=ConcurrencyLimit(1))

        async def stubborn():
            try:
                await site.clock.sleep(9)
            except asyncio.CancelledError:
                await site.clock.sleep(4)

        site.pool.submit(stubborn, group="a", timeout=2)
        site.submit("a1")
        await site.drain()
        return site.starts

    assert play(scenario) == [("a1", 6)]


def test_rate_counts_every_attempt():
    async def scenario():
        site = Site(a=RateLimit(1, per=10, burst=3))
        site.submit("a1", 1, failures=3, retry=RetryPolicy(4, delay=1, factor=1))
        site.submit("a2")
        await site.drain()
        return site.starts

    assert play(scenario) == [("a1", 0), ("a2", 0), ("a1", 2), ("a1", 10), ("a1", 20)]


def test_one_rate_for_two_groups():
    async def scenario():
        limit = RateLimit(1, per=5)
        site = Site(a=limit, b=limit)
        for name in ("a1", "b1", "a2"):
            site.submit(name)
        await site.drain()
        return site.starts

    assert play(scenario) == [("a1", 0), ("b1", 5), ("a2", 10)]


def test_others_go_past():
    async def scenario():
        site = Site(2, a=ConcurrencyLimit(1), b=RateLimit(1, per=7))
        for name in ("a1", "a2", "b1", "b2"):
            site.submit(name, 5, priority=2)
        for name in ("x", "y"):
            site.submit(name, 1)
        await site.drain()
        return site.starts

    assert play(scenario) == [("a1", 0), ("b1", 0), ("a2", 5), ("x", 5), ("y", 6), ("b2", 7)]


def test_rate_limit_alone():
    limit = RateLimit(2, per=8, burst=3)
    for now in (0, 1, 2):
        limit.acquire(now)
    assert [limit.available(now) for now in (2, 4, 8, 11.5, 12)] == [0, 1, 2, 2, 3]
    assert [limit.ready_at(now) for now in (2, 4, 9)] == [4, 4, 9]


@pytest.mark.parametrize("workers", [1, 3])
def test_slots_and_workers(workers):
    async def scenario():
        site = Site(workers, a=ConcurrencyLimit(2))
        for name in ("a1", "a2", "a3", "x"):
            site.submit(name, 2)
        await site.drain()
        return [time for _, time in site.starts]

    assert play(scenario) == {1: [0, 2, 4, 6], 3: [0, 0, 0, 2]}[workers]


def test_senseless_settings():
    for make in (lambda: ConcurrencyLimit(-1), lambda: RateLimit(1, per=-2), lambda: Pool(limits={"a": None})):
        with pytest.raises(SettingError):
            make()


def test_group_without_a_limit():
    async def scenario():
        site = Site(a=ConcurrencyLimit(1))
        with pytest.raises(UnknownGroupError) as caught:
            site.submit("b1")
        return str(caught.value), len(site.pool.jobs())

    assert play(scenario) == ("the pool has no limit for group 'b'", 0)
