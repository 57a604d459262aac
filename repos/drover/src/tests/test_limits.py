import pytest

from drover import AllOf, ConcurrencyLimit, RateLimit, RetryPolicy, SettingError, UnknownGroupError
from stage import Stage, play


def starts(limit, count, seconds=0.25, workers=10, **options):
    """When the jobs of a group with this limit start."""

    async def scenario():
        stage = Stage(workers, limits={"g": limit})
        for number in range(count):
            stage.submit(f"j{number}", seconds, group="g", **options)
        await stage.drain()
        return [time for _, time in stage.log]

    return play(scenario())


def test_full_stock_at_first():
    assert starts(RateLimit(4, per=1), 7) == [0, 0, 0, 0, 0.25, 0.5, 0.75]


def test_burst():
    assert starts(RateLimit(1, per=2, burst=3), 5) == [0, 0, 0, 2, 4]


def test_stock_grows_no_further_than_the_burst():
    limit = RateLimit(2, per=1, burst=3)
    assert limit.available(0) == 3
    for _ in range(3):
        limit.acquire(0)
    assert [limit.available(now) for now in (0.25, 0.5, 1.25, 1.5, 9)] == [0, 1, 2, 3, 3]


def test_asking_changes_nothing():
    limit = RateLimit(1, per=4)
    limit.acquire(0)
    assert [limit.ready_at(now) for now in (0, 1, 2.5, 3.75, 4, 1)] == [4, 4, 4, 4, 4, 4]


def test_begun_time_is_not_lost():
    limit = RateLimit(1, per=4, burst=2)
    limit.acquire(0)
    limit.acquire(3)
    assert limit.ready_at(3) == 4
    limit.acquire(5)
    assert limit.ready_at(5) == 8
    limit.acquire(11)
    assert limit.ready_at(11) == 12


def test_steady_use_gets_the_whole_rate():
    limit, now, taken = RateLimit(1, per=1, burst=2), 0.0, []
    while now < 9:
        if limit.ready_at(now) <= now:
            limit.acquire(now)
            taken.append(now)
        now += 0.75
    assert taken == [0, 0.75, 1.5, 2.25, 3, 4.5, 5.25, 6, 7.5, 8.25]


def test_full_stock_gets_nothing():
    limit = RateLimit(1, per=4, burst=2)
    limit.acquire(0)
    limit.acquire(103)
    limit.acquire(103)
    assert limit.ready_at(103) == 107


def test_waits_that_are_not_binary_fractions():
    times = starts(RateLimit(10, per=1, burst=1), 25, seconds=0.01)
    assert len(times) == 25
    assert [round(time, 6) for time in times] == [round(number / 10, 6) for number in range(25)]


def test_retries_count():
    async def scenario():
        stage = Stage(4, limits={"g": RateLimit(1, per=8, burst=2)}, retry=RetryPolicy(3, delay=1, factor=1))
        stage.submit("a", 1.0, OSError(), OSError(), group="g")
        await stage.drain()
        return stage.log

    assert play(scenario()) == [("a", 0), ("a", 2), ("a", 8)]


def test_concurrency():
    assert starts(ConcurrencyLimit(2), 5, seconds=3) == [0, 0, 3, 3, 6]


def test_closed_group_holds_up_no_other_job():
    async def scenario():
        stage = Stage(2, limits={"g": ConcurrencyLimit(1)})
        stage.submit("g1", 5.0, priority=9, group="g")
        stage.submit("g2", 1.0, priority=9, group="g")
        stage.submit("x", 1.0)
        stage.submit("y", 1.0)
        await stage.drain()
        return stage.log

    assert play(scenario()) == [("g1", 0), ("x", 0), ("y", 1), ("g2", 5)]


def test_limit_is_not_asked_once_per_job():
    class Counting(RateLimit):
        asked = 0

        def ready_at(self, now):
            self.asked += 1
            return super().ready_at(now)

    limit = Counting(1, per=1)
    assert starts(limit, 30) == list(range(30))
    assert limit.asked <= 100


def test_closed_group_is_not_asked_once_per_job():
    class Shut(ConcurrencyLimit):
        asked = 0

        def ready_at(self, now):
            self.asked += 1
            return super().ready_at(now)

    async def scenario():
        limit = Shut(1)
        stage = Stage(2, limits={"g": limit})
        stage.submit("long", 100.0, group="g", priority=2)
        for number in range(20):
            stage.submit(f"g{number}", group="g", priority=1)
            stage.submit(f"x{number}")
        await stage.clock.advance(50)
        return len(stage.log), limit.asked <= 60

    assert play(scenario()) == (21, True)


def test_unknown_group():
    async def scenario():
        with pytest.raises(UnknownGroupError, match="no limit for group 'x'"):
            Stage().submit("a", group="x")

    play(scenario())


@pytest.mark.parametrize(
    "make", [lambda: RateLimit(0), lambda: RateLimit(1, per=0), lambda: RateLimit(1, burst=0),
             lambda: ConcurrencyLimit(0), lambda: AllOf()]
)
def test_senseless_limits(make):
    with pytest.raises(SettingError):
        make()
