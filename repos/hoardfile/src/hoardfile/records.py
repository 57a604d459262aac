"""Records: what the segments of a store are made of, and how they look as bytes."""

from __future__ import annotations

import enum
import struct
import zlib
from dataclasses import dataclass
from typing import BinaryIO, Optional

from .errors import InvalidKeyError, InvalidValueError

MAX_KEY = 0xFFFF
MAX_VALUE = 0xFFFFFFFF

_CHECKSUM = struct.Struct(">I")
_FIELDS = struct.Struct(">BQQHI")
_MORE = 0x80

OVERHEAD = _CHECKSUM.size + _FIELDS.size


class Kind(enum.IntEnum):
    """What a record does to its key."""

    PUT = 1
    DELETE = 2
    TOUCH = 3


@dataclass(frozen=True)
class Record:
    """One change of one key.

    ``expires`` is in milliseconds of the store's clock, 0 for never.  ``more``
    says that the next record of the segment belongs to the same batch.
    """

    kind: Kind
    seq: int
    key: bytes
    value: bytes = b""
    expires: int = 0
    more: bool = False

    @property
    def size(self) -> int:
        """The number of bytes that the record takes up in a segment."""
        return OVERHEAD + len(self.key) + len(self.value)

    def encode(self) -> bytes:
        kind = self.kind | _MORE if self.more else self.kind
        body = _FIELDS.pack(kind, self.seq, self.expires, len(self.key), len(self.value)) + self.key + self.value
        return _CHECKSUM.pack(zlib.crc32(body)) + body


class DamagedRecord(Exception):
    """Bytes that are no record; the message says in what way."""


def read_record(file: BinaryIO) -> Optional[Record]:
    """Read the record at the file's position; ``None`` at the end of the file."""
    head = file.read(OVERHEAD)
    if not head:
        return None
    if len(head) < OVERHEAD:
        raise DamagedRecord("torn record")
    (checksum,) = _CHECKSUM.unpack_from(head)
    kind, seq, expires, key_size, value_size = _FIELDS.unpack_from(head, _CHECKSUM.size)
    payload = file.read(key_size + value_size)
    if len(payload) < key_size + value_size:
        raise DamagedRecord("torn record")
    if zlib.crc32(payload, zlib.crc32(head[_CHECKSUM.size:])) != checksum:
        raise DamagedRecord("wrong checksum")
    try:
        plain_kind = Kind(kind & ~_MORE)
    except ValueError:
        raise DamagedRecord(f"unknown kind of record {kind & ~_MORE}") from None
    return Record(plain_kind, seq, payload[:key_size], payload[key_size:], expires, bool(kind & _MORE))


def check_key(key: bytes) -> bytes:
    """Return *key* if a store can hold it."""
    if not isinstance(key, bytes):
        raise InvalidKeyError(f"a key must be bytes, not {type(key).__name__}")
    if not key:
        raise InvalidKeyError("a key must not be empty")
    if len(key) > MAX_KEY:
        raise InvalidKeyError(f"a key of {len(key)} bytes is longer than {MAX_KEY}")
    return key


def check_prefix(prefix: bytes) -> bytes:
    """Return *prefix* if keys can begin with it, or lie behind it."""
    if not isinstance(prefix, bytes):
        raise InvalidKeyError(f"keys are bytes, not {type(prefix).__name__}")
    return prefix


def check_value(value: bytes) -> bytes:
    """Return *value* if a record can hold it."""
    if not isinstance(value, bytes):
        raise InvalidValueError(f"a value must be bytes, not {type(value).__name__}")
    if len(value) > MAX_VALUE:
        raise InvalidValueError(f"a value of {len(value)} bytes is longer than {MAX_VALUE}")
    return value
