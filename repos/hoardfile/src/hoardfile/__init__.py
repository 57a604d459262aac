"""Hoardfile: a key-value store in a folder of append-only files."""

from .compaction import Compaction
from .errors import (
    ArgumentError, ClosedError, CorruptionError, EntryTooLargeError, HoardError, InvalidKeyError, InvalidTTLError,
    InvalidValueError, LockedError, MissingKeyError, ReadOnlyError, SnapshotError, StateError, UnknownFormatError,
)
from .snapshot import Item, SnapshotFormat, format_names, register_format
from .stats import Stats
from .store import Batch, Hoard

__version__ = "0.9.0"

__all__ = [
    "ArgumentError", "Batch", "ClosedError", "Compaction", "CorruptionError", "EntryTooLargeError", "Hoard", "HoardError",
    "InvalidKeyError", "InvalidTTLError", "InvalidValueError", "Item", "LockedError", "MissingKeyError", "ReadOnlyError",
    "SnapshotError", "SnapshotFormat", "StateError", "Stats", "UnknownFormatError", "format_names", "register_format",
]
