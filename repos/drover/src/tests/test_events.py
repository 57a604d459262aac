import asyncio

import pytest

from drover import EventKind, RetryPolicy, SettingError
from stage import Stage, play


def test_life_of_a_job():
    async def scenario():
        stage = Stage(retry=RetryPolicy(2, delay=3))
        stage.submit("a", 1.0, OSError())
        await stage.drain()
        return stage.events

    assert play(scenario()) == [
        "submitted a", "queued a", "started a", "retrying a", "queued a", "started a", "succeeded a",
    ]


def test_what_an_event_tells():
    async def scenario():
        stage, seen = Stage(retry=RetryPolicy(2, delay=3)), []
        stage.pool.events.subscribe(seen.append)
        stage.submit("a", 1.0, OSError("1"), OSError("2"))
        await stage.drain()
        return [
            (e.number, e.time, e.kind.value, e.attempt, str(e.error or ""), e.wait) for e in seen
        ]

    assert play(scenario()) == [
        (1, 0, "submitted", 0, "", None),
        (2, 0, "queued", 0, "", None),
        (3, 0, "started", 1, "", None),
        (4, 1, "retrying", 1, "1", 3),
        (5, 4, "queued", 1, "", None),
        (6, 4, "started", 2, "", None),
        (7, 5, "failed", 2, "2", None),
    ]


def test_skipped_after_failed():
    async def scenario():
        stage = Stage()
        a = stage.submit("a", 1.0, ValueError())
        b = stage.submit("b", after=a)
        stage.submit("c", after=b)
        await stage.drain()
        return stage.events[-3:]

    assert play(scenario()) == ["failed a", "skipped b", "skipped c"]


def test_some_kinds_only():
    async def scenario():
        stage, seen = Stage(), []
        stage.pool.events.subscribe(lambda e: seen.append(e.number), kinds=[EventKind.QUEUED])
        for name in "abc":
            stage.submit(name)
        return seen

    assert play(scenario()) == [2, 4, 6]


def test_subscription_ends():
    async def scenario():
        stage, seen = Stage(), []
        subscription = stage.pool.events.subscribe(lambda e: seen.append(e.number))
        stage.submit("a")
        subscription.cancel()
        await stage.drain()
        return seen

    assert play(scenario()) == [1, 2]


def test_exception_in_a_hook_disturbs_nobody():
    async def scenario():
        stage, seen = Stage(), []

        def bad(event):
            raise RuntimeError(event.kind.value)

        stage.pool.events.subscribe(bad)
        stage.pool.events.subscribe(lambda e: seen.append(e.kind.value))
        job = stage.submit("a")
        await stage.drain()
        return job.result(), seen, [str(error) for _, error in stage.pool.events.errors]

    kinds = ["submitted", "queued", "started", "succeeded"]
    assert play(scenario()) == ("A", kinds, kinds)


def test_hook_may_submit():
    async def scenario():
        stage = Stage()

        def follow(event):
            if event.kind is EventKind.SUCCEEDED and event.job.name == "a":
                stage.submit("b")

        stage.pool.events.subscribe(follow)
        stage.submit("a")
        await stage.drain()
        return stage.order

    assert play(scenario()) == ["a", "b"]


def test_all_hooks_see_the_same_order():
    async def scenario():
        stage, seen = Stage(), []

        def refuse(event):
            if event.kind is EventKind.SUBMITTED and event.job.priority < 0:
                event.job.cancel()

        stage.pool.events.subscribe(refuse)
        stage.pool.events.subscribe(lambda e: seen.append(f"{e.kind.value} {e.job.name}"))
        stage.submit("a", priority=-1)
        stage.submit("b")
        return list(stage.events), list(seen)

    events = ["submitted a", "cancelled a", "submitted b", "queued b"]
    assert play(scenario()) == (events, events)


def test_numbers_ascend_for_every_hook():
    async def scenario():
        stage, seen = Stage(), []

        def follow(event):
            if event.kind is EventKind.STARTED and len(event.job.name) < 3:
                stage.submit(event.job.name + "+", after=event.job)

        stage.pool.events.subscribe(follow)
        stage.pool.events.subscribe(lambda e: seen.append(e.number))
        stage.submit("a")
        await stage.drain()
        return seen

    assert play(scenario()) == list(range(1, 13))


def test_hook_that_is_subscribed_by_a_hook():
    async def scenario():
        stage, seen = Stage(), []

        def once(event):
            subscription.cancel()
            stage.submit("b")
            stage.pool.events.subscribe(lambda e: seen.append(f"{e.kind.value} {e.job.name}"))
            stage.submit("c")

        subscription = stage.pool.events.subscribe(once)
        stage.submit("a")
        return list(seen)

    assert play(scenario()) == ["submitted c", "queued c", "queued a"]


def test_listener():
    async def scenario():
        stage = Stage()
        listener = stage.pool.events.listen(kinds=[EventKind.STARTED, EventKind.SUCCEEDED])
        seen = []

        async def follow():
            async for event in listener:
                seen.append((event.time, event.kind.value))

        following = asyncio.ensure_future(follow())
        stage.submit("a", 2.0)
        await stage.clock.until(stage.pool.close())
        await following
        return seen, listener.dropped

    assert play(scenario()) == ([(0, "started"), (2, "succeeded")], 0)


def test_listener_drops_the_oldest():
    async def scenario():
        stage = Stage()
        listener = stage.pool.events.listen(capacity=3)
        stage.submit("a")
        stage.submit("b")
        await stage.clock.until(stage.pool.close())
        return [event.number async for event in listener], listener.dropped

    assert play(scenario()) == ([6, 7, 8], 5)


def test_listener_without_room():
    async def scenario():
        with pytest.raises(SettingError):
            Stage().pool.events.listen(capacity=0)

    play(scenario())
