import asyncio

import pytest

from drover import JobCancelledError, JobState, JobTimeoutError, RetryPolicy
from stage import Stage, play


def test_queued_job():
    async def scenario():
        stage = Stage()
        stage.submit("a")
        b = stage.submit("b")
        assert b.cancel() is True
        await stage.drain()
        with pytest.raises(JobCancelledError, match="b: was cancelled"):
            await b
        return stage.order, b.cancel()

    assert play(scenario()) == (["a"], False)


def test_running_job():
    async def scenario():
        stage = Stage()
        a = stage.submit("a", 5.0, retry=RetryPolicy(3))
        stage.submit("b")
        await stage.clock.advance(2)
        a.cancel()
        assert a.state is JobState.RUNNING
        await stage.drain()
        return a.state, stage.log

    assert play(scenario()) == (JobState.CANCELLED, [("a", 0), ("b", 2)])


def test_job_that_cleans_up_keeps_its_worker():
    async def scenario():
        stage = Stage()

        async def tidy():
            try:
                await stage.clock.sleep(10)
            except asyncio.CancelledError:
                await stage.clock.sleep(3)
                return "tidied"

        job = stage.pool.submit(tidy)
        stage.submit("b")
        await stage.clock.advance(1)
        job.cancel()
        job.cancel()
        await stage.drain()
        return job.state, stage.log

    assert play(scenario()) == (JobState.CANCELLED, [("b", 4)])


def test_job_that_backs_off():
    async def scenario():
        stage = Stage(retry=RetryPolicy(5, delay=10))
        job = stage.submit("a", 1.0, OSError())
        await stage.clock.advance(2)
        assert job.state is JobState.BACKING_OFF
        job.cancel()
        await stage.drain()
        return job.state, stage.clock.now(), stage.order

    assert play(scenario()) == (JobState.CANCELLED, 2, ["a"])


def test_blocked_job():
    async def scenario():
        stage = Stage()
        a = stage.submit("a")
        b = stage.submit("b", after=a)
        c = stage.submit("c", after=b)
        b.cancel()
        await stage.drain()
        return stage.order, c.state

    assert play(scenario()) == (["a"], JobState.SKIPPED)


def test_function_that_cancels_itself():
    async def scenario():
        stage = Stage(retry=RetryPolicy(3))

        async def give_up():
            raise asyncio.CancelledError

        job = stage.pool.submit(give_up)
        await stage.drain()
        return job.state

    assert play(scenario()) is JobState.CANCELLED


def test_cancelled_waiter_does_not_cancel_the_job():
    async def scenario():
        stage = Stage()
        job = stage.submit("a")
        waiter = asyncio.ensure_future(job.wait())
        await stage.clock.settle()
        waiter.cancel()
        await stage.drain()
        return job.result(), waiter.cancelled()

    assert play(scenario()) == ("A", True)


def test_timeout():
    async def scenario():
        stage = Stage()
        job = stage.submit("a", 5.0, timeout=2)
        stage.submit("b")
        await stage.drain()
        assert isinstance(job.error(), JobTimeoutError)
        return str(job.error()), stage.log

    assert play(scenario()) == ("a: timed out after 2 s", [("a", 0), ("b", 2)])


def test_exactly_the_timeout_is_too_long():
    async def scenario():
        stage = Stage(workers=2)
        jobs = [stage.submit("a", 2.0, timeout=2), stage.submit("b", 1.75, timeout=2)]
        await stage.drain()
        return [job.state for job in jobs]

    assert play(scenario()) == [JobState.FAILED, JobState.SUCCEEDED]


def test_time_in_the_queue_does_not_count():
    async def scenario():
        stage = Stage()
        jobs = [stage.submit(name, 2.0, timeout=3) for name in "abc"]
        await stage.drain()
        return [job.state for job in jobs]

    assert play(scenario()) == [JobState.SUCCEEDED] * 3


def test_timed_out_whatever_it_returns():
    async def scenario():
        stage = Stage()

        async def stubborn():
            try:
                await stage.clock.sleep(10)
            except asyncio.CancelledError:
                await stage.clock.sleep(4)
            return "done"

        job = stage.pool.submit(stubborn, timeout=1)
        await stage.clock.advance(4)
        assert job.state is JobState.RUNNING
        await stage.drain()
        return stage.clock.now(), job.state

    assert play(scenario()) == (5, JobState.FAILED)


def test_cancelled_while_timing_out():
    async def scenario():
        stage = Stage(retry=RetryPolicy(3))

        async def stubborn():
            try:
                await stage.clock.sleep(10)
            finally:
                await stage.clock.sleep(4)

        job = stage.pool.submit(stubborn, timeout=1)
        await stage.clock.advance(2)
        job.cancel()
        await stage.drain()
        return job.state, job.attempts

    assert play(scenario()) == (JobState.CANCELLED, 1)
