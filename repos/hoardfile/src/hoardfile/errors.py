"""The exceptions of hoardfile.

Everything the library raises on purpose derives from :class:`HoardError`.
Where a built-in exception says the same, the class derives from that too.
"""

from __future__ import annotations

import os
from typing import Union

PathLike = Union[str, "os.PathLike[str]"]


class HoardError(Exception):
    """Base class of every error raised by this package."""


class ArgumentError(HoardError, ValueError):
    """An argument that no store could accept."""


class InvalidKeyError(ArgumentError):
    """A key that is not bytes, is empty, or is too long."""


class InvalidValueError(ArgumentError):
    """A value that is not bytes, or is too long."""


class InvalidTTLError(ArgumentError):
    """A time to live that is not a positive, finite number of seconds."""


class MissingKeyError(HoardError, KeyError):
    """A key that the store does not hold, or no longer."""

    def __init__(self, key: bytes) -> None:
        super().__init__(key)
        self.key = key


class EntryTooLargeError(HoardError):
    """A key and value that are larger than all that the store may hold."""

    def __init__(self, size: int, max_bytes: int) -> None:
        super().__init__(f"an entry of {size} bytes does not fit into {max_bytes}")
        self.size = size
        self.max_bytes = max_bytes


class StateError(HoardError):
    """The store is in no state to do this."""


class ClosedError(StateError):
    """The store has been closed."""


class ReadOnlyError(StateError):
    """The store was opened for reading only."""


class LockedError(StateError):
    """Another writer has the store open; ``owner`` is what its lock file says."""

    def __init__(self, path: PathLike, owner: str) -> None:
        super().__init__(f"{os.fspath(path)} is locked by {owner or 'an unknown writer'}")
        self.path = os.fspath(path)
        self.owner = owner


class CorruptionError(HoardError):
    """Bytes on disk that are not what was written; ``offset`` says where."""

    def __init__(self, path: PathLike, offset: int, reason: str) -> None:
        super().__init__(f"{os.path.basename(os.fspath(path))}, byte {offset}: {reason}")
        self.path = os.fspath(path)
        self.offset = offset
        self.reason = reason


class SnapshotError(HoardError):
    """A snapshot cannot be read or written."""


class UnknownFormatError(SnapshotError):
    """A snapshot format that nobody has registered, or that no format recognises."""
