"""Metrics as a file of JSON lines."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Mapping
from pathlib import Path


class JsonLinesSink:
    """Appends ``{"step": 3, "kl": 0.5, ...}`` to a file, a line each time.

    A line is written whole and at once, so several processes may share a file; what a process that was
    killed left of a line is ended before the next.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "metrics.jsonl"
    ...     JsonLinesSink(path)({"kl": 0.5}, 3)
    ...     print(path.read_text(), end="")
    {"step": 3, "kl": 0.5}

    Raises:
        OSError: the file cannot be written.
        ValueError: a metric is called ``step``, or is not finite.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)

    def __call__(self, metrics: Mapping[str, float], step: int, /) -> None:
        """Append one line."""
        if "step" in metrics:
            raise ValueError("a metric cannot be called 'step', which is the number of the line")
        row = {"step": step, **{name: float(value) for name, value in metrics.items()}}
        line = json.dumps(row, allow_nan=False).encode() + b"\n"
        file = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            # Of a line that another is writing, only a part may be there to be seen.
            fcntl.flock(file, fcntl.LOCK_EX)
            size = os.fstat(file).st_size
            if size and os.pread(file, 1, size - 1) != b"\n":
                line = b"\n" + line
            if os.write(file, line) != len(line):
                raise OSError(f"{self._path}: a line could not be written whole")
        finally:
            os.close(file)
