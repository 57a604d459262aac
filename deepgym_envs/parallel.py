"""Jobs done side by side, by workers that each hold something of their own, such as a box."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from queue import SimpleQueue
from typing import TypeVar

WorkerT = TypeVar("WorkerT")
JobT = TypeVar("JobT")
DoneT = TypeVar("DoneT")


def side_by_side(
    work: Callable[[WorkerT, JobT, threading.Event], DoneT],
    workers: Sequence[WorkerT],
    jobs: Sequence[JobT],
    *,
    close: Callable[[WorkerT], object],
) -> list[DoneT]:
    """What ``work`` gives for each job, in order; each call has a worker for itself.

    When a call fails, or this is interrupted, the event that each is given is set, no more jobs are begun,
    and all workers are closed from under those that are at work, who should then end. Every worker is closed
    at the end, some of them twice.

    >>> side_by_side(lambda worker, job, stopped: job * worker, [2, 2], [1, 2, 3], close=print)
    2
    2
    [2, 4, 6]

    Raises:
        ValueError: there is no worker.
        BaseException: what ``work`` raised first.
    """
    if not workers:
        raise ValueError("workers is empty: expected at least one")
    stopped = threading.Event()
    idle: SimpleQueue[WorkerT] = SimpleQueue()
    for worker in workers:
        idle.put(worker)

    def one(job: JobT) -> DoneT:
        worker = idle.get()
        try:
            return work(worker, job, stopped)
        finally:
            idle.put(worker)

    try:
        with ThreadPoolExecutor(len(workers), thread_name_prefix="deepgym") as threads:
            futures = [threads.submit(one, job) for job in jobs]
            try:
                done, _ = wait(futures, return_when=FIRST_EXCEPTION)
                for future in done:
                    future.result()
                return [future.result() for future in futures]
            except BaseException:
                stopped.set()
                threads.shutdown(wait=False, cancel_futures=True)
                for worker in workers:
                    close(worker)
                raise
    finally:
        for worker in workers:
            close(worker)
