"""The index: which keys there are, where their values lie, how lately they were used, and what has become stale."""

from __future__ import annotations

import bisect
import heapq
from collections import Counter, OrderedDict
from dataclasses import dataclass, replace
from typing import Dict, Iterable, Iterator, List, Optional, Tuple

from .errors import ArgumentError
from .records import OVERHEAD, Kind, Record
from .segments import Location


@dataclass(frozen=True)
class Entry:
    """What is known of a key without reading its value.

    ``location`` is that of the record that put the value, ``touch`` that of the
    last touch since then.  ``seq`` is the number of the later one of them, and
    ``size`` the bytes of key and value.
    """

    location: Location
    seq: int
    expires: int
    size: int
    touch: Optional[Location] = None

    @property
    def places(self) -> Tuple[Location, ...]:
        """The records that are needed for the key."""
        return (self.location,) if self.touch is None else (self.location, self.touch)


class Index:
    """Follows the records of a log, in the order of their sequence numbers.

    Entries are kept from the least to the most recently used.
    """

    def __init__(self) -> None:
        self._entries: "OrderedDict[bytes, Entry]" = OrderedDict()
        self._sorted: List[bytes] = []
        self._deadlines: List[Tuple[int, bytes]] = []
        self._live: Counter = Counter()
        self._stale: Dict[int, Dict[bytes, int]] = {}
        self.payload_bytes = 0
        self.last_seq = 0

    # -- following the log ------------------------------------------------

    def apply(self, record: Record, location: Location) -> None:
        """Take note of a record that has been written or read back; its value is not needed."""
        self.last_seq = record.seq
        if record.kind is Kind.PUT:
            self.discard(record.key)
            size = location.size - OVERHEAD
            self._insert(record.key, Entry(location, record.seq, record.expires, size))
        elif record.kind is Kind.DELETE:
            self.discard(record.key)
        elif record.key in self._entries:
            self._set(record.key, replace(
                self._entries[record.key], seq=record.seq, expires=record.expires, touch=location))

    def _insert(self, key: bytes, entry: Entry) -> None:
        bisect.insort(self._sorted, key)
        self.payload_bytes += entry.size
        self._set(key, entry)

    def _set(self, key: bytes, entry: Entry) -> None:
        self._unset(key)
        self._entries[key] = entry
        self._count(entry, 1)
        if entry.expires:
            heapq.heappush(self._deadlines, (entry.expires, key))

    def _unset(self, key: bytes) -> Optional[Entry]:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._count(entry, -1)
        return entry

    def _count(self, entry: Entry, sign: int) -> None:
        for place in entry.places:
            self._live[place.segment] += sign * place.size

    def discard(self, key: bytes) -> None:
        """Forget a key; the record that put it is stale from now on."""
        entry = self._unset(key)
        if entry is not None:
            del self._sorted[bisect.bisect_left(self._sorted, key)]
            self.payload_bytes -= entry.size
            self._stale.setdefault(entry.location.segment, {}).setdefault(key, entry.seq)

    def relocate(self, record: Record, location: Location) -> None:
        """Note that a needed record has been copied to another place, which is no use of its key."""
        entry = self._entries[record.key]
        if record.kind is Kind.TOUCH:
            moved = replace(entry, touch=location)
        else:
            moved = replace(entry, location=location)
        self._entries[record.key] = moved
        self._count(entry, -1)
        self._count(moved, 1)

    def used(self, key: bytes) -> None:
        """Note that a key which is there has been used."""
        self._entries.move_to_end(key)

    def drop_segments(self, numbers: Iterable[int]) -> None:
        """Forget what is known of segments that are gone."""
        for number in numbers:
            self._live.pop(number, None)
            self._stale.pop(number, None)

    # -- questions --------------------------------------------------------

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, key: bytes) -> bool:
        return key in self._entries

    def get(self, key: bytes) -> Optional[Entry]:
        return self._entries.get(key)

    def by_use(self) -> Iterator[bytes]:
        """Yield the keys from the least to the most recently used."""
        return iter(self._entries)

    def keys(self, prefix: bytes = b"", after: Optional[bytes] = None, limit: Optional[int] = None) -> List[bytes]:
        """The first *limit* keys that begin with *prefix* and come after *after*, in order."""
        if limit is not None and limit < 0:
            raise ArgumentError(f"limit must not be negative, not {limit}")
        start = bisect.bisect_left(self._sorted, prefix)
        if after is not None:
            start = max(start, bisect.bisect_right(self._sorted, after))
        ceiling = _first_beyond(prefix)
        stop = len(self._sorted) if ceiling is None else bisect.bisect_left(self._sorted, ceiling)
        if limit is not None:
            stop = min(stop, start + limit)
        return self._sorted[start:stop]

    def expired(self, now: int) -> Iterator[bytes]:
        """Yield the keys whose time is over, each of which the caller discards."""
        while self._deadlines and self._deadlines[0][0] <= now:
            expires, key = heapq.heappop(self._deadlines)
            entry = self._entries.get(key)
            if entry is not None and entry.expires == expires:
                yield key

    def live_bytes(self, number: int) -> int:
        """The bytes of a segment's records that are needed for keys that are there."""
        return self._live[number]

    def is_stale_in(self, key: bytes, seq: int, numbers: Iterable[int]) -> bool:
        """Whether one of the segments has a stale value of *key* that is not newer than *seq*."""
        return any(self._stale.get(number, {}).get(key, seq + 1) <= seq for number in numbers)


def _first_beyond(prefix: bytes) -> Optional[bytes]:
    """The least key that is greater than all keys with a prefix, if there is one."""
    stem = prefix.rstrip(b"\xff")
    if not stem:
        return None
    return stem[:-1] + bytes([stem[-1] + 1])
