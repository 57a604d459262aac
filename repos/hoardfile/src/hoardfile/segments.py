"""The segment files of a store, and the log that they form together.

The log knows nothing of keys that are current or stale: it appends records,
finds them again by their location, and puts one segment in the place of others.
"""

from __future__ import annotations

import os
import re
import struct
import zlib
from dataclasses import replace
from typing import BinaryIO, Callable, Dict, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from .errors import CorruptionError
from .records import DamagedRecord, Record, read_record

Opener = Callable[[str, str], BinaryIO]

MAGIC = b"hoard\x02"
SUFFIX = ".seg"
TEMPORARY = ".tmp"

_COUNT = struct.Struct(">H")
_NUMBER = struct.Struct(">I")
_NAME = re.compile(r"(\d{8})\.seg")


class Location(NamedTuple):
    """Where a record lies: the segment's number, the first byte, the number of bytes."""

    segment: int
    offset: int
    size: int


def segment_name(number: int) -> str:
    return f"{number:08d}{SUFFIX}"


def encode_header(replaces: Sequence[int] = ()) -> bytes:
    """The first bytes of a segment that stands in for the segments *replaces*."""
    head = MAGIC + _COUNT.pack(len(replaces)) + b"".join(map(_NUMBER.pack, replaces))
    return head + _NUMBER.pack(zlib.crc32(head))


class SegmentScan:
    """Reads a segment from the start to the first thing that is wrong.

    Iteration yields the records of complete batches only.  Afterwards ``end`` is
    the offset at which the last of them ended, and ``problem`` says what came
    next, or is ``None`` if it was the end of the file.
    """

    def __init__(self, file: BinaryIO, path: str, number: int) -> None:
        self.number = number
        self.path = path
        self.replaces: Tuple[int, ...] = ()
        self.end = 0
        self.problem: Optional[str] = None
        self._file = file
        self._read_header()

    def _read_header(self) -> None:
        head = self._file.read(len(MAGIC) + _COUNT.size)
        if not head.startswith(MAGIC[: len(head)]):
            raise CorruptionError(self.path, 0, "not a segment")
        count = _COUNT.unpack_from(head, len(MAGIC))[0] if len(head) == len(MAGIC) + _COUNT.size else 0
        numbers = self._file.read((count + 1) * _NUMBER.size)
        if len(numbers) < (count + 1) * _NUMBER.size:
            self.problem = "torn header"
            return
        *replaces, checksum = (number for (number,) in _NUMBER.iter_unpack(numbers))
        if zlib.crc32(head + numbers[:-_NUMBER.size]) != checksum:
            raise CorruptionError(self.path, 0, "wrong checksum of the header")
        self.replaces = tuple(replaces)
        self.end = len(head) + len(numbers)

    def __iter__(self) -> Iterator[Tuple[Location, Record]]:
        if self.problem is not None:
            return
        position = self.end
        batch: List[Tuple[Location, Record]] = []
        while True:
            try:
                record = read_record(self._file)
            except DamagedRecord as damage:
                self.problem = str(damage)
                return
            if record is None:
                self.problem = "unfinished batch" if batch else None
                return
            batch.append((Location(self.number, position, record.size), record))
            position += record.size
            if not record.more:
                self.end = position
                yield from batch
                batch.clear()


class Log:
    """All segments of a folder.  Records are appended to the one with the highest number."""

    def __init__(self, folder: str, opener: Opener, max_segment_bytes: int, read_only: bool = False) -> None:
        self._folder = folder
        self._opener = opener
        self._max_segment_bytes = max_segment_bytes
        self._read_only = read_only
        self._sizes: Dict[int, int] = {}
        self._header_sizes: Dict[int, int] = {}
        self._readers: Dict[int, BinaryIO] = {}
        self._writer: Optional[BinaryIO] = None
        self._next_number = 1
        self.cut_bytes = 0

    # -- what is there ----------------------------------------------------

    @property
    def numbers(self) -> List[int]:
        return sorted(self._sizes)

    @property
    def total_bytes(self) -> int:
        return sum(self._sizes.values())

    def record_bytes(self, number: int) -> int:
        """The size of a segment without its header."""
        return self._sizes[number] - self._header_sizes[number]

    def path(self, number: int) -> str:
        return os.path.join(self._folder, segment_name(number))

    # -- reading ----------------------------------------------------------

    def load(self) -> Iterator[Tuple[Location, Record]]:
        """Yield all records there are, and mend what a crash has left behind.

        A torn tail of the last segment is cut off; what is wrong with any other
        segment raises :class:`CorruptionError`.  Segments that a later one
        replaces are deleted, as are temporary files.
        """
        found = []
        for name in sorted(os.listdir(self._folder)):
            match = _NAME.fullmatch(name)
            if match:
                found.append(int(match.group(1)))
            elif name.endswith(TEMPORARY):
                self._delete(os.path.join(self._folder, name))
        self._next_number = max(found, default=0) + 1
        replaced = {old for number in found for old in self._header(number)}
        for number in found:
            if number in replaced:
                self._delete(self.path(number))
            else:
                yield from self._load_segment(number, last=number == found[-1])

    def _header(self, number: int) -> Tuple[int, ...]:
        with self._opener(self.path(number), "rb") as file:
            return SegmentScan(file, self.path(number), number).replaces

    def _load_segment(self, number: int, last: bool) -> Iterator[Tuple[Location, Record]]:
        path = self.path(number)
        with self._opener(path, "rb") as file:
            scan = SegmentScan(file, path, number)
            self._header_sizes[number] = scan.end
            yield from scan
            size = file.seek(0, os.SEEK_END)
        self._sizes[number] = scan.end
        if scan.problem is None:
            return
        if not last:
            raise CorruptionError(path, scan.end, scan.problem)
        self.cut_bytes = size - scan.end
        if self._header_sizes[number] == 0:
            del self._sizes[number], self._header_sizes[number]
            self._delete(path)
        elif not self._read_only:
            with self._opener(path, "r+b") as file:
                file.truncate(scan.end)

    def _delete(self, path: str) -> None:
        if not self._read_only:
            os.remove(path)

    def scan(self, number: int) -> Iterator[Tuple[Location, Record]]:
        """Yield the records of one segment, reading it from start to end."""
        path = self.path(number)
        with self._opener(path, "rb") as file:
            scan = SegmentScan(file, path, number)
            yield from scan
        if scan.problem is not None:
            raise CorruptionError(path, scan.end, scan.problem)

    def read(self, location: Location) -> Record:
        """The record at *location*."""
        file = self._readers.get(location.segment)
        if file is None:
            file = self._readers[location.segment] = self._opener(self.path(location.segment), "rb")
        file.seek(location.offset)
        try:
            record = read_record(file)
        except DamagedRecord as damage:
            raise CorruptionError(self.path(location.segment), location.offset, str(damage)) from None
        if record is None:
            raise CorruptionError(self.path(location.segment), location.offset, "torn record")
        return record

    # -- writing ----------------------------------------------------------

    def append(self, records: Sequence[Record]) -> List[Location]:
        """Append *records* as one batch: after a crash all of them are there, or none.

        A batch is never divided between segments.
        """
        number = self._open_writer()
        assert self._writer is not None
        locations, data = _lay_out(_as_batch(records), number, self._sizes[number])
        try:
            self._writer.write(data)
            self._writer.flush()
        except BaseException:
            self._abandon_writer()
            raise
        self._sizes[number] += len(data)
        return locations

    def _open_writer(self) -> int:
        number = max(self._sizes, default=0)
        if number == 0 or self._sizes[number] >= self._max_segment_bytes:
            self._close_writer()
            number = self._begin_segment()
        if self._writer is None:
            self._drop_reader(number)
            self._writer = self._opener(self.path(number), "r+b")
            self._writer.truncate(self._sizes[number])
            self._writer.seek(self._sizes[number])
        return number

    def _begin_segment(self) -> int:
        number = self._next_number
        header = encode_header()
        with self._opener(self.path(number), "wb") as file:
            file.write(header)
        self._add(number, len(header), len(header))
        return number

    def _abandon_writer(self) -> None:
        """Give up a writer that failed; the next one cuts off what it may have written."""
        writer, self._writer = self._writer, None
        try:
            if writer is not None:
                writer.close()
        except OSError:
            pass

    def _add(self, number: int, size: int, header_size: int) -> None:
        self._sizes[number] = size
        self._header_sizes[number] = header_size
        self._next_number = number + 1

    def replace(self, numbers: Iterable[int], records: Sequence[Record]) -> List[Location]:
        """Put one new segment that holds *records* in the place of some segments.

        The records are written as they are.  The new segment names those that it
        replaces, so that a crash on the way leaves either all of them in force or
        none.
        """
        replaced = sorted(numbers)
        number = self._next_number
        header = encode_header(replaced)
        locations, data = _lay_out(records, number, len(header))
        temporary = self.path(number) + TEMPORARY
        with self._opener(temporary, "wb") as file:
            file.write(header + data)
        self._close_writer()
        os.replace(temporary, self.path(number))
        self._add(number, len(header) + len(data), len(header))
        for old in replaced:
            self._drop_reader(old)
            del self._sizes[old], self._header_sizes[old]
            os.remove(self.path(old))
        return locations

    def sync(self) -> None:
        """Have the operating system bring what was appended to the disk."""
        if self._writer is not None:
            os.fsync(self._writer.fileno())

    def _drop_reader(self, number: int) -> None:
        reader = self._readers.pop(number, None)
        if reader is not None:
            reader.close()

    def _close_writer(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def close(self) -> None:
        self._close_writer()
        for number in list(self._readers):
            self._drop_reader(number)


def _as_batch(records: Sequence[Record]) -> List[Record]:
    last = len(records) - 1
    return [replace(record, more=position < last) for position, record in enumerate(records)]


def _lay_out(records: Iterable[Record], number: int, offset: int) -> Tuple[List[Location], bytes]:
    locations = []
    data = bytearray()
    for record in records:
        locations.append(Location(number, offset + len(data), record.size))
        data += record.encode()
    return locations, bytes(data)
