"""A pool on a virtual clock, and a record of what its jobs do."""

import asyncio

from drover import Pool, VirtualClock


class Stage:
    """``log`` has ``(name, time)`` of each call of :meth:`work`, ``events`` all events as text."""

    def __init__(self, workers=1, **settings):
        self.clock = VirtualClock()
        self.pool = Pool(workers, clock=self.clock, **settings)
        self.log = []
        self.events = []
        self.pool.events.subscribe(lambda event: self.events.append(f"{event.kind.value} {event.job.name}"))

    async def work(self, name, seconds=1.0, *errors):
        """Take some time; raise the errors given, one a call, and then succeed."""
        self.log.append((name, self.clock.now()))
        await self.clock.sleep(seconds)
        calls = [entry for entry in self.log if entry[0] == name]
        if len(calls) <= len(errors):
            raise errors[len(calls) - 1]
        return name.upper()

    def submit(self, name, seconds=1.0, *errors, **options):
        return self.pool.submit(self.work, name, seconds, *errors, name=name, **options)

    async def drain(self):
        await self.clock.until(self.pool.drain())

    @property
    def order(self):
        return [name for name, _ in self.log]


def play(scenario):
    """Run a scenario, a coroutine, to its end."""
    return asyncio.run(scenario)
