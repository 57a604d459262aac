"""The file in which a memory outlives its process, and which several processes share.

A folder holds ``memory.sqlite`` (what is known, as text) and ``memory.lock`` (who is finding out what). It
must not lie on a network file system, where the locks of neither hold. Whoever can write the file can write
rewards.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import sqlite3
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from deepgym_envs.grade.key import ResultKey
from deepgym_envs.sqlite_file import FileKind, explained, open_to_write, transaction

FILE_NAME = "memory.sqlite"
LOCK_NAME = "memory.lock"
MAX_TEXT = 2 << 20
_MAX_FLAKES = 1000
_PATIENCE_SECONDS = 600.0
_MEMORY = FileKind(
    name="memory",
    application=0x4447454D,  # "DGEM"
    format=1,
    tables=(
        "CREATE TABLE results (key TEXT PRIMARY KEY, result TEXT NOT NULL)",
        "CREATE TABLE flakes (key TEXT PRIMARY KEY, flake TEXT NOT NULL)",
    ),
    # 2^20 pages of 4 KiB: what hostile code makes up must not fill the disk.
    pragmas=("synchronous = NORMAL", "max_page_count = 1048576"),
    wait_seconds=10.0,
    if_full="the disk is full, or the file is as large as it may be; make room or remove the file",
    if_damaged="remove it or choose another folder",
)


class MemoryFile:
    """Texts by key, of which the first stays; safe between threads and processes, and after ``kill -9``.

    Every method may raise ``OSError``, which says what is wrong with the file. Nothing is lost when a process
    dies; a power failure may lose the newest.
    """

    def __init__(self, folder: Path) -> None:
        """Open or make the file in ``folder``.

        Raises:
            UsageError: what is there is no memory, or one of another format.
            OSError: it cannot be read or written; says why and what to do.
        """
        self.path = folder / FILE_NAME
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._locks = -1
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            said = f"{folder}: no memory can be kept there: {error.strerror}; choose another folder"
            raise OSError(said) from None
        with self._using() as connection, transaction(connection):
            pass  # shows now whether it can be written

    def read(self, key: ResultKey) -> str | None:
        """The text under ``key``; None where there is none, or something that is no text."""
        with self._using() as connection:
            row = connection.execute("SELECT result FROM results WHERE key = ?", (_name(key),)).fetchone()
        return _text(row)

    def add(self, key: ResultKey, text: str) -> str | None:
        """Keep ``text`` unless there is one; the one that is there then, as ``read`` gives it."""
        if len(text) > MAX_TEXT:
            return text
        with self._using() as connection:
            connection.execute(
                "INSERT INTO results (key, result) VALUES (?, ?) ON CONFLICT DO NOTHING", (_name(key), text)
            )
            return self.read(key)

    def add_flake(self, key: ResultKey, text: str) -> None:
        """Keep a flake unless one is known of ``key``, or very many are."""
        with self._using() as connection:
            connection.execute(
                "INSERT INTO flakes (key, flake) SELECT ?, ? WHERE (SELECT count(*) FROM flakes) < ? "
                "ON CONFLICT DO NOTHING",
                (_name(key), text, _MAX_FLAKES),
            )

    def flakes(self) -> list[str]:
        """The texts of all flakes, the oldest first."""
        with self._using() as connection:
            rows = connection.execute("SELECT flake FROM flakes ORDER BY rowid").fetchall()
        return [text for row in rows if (text := _text(row)) is not None]

    @contextmanager
    def alone(self, key: ResultKey, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
        """Hold the lock of ``key``, which the kernel takes back when this process dies.

        Waits while another process has it, 600 s at most: one that is stopped must not stop all others.
        Where no lock can be had this holds none, and two may find out the same.
        """
        # One byte of the file for each key, so that who waits for one holds up nobody else.
        offset = int.from_bytes(bytes.fromhex(_name(key))[:8], "big") >> 2
        locks = None
        with suppress(OSError):
            locks = self._lock_file()
            _wait_for(locks, offset, waiting)
        try:
            yield
        finally:
            if locks is not None:
                with suppress(OSError):
                    _set_lock(locks, fcntl.F_UNLCK, offset)

    def close(self) -> None:
        """Close the files; the next use opens them again."""
        with self._lock:
            self._disconnect()
            locks, self._locks = self._locks, -1
            if locks >= 0:
                os.close(locks)

    def __del__(self) -> None:
        if hasattr(self, "_locks"):
            self.close()

    def before_fork(self) -> None:
        """Let nobody use the file until ``after_fork``: SQLite's connections must not be carried over."""
        self._lock.acquire()
        self._disconnect()

    def after_fork(self, *, child: bool) -> None:
        """Go on; the child with locks of its own."""
        if child:
            self.close()
        self._lock.release()

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()

    def _lock_file(self) -> int:
        with self._lock:
            if self._locks < 0:
                place = self.path.with_name(LOCK_NAME)
                self._locks = os.open(place, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
            return self._locks

    @contextmanager
    def _using(self) -> Iterator[sqlite3.Connection]:
        with self._lock, explained(self.path, _MEMORY):
            if self._connection is None:
                self._connection = open_to_write(self.path, _MEMORY)
                self._connection.text_factory = bytes  # whatever is in the file
            yield self._connection


def _name(key: ResultKey) -> str:
    # A name that somebody gave to a potential may hold characters that SQLite does not take.
    return hashlib.sha256(json.dumps(key).encode()).hexdigest()


def _text(row: Any) -> str | None:
    if row is None or not isinstance(row[0], bytes) or not row[0].isascii():
        return None
    return row[0].decode("ascii")


def _wait_for(locks: int, offset: int, waiting: Callable[[], None]) -> None:
    """Return with the lock, or without it when patience has ended.

    Raises:
        OSError: there are no locks here.
    """
    deadline, pause = time.monotonic() + _PATIENCE_SECONDS, 0.001
    while time.monotonic() < deadline:
        try:
            _set_lock(locks, fcntl.F_WRLCK, offset)
        except (BlockingIOError, PermissionError):
            waiting()
            time.sleep(pause)
            pause = min(0.02, 2 * pause)
        else:
            return


def _set_lock(locks: int, kind: int, offset: int) -> None:
    # Locks of an open file, not of a process: two memories of one process keep each other out as well, and
    # closing one gives up none of the other's.
    fcntl.fcntl(locks, fcntl.F_OFD_SETLK, struct.pack("hhqqi", kind, os.SEEK_SET, offset, 1, 0))
