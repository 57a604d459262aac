"""The store: keys and values in a folder."""

from __future__ import annotations

import math
import os
import time
from dataclasses import asdict, replace
from typing import Callable, Dict, Iterator, List, Optional, Tuple, Type, Union

from .compaction import Compaction, Compactor
from .errors import ClosedError, InvalidTTLError, MissingKeyError, PathLike, ReadOnlyError
from .eviction import SizeBound
from .index import Index
from .locking import WriterLock
from .records import Kind, Record, check_key, check_prefix, check_value
from .segments import Log, Opener
from .snapshot import Item, read_snapshot, write_snapshot
from .stats import Counters, Stats

Clock = Callable[[], float]

DEFAULT_SEGMENT_BYTES = 4 * 1024 * 1024


def _open_file(path: str, mode: str):  # type: ignore[no-untyped-def]
    return open(path, mode)


class Hoard:
    """A mapping from bytes to bytes that lives in a folder.

    The clock is asked for seconds, the opener for binary files of the segments;
    both can be replaced.  Use as a context manager, or close it.
    """

    def __init__(self, path: PathLike, *, clock: Clock = time.time, opener: Opener = _open_file,
                 max_bytes: Optional[int] = None, max_segment_bytes: int = DEFAULT_SEGMENT_BYTES,
                 read_only: bool = False, break_lock: bool = False) -> None:
        self._folder = os.fspath(path)
        self._clock = clock
        self._read_only = read_only
        self._closed = False
        self._bound = SizeBound(max_bytes)
        self._index = Index()
        self._counters = Counters()
        self._log = Log(self._folder, opener, max_segment_bytes, read_only)
        self._compactor = Compactor(self._log, self._index)
        self._lock = WriterLock(self._folder)
        if not read_only:
            os.makedirs(self._folder, exist_ok=True)
            self._lock.acquire(break_lock)
        try:
            self._load()
        except BaseException:
            self.close()
            raise

    def _load(self) -> None:
        found = [(replace(record, value=b""), location) for location, record in self._log.load()]
        # Compaction moves records, so only their numbers tell the order of writing.
        found.sort(key=lambda pair: pair[0].seq)
        for record, location in found:
            self._index.apply(record, location)
        self._expire()
        self._counters.expirations = 0
        if not self._read_only:
            self._evict()

    # -- life -------------------------------------------------------------

    def close(self) -> None:
        """Close all files and let the next writer in.  Closing twice does no harm."""
        if not self._closed:
            self._closed = True
            self._log.close()
            self._lock.release()

    def __enter__(self) -> Hoard:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def sync(self) -> None:
        """Wait until what has been written is on the disk."""
        self._check_writable()
        self._log.sync()

    # -- reading ----------------------------------------------------------

    def get(self, key: bytes, default: Optional[bytes] = None) -> Optional[bytes]:
        """The value of *key*, or *default*.  Counts as a use of the key."""
        try:
            return self[key]
        except MissingKeyError:
            return default

    def __getitem__(self, key: bytes) -> bytes:
        self._refresh()
        entry = self._index.get(check_key(key))
        if entry is None:
            self._counters.misses += 1
            raise MissingKeyError(key)
        value = self._log.read(entry.location).value
        self._counters.hits += 1
        self._index.used(key)
        return value

    def __contains__(self, key: bytes) -> bool:
        self._refresh()
        return key in self._index

    def __len__(self) -> int:
        self._refresh()
        return len(self._index)

    def ttl(self, key: bytes) -> Optional[float]:
        """The seconds that *key* has left, or ``None`` if it does not expire."""
        now = self._refresh()
        entry = self._index.get(check_key(key))
        if entry is None:
            raise MissingKeyError(key)
        return (entry.expires - now) / 1000 if entry.expires else None

    def keys(self, prefix: bytes = b"", *, after: Optional[bytes] = None, limit: Optional[int] = None) -> List[bytes]:
        """The keys that begin with *prefix*, in the order of their bytes.

        With *after* only those that are greater, and at most *limit* of them:
        the last key of one page is the *after* of the next.
        """
        check_prefix(prefix)
        if after is not None:
            check_prefix(after)
        self._refresh()
        return self._index.keys(prefix, after, limit)

    def count(self, prefix: bytes = b"") -> int:
        """The number of keys that begin with *prefix*."""
        return len(self.keys(prefix))

    def items(self, prefix: bytes = b"") -> Iterator[Tuple[bytes, bytes]]:
        """Yield keys and values, in order, without counting as a use.

        The keys are those at the start of the iteration, less those that are gone
        when their turn comes; the values are those of that moment.
        """
        for key in self.keys(prefix):
            self._refresh()
            entry = self._index.get(key)
            if entry is not None:
                yield key, self._log.read(entry.location).value

    # -- writing ----------------------------------------------------------

    def put(self, key: bytes, value: bytes, ttl: Optional[float] = None) -> None:
        """Store a value; after *ttl* seconds, if given, the key is gone."""
        with self.batch() as batch:
            batch.put(key, value, ttl)

    def __setitem__(self, key: bytes, value: bytes) -> None:
        self.put(key, value)

    def delete(self, key: bytes) -> bool:
        """Remove a key; says whether it was there."""
        self._check_writable()
        found = check_key(key) in self
        with self.batch() as batch:
            batch.delete(key)
        return found

    def __delitem__(self, key: bytes) -> None:
        if not self.delete(key):
            raise MissingKeyError(key)

    def delete_prefix(self, prefix: bytes) -> int:
        """Remove all keys that begin with *prefix*, as one batch; says how many."""
        with self.batch() as batch:
            keys = self.keys(prefix)
            for key in keys:
                batch.delete(key)
        return len(keys)

    def touch(self, key: bytes, ttl: Optional[float] = None) -> bool:
        """Give a key a new time to live from now on; says whether it was there.

        Counts as a use, and does not write the value again.
        """
        now = self._check_writable()
        expires = deadline(now, ttl)
        if check_key(key) not in self._index:
            return False
        self._write([Record(Kind.TOUCH, self._index.last_seq + 1, key, expires=expires)])
        return True

    def batch(self) -> Batch:
        """Collect changes and make them at the end of a ``with`` block, all or none."""
        self._check_writable()
        return Batch(self)

    def sweep(self) -> int:
        """Drop the keys whose time is over from memory; says how many.

        No call ever shows such a key, whether it has been swept or not.
        """
        before = self._counters.expirations
        self._refresh()
        return self._counters.expirations - before

    def _commit(self, changes: Dict[bytes, Tuple[Optional[bytes], Optional[float]]]) -> None:
        now = self._check_writable()
        records = []
        for key, (value, ttl) in changes.items():
            seq = self._index.last_seq + len(records) + 1
            if value is not None:
                records.append(Record(Kind.PUT, seq, key, value, deadline(now, ttl)))
            elif key in self._index:
                records.append(Record(Kind.DELETE, seq, key))
        if records:
            self._write(records)
            self._evict()

    def _write(self, records: List[Record]) -> None:
        for record, location in zip(records, self._log.append(records)):
            self._index.apply(record, location)
            if record.kind is Kind.DELETE:
                self._counters.deletions += 1
            else:
                self._counters.writes += 1

    def _evict(self) -> None:
        victims = self._bound.victims(self._index)
        if victims:
            self._write([Record(Kind.DELETE, self._index.last_seq + n, key) for n, key in enumerate(victims, 1)])
            self._counters.deletions -= len(victims)
            self._counters.evictions += len(victims)

    # -- upkeep -----------------------------------------------------------

    def compact(self, min_dead: float = 0.25) -> Compaction:
        """Rewrite the segments of which at least the share *min_dead* is dead."""
        self._check_writable()
        result = self._compactor.run(min_dead)
        self._counters.compactions += bool(result.segments)
        return result

    def stats(self) -> Stats:
        self._refresh()
        return Stats(
            **asdict(self._counters),
            keys=len(self._index),
            payload_bytes=self._index.payload_bytes,
            segments=len(self._log.numbers),
            disk_bytes=self._log.total_bytes,
            dead_bytes=sum(map(self._compactor.dead_bytes, self._log.numbers)),
            cut_bytes=self._log.cut_bytes,
        )

    def export_to(self, path: PathLike, format: str = "lines") -> int:
        """Write all keys to a snapshot, from least to most recently used; says how many."""
        self._refresh()
        return write_snapshot(path, self._snapshot_items(), format)

    def _snapshot_items(self) -> Iterator[Item]:
        for key in list(self._index.by_use()):
            entry = self._index.get(key)
            assert entry is not None
            yield Item(key, self._log.read(entry.location).value, entry.expires)

    def import_from(self, path: PathLike, overwrite: bool = True) -> int:
        """Take over what a snapshot holds, as one batch; says how many keys.

        Keys whose time is over are left out, and without *overwrite* those that
        the store has already.
        """
        now = self._check_writable()
        with self.batch() as batch:
            for item in read_snapshot(path):
                if item.expires and item.expires <= now or item.key in self._index and not overwrite:
                    continue
                batch.put(item.key, item.value, (item.expires - now) / 1000 if item.expires else None)
            return len(batch)

    # -- the state of the store -------------------------------------------

    def _refresh(self) -> int:
        """Drop what has expired, and return the time in milliseconds."""
        if self._closed:
            raise ClosedError("the store is closed")
        return self._expire()

    def _expire(self) -> int:
        now = int(self._clock() * 1000)
        for key in self._index.expired(now):
            self._index.discard(key)
            self._counters.expirations += 1
        return now

    def _check_writable(self) -> int:
        now = self._refresh()
        if self._read_only:
            raise ReadOnlyError("the store is open for reading only")
        return now


class Batch:
    """Changes that are made together when the ``with`` block ends without an error."""

    def __init__(self, hoard: Hoard) -> None:
        self._hoard = hoard
        self._changes: Dict[bytes, Tuple[Optional[bytes], Optional[float]]] = {}

    def put(self, key: bytes, value: bytes, ttl: Optional[float] = None) -> None:
        check_key(key)
        check_value(value)
        check_ttl(ttl)
        self._hoard._bound.check(key, value)
        self._change(key, value, ttl)

    def delete(self, key: bytes) -> None:
        self._change(check_key(key), None, None)

    def _change(self, key: bytes, value: Optional[bytes], ttl: Optional[float]) -> None:
        self._changes.pop(key, None)
        self._changes[key] = (value, ttl)

    def __len__(self) -> int:
        return len(self._changes)

    def __enter__(self) -> Batch:
        return self

    def __exit__(self, exc_type: Optional[Type[BaseException]], *exc_info: object) -> None:
        if exc_type is None:
            self._hoard._commit(self._changes)


def check_ttl(ttl: Union[None, int, float]) -> None:
    """Refuse a time to live that is not a positive, finite number of seconds."""
    if ttl is None:
        return
    if isinstance(ttl, bool) or not isinstance(ttl, (int, float)) or not 0 < ttl < math.inf:
        raise InvalidTTLError(f"a time to live must be a positive number of seconds, not {ttl!r}")


def deadline(now: int, ttl: Optional[float]) -> int:
    """The millisecond at which *ttl* seconds from *now* are over; 0 for never."""
    check_ttl(ttl)
    return 0 if ttl is None else now + max(1, round(ttl * 1000))
