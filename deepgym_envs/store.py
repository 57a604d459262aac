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
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from deepgym_envs.errors import UsageError
from deepgym_envs.sqlite_file import (
    FileKind,
    explained,
    first_value,
    open_to_read,
    open_to_write,
    transaction,
)
from deepgym_envs.trajectory import EpisodeKey, Trajectory

FILE_NAME = "runs.sqlite"
_RUN = FileKind(
    name="run's file",
    application=0x44474556,  # "DGEV"
    format=2,
    older=(1,),  # its episodes have no records
    tables=(
        "CREATE TABLE header (id INTEGER PRIMARY KEY CHECK (id = 1), settings TEXT)",
        "CREATE TABLE episodes (task TEXT NOT NULL, agent TEXT NOT NULL, episode INTEGER NOT NULL, "
        "seed INTEGER NOT NULL, masked INTEGER NOT NULL, trajectory TEXT NOT NULL, "
        "UNIQUE (task, agent, episode, seed))",
    ),
    pragmas=("synchronous = FULL",),
    wait_seconds=60.0,
    if_full="the disk is full; make room, then go on with --resume",
    if_damaged="choose another folder",
)


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
                file is not a run's or of another format.
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
        connection = open_to_write(path, _RUN)
        try:
            with explained(path, _RUN), transaction(connection):
                found = _settings(connection)
                if found is None:
                    text = json.dumps(wanted, separators=(",", ":"), sort_keys=True)
                    connection.execute("INSERT INTO header VALUES (1, ?)", (text,))
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
            UsageError: the file is not a run's, or of another format.
            OSError: it cannot be read; says why.
        """
        path = folder / FILE_NAME
        if not path.is_file():
            raise FileNotFoundError(f"{folder} holds no run: there is no {FILE_NAME}")
        connection = open_to_read(path, _RUN)
        if connection is None:
            raise UsageError(f"{path} holds no run")
        try:
            with explained(path, _RUN):
                found = _settings(connection)
            if found is None:
                raise UsageError(f"{path} holds no run")
        except BaseException:
            connection.close()
            raise
        return cls(path, connection, found)

    def add(self, trajectory: Trajectory) -> bool:
        """Keep a finished episode; False if it is there already. A masked one gives way to one that is not.

        Raises:
            OSError: it cannot be written; says why.
        """
        row = (*trajectory.key, trajectory.masked, trajectory.to_json())
        with self._lock, explained(self.path, _RUN), transaction(self._connection):
            done = self._connection.execute(
                "INSERT INTO episodes (task, agent, episode, seed, masked, trajectory) "
                "VALUES (?, ?, ?, ?, ?, ?) "
                "ON CONFLICT DO UPDATE SET masked = excluded.masked, trajectory = excluded.trajectory "
                "WHERE episodes.masked AND NOT excluded.masked",
                row,
            )
            return done.rowcount > 0

    def finished(self) -> frozenset[EpisodeKey]:
        """The episodes that need not be played again; masked ones are not among them."""
        with self._lock, explained(self.path, _RUN):
            rows = self._connection.execute(
                "SELECT task, agent, episode, seed FROM episodes WHERE NOT masked"
            )
            return frozenset((task, agent, index, seed) for task, agent, index, seed in rows)

    def trajectories(self) -> Iterator[Trajectory]:
        """Every episode, in the order of task, agent, index and seed; one at a time is held in memory."""
        return (Trajectory.from_json(text) for _, text in self.rows())

    def rows(self) -> Iterator[tuple[EpisodeKey, str]]:
        """The same as they are stored: what each is called, and the JSON of a trajectory, not looked at."""
        with self._lock, explained(self.path, _RUN):
            order = "SELECT rowid FROM episodes ORDER BY task, agent, episode, seed"
            ids = self._connection.execute(order).fetchall()
        for (row,) in ids:
            with self._lock, explained(self.path, _RUN):
                one = "SELECT task, agent, episode, seed, trajectory FROM episodes WHERE rowid = ?"
                task, agent, index, seed, text = self._connection.execute(one, (row,)).fetchone()
            yield (task, agent, index, seed), text

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


def _settings(connection: sqlite3.Connection) -> dict[str, Any] | None:
    """The settings in a run's file; None while the run has not begun."""
    text = first_value(connection, "SELECT settings FROM header")
    settings: dict[str, Any] | None = json.loads(text) if text is not None else None
    return settings


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
