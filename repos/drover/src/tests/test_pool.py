import asyncio

import pytest

from drover import (
    JobSkippedError, JobState, JobUnfinishedError, Pool, PoolClosedError, RetryPolicy, SettingError, VirtualClock,
)
from stage import Stage, play


def test_result():
    async def scenario():
        stage = Stage()
        job = stage.submit("a")
        assert job.state is JobState.QUEUED
        return await stage.clock.until(job), job.state, job.attempts

    assert play(scenario()) == ("A", JobState.SUCCEEDED, 1)


def test_error():
    async def scenario():
        stage = Stage()
        job = stage.submit("a", 1.0, ValueError("no"))
        with pytest.raises(ValueError, match="no"):
            await stage.clock.until(job)
        await job.wait()
        return job.state

    assert play(scenario()) is JobState.FAILED


def test_result_before_the_end():
    async def scenario():
        job = Stage().submit("a")
        with pytest.raises(JobUnfinishedError, match="a: is still queued"):
            job.result()

    play(scenario())


def test_workers_run_at_the_same_time():
    async def scenario():
        stage = Stage(workers=3)
        for name in "abcde":
            stage.submit(name, 2.0)
        await stage.drain()
        return stage.log

    assert play(scenario()) == [("a", 0), ("b", 0), ("c", 0), ("d", 2), ("e", 2)]


def test_names_and_numbers():
    async def scenario():
        pool = Pool(clock=VirtualClock())
        jobs = [pool.submit(asyncio.sleep, 0), pool.submit(asyncio.sleep, 0, name="nap")]
        return [(job.number, job.name) for job in jobs], repr(jobs[1])

    assert play(scenario()) == ([(1, "job-1"), (2, "nap")], "<Job 2 'nap' queued>")


def test_function_that_is_not_asynchronous_fails():
    async def scenario():
        stage = Stage()
        job = stage.pool.submit(len, "abc")
        await stage.drain()
        return type(job.error())

    assert play(scenario()) is TypeError


def test_higher_priorities_first():
    async def scenario():
        stage = Stage()
        for name, priority in (("a", 0), ("b", 5), ("c", -1), ("d", 5), ("e", 9)):
            stage.submit(name, priority=priority)
        await stage.drain()
        return stage.order

    assert play(scenario()) == ["e", "b", "d", "a", "c"]


def test_reprioritise():
    async def scenario():
        stage = Stage()
        jobs = {name: stage.submit(name, priority=3) for name in "abcd"}
        jobs["c"].reprioritise(4)
        jobs["b"].reprioritise(1)
        jobs["b"].reprioritise(3)
        jobs["a"].reprioritise(2)
        await stage.drain()
        return stage.order

    assert play(scenario()) == ["c", "b", "d", "a"]


def test_retried_job_has_its_old_place():
    async def scenario():
        stage = Stage(retry=RetryPolicy(2, delay=0))
        stage.submit("a", 1.0, OSError())
        stage.submit("b")
        await stage.drain()
        return stage.order

    assert play(scenario()) == ["a", "a", "b"]


def test_worker_is_free_during_backoff():
    async def scenario():
        stage = Stage(retry=RetryPolicy(2, delay=3))
        stage.submit("a", 1.0, OSError())
        stage.submit("b", 1.0)
        await stage.drain()
        return stage.log

    assert play(scenario()) == [("a", 0), ("b", 1), ("a", 4)]


def test_dependencies():
    async def scenario():
        stage = Stage(workers=3)
        a, b = stage.submit("a", 1.0), stage.submit("b", 3.0)
        c = stage.submit("c", after=[a, b])
        stage.submit("d", after=a)
        assert c.state is JobState.BLOCKED
        await stage.drain()
        return stage.log

    assert play(scenario()) == [("a", 0), ("b", 0), ("d", 1), ("c", 3)]


def test_dependency_that_has_ended():
    async def scenario():
        stage = Stage()
        a, b = stage.submit("a"), stage.submit("b", 1.0, ValueError())
        await stage.drain()
        c, d = stage.submit("c", after=[a, a]), stage.submit("d", after=[a, b])
        await stage.drain()
        return c.state, d.state

    assert play(scenario()) == (JobState.SUCCEEDED, JobState.SKIPPED)


def test_failure_skips_those_that_depend_on_it():
    async def scenario():
        stage = Stage(workers=2)
        a, slow = stage.submit("a", 1.0, ValueError()), stage.submit("slow", 9.0)
        b = stage.submit("b", after=[slow, a])
        c = stage.submit("c", after=b)
        await stage.clock.advance(1)
        with pytest.raises(JobSkippedError, match="c: skipped, since b has skipped"):
            c.result()
        return str(b.error()), b.error().dependency is a

    assert play(scenario()) == ("b: skipped, since a has failed", True)


def test_even_if_failed():
    async def scenario():
        stage = Stage(workers=2)
        a, b = stage.submit("a", 1.0, ValueError()), stage.submit("b", 4.0)
        b.cancel()
        c = stage.submit("c", after=a)
        stage.submit("tidy", after=[a, b, c], even_if_failed=True)
        await stage.drain()
        return stage.log

    assert play(scenario()) == [("a", 0), ("tidy", 1)]


def test_long_chain_is_skipped():
    async def scenario():
        stage = Stage()
        first = last = stage.submit("0")
        for number in range(1, 600):
            last = stage.submit(str(number), after=last)
        first.cancel()
        return last.state

    assert play(scenario()) is JobState.SKIPPED


def test_dependency_of_another_pool():
    async def scenario():
        with pytest.raises(SettingError):
            Stage().submit("b", after=Stage().submit("a"))

    play(scenario())


def test_drain_of_an_idle_pool():
    async def scenario():
        stage = Stage()
        await stage.drain()
        return stage.clock.now()

    assert play(scenario()) == 0


def test_close_waits_and_refuses():
    async def scenario():
        stage = Stage()
        job = stage.submit("a")
        await stage.clock.until(stage.pool.close())
        with pytest.raises(PoolClosedError):
            stage.submit("b")
        return job.state, stage.clock.now()

    assert play(scenario()) == (JobState.SUCCEEDED, 1)


def test_leaving_the_block_waits():
    async def scenario():
        stage = Stage()

        async def use():
            async with stage.pool:
                stage.submit("a")

        await stage.clock.until(use())
        return stage.events[-1]

    assert play(scenario()) == "succeeded a"


def test_leaving_the_block_by_an_error_cancels():
    async def scenario():
        stage = Stage()
        with pytest.raises(KeyError):
            async with stage.pool:
                a = stage.submit("a")
                b = stage.submit("b", after=a)
                await stage.clock.advance(0.5)
                raise KeyError("k")
        return a.state, b.state, stage.events[-2:]

    assert play(scenario()) == (
        JobState.CANCELLED, JobState.CANCELLED, ["cancelled b", "cancelled a"]
    )


def test_unfinished_jobs():
    async def scenario():
        stage = Stage()
        for name in "abc":
            stage.submit(name)
        await stage.clock.advance(1.5)
        return [job.name for job in stage.pool.jobs()]

    assert play(scenario()) == ["b", "c"]


def test_real_time():
    async def scenario():
        async def give(value):
            return value

        async with Pool(2) as pool:
            first = pool.submit(give, 1)
            second = pool.submit(give, 2, after=first)
            return await first + await second

    assert play(scenario()) == 3


@pytest.mark.parametrize("make", [lambda: Pool(0), lambda: Stage().submit("a", timeout=0)])
def test_senseless_settings(make):
    with pytest.raises(SettingError):
        make()
