from __future__ import annotations

import asyncio

from drover import ConcurrencyLimit, JobState, Pool, RetryPolicy, VirtualClock


class Site:
    def __init__(self, workers=1, **settings):
        self.clock = VirtualClock()
        self.pool = Pool(workers, clock=self.clock, **settings)
        self.starts = []

    async def work(self, name, seconds, failures):
        self.starts.append((name, self.clock.now()))
        await self.clock.sleep(seconds)
        if self.order.count(name) <= failures:
            raise OSError(name)

    def submit(self, name, priority=0, seconds=1, failures=0, **options):
        return self.pool.submit(self.work, name, seconds, failures, name=name, priority=priority, **options)

    async def drain(self):
        await self.clock.until(self.pool.drain())

    @property
    def order(self):
        return [name for name, _ in self.starts]


def play(scenario):
    return asyncio.run(scenario())


def test_priorities_and_places():
    async def scenario():
        site = Site()
        for number, priority in enumerate([1, 0, 2, 1, -7, 2]):
            site.submit(number, priority)
        await site.drain()
        return site.order

    assert play(scenario) == [2, 5, 0, 3, 1, 4]


def test_reprioritised_back_and_forth():
    async def scenario():
        site = Site()
        jobs = [site.submit(number, 2) for number in range(5)]
        jobs[3].reprioritise(3)
        jobs[0].reprioritise(1)
        jobs[1].reprioritise(0)
        jobs[1].reprioritise(2)
        priorities = [job.priority for job in jobs]
        await site.drain()
        return priorities, site.order

    assert play(scenario) == ([1, 2, 2, 3, 2], [3, 1, 2, 4, 0])


def test_reprioritised_while_running_or_finished():
    async def scenario():
        site = Site(retry=RetryPolicy(2, delay=0))
        a = site.submit("a", failures=1)
        site.submit("b", 1)
        site.submit("c")
        await site.clock.advance(1.5)
        a.reprioritise(-1)
        await site.drain()
        a.reprioritise(9)
        return site.order, a.attempts

    assert play(scenario) == (["b", "a", "c", "a"], 2)


def test_less_urgent_jobs_that_wait_change_nothing():
    async def scenario():
        site = Site()
        a = site.submit("a", 2)
        site.submit("b", 3)
        site.submit("c", 1, after=a)
        site.submit("d", 2)
        await site.drain()
        return site.order

    assert play(scenario) == ["b", "a", "d", "c"]


def test_skipping():
    async def scenario():
        site = Site(workers=2)
        a = site.submit("a", failures=1)
        b = site.submit("b", seconds=4)
        c = site.submit("c", after=[b, a])
        d = site.submit("d", after=c)
        e = site.submit("e", after=[c, d], even_if_failed=True)
        await site.drain()
        return [job.state for job in (c, d, e)], site.starts

    assert play(scenario) == (
        [JobState.SKIPPED, JobState.SKIPPED, JobState.SUCCEEDED], [("a", 0), ("b", 0), ("e", 1)]
    )


def test_cancelled_in_the_middle():
    async def scenario():
        site = Site()
        a = site.submit("a")
        b = site.submit("b", after=a)
        c = site.submit("c", after=b)
        d = site.submit("d", after=[a, a])
        b.cancel()
        await site.drain()
        return [job.state.value for job in (a, b, c, d)], site.order

    assert play(scenario) == (["succeeded", "cancelled", "skipped", "succeeded"], ["a", "d"])


def test_long_chain_runs():
    async def scenario():
        site = Site()
        last = site.submit(0)
        for number in range(1, 120):
            last = site.submit(number, after=last)
        await site.drain()
        return site.order == list(range(120)), last.state

    assert play(scenario) == (True, JobState.SUCCEEDED)


def test_groups():
    async def scenario():
        site = Site(workers=3, limits={"g": ConcurrencyLimit(1)})
        for name, priority in (("g1", 0), ("g2", 3), ("g3", 1)):
            site.submit(name, priority, group="g")
        site.submit("x", seconds=5)
        await site.drain()
        return site.starts

    assert play(scenario) == [("g2", 0), ("x", 0), ("g3", 1), ("g1", 2)]


def test_closing():
    async def scenario():
        site = Site()
        a = site.submit("a", 1)
        b = site.submit("b", 5, after=a)
        c = site.submit("c", 3, after=[a, b])
        await site.clock.until(site.pool.close(cancel=True))
        return [job.state for job in (a, b, c)], len(site.pool.jobs())

    assert play(scenario) == ([JobState.CANCELLED] * 3, 0)
