"""The agent that knows the solution: whatever it does not solve is broken."""

# ruff: noqa: ARG002 - the arguments are the protocol's

from __future__ import annotations

import base64
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from deepgym_envs.action import MAX_TEXT, Action, EditFile, RunCommand, RunTests, Submit, WriteFile
from deepgym_envs.errors import TaskError
from deepgym_envs.state import File
from deepgym_envs.task import Task

_COMMAND_BYTES = 60_000  # of a file, so that its base64 and the rest fit into one command


class OracleAgent:
    """Applies the task's solution by its own actions, runs the visible tests, and submits.

    What changes in a file is one edit, and a new file is written whole. What no editing action can do
    (deleting a file, its mode, bytes that are not text) it does by commands where ``commands`` are allowed.
    """

    name = "oracle"

    def __init__(self, *, commands: bool = False) -> None:
        self._commands = commands
        self._left: Iterator[Action] = iter(())

    def begin(self, task: Task, seed: int) -> None:
        """See ``Agent.begin``."""
        actions: list[Action] = []
        # Deletions first, as a new file may lie where a deleted one's folder was, or the other way round.
        for path, file in sorted(task.gold.changes.items(), key=lambda change: change[1] is not None):
            actions += self._changes(task, path, file)
        self._left = iter([*actions, RunTests(), Submit()])

    def act(self, observation: Mapping[str, Any], info: Mapping[str, Any]) -> Action:
        """See ``Agent.act``."""
        return next(self._left, Submit())

    def _changes(self, task: Task, path: str, file: File | None) -> list[Action]:
        if file is None:
            return [self._command(task, f"deletes {path}", f"rm -- {shlex.quote(path)}")]
        old = task.base.get(path)
        mode = [] if file.executable == bool(old and old.executable) else [self._set_mode(task, path, file)]
        if old is not None and old.data == file.data:
            return mode
        before, after = _text(old.data) if old else None, _text(file.data)
        if after is None or len(after) > MAX_TEXT:
            return [*self._write_bytes(task, path, file.data), *mode]
        if before is not None and (edit := _edit(path, before, after)) is not None:
            return [edit, *mode]
        return [WriteFile(path=path, content=after), *mode]

    def _set_mode(self, task: Task, path: str, file: File) -> Action:
        sign = "+" if file.executable else "-"
        return self._command(task, f"changes the mode of {path}", f"chmod {sign}x -- {shlex.quote(path)}")

    def _write_bytes(self, task: Task, path: str, data: bytes) -> list[Action]:
        why, place = f"writes {path}, which is not text or is too long", shlex.quote(path)
        folder = shlex.quote(path.rpartition("/")[0] or ".")
        actions = [self._command(task, why, f"mkdir -p -- {folder} && : > {place}")]
        for start in range(0, len(data), _COMMAND_BYTES):
            piece = base64.b64encode(data[start : start + _COMMAND_BYTES]).decode()
            actions.append(self._command(task, why, f"base64 -d >> {place} <<'END'\n{piece}\nEND"))
        return actions

    def _command(self, task: Task, what: str, command: str) -> Action:
        if not self._commands:
            raise TaskError(
                f"{task.id}: the oracle cannot play this task: its solution {what}, which no "
                "editing action can; allow commands (--commands), or leave the task out"
            )
        return RunCommand(command=command)


def _text(data: bytes) -> str | None:
    """The bytes as text that an action can carry, or None."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def _edit(path: str, before: str, after: str) -> EditFile | None:
    """The edit that makes ``after`` of ``before``; None where no piece of ``before`` is there only once."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    shorter = min(len(old), len(new))
    first = next((i for i in range(shorter) if old[i] != new[i]), shorter)
    same = next((i for i in range(shorter - first) if old[-1 - i] != new[-1 - i]), shorter - first)
    last, more = len(old) - same, len(new) - len(old)
    while True:
        piece = "".join(old[first:last])
        if piece and before.find(piece) == before.rfind(piece):
            return EditFile(path=path, old=piece, new="".join(new[first : last + more]))
        if first == 0 and last == len(old):
            return None
        first, last = max(0, first - 1), min(len(old), last + 1)
