"""Compaction: writing what is still needed of some segments into one new segment."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Dict, List, Sequence, Tuple

from .errors import ArgumentError
from .index import Index
from .records import Kind, Record
from .segments import Log


@dataclass(frozen=True)
class Compaction:
    """What a compaction did: the segments that it replaced, and the bytes of records before and after."""

    segments: Tuple[int, ...] = ()
    bytes_before: int = 0
    bytes_after: int = 0

    @property
    def saved_bytes(self) -> int:
        return self.bytes_before - self.bytes_after


class Compactor:
    """Rewrites those segments of a log that hold much which the index no longer needs."""

    def __init__(self, log: Log, index: Index) -> None:
        self._log = log
        self._index = index

    def dead_bytes(self, number: int) -> int:
        """The bytes of a segment's records that are not needed for keys that are there."""
        return self._log.record_bytes(number) - self._index.live_bytes(number)

    def candidates(self, min_dead: float) -> List[int]:
        """The segments of which at least the share *min_dead*, and anything at all, is dead."""
        if not 0 <= min_dead <= 1:
            raise ArgumentError(f"min_dead must be from 0 to 1, not {min_dead}")
        return [
            number for number in self._log.numbers
            if 0 < self.dead_bytes(number) >= min_dead * self._log.record_bytes(number)
        ]

    def run(self, min_dead: float) -> Compaction:
        """Replace all candidates by one new segment."""
        numbers = self.candidates(min_dead)
        if not numbers:
            return Compaction()
        before = sum(map(self._log.record_bytes, numbers))
        records = self._needed(numbers)
        locations = self._log.replace(numbers, records)
        for record, location in zip(records, locations):
            if record.kind is not Kind.DELETE:
                self._index.relocate(record, location)
        self._index.drop_segments(numbers)
        return Compaction(tuple(numbers), before, sum(location.size for location in locations))

    def _needed(self, numbers: Sequence[int]) -> List[Record]:
        """The records that have to be in the place of the segments *numbers*."""
        others = [number for number in self._log.numbers if number not in numbers]
        needed: List[Record] = []
        gone: Dict[bytes, int] = {}
        for number in numbers:
            for location, record in self._log.scan(number):
                entry = self._index.get(record.key)
                if entry is None:
                    gone[record.key] = max(record.seq, gone.get(record.key, 0))
                elif location in entry.places:
                    needed.append(replace(record, more=False))
        # Without its last word, a stale value in another segment would come back.
        for key, seq in gone.items():
            if self._index.is_stale_in(key, seq, others):
                needed.append(Record(Kind.DELETE, seq, key))
        return needed
