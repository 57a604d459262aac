from __future__ import annotations

import asyncio

from drover import EventKind, Pool, RetryPolicy, VirtualClock


def make(**settings):
    clock = VirtualClock()
    pool = Pool(clock=clock, **settings)

    def submit(name, **options):
        return pool.submit(clock.sleep, 1, name=name, **options)

    return clock, pool, submit


def log(pool, *kinds):
    lines = []
    pool.events.subscribe(lambda event: lines.append(f"{event.kind.value} {event.job.name}"), kinds or None)
    return lines


def play(scenario):
    return asyncio.run(scenario())


def test_everybody_is_told_before_submit_returns():
    async def scenario():
        _, pool, submit = make()
        first, second = log(pool), log(pool)
        submit("a")
        return list(first), list(second)

    assert play(scenario) == (["submitted a", "queued a"], ["submitted a", "queued a"])


def test_everybody_is_told_before_cancel_returns():
    async def scenario():
        _, pool, submit = make()
        a = submit("a")
        submit("b", after=a)
        first, second = log(pool), log(pool, EventKind.SKIPPED)
        a.cancel()
        return list(first), list(second)

    assert play(scenario) == (["cancelled a", "skipped b"], ["skipped b"])


def test_hook_that_comes_late():
    async def scenario():
        clock, pool, submit = make()
        submit("a")
        lines = log(pool)
        await clock.until(pool.drain())
        return lines

    assert play(scenario) == ["started a", "succeeded a"]


def test_hook_that_a_hook_subscribes():
    async def scenario():
        _, pool, submit = make()
        found = []

        def once(event):
            subscription.cancel()
            submit("early")
            found.append(log(pool))
            submit("late")

        subscription = pool.events.subscribe(once, kinds=[EventKind.QUEUED])
        submit("a")
        return [list(lines) for lines in found]

    assert play(scenario) == [["submitted late", "queued late"]]


def test_hook_that_another_takes_out():
    async def scenario():
        clock, pool, submit = make()
        pool.events.subscribe(lambda event: victim.cancel(), kinds=[EventKind.STARTED])
        lines = []
        victim = pool.events.subscribe(lambda event: lines.append(event.kind.value))
        after = log(pool)
        submit("a")
        await clock.until(pool.drain())
        return lines, after

    assert play(scenario) == (["submitted", "queued"], ["submitted a", "queued a", "started a", "succeeded a"])


def test_hook_that_takes_itself_out_and_acts():
    async def scenario():
        _, pool, submit = make()
        calls = []

        def once(event):
            calls.append(event.job.name)
            subscription.cancel()
            submit("b")

        subscription = pool.events.subscribe(once)
        submit("a")
        submit("c")
        return calls, [job.name for job in pool.jobs()]

    assert play(scenario) == (["a"], ["a", "b", "c"])


def test_after_a_hook_that_raises():
    async def scenario():
        clock, pool, submit = make()

        def fail(event):
            raise RuntimeError(event.number)

        pool.events.subscribe(fail, kinds=[EventKind.SUBMITTED, EventKind.SUCCEEDED])
        lines = log(pool)
        submit("a")
        told = list(lines)
        await clock.until(pool.drain())
        return told, lines[2:], [error.args for _, error in pool.events.errors]

    assert play(scenario) == (
        ["submitted a", "queued a"], ["started a", "succeeded a"], [(1,), (4,)]
    )


def test_times_and_attempts():
    async def scenario():
        clock, pool, _ = make(retry=RetryPolicy(2, delay=5))
        seen = []
        pool.events.subscribe(lambda e: seen.append((e.number, e.time, e.kind.value, e.attempt, e.wait)))

        async def fail():
            await clock.sleep(3)
            raise OSError

        pool.submit(fail)
        await clock.until(pool.drain())
        return seen

    assert play(scenario) == [
        (1, 0, "submitted", 0, None), (2, 0, "queued", 0, None), (3, 0, "started", 1, None),
        (4, 3, "retrying", 1, 5), (5, 8, "queued", 1, None), (6, 8, "started", 2, None), (7, 11, "failed", 2, None),
    ]
