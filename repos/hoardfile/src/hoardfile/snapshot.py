"""Snapshots: all that a store holds in one file, to be taken elsewhere.

A format knows how a snapshot looks; what goes into it and how the file is
replaced is the same for all.  A format is registered under its name and finds
out from the first bytes of a file whether it can read it.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import struct
from dataclasses import dataclass
from typing import BinaryIO, Dict, Iterable, List

from .errors import PathLike, SnapshotError, UnknownFormatError
from .records import DamagedRecord, Kind, Record, read_record

_SNIFFED = 64


@dataclass(frozen=True)
class Item:
    """A key with its value; ``expires`` in milliseconds of the clock, 0 for never."""

    key: bytes
    value: bytes
    expires: int = 0


class SnapshotFormat:
    """Base class of the formats; a new one implements all methods."""

    name = ""

    def recognises(self, head: bytes) -> bool:
        """Whether a file that begins with *head* (up to 64 bytes) is in this format."""
        raise NotImplementedError

    def write(self, file: BinaryIO, items: List[Item]) -> None:
        raise NotImplementedError

    def read(self, file: BinaryIO) -> List[Item]:
        """All items of the file; raises :class:`SnapshotError` unless it is complete."""
        raise NotImplementedError


_formats: Dict[str, SnapshotFormat] = {}


def register_format(snapshot_format: SnapshotFormat) -> None:
    """Make a format known under its name, which must be new."""
    if not snapshot_format.name:
        raise SnapshotError("a snapshot format needs a name")
    if snapshot_format.name in _formats:
        raise SnapshotError(f"snapshot format {snapshot_format.name!r} is registered already")
    _formats[snapshot_format.name] = snapshot_format


def format_names() -> List[str]:
    """The names of the registered formats, in the order of registration."""
    return list(_formats)


def get_format(name: str) -> SnapshotFormat:
    if name not in _formats:
        raise UnknownFormatError(f"no snapshot format {name!r}; there are {', '.join(_formats)}")
    return _formats[name]


def write_snapshot(path: PathLike, items: Iterable[Item], name: str) -> int:
    """Write a snapshot in the format *name*, replacing the file in one step."""
    snapshot_format = get_format(name)
    collected = list(items)
    temporary = os.fspath(path) + ".tmp"
    try:
        with open(temporary, "wb") as file:
            snapshot_format.write(file, collected)
        os.replace(temporary, path)
    except BaseException:
        if os.path.exists(temporary):
            os.remove(temporary)
        raise
    return len(collected)


def read_snapshot(path: PathLike) -> List[Item]:
    """Read a snapshot in whatever registered format it is."""
    with open(path, "rb") as file:
        head = file.read(_SNIFFED)
        file.seek(0)
        for snapshot_format in _formats.values():
            if snapshot_format.recognises(head):
                return snapshot_format.read(file)
    raise UnknownFormatError(f"{os.path.basename(os.fspath(path))} is in none of the formats {', '.join(_formats)}")


class LinesFormat(SnapshotFormat):
    """A line of JSON for each item, behind one that says how many there are."""

    name = "lines"

    def recognises(self, head: bytes) -> bool:
        return head.startswith(b'{"hoardfile":')

    def write(self, file: BinaryIO, items: List[Item]) -> None:
        self._write_line(file, {"hoardfile": 1, "items": len(items)})
        for item in items:
            line = {"key": _to_text(item.key), "value": _to_text(item.value)}
            if item.expires:
                line["expires"] = item.expires  # type: ignore[assignment]
            self._write_line(file, line)

    def _write_line(self, file: BinaryIO, line: Dict) -> None:
        file.write(json.dumps(line).encode("ascii") + b"\n")

    def read(self, file: BinaryIO) -> List[Item]:
        items = []
        number = 1
        try:
            expected = json.loads(file.readline())["items"]
            for number, line in enumerate(file, 2):
                fields = json.loads(line)
                items.append(Item(_to_bytes(fields["key"]), _to_bytes(fields["value"]), fields.get("expires", 0)))
        except (ValueError, KeyError, TypeError) as error:
            raise SnapshotError(f"line {number} of the snapshot cannot be read") from error
        _check_count(len(items), expected)
        return items


class PackFormat(SnapshotFormat):
    """The records of a segment, behind their number."""

    name = "pack"

    MAGIC = b"hoardpk\x01"
    _COUNT = struct.Struct(">I")

    def recognises(self, head: bytes) -> bool:
        return head.startswith(self.MAGIC)

    def write(self, file: BinaryIO, items: List[Item]) -> None:
        file.write(self.MAGIC + self._COUNT.pack(len(items)))
        for item in items:
            file.write(Record(Kind.PUT, 0, item.key, item.value, item.expires).encode())

    def read(self, file: BinaryIO) -> List[Item]:
        head = file.read(len(self.MAGIC) + self._COUNT.size)
        if len(head) < len(self.MAGIC) + self._COUNT.size:
            raise SnapshotError("the snapshot is cut short")
        items: List[Item] = []
        try:
            record = read_record(file)
            while record is not None:
                items.append(Item(record.key, record.value, record.expires))
                record = read_record(file)
        except DamagedRecord as damage:
            raise SnapshotError(f"item {len(items) + 1} of the snapshot: {damage}") from None
        _check_count(len(items), self._COUNT.unpack_from(head, len(self.MAGIC))[0])
        return items


def _check_count(found: int, expected: int) -> None:
    if found != expected:
        raise SnapshotError(f"the snapshot has {found} items instead of {expected}")


def _to_text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _to_bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error


register_format(LinesFormat())
register_format(PackFormat())
