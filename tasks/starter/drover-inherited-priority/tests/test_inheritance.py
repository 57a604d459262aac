from __future__ import annotations

import asyncio

from drover import ConcurrencyLimit, EventKind, JobState, Pool, RateLimit, RetryPolicy, VirtualClock


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


def ranks(*jobs):
    return [job.effective_priority for job in jobs]


def play(scenario):
    return asyncio.run(scenario())


def test_rises_with_each_that_is_submitted():
    async def scenario():
        site = Site()
        a = site.submit("a", 2)
        b = site.submit("b", 1, after=a)
        seen = [ranks(a, b)]
        c = site.submit("c", 4, after=[a])
        seen.append(ranks(a, b, c))
        d = site.submit("d", 6, after=[b, a])
        seen.append(ranks(a, b, c, d))
        return seen, [job.priority for job in (a, b, c, d)]

    assert play(scenario) == ([[2, 1], [4, 1, 4], [6, 6, 4, 6]], [2, 1, 4, 6])


def test_negative_priorities():
    async def scenario():
        site = Site()
        a = site.submit("a", -5)
        site.submit("x", -3)
        b = site.submit("b", -2, after=a)
        seen = ranks(a, b)
        await site.drain()
        return seen, site.order

    assert play(scenario) == ([-2, -2], ["a", "b", "x"])


def test_order_of_two_trees():
    async def scenario():
        site = Site()
        a = site.submit("a")
        b = site.submit("b")
        site.submit("x", 3)
        site.submit("a1", 2, after=a)
        b1 = site.submit("b1", 1, after=b)
        site.submit("b2", 7, after=b1)
        await site.drain()
        return site.order

    assert play(scenario) == ["b", "b1", "b2", "x", "a", "a1"]


def test_first_come_first_served_among_equals():
    async def scenario():
        site = Site()
        a = site.submit("a")
        site.submit("b", 4)
        c = site.submit("c", 1)
        site.submit("d", 4)
        site.submit("c1", 4, after=c)
        site.submit("a1", 4, after=a)
        await site.drain()
        return site.order

    assert play(scenario) == ["a", "b", "c", "d", "c1", "a1"]


def test_falls_when_one_that_waits_is_cancelled():
    async def scenario():
        site = Site()
        a = site.submit("a")
        b = site.submit("b", 1, after=a)
        c = site.submit("c", 8, after=b)
        d = site.submit("d", 5, after=a)
        site.submit("x", 3)
        seen = [ranks(a, b)]
        c.cancel()
        seen.append(ranks(a, b))
        d.cancel()
        seen.append(ranks(a, b))
        await site.drain()
        return seen, site.order

    assert play(scenario) == ([[8, 8], [5, 1], [1, 1]], ["x", "a", "b"])


def test_falls_when_one_that_waits_is_skipped():
    async def scenario():
        site = Site(workers=2)
        site.submit("busy", 20, seconds=6)
        bad = site.submit("bad", 20, seconds=2, failures=1)
        slow = site.submit("slow")
        middle = site.submit("middle", after=slow)
        goal = site.submit("goal", 9, after=[middle, bad])
        site.submit("x", 5, seconds=9)
        seen = [ranks(slow, middle)]
        await site.clock.advance(2)
        seen.append(ranks(slow, middle))
        state = goal.state
        await site.drain()
        return seen, state, site.starts

    assert play(scenario) == (
        [[9, 9], [0, 0]], JobState.SKIPPED,
        [("busy", 0), ("bad", 0), ("x", 2), ("slow", 6), ("middle", 7)],
    )


def test_doomed_from_the_start():
    async def scenario():
        site = Site()
        bad = site.submit("bad", failures=1)
        await site.drain()
        a = site.submit("a")
        site.submit("b", 9, after=[a, bad])
        seen = ranks(a)
        site.submit("c", 4, after=[a, bad], even_if_failed=True)
        return seen, ranks(a)

    assert play(scenario) == ([0], [4])


def test_reprioritised_up_and_down():
    async def scenario():
        site = Site()
        a = site.submit("a", 1)
        b = site.submit("b", after=a)
        c = site.submit("c", after=b)
        seen = []
        for job, priority in ((c, 7), (b, 3), (c, 2), (a, 5), (b, -1), (a, 0), (c, -4)):
            job.reprioritise(priority)
            seen.append(ranks(a, b, c))
        return seen

    assert play(scenario) == [
        [7, 7, 7], [7, 7, 7], [3, 3, 2], [5, 3, 2], [5, 2, 2], [2, 2, 2], [0, -1, -4],
    ]


def test_queue_follows_what_is_reprioritised():
    async def scenario():
        site = Site()
        jobs = {name: site.submit(name, 3) for name in ("a", "b", "c", "d")}
        goal = site.submit("goal", 9, after=[jobs["b"], jobs["d"]])
        goal.reprioritise(0)
        jobs["c"].reprioritise(4)
        late = site.submit("late", after=jobs["d"])
        late.reprioritise(6)
        await site.drain()
        return site.order

    assert play(scenario) == ["d", "late", "c", "a", "b", "goal"]


def test_several_ways_between_two_jobs():
    async def scenario():
        site = Site()
        root = site.submit("root")
        left = site.submit("left", 1, after=root)
        right = site.submit("right", 2, after=root)
        top = site.submit("top", 6, after=[left, right])
        seen = [ranks(root, left, right)]
        top.reprioritise(0)
        seen.append(ranks(root, left, right))
        right.cancel()
        seen.append(ranks(root, left))
        return seen

    assert play(scenario) == [[6, 6, 6], [2, 1, 2], [1, 1]]


def test_in_a_group_that_is_held_up():
    async def scenario():
        site = Site(limits={"g": RateLimit(1, per=4)})
        site.submit("g1", 9, group="g")
        for name in ("g2", "g3", "g4"):
            last = site.submit(name, group="g")
        site.submit("x", 5, seconds=2)
        await site.clock.advance(2)
        site.submit("y", 2, seconds=5)
        site.submit("urgent", 6, after=last)
        await site.drain()
        return site.starts

    assert play(scenario) == [
        ("g1", 0), ("x", 1), ("y", 3), ("g4", 8), ("urgent", 9), ("g2", 12), ("g3", 16),
    ]


def test_while_backing_off():
    async def scenario():
        site = Site(retry=RetryPolicy(3, delay=3, factor=1))
        a = site.submit("a", failures=2)
        await site.clock.advance(2)
        site.submit("x", 4, seconds=3)
        site.submit("y", 4, seconds=3)
        goal = site.submit("goal", 6, after=a)
        seen = [a.state, ranks(a)]
        await site.clock.advance(4.5)
        goal.cancel()
        seen += [a.state, ranks(a)]
        await site.drain()
        return seen, site.starts

    assert play(scenario) == (
        [JobState.BACKING_OFF, [6], JobState.BACKING_OFF, [0]],
        [("a", 0), ("x", 2), ("a", 5), ("y", 6), ("a", 9)],
    )


def test_running_job_has_a_rank_too():
    async def scenario():
        site = Site()
        a = site.submit("a", seconds=5)
        await site.clock.advance(1)
        site.submit("x", 9)
        site.submit("b", 7, after=a)
        seen = ranks(a)
        await site.drain()
        return seen, site.order

    assert play(scenario) == ([7], ["a", "x", "b"])


def test_known_to_hooks():
    async def scenario():
        site, seen = Site(), []
        a = site.submit("a")
        site.pool.events.subscribe(
            lambda event: seen.append((event.kind.value, a.effective_priority)),
            kinds=[EventKind.SUBMITTED, EventKind.CANCELLED],
        )
        site.submit("b", 3, after=a).cancel()
        return list(seen)

    assert play(scenario) == [("submitted", 3), ("cancelled", 0)]


def test_chain_of_thousands():
    async def scenario():
        site = Site()
        first = last = site.submit("0")
        for number in range(1, 1600):
            last = site.submit(str(number), after=last)
        seen = ranks(first)
        last.reprioritise(5)
        seen += ranks(first)
        site.submit("x", 4)
        last.cancel()
        seen += ranks(first)
        await site.clock.advance(0.5)
        return seen, site.order

    assert play(scenario) == ([0, 5, 0], ["x"])


def test_groups_of_their_own():
    async def scenario():
        site = Site(workers=2, limits={"a": ConcurrencyLimit(1), "b": ConcurrencyLimit(1)})
        a = [site.submit(f"a{number}", group="a", seconds=2) for number in range(3)]
        b = [site.submit(f"b{number}", 1, group="b", seconds=2) for number in range(3)]
        site.submit("goal", 5, after=[a[2], b[1]])
        await site.drain()
        return site.starts

    assert play(scenario) == [
        ("a2", 0), ("b1", 0), ("goal", 2), ("b0", 2), ("a0", 3), ("b2", 4), ("a1", 5),
    ]
