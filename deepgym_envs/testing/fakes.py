"""A sandbox and a backend that are real in all that concerns files, and run nothing."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator
from typing import TypeAlias

from deepgym_envs.errors import ActionError, BoxLost
from deepgym_envs.sandbox.contract import Captured, Closing, Command, Completed, Found, Line, Query, Sandbox
from deepgym_envs.state import Tree, WorkspaceState, check_path, glob_pattern
from deepgym_envs.task import Task

Answer: TypeAlias = Callable[[WorkspaceState, Command], tuple[Completed, WorkspaceState]]
"""What a command does: from the workspace that it meets to its end, and the workspace that it leaves."""


def completed(
    exit_code: int | None = 0, output: bytes = b"", *, report: bytes = b"", report_overflow: bool = False
) -> Completed:
    """How a command ended, for an ``Answer``; without an exit code its time ran out."""
    return Completed(exit_code, output, 0, report, report_overflow, exit_code is None, 0.0)


def _does_nothing(state: WorkspaceState, _: Command) -> tuple[Completed, WorkspaceState]:
    return completed(), state


class FakeSandbox(Closing):
    """A sandbox in memory; implements ``Sandbox``.

    Files are restored, captured, read and found as in any other, except that a search has no time limit;
    what a command does is said by ``answer``. An error that ``answer`` raises comes out of ``run``; after
    ``BoxLost`` the box is closed, like any that is lost. ``commands`` lists what it was asked to run.
    """

    def __init__(
        self, base: Tree, answer: Answer = _does_nothing, release: Callable[[], None] | None = None
    ) -> None:
        self.commands: list[Command] = []
        self._state = WorkspaceState(base)
        self._answer = answer
        self._release = release
        self._closed = self._given_up = False

    @property
    def closed(self) -> bool:
        """Whether ``close`` was called, or the box was lost."""
        return self._closed

    def restore(self, state: WorkspaceState) -> None:
        """See ``Sandbox.restore``."""
        self._check_open()
        if state.base != self._state.base:
            raise ValueError("the state belongs to another base than this box")
        try:
            state.tree()
        except ValueError as error:
            raise ActionError(str(error)) from None
        self._state = state

    def capture(self) -> Captured:
        """See ``Sandbox.capture``."""
        self._check_open()
        return Captured(self._state)

    def read(self, path: str, limit: int) -> tuple[bytes, int]:
        """See ``Sandbox.read``."""
        self._check_open()
        file = self._state.get(_inside(path))
        if file is None:
            raise ActionError(f"{path}: there is no such file")
        return file.data[:limit], len(file.data)

    def find(self, query: Query) -> Found:
        """See ``Sandbox.find``."""
        self._check_open()
        folder = "" if query.folder in ("", ".") else _inside(query.folder)
        tree = self._state.tree()
        below = sorted((path for path in tree if path.startswith(folder and folder + "/")), key=_as_walked)
        if folder and not below:
            raise ActionError(f"{folder!r}: there is no such folder")
        glob = glob_pattern(query.glob)
        paths = [path for path in below if glob.fullmatch(path)]
        if query.pattern is None:
            files = tuple((path, len(tree[path].data)) for path in paths)
            return Found(files[: query.limit], (), len(files) > query.limit)
        try:
            pattern = re.compile(query.pattern)
        except (re.error, OverflowError, RecursionError) as error:
            raise ActionError(f"the pattern is not a regular expression of Python's: {error}") from None
        lines = [line for path in paths for line in _lines(path, tree[path].data, pattern, query.context)]
        return Found((), tuple(lines[: query.limit]), len(lines) > query.limit)

    def run(self, command: Command) -> Completed:
        """See ``Sandbox.run``; does what ``answer`` says."""
        self._check_open()
        self.commands.append(command)
        try:
            done, state = self._answer(self._state, command)
        except BoxLost:
            if self._given_up:
                raise BoxLost("the box was closed while it was in use") from None
            self._let_go()
            raise
        self._check_open()  # it may have been closed in the meantime
        self._state = state
        return done

    def close(self) -> None:
        """See ``Sandbox.close``."""
        self._given_up = True
        self._let_go()

    def _let_go(self) -> None:
        closed, self._closed = self._closed, True
        if not closed and self._release is not None:
            self._release()

    def _check_open(self) -> None:
        if self._closed:
            raise BoxLost("the box is closed", after_agent_code=bool(self.commands) and not self._given_up)


class FakeBackend:
    """A backend whose boxes are fakes; implements ``Backend``.

    ``boxes`` lists every box it opened, ``prepared`` the ids of the tasks it was asked to prepare.
    """

    def __init__(self, answer: Answer = _does_nothing, *, problem: str | None = None) -> None:
        self.boxes: list[FakeSandbox] = []
        self.prepared: list[str] = []
        self._answer = answer
        self._problem = problem

    @property
    def name(self) -> str:
        """``fake``."""
        return "fake"

    def problem(self) -> str | None:
        """What it was told to say; see ``Backend.problem``."""
        return self._problem

    def prepare(self, task: Task) -> None:
        """See ``Backend.prepare``."""
        self.prepared.append(task.id)

    def open(self, task: Task) -> Sandbox:
        """See ``Backend.open``."""
        box = FakeSandbox(task.base, self._answer)
        self.boxes.append(box)
        return box


def _inside(path: str) -> str:
    try:
        return check_path(path)
    except ValueError as error:
        raise ActionError(str(error)) from None


def _as_walked(path: str) -> tuple[tuple[int, str], ...]:
    """A folder's files come before what is in its folders."""
    folder, name = posixpath.split(path)
    return (*((1, part) for part in folder.split("/") if part), (0, name))


def _lines(path: str, data: bytes, pattern: re.Pattern[str], context: int) -> Iterator[Line]:
    if b"\0" in data[:8192]:
        return
    text = data.decode("utf-8", "replace").removesuffix("\n")
    lines = [line.removesuffix("\r") for line in text.split("\n")] if data else []
    hits = {number for number, line in enumerate(lines) if pattern.search(line)}
    shown = {
        near for hit in hits for near in range(hit - context, hit + context + 1) if 0 <= near < len(lines)
    }
    for number in sorted(shown):
        yield Line(path, number + 1, lines[number][:500], number in hits)
