import pytest

from drover import ClockError, Pool, SettingError, SystemClock, VirtualClock
from stage import play


def test_time_stands_still_until_it_is_advanced():
    async def scenario():
        clock = VirtualClock(start=100.0)
        await clock.settle()
        before = clock.now()
        await clock.advance(2.5)
        return before, clock.now()

    assert play(scenario()) == (100.0, 102.5)


def test_timers_fire_in_order_at_their_own_times():
    async def scenario():
        clock, log = VirtualClock(), []
        for when in (3.0, 1.0, 2.0, 1.0):
            clock.call_at(when, lambda when=when: log.append((when, clock.now())))
        await clock.advance(2.0)
        return log

    assert play(scenario()) == [(1.0, 1.0), (1.0, 1.0), (2.0, 2.0)]


def test_cancelled_timer_does_not_fire():
    async def scenario():
        clock, log = VirtualClock(), []
        timer = clock.call_at(1.0, lambda: log.append("fired"))
        timer.cancel()
        await clock.advance(5.0)
        return log, timer.is_pending

    assert play(scenario()) == ([], False)


def test_what_follows_from_a_step_happens_before_the_next():
    async def scenario():
        clock, log = VirtualClock(), []

        async def sleeper():
            for _ in range(3):
                await clock.sleep(1.0)
                log.append(clock.now())

        await clock.until(sleeper())
        return log

    assert play(scenario()) == [1.0, 2.0, 3.0]


def test_until_gives_the_result_or_raises():
    async def scenario():
        clock = VirtualClock()

        async def give(value):
            await clock.sleep(1.0)
            if isinstance(value, Exception):
                raise value
            return value

        with pytest.raises(KeyError):
            await clock.until(give(KeyError("k")))
        return await clock.until(give(7)), clock.now()

    assert play(scenario()) == (7, 2.0)


def test_until_notices_that_nothing_is_due():
    async def scenario():
        clock = VirtualClock()
        listener = Pool(clock=clock).events.listen()
        with pytest.raises(ClockError):
            await clock.until(listener.__anext__())

    play(scenario())


def test_time_does_not_go_backwards():
    async def scenario():
        with pytest.raises(SettingError):
            await VirtualClock().advance(-1)

    play(scenario())


def test_system_clock_is_that_of_the_loop():
    async def scenario():
        clock = SystemClock()
        before = clock.now()
        await clock.sleep(0)
        return clock.now() >= before

    assert play(scenario())
