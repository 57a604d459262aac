"""Three-way merges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterator, List, NamedTuple, Optional, Sequence, Tuple, Union

from .compare import Change, compare
from .document import Document
from .errors import OptionError
from .folding import EXACT, Folding

SIDES = ("ours", "theirs", "both", "base")


@dataclass(frozen=True)
class Clean:
    """Lines that are settled."""

    lines: Tuple[str, ...]


@dataclass(frozen=True)
class Conflict:
    """Lines that both sides changed in different ways.

    ``base`` is None where nobody knows what it was.
    """

    ours: Tuple[str, ...]
    theirs: Tuple[str, ...]
    base: Optional[Tuple[str, ...]] = None

    def settled(self, side: str) -> Clean:
        """The lines of one side, or ours followed by theirs for ``both``."""
        if side == "both":
            return Clean(self.ours + self.theirs)
        if side == "base" and self.base is None:
            raise OptionError("the base of a conflict is not known")
        return Clean({"ours": self.ours, "theirs": self.theirs, "base": self.base or ()}[side])

    def trimmed(self) -> Tuple[Clean, Conflict, Clean]:
        """The conflict without the lines that both sides begin and end with, and those."""
        shortest = min(len(self.ours), len(self.theirs))
        head = 0
        while head < shortest and self.ours[head] == self.theirs[head]:
            head += 1
        tail = 0
        while tail < shortest - head and self.ours[-1 - tail] == self.theirs[-1 - tail]:
            tail += 1
        ours, theirs = self.ours[head:len(self.ours) - tail], self.theirs[head:len(self.theirs) - tail]
        return (
            Clean(self.ours[:head]),
            Conflict(ours, theirs, self.base),
            Clean(self.ours[len(self.ours) - tail:]),
        )


Chunk = Union[Clean, Conflict]


@dataclass(frozen=True)
class Merge:
    """The outcome of a merge: settled lines and conflicts, in order.

    ``template`` lends the result its encoding.
    """

    chunks: Tuple[Chunk, ...]
    template: Document

    @property
    def conflicts(self) -> List[Conflict]:
        return [chunk for chunk in self.chunks if isinstance(chunk, Conflict)]

    @property
    def newline(self) -> str:
        """The newline that prevails in all the lines of all sides, or else ``\\n``."""
        lines: List[str] = []
        for chunk in self.chunks:
            lines.extend(chunk.lines if isinstance(chunk, Clean) else chunk.ours + chunk.theirs)
        return Document(tuple(lines)).newline or "\n"

    def settled(self, side: str) -> Document:
        """The text with every conflict decided for ``ours``, ``theirs``, ``both`` or ``base``."""
        if side not in SIDES:
            raise OptionError(f"unknown side {side!r} (known: {', '.join(SIDES)})")
        lines: List[str] = []
        for chunk in self.chunks:
            lines.extend((chunk.settled(side) if isinstance(chunk, Conflict) else chunk).lines)
        return self.template.with_lines(lines)


class _Region(NamedTuple):
    """Base lines ``start:stop``, and what each side changed there."""

    start: int
    stop: int
    ours: List[Change]
    theirs: List[Change]


def merge(base: Document, ours: Document, theirs: Document, folding: Folding = EXACT) -> Merge:
    """Bring the changes that lead from *base* to *ours* and to *theirs* together.

    Changes of the two sides meet if no unchanged line of the base lies between
    them.  Where they meet and differ, there is a conflict.
    """
    newline = _agreed_newline(base, ours, theirs)
    base, ours, theirs = base.relined(newline), ours.relined(newline), theirs.relined(newline)
    walk = _Walk(base.lines, ours.lines, theirs.lines)
    for region in _regions(compare(base.lines, ours.lines, folding), compare(base.lines, theirs.lines, folding)):
        walk.stable_up_to(region.start)
        walk.take(region, folding)
    walk.stable_up_to(len(base.lines))
    return Merge(tuple(walk.chunks), ours)


def _agreed_newline(base: Document, ours: Document, theirs: Document) -> Optional[str]:
    """The newline of the side that changed it; ours if both did."""
    for side in (ours, theirs):
        if side.newline not in (None, base.newline):
            return side.newline
    return base.newline


def _regions(ours: Sequence[Change], theirs: Sequence[Change]) -> Iterator[_Region]:
    waiting = sorted([(change, 0) for change in ours] + [(change, 1) for change in theirs])
    while waiting:
        first = waiting[0][0]
        stop = first.old_start
        changes: Tuple[List[Change], List[Change]] = ([], [])
        while waiting and waiting[0][0].old_start <= stop:
            change, side = waiting.pop(0)
            changes[side].append(change)
            stop = max(stop, change.old_end)
        yield _Region(first.old_start, stop, *changes)


class _Walk:
    """Goes through the three files in step.

    ``_shift`` is how much further down than in the base each side stands.
    """

    def __init__(self, base: Sequence[str], ours: Sequence[str], theirs: Sequence[str]) -> None:
        self._base = base
        self._sides = (ours, theirs)
        self._shift = [0, 0]
        self._at = 0
        self.chunks: List[Chunk] = []

    def stable_up_to(self, stop: int) -> None:
        """Lines that neither side changed, but for what the folding overlooks."""
        lines: List[str] = []
        for at in range(self._at, stop):
            mine, other = (side[at + shift] for side, shift in zip(self._sides, self._shift))
            lines.append(other if mine == self._base[at] else mine)
        self._settle(lines)
        self._at = stop

    def take(self, region: _Region, folding: Folding) -> None:
        base = tuple(self._base[region.start:region.stop])
        ours, theirs = self._slice(0, region.ours, region), self._slice(1, region.theirs, region)
        if not region.theirs:
            self._settle(ours)
        elif not region.ours:
            self._settle(theirs)
        elif folding.keys(ours) == folding.keys(theirs):
            self._settle(ours)
        else:
            self.chunks.append(Conflict(ours, theirs, base))
        self._at = region.stop

    def _slice(self, side: int, changes: Sequence[Change], region: _Region) -> Tuple[str, ...]:
        """What a side has in place of the region."""
        start = region.start + self._shift[side]
        if changes:
            self._shift[side] = changes[-1].new_end - changes[-1].old_end
        return tuple(self._sides[side][start:region.stop + self._shift[side]])

    def _settle(self, lines: Sequence[str]) -> None:
        if lines:
            self.chunks.append(Clean(tuple(lines)))
