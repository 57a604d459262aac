"""The jobs that are free to run: the more urgent first, and first come, first served among equals."""

from __future__ import annotations

import heapq
import itertools
from typing import Callable, Dict, List, Optional, Tuple

from .jobs import Job

#: Negated priority, job number, and a count that keeps the jobs themselves from being compared.
_Entry = Tuple[int, int, int, Job]


class JobQueue:
    """A priority queue with one lane per group, so that a closed group holds up no other.

    A job that is taken out or moved leaves its old entry behind in its lane's
    heap; such an entry is dropped when it comes to the front.
    """

    def __init__(self) -> None:
        self._lanes: Dict[Optional[str], List[_Entry]] = {}
        self._entries: Dict[int, _Entry] = {}
        self._pushes = itertools.count()

    def push(self, job: Job) -> None:
        """Put a job in, or move it to where its priority now belongs."""
        entry = (-job.effective_priority, job.number, next(self._pushes), job)
        self._entries[job.number] = entry
        heapq.heappush(self._lanes.setdefault(job.group, []), entry)

    def discard(self, job: Job) -> None:
        """Take a job out, if it is in."""
        self._entries.pop(job.number, None)

    def pop(self, may_start: Callable[[Job], bool]) -> Optional[Job]:
        """Take out the first job that may start; None if there is none.

        Only the first of each group is asked about, since that speaks for the others.
        """
        fronts = [self._front(group) for group in list(self._lanes)]
        for front in sorted(front for front in fronts if front):
            job = front[-1]
            if may_start(job):
                heapq.heappop(self._lanes[job.group])
                del self._entries[job.number]
                return job
        return None

    def _front(self, group: Optional[str]) -> Optional[_Entry]:
        lane = self._lanes[group]
        while lane and self._entries.get(lane[0][-1].number) is not lane[0]:
            heapq.heappop(lane)
        if not lane:
            del self._lanes[group]
            return None
        return lane[0]

    def __contains__(self, job: object) -> bool:
        return isinstance(job, Job) and job.number in self._entries

    def __len__(self) -> int:
        return len(self._entries)
