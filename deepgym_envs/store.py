"""The file in which a run keeps its episodes.

A run's folder holds ``runs.sqlite``: one row for the run's settings, and one for each finished episode,
written in one transaction. A run may be killed at any moment: what was finished is there, once, and the
rest can be played later.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from deepgym_envs.errors import UsageError
from deepgym_envs.trajectory import Key, Trajectory

FORMAT = 1
FILE_NAME = "runs.sqlite"
_APPLICATION = 0x44474556  # "DGEV", in the file's own header
_WAIT_SECONDS = 60.0


class RunStore:
    """The episodes of one run, in ``runs.sqlite`` of its folder; safe between threads and processes.

    The folder must not lie on a network file system, where SQLite's locks do not hold.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection, settings: Mapping[str, Any]) -> None:
        """For ``create`` and ``open``."""
        self.path = path
        self.settings = settings
        self._connection = connection
        self._lock = threading.RLock()

    @classmethod
    def create(cls, folder: Path, settings: Mapping[str, Any], *, resume: bool = False) -> RunStore:
        """Begin a run in ``folder``, or go on with the one that is there if ``resume``.

        ``settings`` are plain JSON values: all that decides what an episode of this run is.

        Raises:
            UsageError: a run is there already and ``resume`` is False, or it has other settings, or the
                file is not a run's or of a newer format.
            OSError: the file cannot be read or written; says why.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OSError(
                f"{folder}: no run can be kept there: {error.strerror}; choose another folder"
            ) from None
        path = folder / FILE_NAME
        wanted = json.loads(json.dumps(settings, allow_nan=False))
        with _explained(path):
            connection = sqlite3.connect(path, _WAIT_SECONDS, isolation_level=None, check_same_thread=False)
            try:
                _settings(path, connection)
                _execute(connection, "PRAGMA journal_mode = WAL")
                _execute(connection, "PRAGMA synchronous = FULL")
                with _transaction(connection):
                    found = _settings(path, connection)
                    if found is None:
                        _lay_out(connection, wanted)
                if found is not None and not resume:
                    raise UsageError(
                        f"{folder} holds a run already; go on with --resume, or choose another folder"
                    )
                if found is not None and found != wanted:
                    raise UsageError(_difference(folder, found, wanted))
            except BaseException:
                connection.close()
                raise
        return cls(path, connection, wanted)

    @classmethod
    def open(cls, folder: Path) -> RunStore:
        """The run in ``folder``, to be read only.

        Raises:
            FileNotFoundError: there is none.
            UsageError: the file is not a run's, or of a newer format.
            OSError: it cannot be read; says why.
        """
        path = folder / FILE_NAME
        if not path.is_file():
            raise FileNotFoundError(f"{folder} holds no run: there is no {FILE_NAME}")
        with _explained(path):
            try:
                connection, found = _open_to_read(path, "mode=ro")
            except sqlite3.OperationalError:
                # The log's index has no place in a folder that cannot be written; without a log none is
                # needed.
                if path.with_name(f"{FILE_NAME}-wal").exists():
                    raise
                connection, found = _open_to_read(path, "mode=ro&immutable=1")
        if found is None:
            connection.close()
            raise UsageError(f"{path} holds no run")
        return cls(path, connection, found)

    def add(self, trajectory: Trajectory) -> bool:
        """Keep a finished episode; False if it is there already. A masked one gives way to one that is not.

        Raises:
            OSError: it cannot be written; says why.
        """
        row = (*trajectory.key, trajectory.masked, trajectory.to_json())
        with self._lock, _explained(self.path), _transaction(self._connection):
            done = self._connection.execute(
                "INSERT INTO episodes (task, agent, episode, seed, masked, trajectory) "
                "VALUES (?, ?, ?, ?, ?, ?) "
                "ON CONFLICT DO UPDATE SET masked = excluded.masked, trajectory = excluded.trajectory "
                "WHERE episodes.masked AND NOT excluded.masked",
                row,
            )
            return done.rowcount > 0

    def finished(self) -> frozenset[Key]:
        """The episodes that need not be played again; masked ones are not among them."""
        with self._lock, _explained(self.path):
            rows = self._connection.execute(
                "SELECT task, agent, episode, seed FROM episodes WHERE NOT masked"
            )
            return frozenset((task, agent, index, seed) for task, agent, index, seed in rows)

    def trajectories(self) -> Iterator[Trajectory]:
        """Every episode, in the order of task, agent, index and seed; one at a time is held in memory."""
        with self._lock, _explained(self.path):
            order = "SELECT rowid FROM episodes ORDER BY task, agent, episode, seed"
            ids = self._connection.execute(order).fetchall()
        for (row,) in ids:
            with self._lock, _explained(self.path):
                one = "SELECT trajectory FROM episodes WHERE rowid = ?"
                (text,) = self._connection.execute(one, (row,)).fetchone()
            yield Trajectory.from_json(text)

    def close(self) -> None:
        """Close the file; calling it again does nothing."""
        with self._lock:
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _open_to_read(path: Path, options: str) -> tuple[sqlite3.Connection, dict[str, Any] | None]:
    address = f"{path.resolve().as_uri()}?{options}"
    connection = sqlite3.connect(
        address, _WAIT_SECONDS, isolation_level=None, check_same_thread=False, uri=True
    )
    try:
        return connection, _settings(path, connection)
    except BaseException:
        connection.close()
        raise


def _lay_out(connection: sqlite3.Connection, settings: Mapping[str, Any]) -> None:
    connection.execute(f"PRAGMA application_id = {_APPLICATION}")
    connection.execute(
        "CREATE TABLE header (id INTEGER PRIMARY KEY CHECK (id = 1), format INTEGER, settings TEXT)"
    )
    text = json.dumps(settings, separators=(",", ":"), sort_keys=True)
    connection.execute("INSERT INTO header VALUES (1, ?, ?)", (FORMAT, text))
    connection.execute(
        "CREATE TABLE episodes (task TEXT NOT NULL, agent TEXT NOT NULL, episode INTEGER NOT NULL, "
        "seed INTEGER NOT NULL, masked INTEGER NOT NULL, trajectory TEXT NOT NULL, "
        "UNIQUE (task, agent, episode, seed))"
    )


def _settings(path: Path, connection: sqlite3.Connection) -> dict[str, Any] | None:
    """The settings in a store's header, or None for a file in which nothing is yet. Raises ``UsageError``."""
    if not _execute(connection, "SELECT count(*) FROM sqlite_master"):
        return None
    if _execute(connection, "PRAGMA application_id") != _APPLICATION:
        raise UsageError(f"{path} is a database of another program; choose another folder")
    version = _execute(connection, "SELECT format FROM header")
    if version != FORMAT:
        raise UsageError(f"{path} is of format {version}, this version reads {FORMAT}; update deepgym-envs")
    settings: dict[str, Any] = json.loads(_execute(connection, "SELECT settings FROM header"))
    return settings


def _execute(connection: sqlite3.Connection, statement: str) -> Any:
    row = connection.execute(statement).fetchone()
    return row[0] if row else None


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


_MEANINGS = {
    "SQLITE_FULL": "the disk is full; make room, then go on with --resume",
    "SQLITE_READONLY": "it cannot be written; choose a folder that you may write to",
    "SQLITE_CANTOPEN": "it cannot be opened; choose a folder that you may write to",
    "SQLITE_PERM": "it may not be opened; choose a folder that you may write to",
    "SQLITE_BUSY": f"another process has held it for {_WAIT_SECONDS:.0f} s; wait until that is done",
    "SQLITE_CORRUPT": "it is damaged; choose another folder",
    "SQLITE_IOERR": "the disk does not take or give what is in it; look at its space, quota and health",
}


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """SQLite's errors as what they mean: ``UsageError`` for a file that is no database, else ``OSError``."""
    try:
        yield
    except sqlite3.Error as error:
        name = getattr(error, "sqlite_errorname", "")
        if name.startswith("SQLITE_NOTADB"):
            raise UsageError(f"{path} is not a run's file; choose another folder") from None
        meaning = next((said for code, said in _MEANINGS.items() if name.startswith(code)), "")
        if not meaning:
            raise
        raise OSError(f"{path}: {meaning} ({error})") from None


def _difference(folder: Path, found: Mapping[str, Any], wanted: Mapping[str, Any]) -> str:
    """What to say of a run that is to go on with other settings than it has."""
    parts = []
    for key in sorted({*found, *wanted}):
        old, new = found.get(key), wanted.get(key)
        if old == new:
            continue
        if isinstance(old, dict) and isinstance(new, dict):
            names = sorted(name for name in {*old, *new} if old.get(name) != new.get(name))
            parts.append(f"{key} differ ({', '.join(names[:3])}{', ...' if len(names) > 3 else ''})")
        else:
            parts.append(f"{key} was {json.dumps(old)[:80]} and is now {json.dumps(new)[:80]}")
    return (
        f"the run in {folder} has other settings: {'; '.join(parts)}; "
        "give the same ones to go on with it, or choose another folder"
    )
