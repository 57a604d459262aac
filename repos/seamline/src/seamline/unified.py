"""Patches as text: the unified format, written and read."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Iterable, Iterator, List, Sequence, Tuple

from .document import Document, line_end, split_lines, with_end
from .errors import PatchFormatError
from .folding import EXACT, Folding
from .hunks import ADDED, CONTEXT, REMOVED, Hunk, HunkLine, Span, make_hunks

NO_NEWLINE = "\\ No newline at end of file"

_RANGES = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@(?: (.*))?")


@dataclass(frozen=True)
class FilePatch:
    """What happens to one file."""

    old_name: str
    new_name: str
    hunks: Tuple[Hunk, ...]

    @property
    def name(self) -> str:
        """The name to show: the new one, unless the file goes away."""
        return self.old_name if self.new_name == "/dev/null" else self.new_name

    def inverted(self) -> FilePatch:
        """The patch that undoes this one."""
        return FilePatch(self.new_name, self.old_name, tuple(hunk.inverted() for hunk in self.hunks))

    def with_hunks(self, hunks: Iterable[Hunk]) -> FilePatch:
        return replace(self, hunks=tuple(hunks))


def diff(
    old: Document,
    new: Document,
    old_name: str = "old",
    new_name: str = "new",
    context: int = 3,
    folding: Folding = EXACT,
) -> FilePatch:
    """The patch that leads from one document to another."""
    return FilePatch(old_name, new_name, tuple(make_hunks(old.lines, new.lines, context, folding)))


def render(patch: FilePatch) -> str:
    """The patch in the unified format; empty if there are no hunks."""
    if not patch.hunks:
        return ""
    parts = [f"--- {patch.old_name}\n+++ {patch.new_name}\n"]
    for hunk in patch.hunks:
        section = f" {hunk.section}" if hunk.section else ""
        parts.append(f"@@ -{_render_span(hunk.old)} +{_render_span(hunk.new)} @@{section}\n")
        parts.extend(_render_line(line) for line in hunk.lines)
    return "".join(parts)


def _render_span(span: Span) -> str:
    # An empty range is named after the line before it.
    start = span.start + 1 if span.count else span.start
    return str(start) if span.count == 1 else f"{start},{span.count}"


def _render_line(line: HunkLine) -> str:
    closing = "" if line_end(line.text) else f"\n{NO_NEWLINE}\n"
    return f"{line.tag}{line.text}{closing}"


def parse(text: str) -> List[FilePatch]:
    """Read patches for any number of files.

    Lines before, between and after the patches are skipped, unless they look
    like the beginning of a hunk.
    """
    return _Reader(split_lines(text)).file_patches()


class _Reader:
    """Walks through the lines of a patch."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines
        self._at = 0

    def file_patches(self) -> List[FilePatch]:
        patches: List[FilePatch] = []
        while self._at < len(self._lines):
            if self._sees_file_header():
                patches.append(self._file_patch())
            elif self._peek().startswith("@@ "):
                raise self._error("hunk without a file header")
            else:
                self._at += 1
        return patches

    def _file_patch(self) -> FilePatch:
        old_name, new_name = self._name("--- "), self._name("+++ ")
        hunks: List[Hunk] = []
        while self._peek().startswith("@@ "):
            hunks.append(self._hunk())
        if not hunks:
            raise self._error("file header without a hunk")
        return FilePatch(old_name, new_name, tuple(hunks))

    def _sees_file_header(self) -> bool:
        return self._peek().startswith("--- ") and self._peek(1).startswith("+++ ")

    def _name(self, mark: str) -> str:
        name = with_end(self._take(), "")[len(mark):].split("\t")[0].rstrip(" ")
        if not name:
            raise PatchFormatError("file header without a name", self._at)
        return name

    def _hunk(self) -> Hunk:
        header = with_end(self._take(), "")
        match = _RANGES.fullmatch(header)
        if match is None:
            raise PatchFormatError(f"malformed hunk header {header!r}", self._at)
        old, new = _parse_span(match[1], match[2]), _parse_span(match[3], match[4])
        return Hunk(old, new, tuple(self._body(old.count, new.count)), match[5] or "")

    def _body(self, old_left: int, new_left: int) -> Iterator[HunkLine]:
        """The lines of a hunk: as many as its header says, whatever they look like."""
        while old_left or new_left:
            line = self._body_line()
            old_left -= line.tag != ADDED
            new_left -= line.tag != REMOVED
            if old_left < 0 or new_left < 0:
                raise PatchFormatError("more lines in the hunk than its header says", self._at)
            if self._peek().startswith("\\"):
                self._at += 1
                line = line._replace(text=with_end(line.text, ""))
            yield line

    def _body_line(self) -> HunkLine:
        line = self._peek()
        if line[:1] in (CONTEXT, REMOVED, ADDED) and line:
            self._at += 1
            return HunkLine(line[0], line[1:])
        if line and not with_end(line, ""):
            # Mailers strip the blank of an empty context line.
            self._at += 1
            return HunkLine(CONTEXT, line)
        raise self._error("fewer lines in the hunk than its header says")

    def _peek(self, ahead: int = 0) -> str:
        at = self._at + ahead
        return self._lines[at] if at < len(self._lines) else ""

    def _take(self) -> str:
        self._at += 1
        return self._lines[self._at - 1]

    def _error(self, message: str) -> PatchFormatError:
        return PatchFormatError(message, self._at + 1)


def _parse_span(start: str, count: str) -> Span:
    lines = 1 if count is None else int(count)
    return Span(int(start) - 1 if lines else int(start), lines)
