"""Keeping a store within its size: what fits, and who has to go."""

from __future__ import annotations

from typing import List, Optional

from .errors import ArgumentError, EntryTooLargeError
from .index import Index


class SizeBound:
    """The most bytes of keys and values that a store may hold; ``None`` for no bound."""

    def __init__(self, max_bytes: Optional[int]) -> None:
        if max_bytes is not None and max_bytes < 1:
            raise ArgumentError(f"max_bytes must be positive, not {max_bytes}")
        self._max_bytes = max_bytes

    def check(self, key: bytes, value: bytes) -> None:
        """Refuse what would not fit if it were alone."""
        size = len(key) + len(value)
        if self._max_bytes is not None and size > self._max_bytes:
            raise EntryTooLargeError(size, self._max_bytes)

    def victims(self, index: Index) -> List[bytes]:
        """The least recently used keys without which the rest fits."""
        chosen: List[bytes] = []
        if self._max_bytes is None or index.payload_bytes <= self._max_bytes:
            return chosen
        excess = index.payload_bytes - self._max_bytes
        for key in index.by_use():
            if excess <= 0:
                break
            entry = index.get(key)
            assert entry is not None
            excess -= entry.size
            chosen.append(key)
        return chosen
