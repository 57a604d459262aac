import pytest

from drover import EventKind, RetryPolicy, SettingError, Statistics
from stage import Stage, play


def test_counts():
    async def scenario():
        stage = Stage(workers=2, retry=RetryPolicy(2))
        stats = Statistics(stage.pool.events)
        a = stage.submit("a", 1.0, OSError())
        b = stage.submit("b", 1.0, OSError(), OSError())
        stage.submit("c", after=[a, b])
        stage.submit("d").cancel()
        await stage.drain()
        return stats.snapshot()

    assert play(scenario()) == {
        "submitted": 4, "queued": 5, "started": 4, "retrying": 2,
        "succeeded": 1, "failed": 1, "cancelled": 1, "skipped": 1,
        "waiting": 0, "running": 0, "peak_running": 2, "peak_open": 4,
    }


def test_waiting_and_running():
    async def scenario():
        stage = Stage(workers=2, retry=RetryPolicy(2, delay=5))
        stats = Statistics(stage.pool.events)
        stage.submit("a", 1.0, OSError())
        for name in "bcd":
            stage.submit(name, 3.0)
        seen = []
        for _ in range(8):
            await stage.clock.advance(1)
            seen.append((stats.waiting, stats.running, stats.open))
        return seen

    assert play(scenario()) == [
        (2, 2, 4), (2, 2, 4), (1, 2, 3), (1, 1, 2), (1, 1, 2), (0, 1, 1), (0, 0, 0), (0, 0, 0),
    ]


def test_run_and_wait_times():
    async def scenario():
        stage = Stage()
        stats = Statistics(stage.pool.events)
        for name, seconds in (("a", 4.0), ("b", 1.0), ("c", 3.0), ("d", 2.0)):
            stage.submit(name, seconds)
        await stage.drain()
        return stats.mean_run_time, stats.mean_wait_time, [
            stats.run_time(share) for share in (0, 0.25, 0.5, 0.51, 1)
        ]

    assert play(scenario()) == (2.5, 4.25, [1, 1, 2, 3, 4])


def test_nothing_yet():
    async def scenario():
        stats = Statistics(Stage().pool.events)
        with pytest.raises(SettingError):
            stats.run_time(1.5)
        return stats.mean_run_time, stats.mean_wait_time, stats.run_time(0.5), stats.open

    assert play(scenario()) == (None, None, None, 0)


def test_hook_that_refuses_jobs():
    async def scenario():
        stage = Stage()

        def refuse(event):
            if stats.open >= 2 and event.kind is EventKind.SUBMITTED:
                event.job.cancel()

        stats = Statistics(stage.pool.events)
        stage.pool.events.subscribe(refuse)
        later = Statistics(stage.pool.events)
        for name in "abcd":
            stage.submit(name)
        await stage.drain()
        return later.open, later.peak_open, stage.order

    assert play(scenario()) == (0, 2, ["a"])


def test_hook_that_follows_up():
    async def scenario():
        stage = Stage()

        def follow(event):
            if event.kind is EventKind.SUCCEEDED and len(stage.log) < 5:
                stage.submit("next")

        stage.pool.events.subscribe(follow)
        stats = Statistics(stage.pool.events)
        stage.submit("first")
        await stage.drain()
        return stats.peak_open, stats.count(EventKind.SUCCEEDED)

    assert play(scenario()) == (1, 5)


def test_stopped():
    async def scenario():
        stage = Stage()
        stats = Statistics(stage.pool.events)
        stage.submit("a")
        stats.stop()
        await stage.drain()
        return stats.snapshot()["succeeded"], stats.waiting

    assert play(scenario()) == (0, 1)
