"""Files of SQLite: laid out once, told from those of other programs, and explained when they fail."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepgym_envs.errors import UsageError


@dataclass(frozen=True)
class FileKind:
    """What all files of one kind have in common.

    ``application`` stands in the file's header and tells it from other programs' files; ``format`` is its
    version, ``older`` are those whose tables are the same, which can be read and gone on with. ``tables`` are
    the statements that lay it out, ``pragmas`` those for each connection that writes. ``wait_seconds`` is how
    long to wait for another process. ``name``, ``if_full`` and ``if_damaged`` are put into messages.
    """

    name: str
    application: int
    format: int
    tables: tuple[str, ...]
    pragmas: tuple[str, ...]
    wait_seconds: float
    if_full: str
    if_damaged: str
    older: tuple[int, ...] = ()


def open_to_write(path: Path, kind: FileKind) -> sqlite3.Connection:
    """The file at ``path``, laid out if it was not there; for any thread, each statement a transaction.

    Raises:
        UsageError: what is there is no such file, or one of another format; it is left as it is.
        OSError: it cannot be read or written; says why.
    """
    with explained(path, kind):
        connection = _connect(str(path), kind)
        try:
            if _is_empty(path, kind, connection):
                first_value(connection, "PRAGMA journal_mode = WAL")
                with transaction(connection):
                    if _is_empty(path, kind, connection):  # nobody else was quicker
                        _lay_out(connection, kind)
            elif kind.older and first_value(connection, "PRAGMA user_version") in kind.older:
                connection.execute(f"PRAGMA user_version = {kind.format}")  # older readers must not take it
            for pragma in kind.pragmas:
                first_value(connection, f"PRAGMA {pragma}")
        except BaseException:
            connection.close()
            raise
    return connection


def open_to_read(path: Path, kind: FileKind) -> sqlite3.Connection | None:
    """The file at ``path``, which may lie where nothing can be written; None if nothing is in it yet.

    Raises:
        UsageError: it is no such file, or one of another format.
        OSError: it cannot be read; says why.
    """
    with explained(path, kind):
        try:
            return _read_only(path, kind, "mode=ro")
        except sqlite3.OperationalError:
            # The log's index has no place in a folder that cannot be written; without a log none is needed.
            if path.with_name(f"{path.name}-wal").exists():
                raise
            return _read_only(path, kind, "mode=ro&immutable=1")


@contextmanager
def explained(path: Path, kind: FileKind) -> Iterator[None]:
    """Raise SQLite's errors as what they mean: ``UsageError`` for what is no database, else ``OSError``."""
    try:
        yield
    except sqlite3.ProgrammingError:
        raise  # ours, not the file's
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorname", "")
        if code.startswith("SQLITE_NOTADB"):
            raise UsageError(f"{path} is no {kind.name}; choose another folder") from None
        raise OSError(f"{path}: {_meaning(code, kind)} ({error})") from None


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All that is written inside, or nothing of it; waits for others that write."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def first_value(connection: sqlite3.Connection, statement: str) -> Any:
    """The first value of the first row that ``statement`` gives; None if it gives none."""
    row = connection.execute(statement).fetchone()
    return row[0] if row else None


def _connect(address: str, kind: FileKind, *, uri: bool = False) -> sqlite3.Connection:
    return sqlite3.connect(address, kind.wait_seconds, isolation_level=None, check_same_thread=False, uri=uri)


def _read_only(path: Path, kind: FileKind, options: str) -> sqlite3.Connection | None:
    connection = _connect(f"{path.resolve().as_uri()}?{options}", kind, uri=True)
    try:
        empty = _is_empty(path, kind, connection)
    except BaseException:
        connection.close()
        raise
    if empty:
        connection.close()
        return None
    return connection


def _is_empty(path: Path, kind: FileKind, connection: sqlite3.Connection) -> bool:
    """Whether nothing is in the file yet. Raises ``UsageError`` unless it is of ``kind``."""
    if not first_value(connection, "SELECT count(*) FROM sqlite_master"):
        return True
    if first_value(connection, "PRAGMA application_id") != kind.application:
        raise UsageError(f"{path} is a database of another program; choose another folder")
    version = first_value(connection, "PRAGMA user_version")
    if version != kind.format and version not in kind.older:
        raise UsageError(
            f"{path} is of format {version}, this version reads {kind.format}; "
            "update deepgym-envs or choose another folder"
        )
    return False


def _lay_out(connection: sqlite3.Connection, kind: FileKind) -> None:
    connection.execute(f"PRAGMA application_id = {kind.application}")
    connection.execute(f"PRAGMA user_version = {kind.format}")
    for table in kind.tables:
        connection.execute(table)


def _meaning(code: str, kind: FileKind) -> str:
    meanings = {
        "SQLITE_FULL": kind.if_full,
        "SQLITE_READONLY": "it cannot be written; choose a folder that you may write to",
        "SQLITE_CANTOPEN": "it cannot be opened; choose a folder that you may write to",
        "SQLITE_PERM": "it may not be opened; choose a folder that you may write to",
        "SQLITE_BUSY": f"another process has held it for {kind.wait_seconds:.0f} s; wait until that is done",
        "SQLITE_CORRUPT": f"it is damaged; {kind.if_damaged}",
        "SQLITE_IOERR": "the disk does not take or give what is in it; look at its space, quota and health",
    }
    return next((said for start, said in meanings.items() if code.startswith(start)), "it cannot be used")
