"""Applying hunks to a file that need not be quite the one they were made for."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Iterable, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from .document import Document, line_end, with_end
from .errors import OptionError
from .folding import EXACT, Folding
from .hunks import ADDED, CONTEXT, Hunk


class Status(enum.Enum):
    APPLIED = "applied"
    SKIPPED = "skipped"
    REJECTED = "rejected"


@dataclass(frozen=True)
class Outcome:
    """What became of a hunk.

    ``start`` is the line where the hunk stands in the file as it was given,
    counted from 0, and ``offset`` how far that is from where its header says.
    """

    hunk: Hunk
    status: Status
    start: Optional[int] = None
    fuzz: int = 0

    @property
    def offset(self) -> int:
        return 0 if self.start is None else self.start - self.hunk.old.start


@dataclass(frozen=True)
class PatchResult:
    """A patched document, what became of each hunk, and what is left to do.

    ``rejects`` are hunks for the patched document.
    """

    document: Document
    outcomes: Tuple[Outcome, ...]
    rejects: Tuple[Hunk, ...]


class _Place(NamedTuple):
    """Where lines were found, after *cut* context lines were taken off at their head."""

    line: int
    cut: int


def apply(
    document: Document,
    hunks: Iterable[Hunk],
    fuzz: int = 2,
    folding: Folding = EXACT,
    reverse: bool = False,
) -> PatchResult:
    """Apply hunks, or undo them.

    Which kind of newline a line has never keeps a hunk from being found.
    """
    if fuzz < 0:
        raise OptionError(f"fuzz must not be negative: {fuzz}")
    run = _Run(document, folding.adding("eol"), fuzz)
    for hunk in hunks:
        run.take(hunk.inverted() if reverse else hunk)
    return run.result()


class _Run:
    """Goes once through a file and copies it, hunk by hunk.

    ``floor`` is the first line that is not copied yet, ``drift`` how much
    further down than its header says the next hunk is expected.
    """

    def __init__(self, document: Document, folding: Folding, fuzz: int) -> None:
        self._document = document
        self._folding = folding
        self._keys = folding.keys(document.lines)
        self._newline = document.newline
        self._fuzz = fuzz
        self._copied: List[str] = []
        self._floor = 0
        self._drift = 0
        self._outcomes: List[Outcome] = []
        self._rejects: List[Hunk] = []

    def take(self, hunk: Hunk) -> None:
        old, new = self._folding.keys(hunk.old_lines), self._folding.keys(hunk.new_lines)
        place = self._find(hunk, old)
        if place is not None:
            self._apply(hunk, place, 0)
            return
        place = self._find(hunk, new) if new else None
        if place is not None:
            self._skip(hunk, place)
            return
        for fuzz in range(1, min(self._fuzz, max(hunk.leading, hunk.trailing)) + 1):
            place = self._find(hunk, old, fuzz)
            if place is not None:
                self._apply(hunk, place, fuzz)
                return
        self._reject(hunk)

    def result(self) -> PatchResult:
        self._copy_up_to(len(self._document.lines))
        return PatchResult(
            self._document.with_lines(self._copied), tuple(self._outcomes), tuple(self._rejects)
        )

    def _find(self, hunk: Hunk, keys: Sequence[str], fuzz: int = 0) -> Optional[_Place]:
        """The nearest place that *keys*, one side of the hunk, stand at."""
        head, tail = min(fuzz, hunk.leading), min(fuzz, hunk.trailing)
        wanted = list(keys[head:len(keys) - tail])
        first, last = self._floor, len(self._keys) - len(wanted)
        if fuzz == 0 and hunk.leading < hunk.trailing:
            last = min(last, 0)
        if fuzz == 0 and hunk.trailing < hunk.leading:
            first = max(first, last)
        for line in _nearest_first(hunk.old.start + self._drift + head, first, last):
            if self._keys[line:line + len(wanted)] == wanted:
                return _Place(line, head)
        return None

    def _apply(self, hunk: Hunk, place: _Place, fuzz: int) -> None:
        self._copy_up_to(place.line)
        tail = min(fuzz, hunk.trailing)
        for line in hunk.lines[place.cut:len(hunk.lines) - tail]:
            if line.tag == ADDED:
                self._copied.append(self._in_own_newline(line.text))
            else:
                if line.tag == CONTEXT:
                    self._copied.append(self._document.lines[self._floor])
                self._floor += 1
        start = place.line - place.cut
        self._drift = start - hunk.old.start
        self._outcomes.append(Outcome(hunk, Status.APPLIED, start, fuzz))

    def _skip(self, hunk: Hunk, place: _Place) -> None:
        self._copy_up_to(place.line + hunk.new.count)
        self._drift = place.line + hunk.growth - hunk.old.start
        self._outcomes.append(Outcome(hunk, Status.SKIPPED, place.line))

    def _reject(self, hunk: Hunk) -> None:
        grown = len(self._copied) - self._floor
        start = max(0, hunk.old.start + self._drift + grown)
        self._rejects.append(hunk.moved(start, start + sum(hunk.growth for hunk in self._rejects)))
        self._outcomes.append(Outcome(hunk, Status.REJECTED))

    def _copy_up_to(self, line: int) -> None:
        self._copied.extend(self._document.lines[self._floor:line])
        self._floor = line

    def _in_own_newline(self, line: str) -> str:
        return with_end(line, self._newline) if self._newline and line_end(line) else line


def _nearest_first(expected: int, first: int, last: int) -> Iterator[int]:
    """The lines from *first* to *last* by distance from *expected*, the later one before the earlier."""
    yield from sorted(range(first, last + 1), key=lambda line: (abs(line - expected), line < expected))
