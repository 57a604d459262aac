"""What was said and done in an attack, as lines of JSON that are written as it happens."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deepgym_envs.audit.report import Tier
from deepgym_envs.errors import UsageError
from deepgym_envs.sandbox.contract import Closing
from deepgym_envs.strict_json import write_json
from deepgym_envs.text import shorten

_LONGEST_TEXT = 1_000_000


class Transcript(Closing):
    """The file of one task and tier in ``folder``, which is made if need be; nothing is kept without one.

    Each line is one JSON object of ASCII, with its ``kind`` and the ``run`` that wrote it, and reaches the
    operating system whole before ``write`` returns: whoever is killed leaves all lines but the last whole.
    Runs are added to one file, also at the same time. Texts are kept as they are up to a million characters,
    of longer ones both ends.

    Raises:
        UsageError: it cannot be written.
    """

    def __init__(self, folder: Path | None, task: str, tier: Tier) -> None:
        self.path = folder / f"{task.replace('/', '__')}.tier{tier}.jsonl" if folder is not None else None
        self._run = secrets.token_hex(4)
        self._file = None
        if folder is None or self.path is None:
            return
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("ab", buffering=0)
            if self.path.stat().st_size:
                self._put(b"\n")  # the line before may have no end
        except OSError as error:
            self.close()
            raise UsageError(f"{self.path} cannot be written: {error.strerror}") from None

    def write(self, kind: str, values: Mapping[str, Any]) -> None:
        """Add a line. Raises ``UsageError`` if it cannot be written."""
        if self._file is None:
            return
        short = {
            name: shorten(value, _LONGEST_TEXT) if isinstance(value, str) else value
            for name, value in values.items()
        }
        try:
            self._put(write_json(kind, {"run": self._run, **short}).encode("ascii") + b"\n")
        except OSError as error:
            raise UsageError(f"{self.path} cannot be written: {error.strerror}") from None

    def close(self) -> None:
        """Close the file."""
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def _put(self, line: bytes) -> None:
        assert self._file is not None
        while line:
            line = line[self._file.write(line) or 0 :]
