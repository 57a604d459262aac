"""Jobs side by side: each worker does one at a time, and what goes wrong ends them all."""

from __future__ import annotations

import threading

import pytest

from deepgym_envs.parallel import side_by_side


class Worker:
    def __init__(self) -> None:
        self.busy = threading.Lock()
        self.closed = threading.Event()


def test_results_come_in_the_order_of_the_jobs_and_a_worker_does_one_at_a_time() -> None:
    workers = [Worker() for _ in range(3)]

    def work(worker: Worker, job: int, stopped: threading.Event) -> int:
        assert worker.busy.acquire(blocking=False)
        stopped.wait((50 - job) / 10_000)
        worker.busy.release()
        return job * job

    assert side_by_side(work, workers, range(50), close=lambda worker: worker.closed.set()) == [
        job * job for job in range(50)
    ]
    assert all(worker.closed.is_set() for worker in workers)


def test_the_first_failure_stops_those_at_work_and_begins_no_more() -> None:
    begun: list[int] = []
    waits = threading.Event()

    def work(worker: Worker, job: int, stopped: threading.Event) -> None:
        begun.append(job)
        if job == 1:
            waits.wait(10)
            raise KeyError("one")
        waits.set()
        assert worker.closed.wait(10)  # closed from under it
        assert stopped.is_set()

    workers = [Worker(), Worker()]
    with pytest.raises(KeyError, match="one"):
        side_by_side(work, workers, range(9), close=lambda worker: worker.closed.set())
    assert sorted(begun) == [0, 1]


def test_without_jobs_workers_are_closed_and_without_workers_nothing_is_done() -> None:
    worker = Worker()
    assert side_by_side(lambda *_: 1, [worker], [], close=lambda one: one.closed.set()) == []
    assert worker.closed.is_set()
    with pytest.raises(ValueError, match="workers is empty"):
        side_by_side(lambda *_: 1, [], [1], close=print)
