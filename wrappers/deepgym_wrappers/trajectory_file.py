"""A file of trajectories, a line each, that many write to and that a killed writer leaves whole."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from deepgym_envs.trajectory import Trajectory

FILE_NAME = "episodes.jsonl"
_BLOCK = 1 << 16


def append_trajectory(folder: str | Path, trajectory: Trajectory) -> Trajectory:
    """Add ``trajectory`` to ``episodes.jsonl`` in ``folder``, numbered; returns it as it was written.

    Its ``index`` becomes that of the line before plus 1, whoever wrote that: any number of threads and
    processes of this machine may write to a folder, one at a time (``flock``; not on a network file system).
    What a killed writer left of a line is removed before the next. A line is on disk when this returns.

    >>> import tempfile
    >>> done = Trajectory("a", "", "me", "fake", 1, 0, "Mend it.", "", 0.0, (), None, "")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     written = [append_trajectory(folder, done) for _ in range(2)]
    ...     [one.index for one in written], list(read_trajectories(folder)) == written
    ([0, 1], True)

    Raises:
        OSError: it cannot be written; the file is as it was before.
        ValueError: the last line is no trajectory, or a number of this one is not finite.
    """
    Path(folder).mkdir(parents=True, exist_ok=True)
    path = Path(folder) / FILE_NAME
    with _locked(path) as file:
        whole = _after_last_newline(file, os.fstat(file).st_size)
        os.ftruncate(file, whole)
        numbered = replace(trajectory, index=_last_index(file, whole, path) + 1)
        line = numbered.to_json().encode("ascii") + b"\n"
        try:
            done = 0
            while done < len(line):
                done += os.pwrite(file, line[done:], whole + done)
            os.fsync(file)
        except OSError:
            os.ftruncate(file, whole)
            raise
    return numbered


def read_trajectories(folder: str | Path) -> Iterator[Trajectory]:
    """The trajectories in ``folder``, in the order in which they were written; half a line is left out.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     done = Trajectory("a", "", "me", "fake", 1, 0, "Mend it.", "", 0.0, (), None, "")
    ...     _ = append_trajectory(folder, done)
    ...     [one.agent for one in read_trajectories(folder)]
    ['me']

    Raises:
        OSError: there is no such file, or it cannot be read.
        ValueError: a line is no trajectory.
    """
    path = Path(folder) / FILE_NAME
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if line.endswith(b"\n"):
                yield _parsed(line, f"{path}, line {number}")


@contextmanager
def _locked(path: Path) -> Iterator[int]:
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file
    finally:
        os.close(file)


def _after_last_newline(file: int, end: int) -> int:
    """Where the line begins that ends before ``end``, or would."""
    while end > 0:
        start = max(0, end - _BLOCK)
        found = os.pread(file, end - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0


def _last_index(file: int, end: int, path: Path) -> int:
    if end == 0:
        return -1
    start = _after_last_newline(file, end - 1)
    return _parsed(os.pread(file, end - start, start), f"the last line of {path}").index


def _parsed(line: bytes, where: str) -> Trajectory:
    try:
        return Trajectory.from_json(line.decode("ascii"))
    except ValueError as error:
        raise ValueError(f"{where}: {error}; choose another folder") from None
