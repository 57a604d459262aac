"""Changes to the structure of a workbook, seen as a map from old positions to new ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterable, Optional, Tuple

from .addresses import MAX_COLUMNS, MAX_ROWS, Area, Place
from .errors import SheetFullError, WorkbookError


class Edit:
    """Where cells go, and what references to them become."""

    def check(self, occupied: Iterable[Place]) -> None:
        """Raises a ``WorkbookError`` if the edit cannot be made to a workbook with these cells."""

    def place(self, place: Place) -> Optional[Place]:
        """Where the cell at *place* is afterwards; None if it is gone."""
        raise NotImplementedError

    def area(self, area: Area) -> Optional[Area]:
        """What a reference to *area* refers to afterwards; None if nothing is left of it."""
        raise NotImplementedError

    def disturbed(self) -> Tuple[Area, ...]:
        """Areas in which other cells lie afterwards, though references to the area stay as they are."""
        return ()


@dataclass(frozen=True)
class LineShift(Edit):
    """Rows or columns inserted before line *at*, or deleted from it on if *count* is negative."""

    sheet: str
    by_row: bool
    at: int
    count: int

    @property
    def limit(self) -> int:
        return MAX_ROWS if self.by_row else MAX_COLUMNS

    def check(self, occupied: Iterable[Place]) -> None:
        if not 1 <= self.at <= self.limit or not 1 <= abs(self.count) <= self.limit:
            raise WorkbookError("there are no such rows or columns")
        if self.count > 0:
            for place in occupied:
                line = place.row if self.by_row else place.column
                if place.sheet == self.sheet and line >= self.at and line + self.count > self.limit:
                    raise SheetFullError(f"{place} would be pushed off the sheet")

    def place(self, place: Place) -> Optional[Place]:
        if place.sheet != self.sheet:
            return place
        line = place.row if self.by_row else place.column
        span = self._span(line, line)
        if span is None:
            return None
        return place._replace(row=span[0]) if self.by_row else place._replace(column=span[0])

    def area(self, area: Area) -> Optional[Area]:
        if area.sheet != self.sheet:
            return area
        span = self._span(area.top, area.bottom) if self.by_row else self._span(area.left, area.right)
        if span is None:
            return None
        if self.by_row:
            return area._replace(top=span[0], bottom=span[1])
        return area._replace(left=span[0], right=span[1])

    def _span(self, first: int, last: int) -> Optional[Tuple[int, int]]:
        """What becomes of the lines from *first* to *last*."""
        if self.count > 0:
            first += self.count if first >= self.at else 0
            last += self.count if last >= self.at else 0
            return (first, min(last, self.limit)) if first <= self.limit else None
        end = self.at - self.count
        if first >= self.at and last < end:
            return None
        first = first if first < self.at else max(first, end) + self.count
        last = last if last < self.at else max(last, end - 1) + self.count
        return first, last


@dataclass(frozen=True)
class Relocation(Edit):
    """The cells of one area taken to another of the same size, in place of what is there."""

    source: Area
    target: Area

    def place(self, place: Place) -> Optional[Place]:
        if place in self.source:
            return Place(
                self.target.sheet,
                place.row - self.source.top + self.target.top,
                place.column - self.source.left + self.target.left,
            )
        return None if place in self.target else place

    def area(self, area: Area) -> Optional[Area]:
        if self.source.covers(area):
            corner = self.place(area.corner)
            assert corner is not None
            return area.moved_to(corner)
        if self.target.covers(area) and not self.source.overlaps(area):
            return None
        return area

    def disturbed(self) -> Tuple[Area, ...]:
        return (self.source, self.target)
