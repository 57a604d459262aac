from __future__ import annotations

import asyncio

from drover import ConcurrencyLimit, JobState, Limit, Pool, RateLimit, RetryPolicy, VirtualClock


class Site:
    def __init__(self, workers, **limits):
        self.clock = VirtualClock()
        self.pool = Pool(workers, clock=self.clock, limits=limits)
        self.starts = []

    async def work(self, name, seconds):
        self.starts.append((name, self.clock.now()))
        await self.clock.sleep(seconds)

    def submit(self, name, seconds=1, **options):
        return self.pool.submit(self.work, name, seconds, name=name, **options)

    async def drain(self):
        await self.clock.until(self.pool.drain())

    @property
    def order(self):
        return [name for name, _ in self.starts]


def play(scenario):
    return asyncio.run(scenario())


def test_priorities_across_groups():
    async def scenario():
        site = Site(1, a=ConcurrencyLimit(5), b=ConcurrencyLimit(5))
        for name, priority, group in (
            ("1", 0, None), ("2", 3, "b"), ("3", 1, "a"), ("4", 3, "a"), ("5", 3, None), ("6", -1, "b"), ("7", 2, None),
        ):
            site.submit(name, priority=priority, group=group)
        await site.drain()
        return site.order

    assert play(scenario) == ["2", "4", "5", "7", "3", "1", "6"]


def test_order_of_submission_across_groups():
    async def scenario():
        site = Site(2, a=ConcurrencyLimit(3), b=ConcurrencyLimit(3))
        for number, group in enumerate([None, "b", "a", "b", None, "a", "a", "b"]):
            site.submit(number, group=group)
        await site.drain()
        return site.order

    assert play(scenario) == [0, 1, 2, 3, 4, 5, 6, 7]


def test_urgent_job_of_a_closed_group_goes_first_when_it_opens():
    async def scenario():
        site = Site(1, g=RateLimit(1, per=5))
        for name, priority in (("g1", 9), ("g2", 8), ("g3", 0)):
            site.submit(name, 2, group="g", priority=priority)
        for name in "wxyz":
            site.submit(name, 2, priority=1)
        await site.drain()
        return site.starts

    assert play(scenario) == [("g1", 0), ("w", 2), ("x", 4), ("g2", 6), ("y", 8), ("z", 10), ("g3", 12)]


def test_times_of_several_limits():
    async def scenario():
        site = Site(9, a=RateLimit(1, per=3), b=RateLimit(1, per=7), c=ConcurrencyLimit(1))
        for name in ("a1", "b1", "c1", "a2", "b2", "c2", "a3"):
            site.submit(name, 10, group=name[0])
        await site.drain()
        return site.starts

    assert play(scenario) == [
        ("a1", 0), ("b1", 0), ("c1", 0), ("a2", 3), ("a3", 6), ("b2", 7), ("c2", 10),
    ]


def test_changes_in_a_closed_group():
    async def scenario():
        site = Site(3, g=ConcurrencyLimit(1))
        jobs = {name: site.submit(name, 2, group="g") for name in ("g1", "g2", "g3", "g4", "g5")}
        await site.clock.advance(1)
        jobs["g2"].cancel()
        jobs["g4"].reprioritise(2)
        jobs["g5"].reprioritise(4)
        jobs["g5"].reprioritise(0)
        await site.clock.advance(3.5)
        jobs["g5"].reprioritise(1)
        await site.drain()
        return site.starts, jobs["g2"].state

    assert play(scenario) == ([("g1", 0), ("g4", 2), ("g3", 4), ("g5", 6)], JobState.CANCELLED)


def test_group_that_becomes_empty_and_is_used_again():
    async def scenario():
        site = Site(2, g=ConcurrencyLimit(1))
        only = site.submit("g1", group="g")
        only.cancel()
        await site.clock.advance(1)
        site.submit("g2", 2, group="g")
        await site.drain()
        site.submit("g3", 2, group="g")
        site.submit("g4", 2, group="g", priority=1)
        await site.drain()
        return site.starts

    assert play(scenario) == [("g2", 1), ("g4", 3), ("g3", 5)]


def test_one_limit_for_two_groups():
    async def scenario():
        limit = RateLimit(1, per=4, burst=2)
        site = Site(5, a=limit, b=limit)
        for name, priority in (("a1", 0), ("b1", 2), ("a2", 1), ("b2", 0), ("b3", 1)):
            site.submit(name, priority=priority, group=name[0])
        await site.drain()
        return site.starts

    assert play(scenario) == [("b1", 0), ("a2", 0), ("b3", 4), ("a1", 8), ("b2", 12)]


def test_limit_that_changes_its_mind():
    class Gate(Limit):
        is_open = False

        def ready_at(self, now):
            return now if self.is_open else None

    async def scenario():
        gate = Gate()
        site = Site(3, g=gate)
        site.submit("g1", group="g", priority=5)
        site.submit("x", 2)
        await site.clock.advance(1)
        gate.is_open = True
        site.submit("y")
        await site.drain()
        return site.starts

    assert play(scenario) == [("x", 0), ("g1", 1), ("y", 1)]


def test_retried_job_of_a_group_has_its_old_place():
    async def scenario():
        site = Site(1, g=ConcurrencyLimit(1))

        async def fail(name):
            await site.work(name, 1)
            if site.order.count(name) == 1:
                raise OSError

        for name in ("a", "b"):
            site.pool.submit(fail, name, group="g", retry=RetryPolicy(2, delay=0))
        site.submit("x")
        await site.drain()
        return site.order

    assert play(scenario) == ["a", "a", "b", "b", "x"]


def test_inherited_priority_across_groups():
    async def scenario():
        site = Site(1, g=ConcurrencyLimit(1), h=ConcurrencyLimit(1))
        for name in ("g1", "g2"):
            last = site.submit(name, group="g")
        site.submit("x", priority=3)
        site.submit("h1", priority=7, group="h", after=last)
        await site.drain()
        return site.order

    assert play(scenario) == ["g2", "h1", "x", "g1"]
