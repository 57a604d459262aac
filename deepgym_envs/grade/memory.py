"""Remembers what was found out about a state, so that nobody asks twice."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TypeVar

T = TypeVar("T")
Key = tuple[str, str, str]


class Memory:
    """The newest ``size`` results by (task digest, state digest, what was asked); safe between threads.

    A result in it is never replaced, so a test that is not steady cannot change a value that was already paid
    out.
    """

    def __init__(self, size: int = 10_000) -> None:
        self._size = size
        self._results: OrderedDict[Key, object] = OrderedDict()
        self._lock = threading.Lock()

    def __deepcopy__(self, memo: object) -> Memory:
        """Itself: whoever copies a configuration that names a memory means the same memory."""
        return self

    def __reduce__(self) -> tuple[type[Memory], tuple[int]]:
        """Another process begins with an empty one."""
        return Memory, (self._size,)

    def get(self, key: Key, kind: type[T]) -> T | None:
        """The result under ``key`` if it is known and of that kind."""
        with self._lock:
            found = self._results.get(key)
            if found is not None:
                self._results.move_to_end(key)
        return found if isinstance(found, kind) else None

    def keep(self, key: Key, result: T) -> T:
        """Remember ``result`` unless another was first; returns the one that is remembered."""
        with self._lock:
            kept = self._results.setdefault(key, result)
            while len(self._results) > self._size:
                self._results.popitem(last=False)
        return kept  # type: ignore[return-value]

    def __len__(self) -> int:
        return len(self._results)
