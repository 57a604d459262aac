from __future__ import annotations

import asyncio

from drover import Pool, RateLimit, VirtualClock


def test_all_at_once():
    async def scenario():
        clock, starts = VirtualClock(), []
        pool = Pool(20, clock=clock, limits={"g": RateLimit(3, per=6)})

        async def work():
            starts.append(clock.now())

        for _ in range(8):
            pool.submit(work, group="g")
        await clock.until(pool.drain())
        return starts

    assert asyncio.run(scenario()) == [0, 0, 0, 2, 4, 6, 8, 10]


def test_stock_that_was_full_for_long():
    limit = RateLimit(1, per=8, burst=2)
    limit.acquire(0)
    limit.acquire(1000)
    assert limit.available(1007) == 1
    assert limit.available(1008) == 2
    limit.acquire(1010)
    limit.acquire(1010)
    assert limit.ready_at(1010) == 1018


def test_stock_that_has_just_become_full():
    limit = RateLimit(1, per=8, burst=2)
    limit.acquire(0)
    limit.acquire(8)
    limit.acquire(8)
    assert limit.ready_at(8) == 16


def test_full_again_and_again():
    limit, seen = RateLimit(2, per=8, burst=3), []
    for now in (0, 21, 42, 63):
        for _ in range(3):
            limit.acquire(now)
        seen.append([limit.available(now), limit.ready_at(now), limit.available(now + 11)])
    assert seen == [[0, 4, 2], [0, 25, 2], [0, 46, 2], [0, 67, 2]]


def test_single_token():
    limit, starts = RateLimit(1, per=4), []
    for now in (0, 3, 4, 7, 9.5, 12, 13, 13.5, 17):
        if limit.ready_at(now) <= now:
            limit.acquire(now)
            starts.append(now)
    assert starts == [0, 4, 9.5, 13.5]


def test_asking_does_not_count():
    limit = RateLimit(1, per=8, burst=2)
    limit.acquire(0)
    limit.acquire(0)
    asked = [(limit.available(now), limit.ready_at(now)) for now in (3, 7, 8, 13, 16, 30, 5)]
    assert asked == [(0, 8), (0, 8), (1, 8), (1, 13), (2, 16), (2, 30), (0, 8)]


def test_limits_do_not_share_anything():
    first, second = RateLimit(1, per=2), RateLimit(1, per=2)
    first.acquire(1)
    assert (first.available(1), second.available(1)) == (0, 1)
    assert (first.ready_at(2), second.ready_at(2)) == (3, 2)


def test_group_that_waits_holds_up_nobody():
    async def scenario():
        clock, starts = VirtualClock(), []
        pool = Pool(1, clock=clock, limits={"g": RateLimit(1, per=10)})

        async def work(name):
            starts.append((name, clock.now()))
            await clock.sleep(1)

        for name in ("g1", "g2", "x", "y"):
            pool.submit(work, name, group="g" if name[0] == "g" else None, priority=name[0] == "g")
        await clock.until(pool.drain())
        return starts

    assert asyncio.run(scenario()) == [("g1", 0), ("x", 1), ("y", 2), ("g2", 10)]
