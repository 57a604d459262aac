from __future__ import annotations

import asyncio

import pytest

from drover import AllOf, ConcurrencyLimit, Limit, Pool, RateLimit, RetryPolicy, VirtualClock


class Counted(Limit):
    """Passes everything on to another limit, and counts how often it is asked."""

    def __init__(self, limit):
        self.limit = limit
        self.asked = 0

    def ready_at(self, now):
        self.asked += 1
        return self.limit.ready_at(now)

    def acquire(self, now):
        self.limit.acquire(now)

    def release(self, now):
        self.limit.release(now)


class Urgency(int):
    """A priority that counts how often any two are compared."""

    compared = 0

    def _counting(operator):
        def compare(self, other):
            Urgency.compared += 1
            return getattr(int, operator)(self, other)

        return compare

    __lt__, __le__, __gt__, __ge__, __eq__ = map(_counting, ("__lt__", "__le__", "__gt__", "__ge__", "__eq__"))
    __hash__ = int.__hash__

    def __neg__(self):
        return Urgency(-int(self))


class Site:
    def __init__(self, workers, **limits):
        self.clock = VirtualClock()
        self.limits = {name: Counted(limit) for name, limit in limits.items()}
        self.pool = Pool(workers, clock=self.clock, limits=self.limits)
        self.starts = []

    async def work(self, name, seconds):
        self.starts.append((name, self.clock.now()))
        await self.clock.sleep(seconds)

    def submit(self, name, seconds=1, **options):
        return self.pool.submit(self.work, name, seconds, name=name, **options)

    async def drain(self):
        await self.clock.until(self.pool.drain())

    def asked(self, name):
        return self.limits[name].asked


def play(scenario):
    return asyncio.run(scenario())


def test_one_group_with_a_rate():
    async def scenario():
        site = Site(3, g=RateLimit(1, per=2))
        for number in range(150):
            site.submit("g", group="g")
        await site.drain()
        return [time for _, time in site.starts] == list(range(0, 300, 2)), site.asked("g") <= 4 * 150

    assert play(scenario) == (True, True)


def test_one_group_with_slots():
    async def scenario():
        site = Site(9, g=ConcurrencyLimit(2))
        for number in range(160):
            site.submit("g", group="g")
        await site.drain()
        return site.clock.now(), len(site.starts), site.asked("g") <= 4 * 160

    assert play(scenario) == (80, 160, True)


def test_others_go_past_a_closed_group():
    async def scenario():
        site = Site(2, g=ConcurrencyLimit(1))
        site.submit("long", 1000, group="g")
        for number in range(200):
            site.submit("g", group="g", priority=5)
            site.submit("x")
        first = site.pool.jobs()[0]
        first.reprioritise(9)
        await site.clock.advance(205)
        passed = [name for name, _ in site.starts].count("x")
        return site.starts[:3], passed, site.asked("g") <= 2 * 205

    assert play(scenario) == ([("long", 0), ("x", 0), ("x", 1)], 200, True)


def test_closed_jobs_are_not_gone_through():
    async def scenario():
        site = Site(2, g=RateLimit(1, per=4000))
        for number in range(300):
            site.submit("g", group="g", priority=Urgency(number % 7))
            site.submit("x", priority=Urgency(number % 5))
        Urgency.compared = 0
        await site.clock.advance(400)
        return len(site.starts), Urgency.compared <= 300 * 60

    assert play(scenario) == (301, True)


def test_group_that_opens_and_closes_is_not_gone_through():
    async def scenario():
        site = Site(4, g=RateLimit(1, per=1))
        for number in range(250):
            site.submit("g", 0.5, group="g", priority=Urgency(number % 3))
        Urgency.compared = 0
        await site.drain()
        return site.clock.now(), len(site.starts), Urgency.compared <= 250 * 60

    assert play(scenario) == (249.5, 250, True)


@pytest.mark.parametrize("groups", [2, 6])
def test_several_groups(groups):
    async def scenario():
        names = "abcdef"[:groups]
        site = Site(20, **{name: RateLimit(1, per=8) for name in names})
        for number in range(40):
            for name in names:
                site.submit(name, group=name)
        await site.drain()
        # A look for each start, and one in vain after each end and each opening of a group.
        bound = 3 * 40 * groups + 20
        return site.clock.now(), len(site.starts), [site.asked(name) <= bound for name in names]

    assert play(scenario) == (313, 40 * groups, [True] * groups)


def test_many_workers_filled_at_once():
    async def scenario():
        site = Site(120, a=RateLimit(1, per=50), b=RateLimit(1, per=50))
        for name in "ab":
            for number in range(30):
                site.submit(name, group=name, priority=3)
        for number in range(100):
            site.submit("x", 10)
        await site.clock.advance(0)
        return len(site.starts), site.asked("a") <= 120, site.asked("b") <= 120

    assert play(scenario) == (102, True, True)


def test_submitted_one_by_one_to_a_closed_group():
    async def scenario():
        site = Site(2, g=RateLimit(1, per=5000))
        for number in range(120):
            site.submit("g", group="g")
            await site.clock.advance(1)
        return len(site.starts), site.asked("g") <= 2 * 122

    assert play(scenario) == (1, True)


def test_limits_that_are_put_together():
    async def scenario():
        site = Site(6, g=AllOf(ConcurrencyLimit(1), RateLimit(1, per=3, burst=2)))
        for number in range(100):
            site.submit("g", 2, group="g")
        await site.drain()
        return site.starts[:4], site.starts[-1], site.asked("g") <= 4 * 100

    assert play(scenario) == ([("g", 0), ("g", 2), ("g", 4), ("g", 6)], ("g", 294), True)


def test_attempts_that_come_back():
    async def scenario():
        site = Site(4, g=RateLimit(1, per=4))
        calls = []

        async def fail_first(number):
            calls.append((number, site.clock.now()))
            if len([call for call in calls if call[0] == number]) == 1:
                raise OSError

        for number in range(60):
            site.pool.submit(fail_first, number, group="g", retry=RetryPolicy(2, delay=1))
        await site.drain()
        return calls[:4], len(calls), site.asked("g") <= 5 * 120

    assert play(scenario) == ([(0, 0), (0, 4), (1, 8), (1, 12)], 120, True)
