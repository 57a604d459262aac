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

from deepgym_envs.errors import UsageError
from deepgym_envs.grade.key import Key

FORMAT = 1
FILE_NAME = "memory.sqlite"
LOCK_NAME = "memory.lock"
MAX_TEXT = 2 << 20
_MAX_PAGES = 1 << 20  # of 4 KiB: what hostile code makes up must not fill the disk
_MAX_FLAKES = 1000
_APPLICATION = 0x4447454D  # "DGEM", in the file's own header
_WAIT_SECONDS = 10.0
_PATIENCE_SECONDS = 600.0


class MemoryFile:
    """Texts by key, of which the first stays; safe between threads and processes, and after ``kill -9``.

    Every method may raise ``OSError``, which says what is wrong with the file. Nothing is lost when a process
    dies; a power failure may lose the newest.
    """

    def __init__(self, folder: Path) -> None:
        """Open or make the file in ``folder``.

        Raises:
            UsageError: what is there is no memory, or one of a newer version.
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
        with self._using() as connection:
            _execute(connection, "BEGIN IMMEDIATE")  # shows now whether it can be written
            _execute(connection, "ROLLBACK")

    def read(self, key: Key) -> str | None:
        """The text under ``key``; None where there is none, or something that is no text."""
        with self._using() as connection:
            row = connection.execute("SELECT result FROM results WHERE key = ?", (_name(key),)).fetchone()
        return _text(row)

    def add(self, key: Key, text: str) -> str | None:
        """Keep ``text`` unless there is one; the one that is there then, as ``read`` gives it."""
        if len(text) > MAX_TEXT:
            return text
        with self._using() as connection:
            connection.execute(
                "INSERT INTO results (key, result) VALUES (?, ?) ON CONFLICT DO NOTHING", (_name(key), text)
            )
            return self.read(key)

    def add_flake(self, key: Key, text: str) -> None:
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
    def alone(self, key: Key, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
        """Hold the lock of ``key``, which the kernel takes back when this process dies.

        Waits while another process has it, ten minutes at most: one that is stopped must not stop all others.
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
        with self._lock, _explained(self.path):
            if self._connection is None:
                self._connection = _connect(self.path)
            yield self._connection


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, _WAIT_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        connection.text_factory = bytes
        if _is_new(path, connection):
            _execute(connection, "PRAGMA journal_mode = WAL")
            _execute(connection, "BEGIN IMMEDIATE")
            if _is_new(path, connection):
                _lay_out(connection)
            _execute(connection, "COMMIT")
        _execute(connection, "PRAGMA synchronous = NORMAL")
        _execute(connection, f"PRAGMA max_page_count = {_MAX_PAGES}")
    except BaseException:
        connection.close()
        raise
    return connection


def _is_new(path: Path, connection: sqlite3.Connection) -> bool:
    if not _execute(connection, "SELECT count(*) FROM sqlite_master"):
        return True
    if _execute(connection, "PRAGMA application_id") != _APPLICATION:
        raise UsageError(f"{path} is a database of another program; choose another folder")
    version = _execute(connection, "PRAGMA user_version")
    if version != FORMAT:
        raise UsageError(
            f"{path} is of format {version}, this version reads {FORMAT}; "
            "update deepgym-envs or choose another folder"
        )
    return False


def _lay_out(connection: sqlite3.Connection) -> None:
    connection.execute(f"PRAGMA application_id = {_APPLICATION}")
    connection.execute(f"PRAGMA user_version = {FORMAT}")
    connection.execute("CREATE TABLE results (key TEXT PRIMARY KEY, result TEXT NOT NULL)")
    connection.execute("CREATE TABLE flakes (key TEXT PRIMARY KEY, flake TEXT NOT NULL)")


def _execute(connection: sqlite3.Connection, statement: str) -> Any:
    row = connection.execute(statement).fetchone()
    return row[0] if row else None


def _name(key: Key) -> str:
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


_MEANINGS = {
    "SQLITE_FULL": "the disk is full, or the file is as large as it may be; make room or remove the file",
    "SQLITE_READONLY": "it cannot be written; choose a folder that you may write to",
    "SQLITE_CANTOPEN": "it cannot be opened; choose a folder that you may write to",
    "SQLITE_PERM": "it may not be opened; choose a folder that you may write to",
    "SQLITE_BUSY": f"another process has held it for {_WAIT_SECONDS:.0f} s",
    "SQLITE_CORRUPT": "it is damaged; remove it or choose another folder",
    "SQLITE_NOTADB": "it is no memory; remove it or choose another folder",
    "SQLITE_IOERR": "the disk does not take or give what is in it; look at its space, quota and health",
}


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        name = getattr(error, "sqlite_errorname", "")
        meaning = next(
            (said for code, said in _MEANINGS.items() if name.startswith(code)), "it cannot be used"
        )
        raise OSError(f"{path}: {meaning} ({error})") from None
