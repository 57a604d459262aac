import pytest

from drover import AllOf, ConcurrencyLimit, Limit, RateLimit, SettingError
from stage import Stage, play


def starts(count, seconds, **limits):
    """When the jobs of each group start; the groups take turns."""

    async def scenario():
        stage = Stage(10, limits=limits)
        for number in range(count):
            for group in limits:
                stage.submit(group, seconds, group=group)
        await stage.drain()
        return [[time for name, time in stage.log if name == group] for group in limits]

    return play(scenario())


def test_limit_of_ones_own():
    class OfficeHours(Limit):
        """Opens at every full ten."""

        def ready_at(self, now):
            return now if now % 10 < 2 else now - now % 10 + 10

    assert starts(3, 12, g=OfficeHours()) == [[0, 0, 0]]
    assert starts(3, 1.5, g=AllOf(OfficeHours(), ConcurrencyLimit(1))) == [[0, 1.5, 10]]


def test_all_of():
    limit = AllOf(ConcurrencyLimit(2), RateLimit(1, per=1, burst=3))
    assert starts(5, 1.5, g=limit) == [[0, 0, 1.5, 1.5, 3]]


def test_all_of_alone():
    slots, rate = ConcurrencyLimit(1), RateLimit(1, per=5, burst=2)
    limit = AllOf(rate, slots)
    seen = [limit.ready_at(1)]
    limit.acquire(1)
    seen.append(limit.ready_at(2))
    limit.release(3)
    limit.acquire(3)
    limit.release(4)
    seen.append(limit.ready_at(4))
    assert seen == [1, None, 6]


def test_limit_shared_by_two_groups():
    limit = ConcurrencyLimit(1)
    assert starts(2, 2, a=limit, b=limit) == [[0, 4], [2, 6]]


def test_all_of_may_share_a_limit():
    slots = ConcurrencyLimit(2)
    limits = {"a": AllOf(slots, RateLimit(1, per=3)), "b": slots}
    assert starts(3, 2, **limits) == [[0, 4, 7], [0, 2, 2]]


def test_pool_takes_limits_only():
    with pytest.raises(SettingError):
        Stage(limits={"g": 4})


@pytest.mark.parametrize("error", [None, ValueError("no"), "timeout", "cancel"])
def test_each_attempt_is_acquired_and_released(error):
    class Recorder(Limit):
        def __init__(self):
            self.calls = []

        def ready_at(self, now):
            return now

        def acquire(self, now):
            self.calls.append(("acquire", now))

        def release(self, now):
            self.calls.append(("release", now))

    async def scenario():
        limit = Recorder()
        stage = Stage(limits={"g": limit})
        errors = [error] if isinstance(error, Exception) else []
        job = stage.submit("a", 3.0, *errors, group="g", timeout=2 if error == "timeout" else None)
        await stage.clock.advance(1)
        if error == "cancel":
            job.cancel()
        await stage.drain()
        return limit.calls

    end = {"timeout": 2, "cancel": 1}.get(error, 3)
    assert play(scenario()) == [("acquire", 0), ("release", end)]
