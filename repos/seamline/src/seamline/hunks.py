"""Changes with the lines around them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Iterable, Iterator, List, NamedTuple, Sequence, Tuple

from .compare import Change, compare
from .errors import OptionError
from .folding import EXACT, Folding

CONTEXT, REMOVED, ADDED = " ", "-", "+"

_INVERSE = {CONTEXT: CONTEXT, REMOVED: ADDED, ADDED: REMOVED}


@dataclass(frozen=True)
class Span:
    """*count* lines of a file from line *start* on, counted from 0.

    An empty span lies before line *start*.
    """

    start: int
    count: int

    @property
    def stop(self) -> int:
        return self.start + self.count


class HunkLine(NamedTuple):
    """A line of a hunk: its text with its end, and what happens to it."""

    tag: str
    text: str


@dataclass(frozen=True)
class Hunk:
    """One place where two files differ, with some context."""

    old: Span
    new: Span
    lines: Tuple[HunkLine, ...]
    section: str = ""

    @property
    def old_lines(self) -> List[str]:
        return [line.text for line in self.lines if line.tag != ADDED]

    @property
    def new_lines(self) -> List[str]:
        return [line.text for line in self.lines if line.tag != REMOVED]

    @property
    def growth(self) -> int:
        """How many lines longer a file gets."""
        return self.new.count - self.old.count

    @property
    def leading(self) -> int:
        """The number of context lines before the first change."""
        return _context_lines(self.lines)

    @property
    def trailing(self) -> int:
        """The number of context lines after the last change."""
        return _context_lines(reversed(self.lines))

    def inverted(self) -> Hunk:
        """The hunk that undoes this one."""
        lines = [HunkLine(_INVERSE[tag], text) for tag, text in self.lines]
        return replace(self, old=self.new, new=self.old, lines=tuple(_removed_first(lines)))

    def moved(self, old_start: int, new_start: int) -> Hunk:
        """The same hunk at another place."""
        return replace(self, old=replace(self.old, start=old_start), new=replace(self.new, start=new_start))


def _context_lines(lines: Iterable[HunkLine]) -> int:
    count = 0
    for line in lines:
        if line.tag != CONTEXT:
            break
        count += 1
    return count


def _removed_first(lines: Iterable[HunkLine]) -> Iterator[HunkLine]:
    """Within each run of changed lines, what is removed before what is added."""
    added: List[HunkLine] = []
    for line in lines:
        if line.tag == ADDED:
            added.append(line)
            continue
        if line.tag == CONTEXT:
            yield from added
            added.clear()
        yield line
    yield from added


def make_hunks(
    old: Sequence[str], new: Sequence[str], context: int = 3, folding: Folding = EXACT
) -> List[Hunk]:
    """The differences of two files as hunks with *context* lines around them.

    Changes with at most twice *context* unchanged lines between them share a
    hunk.  Context lines are those of the old file.
    """
    if context < 0:
        raise OptionError(f"context must not be negative: {context}")
    groups: List[List[Change]] = []
    for change in compare(old, new, folding):
        if groups and change.old_start - groups[-1][-1].old_end <= 2 * context:
            groups[-1].append(change)
        else:
            groups.append([change])
    return [_make_hunk(old, new, group, context) for group in groups]


def _make_hunk(old: Sequence[str], new: Sequence[str], changes: List[Change], context: int) -> Hunk:
    before = min(context, changes[0].old_start)
    after = min(context, len(old) - changes[-1].old_end)
    old_start, old_stop = changes[0].old_start - before, changes[-1].old_end + after
    new_start, new_stop = changes[0].new_start - before, changes[-1].new_end + after
    lines: List[HunkLine] = []
    at = old_start
    for change in changes:
        lines.extend(HunkLine(CONTEXT, text) for text in old[at:change.old_start])
        lines.extend(HunkLine(REMOVED, text) for text in old[change.old_start:change.old_end])
        lines.extend(HunkLine(ADDED, text) for text in new[change.new_start:change.new_end])
        at = change.old_end
    lines.extend(HunkLine(CONTEXT, text) for text in old[at:old_stop])
    return Hunk(Span(old_start, old_stop - old_start), Span(new_start, new_stop - new_start), tuple(lines))
