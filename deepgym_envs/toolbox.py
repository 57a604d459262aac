"""Carries out an agent's actions in its box, and words what they gave."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from deepgym_envs.action import (
    Action,
    EditFile,
    ListFiles,
    ReadFile,
    RunCommand,
    RunTests,
    Search,
    WriteFile,
)
from deepgym_envs.errors import ActionError
from deepgym_envs.grade import ShownRuns, TestReport, run_visible
from deepgym_envs.sandbox import Captured, Command, Query, Sandbox
from deepgym_envs.state import WorkspaceState, is_state_path
from deepgym_envs.task import Task
from deepgym_envs.text import clean, shorten, steady

_MAX_READ = 8 << 20
_DETAIL_CHARS = 1_500
_SHOWN_FAILURES = 10
_SHOWN_LINE = 2_000
_COMPARED_LINES = 2_000


@dataclass(frozen=True)
class Effect:
    """What an action gave: text for the agent, the state after, and counts (passed, failed) if tests ran."""

    output: str
    state: WorkspaceState
    tests: tuple[int, int] | None = None


class Toolbox:
    """The tools of one task over one box, which holds the state that each call is given."""

    def __init__(self, box: Sandbox, task: Task, shown: ShownRuns | None = None) -> None:
        """``shown`` are runs of the tests that need not be repeated; by default all are."""
        self._box = box
        self._task = task
        self._shown = shown
        self._tools: dict[type[Action], Callable[[Any, WorkspaceState, float], Effect]] = {
            ReadFile: self._read_file,
            ListFiles: self._list_files,
            Search: self._search,
            EditFile: self._edit_file,
            WriteFile: self._write_file,
            RunTests: self._run_tests,
            RunCommand: self._run_command,
        }

    def perform(self, action: Action, state: WorkspaceState, seconds: float) -> Effect:
        """Carry out ``action`` on ``state`` within ``seconds``.

        Raises:
            ActionError: it cannot be carried out; the state is as before.
            BoxLost: the box stopped answering.
        """
        done = self._tools[type(action)](action, state, seconds)
        limit = self._task.limits.output_bytes
        return Effect(shorten(done.output, limit), done.state, done.tests)

    def _read_file(self, action: ReadFile, state: WorkspaceState, _seconds: float) -> Effect:
        data, size = self._box.read(action.path, _MAX_READ)
        if b"\0" in data[:8192]:
            raise ActionError(f"{action.path} is a binary file of {size} bytes")
        lines = _lines(data)
        total = f"{len(lines)} lines" if len(data) == size else f"more than {len(lines)} lines, {size} bytes"
        first, last = max(1, action.start), action.end or len(lines)
        if lines and (first > len(lines) or last < first):
            raise ActionError(f"{action.path} has {total}; lines {first} to {last} are not among them")
        rows, room = [], self._task.limits.output_bytes - 200
        width = min(_SHOWN_LINE, room // 2)
        for number in range(first, min(last, len(lines)) + 1):
            row = f"{number:6}\t{_shown(lines[number - 1], width)}"
            room -= len(row) + 1
            if room < 0:
                rest = f"{number} to {min(last, len(lines))}"
                rows.append(f"[... lines {rest} do not fit; read them with start and end]")
                break
            rows.append(row)
        return Effect("\n".join([f"{clean(action.path)} ({total})", *rows]), state)

    def _list_files(self, action: ListFiles, state: WorkspaceState, _seconds: float) -> Effect:
        found = self._box.find(Query(folder=_folder(action.path), glob=action.glob, limit=1000))
        rows = [f"{size:9}  {clean(path)}" for path, size in found.files]
        if not rows:
            return Effect("no files match", state)
        more = ["[... more files; name a folder or a glob]"] if found.more else []
        return Effect("\n".join([f"{len(rows)} files (size in bytes, path)", *rows, *more]), state)

    def _search(self, action: Search, state: WorkspaceState, seconds: float) -> Effect:
        query = Query(
            _folder(action.path), action.glob, action.pattern, action.context, 300, min(seconds, 10)
        )
        found = self._box.find(query)
        matches = sum(line.match for line in found.lines)
        if not matches:
            return Effect(f"no matches for {clean(action.pattern)!r}", state)
        rows: list[str] = []
        last = None
        for line in found.lines:
            if action.context and last and (last[0] != line.path or last[1] + 1 != line.number):
                rows.append("--")
            rows.append(f"{clean(line.path)}:{line.number}{':' if line.match else '-'} {clean(line.text)}")
            last = line.path, line.number
        more = ["[... more matches; narrow the pattern or the glob]"] if found.more else []
        return Effect("\n".join([f"{matches} matches", *rows, *more]), state)

    def _edit_file(self, action: EditFile, state: WorkspaceState, _seconds: float) -> Effect:
        old, new = _encoded(action.old), _encoded(action.new)
        # The box holds what the state says; it is asked only for the reason why there is nothing to edit.
        file = state.get(action.path)
        data, size = (file.data, len(file.data)) if file else self._box.read(action.path, _MAX_READ)
        if size > _MAX_READ:
            raise ActionError(f"{action.path} has {size} bytes; files over {_MAX_READ} cannot be edited")
        if _ends_in_crlf(data) and b"\r" not in old + new:
            old, new = old.replace(b"\n", b"\r\n"), new.replace(b"\n", b"\r\n")
        place = data.find(old)
        if place < 0:
            raise ActionError(_no_match(action, data))
        again = data.find(old, place + 1)
        if again >= 0:
            lines = " and ".join(str(data[:found].count(b"\n") + 1) for found in (place, again))
            raise ActionError(
                f"{action.path}: the old text occurs several times, first at lines {lines}; "
                "add lines around it until it is unique"
            )
        changed = self._put(action.path, data[:place] + new + data[place + len(old) :], state)
        line = data[:place].count(b"\n") + 1
        return Effect(f"edited {clean(action.path)} at line {line}{self._note(action.path)}", changed)

    def _write_file(self, action: WriteFile, state: WorkspaceState, _seconds: float) -> Effect:
        content = _encoded(action.content)
        verb = "replaced" if state.get(action.path) else "created"
        changed = self._put(action.path, content, state)
        return Effect(f"{verb} {clean(action.path)} ({len(content)} bytes){self._note(action.path)}", changed)

    def _run_tests(self, action: RunTests, state: WorkspaceState, seconds: float) -> Effect:
        for test in action.tests:
            if not _names_a_test(test):
                raise ActionError(f"{test!r} is not a test of the repository; name node ids or paths")
        known = self._shown.get(state, action.tests) if self._shown is not None else None
        if known is not None:
            return _as_shown(known, state)
        limit = min(seconds, self._task.limits.test_seconds)
        report, done = run_visible(
            self._box, self._task, action.tests, detail_chars=_DETAIL_CHARS, seconds=limit
        )
        captured = self._box.capture()
        passed, failed = len(report.passed), len(report.failed)
        whole = report.complete and not report.malformed and not done.timed_out and (passed or failed)
        if whole and captured == Captured(state):
            if self._shown is not None:
                report = self._shown.keep(state, action.tests, report)
            return _as_shown(report, state)
        text = _test_text(report, passed, failed)
        if done.timed_out:
            text += f"\nthe tests were stopped after {limit:g} s"
        elif not report.complete:
            text += f"\npytest did not finish (exit code {done.exit_code}):\n{clean(done.output)}"
        elif not passed and not failed:
            text += f"\n{clean(done.output)}"
        text = "\n".join([text, *_removed(captured)])
        return Effect(steady(text), captured.state, (passed, failed))

    def _run_command(self, action: RunCommand, _state: WorkspaceState, seconds: float) -> Effect:
        if "\0" in action.command:
            raise ActionError("a command cannot contain a NUL character")
        limit = min(seconds, self._task.limits.command_seconds)
        script = _encoded(action.command)
        command = Command(("sh", "{files}/command.sh"), limit, files={"command.sh": script},
                          output_bytes=self._task.limits.output_bytes)  # fmt: skip
        done = self._box.run(command)
        captured = self._box.capture()
        ending = f"exit code {done.exit_code}" if not done.timed_out else f"stopped after {limit:g} s"
        rows = [clean(done.output).rstrip("\n"), *_removed(captured), f"[{ending}]"]
        return Effect(steady("\n".join(rows).lstrip("\n")), captured.state)

    def _put(self, path: str, data: bytes, state: WorkspaceState) -> WorkspaceState:
        try:
            changed = state.with_file(path, data)
        except ValueError as error:
            raise ActionError(str(error)) from None
        if not is_state_path(path):
            raise ActionError(
                f"{path} would not be kept: version control and caches are not part of the workspace"
            )
        try:
            self._box.restore(changed)
        except ActionError:
            self._box.restore(state)
            raise
        return changed

    def _note(self, path: str) -> str:
        return "" if self._task.may_edit(path) else " (note: this file is not part of what will be judged)"


def _as_shown(report: TestReport, state: WorkspaceState) -> Effect:
    """A run of the tests that came to its end and left the state as it was."""
    passed, failed = len(report.passed), len(report.failed)
    return Effect(steady(_test_text(report, passed, failed)), state, (passed, failed))


def _folder(path: str) -> str:
    return path.removeprefix("./").rstrip("/") if path not in (".", "./", "/") else ""


def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise ActionError(
            f"the text holds a lone surrogate at position {error.start}, which no file can"
        ) from None


def _lines(data: bytes) -> list[str]:
    # Of bytes, because str.splitlines also splits at form feeds and others that no editor counts.
    return [line.decode("utf-8", "replace") for line in data.splitlines()]


def _shown(line: str, width: int = 300) -> str:
    text = clean(line)
    over = len(text) - width
    return text if over <= 0 else f"{text[:width]} [... {over} more characters in this line]"


def _ends_in_crlf(data: bytes) -> bool:
    ends = data.count(b"\n")
    return ends > 0 and ends == data.count(b"\r\n")


def _names_a_test(text: str) -> bool:
    # "-" begins an option of pytest, "@" a file of options, "{files}" stands for a folder outside.
    file = text.partition("::")[0]
    outside = text.startswith(("-", "@", "/")) or ".." in file.split("/")
    return not outside and "\0" not in text and "{files}" not in text


def _removed(captured: Captured) -> list[str]:
    return [f"[removed from the workspace: {clean(path)}: {why}]" for path, why in captured.dropped]


def _no_match(action: EditFile, data: bytes) -> str:
    lines = _lines(data)
    wanted = next((line for line in action.old.splitlines() if line.strip()), None)
    number = _nearest(wanted, lines) if wanted is not None else None
    if number is None:
        return f"{action.path}: the old text does not occur, nor anything like it; read the file again"
    span = lines[number : number + max(1, min(40, len(action.old.splitlines())))]
    shown = "\n".join(f"{number + 1 + offset:6}\t{_shown(line)}" for offset, line in enumerate(span))
    return f"{action.path}: the old text does not occur; the nearest is\n{shown}"


def _nearest(wanted: str, lines: list[str]) -> int | None:
    """Index of the line that is most like ``wanted``: equal but for white space, or else similar."""
    for number, line in enumerate(lines):
        if line.strip() == wanted.strip():
            return number
    some = [line[:200] for line in lines[:_COMPARED_LINES]]
    near = difflib.get_close_matches(wanted[:200], some, n=1)
    return some.index(near[0]) if near else None


def _test_text(report: TestReport, passed: int, failed: int) -> str:
    skipped = len(report.outcomes) + len(report.broken) - passed - failed
    parts = [f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else "")]
    for node in report.failed[:_SHOWN_FAILURES]:
        detail = clean(report.details.get(node, "")).strip()
        parts.append(f"FAILED {clean(node)}" + (f"\n{detail}" if detail else ""))
    rest = report.failed[_SHOWN_FAILURES:]
    if rest:
        parts.append(f"and {len(rest)} more: " + ", ".join(clean(node) for node in rest[:50]))
    return "\n".join(parts)
