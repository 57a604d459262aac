"""Conflicts as text: markers written and read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, List, Optional, Sequence, Tuple

from .document import Document, line_end, with_end
from .errors import MarkerError, OptionError
from .merging import Chunk, Clean, Conflict, Merge

OURS, BASE, DIVIDER, THEIRS = "<", "|", "=", ">"

STYLES = ("merge", "diff3")


@dataclass(frozen=True)
class Labels:
    """What the three sides are called in the markers."""

    ours: str = "ours"
    base: str = "base"
    theirs: str = "theirs"


def render(merge: Merge, style: str = "merge", labels: Labels = Labels(), size: int = 7) -> Document:
    """The merged text with the conflicts between markers of *size* characters.

    The style ``merge`` shows both sides, without the lines that they begin and
    end with alike; ``diff3`` shows both in full and the base between them.
    """
    if style not in STYLES:
        raise OptionError(f"unknown style {style!r} (known: {', '.join(STYLES)})")
    _check_size(size)
    end = merge.newline
    lines: List[str] = []
    for chunk in merge.chunks:
        if isinstance(chunk, Clean):
            lines.extend(chunk.lines)
        elif style == "diff3":
            lines.extend(_render_conflict(chunk, labels, size, end, with_base=True))
        else:
            head, conflict, tail = chunk.trimmed()
            lines.extend(head.lines)
            lines.extend(_render_conflict(conflict, labels, size, end, with_base=False))
            lines.extend(tail.lines)
    return merge.template.with_lines(lines)


def _check_size(size: int) -> None:
    if size < 1:
        raise OptionError(f"marker size must be at least 1: {size}")


def _render_conflict(conflict: Conflict, labels: Labels, size: int, end: str, with_base: bool) -> List[str]:
    lines = [f"{OURS * size} {labels.ours}{end}", *_closed(conflict.ours, end)]
    if with_base and conflict.base is not None:
        lines += [f"{BASE * size} {labels.base}{end}", *_closed(conflict.base, end)]
    lines += [f"{DIVIDER * size}{end}", *_closed(conflict.theirs, end)]
    lines.append(f"{THEIRS * size} {labels.theirs}{end}")
    return lines


def _closed(lines: Sequence[str], end: str) -> List[str]:
    return [line if line_end(line) else line + end for line in lines]


def parse(document: Document, size: int = 7) -> Merge:
    """Read a text with conflict markers of *size* characters, of either style.

    Outside conflicts only the opening marker counts, so that underlined
    headings stay what they are.
    """
    _check_size(size)
    reader = _Reader(size)
    for number, line in enumerate(document.lines, 1):
        reader.take(line, number)
    return Merge(reader.chunks(len(document.lines)), document)


_FOLLOWERS: Dict[str, Tuple[str, ...]] = {OURS: (BASE, DIVIDER), BASE: (DIVIDER,), DIVIDER: (THEIRS,)}


class _Reader:
    """Sorts lines into settled ones and the sections of conflicts."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._chunks: List[Chunk] = []
        self._settled: List[str] = []
        self._sections: Dict[str, List[str]] = {}
        self._section: Optional[str] = None

    def take(self, line: str, number: int) -> None:
        mark = self._mark_of(line)
        if self._section is None and mark == OURS:
            self._settle()
            self._sections, self._section = {OURS: []}, OURS
        elif self._section is None:
            self._settled.append(line)
        elif mark is None:
            self._sections[self._section].append(line)
        elif mark not in _FOLLOWERS[self._section]:
            raise MarkerError(f"unexpected {mark * self._size}", number)
        elif mark == THEIRS:
            self._close()
        else:
            self._sections[mark], self._section = [], mark

    def chunks(self, last_line: int) -> Tuple[Chunk, ...]:
        if self._section is not None:
            raise MarkerError("the conflict has no end", last_line)
        self._settle()
        return tuple(self._chunks)

    def _close(self) -> None:
        base = self._sections.get(BASE)
        self._chunks.append(Conflict(
            tuple(self._sections[OURS]),
            tuple(self._sections[DIVIDER]),
            None if base is None else tuple(base),
        ))
        self._section = None

    def _settle(self) -> None:
        if self._settled:
            self._chunks.append(Clean(tuple(self._settled)))
        self._settled = []

    def _mark_of(self, line: str) -> Optional[str]:
        text = with_end(line, "")
        mark, rest = text[:1], text[self._size:]
        if mark not in (OURS, BASE, DIVIDER, THEIRS) or text[:self._size] != mark * self._size:
            return None
        return mark if not rest or (rest.startswith(" ") and mark != DIVIDER) else None
