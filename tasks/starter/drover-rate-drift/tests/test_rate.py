from __future__ import annotations

import asyncio

from drover import AllOf, ConcurrencyLimit, Pool, RateLimit, RetryPolicy, VirtualClock


def arrivals(limit, times, seconds=0.5, **options):
    """When the jobs of a group start that are submitted at these times."""

    async def scenario():
        clock, starts = VirtualClock(), []
        pool = Pool(100, clock=clock, limits={"g": limit})

        async def work():
            starts.append(clock.now())
            await clock.sleep(seconds)

        for time in times:
            await clock.advance(time - clock.now())
            pool.submit(work, group="g", **options)
        await clock.until(pool.drain())
        return starts

    return asyncio.run(scenario())


def test_due_time_stays_while_the_stock_shrinks():
    limit = RateLimit(3, per=24)
    limit.acquire(1)
    limit.acquire(3)
    limit.acquire(7.5)
    assert limit.ready_at(7.5) == 9
    assert limit.ready_at(8.5) == 9
    limit.acquire(9)
    assert limit.ready_at(9) == 17


def test_stock_after_starts_between_two_tokens():
    limit = RateLimit(1, per=8, burst=5)
    for now in (0, 3, 7, 10):
        limit.acquire(now)
    assert [limit.available(now) for now in (10, 15.5, 16, 23.75, 24, 32, 39, 40)] == [2, 2, 3, 3, 4, 5, 5, 5]


def test_start_at_the_very_time_of_a_token():
    limit = RateLimit(2, per=4, burst=4)
    for now in (0, 0, 0, 2, 3):
        limit.acquire(now)
    assert limit.available(3) == 0
    assert limit.ready_at(3) == 4
    assert limit.available(6) == 2
    limit.acquire(6.5)
    assert [limit.available(now) for now in (6.5, 7.5, 8)] == [1, 1, 2]


def test_several_tokens_and_a_begun_one():
    limit = RateLimit(1, per=4, burst=6)
    for _ in range(6):
        limit.acquire(0)
    limit.acquire(11)
    limit.acquire(11)
    assert limit.ready_at(11) == 12
    limit.acquire(12)
    limit.acquire(18)
    assert limit.ready_at(18) == 20


def test_first_start_at_an_odd_time():
    limit = RateLimit(1, per=16, burst=3)
    limit.acquire(5)
    limit.acquire(18)
    limit.acquire(22)
    limit.acquire(22)
    assert limit.ready_at(22) == 37
    limit.acquire(40)
    assert limit.ready_at(40) == 53


def test_regular_use_over_a_long_time():
    limit, refused = RateLimit(4, per=32, burst=10), []
    for now in range(0, 200, 5):
        if limit.ready_at(now) <= now:
            limit.acquire(now)
        else:
            refused.append(now)
    assert refused == [125, 135, 150, 165, 175, 190]


def test_jobs_that_arrive_slower_than_the_stock_runs_dry():
    starts = arrivals(RateLimit(1, per=8, burst=3), [0, 6, 12, 18, 24, 30, 36, 42, 48, 54])
    assert starts == [0, 6, 12, 18, 24, 30, 36, 42, 48, 56]


def test_retries_and_first_attempts_share_the_rate():
    async def scenario():
        clock, starts = VirtualClock(), []
        pool = Pool(9, clock=clock, limits={"g": RateLimit(1, per=16, burst=3)})

        async def work(name):
            starts.append((name, clock.now()))
            await clock.sleep(1)
            if name == "a":
                raise OSError

        pool.submit(work, "a", group="g", retry=RetryPolicy(4, delay=4, factor=1))
        await clock.advance(12)
        pool.submit(work, "b", group="g")
        await clock.until(pool.drain())
        return starts

    assert asyncio.run(scenario()) == [("a", 0), ("a", 5), ("a", 10), ("a", 16), ("b", 32)]


def test_rate_next_to_another_limit():
    limit = AllOf(ConcurrencyLimit(1), RateLimit(1, per=4, burst=2))
    assert arrivals(limit, [0, 1, 2, 3, 4], seconds=3) == [0, 3, 6, 9, 12]
    limit = AllOf(ConcurrencyLimit(1), RateLimit(1, per=8, burst=2))
    assert arrivals(limit, [0, 1, 2, 3, 4], seconds=5) == [0, 5, 10, 16, 24]
