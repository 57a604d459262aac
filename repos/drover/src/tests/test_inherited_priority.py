from drover import RetryPolicy
from stage import Stage, play


def ranks(*jobs):
    return [job.effective_priority for job in jobs]


def test_job_is_as_urgent_as_one_that_waits_for_it():
    async def scenario():
        stage = Stage()
        stage.submit("a", priority=5)
        low = stage.submit("low")
        stage.submit("urgent", priority=9, after=low)
        await stage.drain()
        return stage.order

    assert play(scenario()) == ["low", "urgent", "a"]


def test_over_several_steps():
    async def scenario():
        stage = Stage()
        a = stage.submit("a", priority=1)
        b = stage.submit("b", priority=4, after=a)
        c = stage.submit("c", priority=2, after=[a, b])
        d = stage.submit("d", priority=8, after=c)
        return ranks(a, b, c, d), [job.priority for job in (a, b, c, d)]

    assert play(scenario()) == ([8, 8, 8, 8], [1, 4, 2, 8])


def test_gone_with_the_one_that_waits():
    async def scenario():
        stage = Stage()
        a, b = stage.submit("a"), stage.submit("b", priority=1)
        c = stage.submit("c", priority=7, after=a)
        d = stage.submit("d", priority=3, after=a)
        seen = [ranks(a)]
        c.cancel()
        seen.append(ranks(a))
        d.cancel()
        seen.append(ranks(a))
        await stage.drain()
        assert b.is_finished
        return seen, stage.order

    assert play(scenario()) == ([[7], [3], [0]], ["b", "a"])


def test_reprioritised():
    async def scenario():
        stage = Stage()
        a = stage.submit("a")
        b = stage.submit("b", after=a)
        c = stage.submit("c", after=b)
        c.reprioritise(6)
        seen = [ranks(a, b, c)]
        b.reprioritise(2)
        c.reprioritise(-3)
        seen.append(ranks(a, b, c))
        return seen

    assert play(scenario()) == [[6, 6, 6], [2, 2, -3]]


def test_through_a_backoff():
    async def scenario():
        stage = Stage(retry=RetryPolicy(2, delay=2))
        a = stage.submit("a", 1.0, OSError())
        await stage.clock.advance(1.5)
        for name in ("x", "y"):
            stage.submit(name, 2.0, priority=5)
        stage.submit("b", priority=9, after=a)
        await stage.drain()
        return stage.order

    assert play(scenario()) == ["a", "x", "a", "b", "y"]


def test_long_chain():
    async def scenario():
        stage = Stage()
        first = last = stage.submit("0")
        for number in range(1, 1100):
            last = stage.submit(str(number), after=last)
        last.reprioritise(3)
        return first.effective_priority

    assert play(scenario()) == 3
