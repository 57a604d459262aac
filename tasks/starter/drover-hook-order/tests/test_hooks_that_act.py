from __future__ import annotations

import asyncio

from drover import EventKind, Pool, RetryPolicy, Statistics, VirtualClock


class Site:
    """A pool on a virtual clock, with jobs that fail as often as they are told."""

    def __init__(self, workers=1, **settings):
        self.clock = VirtualClock()
        self.pool = Pool(workers, clock=self.clock, **settings)
        self.calls = {}

    async def work(self, name, failures):
        self.calls[name] = self.calls.get(name, 0) + 1
        await self.clock.sleep(2)
        if self.calls[name] <= failures:
            raise OSError(name)

    def submit(self, name, failures=0, **options):
        return self.pool.submit(self.work, name, failures, name=name, **options)

    def hook(self, function, *kinds):
        return self.pool.events.subscribe(function, kinds or None)

    def log(self):
        lines = []
        self.hook(lambda event: lines.append(f"{event.number} {event.kind.value} {event.job.name}"))
        return lines

    async def drain(self):
        await self.clock.until(self.pool.drain())


def play(scenario):
    return asyncio.run(scenario())


def test_refused_jobs_do_not_wait():
    async def scenario():
        site = Site()
        site.hook(lambda event: event.job.name[0] == "x" and event.job.cancel(), EventKind.QUEUED)
        stats = Statistics(site.pool.events)
        for name in ("a", "x1", "b", "x2"):
            site.submit(name)
        seen = [stats.waiting, stats.open]
        await site.drain()
        return seen, stats.waiting, stats.open, stats.peak_open, stats.count(EventKind.CANCELLED)

    assert play(scenario) == ([2, 2], 0, 0, 3, 2)


def test_no_further_attempt():
    async def scenario():
        site = Site(retry=RetryPolicy(3, delay=4))
        site.hook(lambda event: event.job.cancel(), EventKind.RETRYING)
        stats = Statistics(site.pool.events)
        site.submit("a", 1)
        site.submit("b")
        await site.drain()
        return stats.snapshot()

    assert play(scenario) == {
        "submitted": 2, "queued": 2, "started": 2, "retrying": 1,
        "succeeded": 1, "failed": 0, "cancelled": 1, "skipped": 0,
        "waiting": 0, "running": 0, "peak_running": 1, "peak_open": 2,
    }


def test_replacement_is_not_open_at_the_same_time():
    async def scenario():
        site = Site(workers=3)
        site.hook(lambda event: site.submit(event.job.name + "'", 1 - len(event.job.name) // 2), EventKind.FAILED)
        stats = Statistics(site.pool.events)
        site.submit("a", 1)
        await site.drain()
        return site.calls, stats.peak_open, stats.open, stats.mean_run_time

    assert play(scenario) == ({"a": 1, "a'": 1, "a''": 1}, 1, 0, 2)


def test_log_behind_a_hook_that_cancels_dependencies():
    async def scenario():
        site = Site()
        jobs = {}

        def cancel_the_first(event):
            if event.job.name == "c":
                jobs["a"].cancel()

        site.hook(cancel_the_first, EventKind.SUBMITTED)
        lines = site.log()
        jobs["a"] = site.submit("a")
        site.submit("b", after=jobs["a"])
        site.submit("c")
        return list(lines)

    lines = play(scenario)
    assert lines[:4] == ["1 submitted a", "2 queued a", "3 submitted b", "4 submitted c"]
    assert [line.partition(" ")[0] for line in lines] == ["1", "2", "3", "4", "5", "6", "7"]
    assert sorted(line[2:] for line in lines[4:]) == ["cancelled a", "queued c", "skipped b"]


def test_numbers_in_a_cascade():
    async def scenario():
        site = Site()
        site.hook(lambda event: len(event.job.name) < 4 and site.submit(event.job.name + "+"), EventKind.SUBMITTED)
        numbers, kinds = [], []
        site.hook(lambda event: numbers.append(event.number))
        site.hook(lambda event: kinds.append((event.job.name, event.kind.value)))
        site.submit("a")
        await site.drain()
        return numbers, [kind for name, kind in kinds if name == "a++"]

    assert play(scenario) == (list(range(1, 17)), ["submitted", "queued", "started", "succeeded"])


def test_two_hooks_that_act():
    async def scenario():
        site = Site()
        before = site.log()
        site.hook(lambda event: event.job.name == "a" and site.submit("b"), EventKind.QUEUED)
        between = site.log()
        site.hook(lambda event: event.job.name == "b" and site.submit("c"), EventKind.SUBMITTED)
        after = site.log()
        site.submit("a")
        await site.drain()
        return [[int(line.split()[0]) for line in lines] for lines in (before, between, after)], before == after

    numbers = list(range(1, 13))
    assert play(scenario) == ([numbers, numbers, numbers], True)


def test_listener_behind_a_hook_that_acts():
    async def scenario():
        site = Site(retry=RetryPolicy(5, delay=3))
        site.hook(lambda event: event.attempt == 2 and event.job.cancel(), EventKind.RETRYING)
        listener = site.pool.events.listen(kinds=[EventKind.STARTED, EventKind.RETRYING, EventKind.CANCELLED])
        site.submit("a", 9)
        await site.clock.until(site.pool.close())
        return [(event.kind.value, event.time) async for event in listener]

    assert play(scenario) == [
        ("started", 0), ("retrying", 2), ("started", 5), ("retrying", 7), ("cancelled", 7),
    ]


def test_errors_of_hooks_are_kept_in_order():
    async def scenario():
        site = Site()

        def act_and_fail(event):
            if event.job.name == "a":
                event.job.cancel()
            raise ValueError(event.job.name)

        site.hook(act_and_fail, EventKind.SUBMITTED)
        lines = site.log()

        def complain(event):
            raise KeyError(event.number)

        site.hook(complain)
        site.submit("a")
        site.submit("b")
        found = [error.args[0] for _, error in site.pool.events.errors if isinstance(error, KeyError)]
        return found, list(lines)

    found, lines = play(scenario)
    assert lines[0] == "1 submitted a"
    assert found == list(range(1, len(lines) + 1))


def test_long_cascade():
    async def scenario():
        site = Site()

        def more(event):
            if event.job.number < 400:
                site.submit(str(event.job.number + 1))
            else:
                for job in site.pool.jobs():
                    job.cancel()

        site.hook(more, EventKind.SUBMITTED)
        stats = Statistics(site.pool.events)
        site.submit("1")
        await site.drain()
        return stats.count(EventKind.SUBMITTED), stats.count(EventKind.CANCELLED), stats.waiting

    assert play(scenario) == (400, 400, 0)
