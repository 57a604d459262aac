"""Where things are: places, areas, and references as a formula writes them.

Rows and columns count from 1.  A :class:`Place` is one cell of a workbook and
an :class:`Area` a rectangle of them; both are plain positions.  A :class:`Ref`
is what stands in a formula: a position of which either part may be absolute,
``$A1`` or ``A$1``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Iterator, NamedTuple, Optional, Tuple

from .errors import AddressError

MAX_ROWS = 65_536
MAX_COLUMNS = 1_024

REF_PATTERN = re.compile(r"(\$?)([A-Za-z]{1,3})(\$?)([1-9][0-9]{0,6})")
_PLAIN_SHEET = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")
_SHEET_PREFIX = re.compile(r"(?:'((?:[^']|'')+)'|([A-Za-z_][A-Za-z0-9_.]*))!")


def column_letters(column: int) -> str:
    """``1`` is ``A``, ``27`` is ``AA``."""
    letters = ""
    while column:
        column, digit = divmod(column - 1, 26)
        letters = chr(ord("A") + digit) + letters
    return letters


def column_number(letters: str) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def quoted_sheet(name: str) -> str:
    """A sheet's name as it stands before the ``!``."""
    if _PLAIN_SHEET.fullmatch(name) and not REF_PATTERN.fullmatch(name):
        return name
    return "'" + name.replace("'", "''") + "'"


def unquoted_sheet(prefix: str) -> str:
    """The name of the sheet in *prefix*, which ends in ``!``."""
    match = _SHEET_PREFIX.fullmatch(prefix)
    if match is None:
        raise AddressError(prefix, "names no sheet")
    return match.group(1).replace("''", "'") if match.group(1) else match.group(2)


class Place(NamedTuple):
    """One cell of a workbook."""

    sheet: str
    row: int
    column: int

    def __str__(self) -> str:
        return f"{quoted_sheet(self.sheet)}!{column_letters(self.column)}{self.row}"


class Area(NamedTuple):
    """A rectangle of cells on one sheet, its edges included."""

    sheet: str
    top: int
    left: int
    bottom: int
    right: int

    @classmethod
    def single(cls, place: Place) -> Area:
        return cls(place.sheet, place.row, place.column, place.row, place.column)

    @property
    def height(self) -> int:
        return self.bottom - self.top + 1

    @property
    def width(self) -> int:
        return self.right - self.left + 1

    @property
    def is_single(self) -> bool:
        return self.height == self.width == 1

    @property
    def corner(self) -> Place:
        """The cell at the top left."""
        return Place(self.sheet, self.top, self.left)

    def __contains__(self, place: object) -> bool:
        return (
            isinstance(place, Place)
            and place.sheet == self.sheet
            and self.top <= place.row <= self.bottom
            and self.left <= place.column <= self.right
        )

    def covers(self, other: Area) -> bool:
        """Whether all of *other* lies within this area."""
        return other.corner in self and Place(other.sheet, other.bottom, other.right) in self

    def overlaps(self, other: Area) -> bool:
        """Whether the two have a cell in common."""
        return (
            self.sheet == other.sheet
            and self.top <= other.bottom
            and other.top <= self.bottom
            and self.left <= other.right
            and other.left <= self.right
        )

    def moved_to(self, corner: Place) -> Area:
        """An area of the same size elsewhere; raises ``AddressError`` if it does not fit on the sheet."""
        moved = Area(
            corner.sheet, corner.row, corner.column, corner.row + self.height - 1, corner.column + self.width - 1
        )
        if moved.bottom > MAX_ROWS or moved.right > MAX_COLUMNS:
            raise AddressError(str(moved), "reaches beyond the edge of the sheet")
        return moved

    def places(self) -> Iterator[Place]:
        """The cells, row by row."""
        for row in range(self.top, self.bottom + 1):
            for column in range(self.left, self.right + 1):
                yield Place(self.sheet, row, column)

    def __str__(self) -> str:
        start = f"{quoted_sheet(self.sheet)}!{column_letters(self.left)}{self.top}"
        return start if self.is_single else f"{start}:{column_letters(self.right)}{self.bottom}"


@dataclass(frozen=True)
class Ref:
    """A position in a formula; an absolute part stays when the formula is copied."""

    row: int
    column: int
    row_absolute: bool = False
    column_absolute: bool = False

    @classmethod
    def parse(cls, text: str) -> Ref:
        match = REF_PATTERN.fullmatch(text)
        if match is None:
            raise AddressError(text)
        ref = cls(int(match.group(4)), column_number(match.group(2)), bool(match.group(3)), bool(match.group(1)))
        if not ref.is_on_sheet:
            raise AddressError(text, "lies outside of the sheet")
        return ref

    @property
    def is_on_sheet(self) -> bool:
        return 1 <= self.row <= MAX_ROWS and 1 <= self.column <= MAX_COLUMNS

    def copied(self, rows: int, columns: int) -> Ref:
        """The reference in a copy made that many rows and columns away; it may be off the sheet."""
        return replace(
            self,
            row=self.row if self.row_absolute else self.row + rows,
            column=self.column if self.column_absolute else self.column + columns,
        )

    def at(self, row: int, column: int) -> Ref:
        """A reference to another position, with the same parts absolute."""
        return replace(self, row=row, column=column)

    def __str__(self) -> str:
        column = ("$" if self.column_absolute else "") + column_letters(self.column)
        return column + ("$" if self.row_absolute else "") + str(self.row)


def ordered(first: Ref, second: Ref) -> Tuple[Ref, Ref]:
    """The top left and the bottom right corner of the range that two corners span."""
    top, bottom = sorted((first, second), key=lambda ref: ref.row)
    left, right = sorted((first, second), key=lambda ref: ref.column)
    return (
        Ref(top.row, left.column, top.row_absolute, left.column_absolute),
        Ref(bottom.row, right.column, bottom.row_absolute, right.column_absolute),
    )


def parse_area(text: str, sheet: Optional[str] = None) -> Area:
    """The area that ``A1``, ``A1:B3`` or ``Sheet!A1:B3`` means; *sheet* is for those that name none."""
    head, mark, tail = text.rpartition("!")
    if mark:
        sheet = unquoted_sheet(head + mark)
    if sheet is None:
        raise AddressError(text, "names no sheet")
    first, colon, second = tail.partition(":")
    start = Ref.parse(first)
    start, end = ordered(start, Ref.parse(second)) if colon else (start, start)
    return Area(sheet, start.row, start.column, end.row, end.column)


def parse_place(text: str, sheet: str) -> Place:
    """The cell *text* of *sheet*, such as ``B7``."""
    ref = Ref.parse(text)
    return Place(sheet, ref.row, ref.column)
