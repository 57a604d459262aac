"""The lock file that keeps a second writer out of a store."""

from __future__ import annotations

import os
import socket

from .errors import LockedError

LOCK_NAME = "lock"


class WriterLock:
    """A file that exists as long as a writer has the store open.

    It says who that is.  A writer that died leaves its lock behind; only a person
    can tell, so it is broken on request and never by guessing.
    """

    def __init__(self, folder: str) -> None:
        self._path = os.path.join(folder, LOCK_NAME)
        self._held = False

    def acquire(self, break_lock: bool = False) -> None:
        if break_lock and os.path.exists(self._path):
            os.remove(self._path)
        try:
            handle = os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
        except FileExistsError:
            raise LockedError(os.path.dirname(self._path), self._owner()) from None
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(f"{socket.gethostname()} {os.getpid()}\n")
        self._held = True

    def _owner(self) -> str:
        try:
            with open(self._path, encoding="utf-8", errors="replace") as file:
                return file.read().strip()
        except FileNotFoundError:
            return ""

    def release(self) -> None:
        if self._held:
            self._held = False
            try:
                os.remove(self._path)
            except FileNotFoundError:
                pass
