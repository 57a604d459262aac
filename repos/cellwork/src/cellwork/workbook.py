"""Workbooks and their sheets."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Dict, Iterator, List, Mapping, Optional, Tuple, Union

from .addresses import REF_PATTERN, Area, Place, parse_area, parse_place
from .edits import Edit, LineShift, Relocation
from .errors import InvalidNameError, SheetExistsError, UnknownSheetError, WorkbookError
from .functions import STANDARD, FunctionLibrary
from .nodes import NameReference, Node, Scope
from .parser import parse_formula
from .recalc import DependencyGraph, Recalculator
from .values import Block, ErrorValue, Fault, Operand, Value, checked_value, entry_text, parse_entry, to_scalar, to_text

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")


@dataclass
class Cell:
    """What is in a cell that is not blank: a formula and its value, or a value alone."""

    formula: Optional[Node]
    value: Value


class Workbook:
    """Sheets whose formulas are kept up to date.

    Every change computes anew what depends on it, except within :meth:`batch`.
    """

    def __init__(self, functions: Optional[FunctionLibrary] = None) -> None:
        self.functions = STANDARD.copy() if functions is None else functions
        self._sheets: Dict[str, Sheet] = {}
        self._cells: Dict[Place, Cell] = {}
        self._names: Dict[str, Optional[Area]] = {}
        self._graph = DependencyGraph()
        self._recalculator = Recalculator(self._graph, self, self._compute)
        self._batches = 0

    # -- sheets ----------------------------------------------------------

    def add_sheet(self, name: str) -> Sheet:
        """A new, empty sheet; formulas that mention it already find it from now on."""
        if name in self._sheets:
            raise SheetExistsError(name)
        if not name.strip():
            raise WorkbookError("a sheet needs a name")
        self._sheets[name] = Sheet(self, name)
        self._recalculator.note_formulas(self._graph.readers_of_sheet(name))
        self._changed()
        return self._sheets[name]

    def sheet(self, name: str) -> Sheet:
        try:
            return self._sheets[name]
        except KeyError:
            raise UnknownSheetError(name) from None

    @property
    def sheets(self) -> Tuple[Sheet, ...]:
        """The sheets in the order in which they were added."""
        return tuple(self._sheets.values())

    # -- names -----------------------------------------------------------

    def define_name(self, name: str, target: str) -> None:
        """Let *name* stand for a cell or range, such as ``Sheet!B2``; a name that exists gets another target."""
        if not _NAME.fullmatch(name):
            raise InvalidNameError(name, "is malformed")
        if REF_PATTERN.fullmatch(name) or name.upper() in ("TRUE", "FALSE"):
            raise InvalidNameError(name, "means something else in a formula")
        area = parse_area(target)
        self.sheet(area.sheet)
        self._names[name.lower()] = area
        self._renew_users_of(name)

    def delete_name(self, name: str) -> None:
        if name.lower() not in self._names:
            raise InvalidNameError(name, "is not defined")
        del self._names[name.lower()]
        self._renew_users_of(name)

    @property
    def names(self) -> Mapping[str, str]:
        """What the names, in lower case, stand for; ``#REF!`` if that is gone."""
        return {name: "#REF!" if area is None else str(area) for name, area in sorted(self._names.items())}

    def _renew_users_of(self, name: str) -> None:
        users = []
        for place, cell in self._cells.items():
            if cell.formula is not None and _mentions(cell.formula, name):
                users.append(place)
                self._link(place, cell.formula)
        self._recalculator.note_formulas(users)
        self._changed()

    # -- calculation -----------------------------------------------------

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Put off all computing to the end of the outermost ``with`` block, also if that ends in an exception.

        Until then formulas show the values that they had.
        """
        self._batches += 1
        try:
            yield
        finally:
            self._batches -= 1
            self._changed()

    def recalculate(self) -> None:
        """Compute every formula anew, for example after functions were registered."""
        self._recalculator.note_formulas(place for place, cell in self._cells.items() if cell.formula is not None)
        self._changed()

    def _changed(self) -> None:
        if not self._batches:
            self._recalculator.run()

    def _compute(self, place: Place) -> Value:
        formula = self._cells[place].formula
        assert formula is not None
        try:
            value = to_scalar(formula.evaluate(_WorkbookScope(self, place.sheet)))
        except Fault as fault:
            return fault.error
        return 0.0 if value is None else value

    def _link(self, place: Place, formula: Node) -> None:
        self._graph.link(place, formula.areas(place.sheet, self._names))

    # -- cells -----------------------------------------------------------

    def value_at(self, place: Place) -> Value:
        cell = self._cells.get(place)
        return None if cell is None else cell.value

    def show(self, place: Place, value: Value) -> None:
        """Let the formula at *place* show *value*."""
        self._cells[place].value = value

    def content(self, place: Place) -> Union[Node, Value]:
        """What was put into the cell: a formula, or a value."""
        cell = self._cells.get(place)
        if cell is None:
            return None
        return cell.value if cell.formula is None else cell.formula

    def put(self, place: Place, content: Union[Node, Value]) -> None:
        """Put a formula or a value into a cell; None makes it blank."""
        before = self.value_at(place)
        if isinstance(content, Node):
            self._cells[place] = Cell(content, before)
            self._link(place, content)
        else:
            self._graph.unlink(place)
            if content is None:
                self._cells.pop(place, None)
            else:
                self._cells[place] = Cell(None, content)
        self._recalculator.note_content(place, before)
        self._changed()

    def occupied(self, sheet: str) -> List[Place]:
        """The cells of a sheet that are not blank, row by row."""
        return sorted(place for place in self._cells if place.sheet == sheet)

    # -- structure -------------------------------------------------------

    def apply(self, edit: Edit) -> None:
        """Move the cells as *edit* says, and with them all that refers to them."""
        edit.check(self._cells)
        stale = set()
        for area in edit.disturbed():
            stale |= self._graph.readers(area)
        self._recalculator.note_formulas(stale)
        self._graph.relocate(edit)
        self._recalculator.relocate(edit)
        self._names = {name: area and edit.area(area) for name, area in self._names.items()}
        cells, self._cells = self._cells, {}
        for place, cell in cells.items():
            target = edit.place(place)
            if target is None:
                continue
            self._cells[target] = cell
            if cell.formula is not None:
                self._follow(edit, place, target, cell)
        self._changed()

    def _follow(self, edit: Edit, place: Place, target: Place, cell: Cell) -> None:
        """Rewrite a formula that went from *place* to *target*, and see what it reads now."""
        assert cell.formula is not None
        formula = cell.formula.relocated(edit, place.sheet, target.sheet)
        areas = tuple(formula.areas(target.sheet, self._names))
        if formula is not cell.formula or areas != self._graph.areas(target):
            cell.formula = formula
            self._graph.link(target, areas)
            self._recalculator.note_formulas([target])


class _WorkbookScope(Scope):
    """A workbook as the formulas of one sheet see it."""

    def __init__(self, book: Workbook, home: str) -> None:
        self.home = home
        self.functions = book.functions
        self.names = book._names
        self._book = book

    def value(self, place: Place) -> Value:
        return self._book.value_at(place) if place.sheet in self._book._sheets else ErrorValue.REF

    def block(self, area: Area) -> Operand:
        if area.sheet not in self._book._sheets:
            return ErrorValue.REF
        value_at = self._book.value_at
        return Block(
            tuple(
                tuple(value_at(Place(area.sheet, row, column)) for column in range(area.left, area.right + 1))
                for row in range(area.top, area.bottom + 1)
            )
        )


def _mentions(formula: Node, name: str) -> bool:
    return any(isinstance(node, NameReference) and node.name.lower() == name.lower() for node in formula.walk())


class Sheet:
    """One sheet of a workbook; made by :meth:`Workbook.add_sheet`."""

    def __init__(self, book: Workbook, name: str) -> None:
        self.book = book
        self.name = name

    # -- cells -----------------------------------------------------------

    def __getitem__(self, address: str) -> Value:
        """The value of a cell."""
        return self.book.value_at(parse_place(address, self.name))

    def __setitem__(self, address: str, content: object) -> None:
        """Put a value into a cell, or a formula: text that starts with ``=``.  None makes it blank."""
        place = parse_place(address, self.name)
        if isinstance(content, str) and content.startswith("="):
            self.book.put(place, parse_formula(content))
        else:
            self.book.put(place, checked_value(content))

    def enter(self, address: str, text: str) -> None:
        """Put into a cell what is meant by typing *text*: a formula, number, truth value, error or text.

        Text behind an apostrophe is taken as it is.
        """
        place = parse_place(address, self.name)
        self.book.put(place, parse_formula(text) if text.startswith("=") else parse_entry(text))

    def entry(self, address: str) -> str:
        """The text that :meth:`enter` takes to put the same into a cell again."""
        content = self.book.content(parse_place(address, self.name))
        return "=" + content.unparse() if isinstance(content, Node) else entry_text(content)

    def formula(self, address: str) -> Optional[str]:
        """The formula in a cell, in canonical form; None if there is none."""
        content = self.book.content(parse_place(address, self.name))
        return "=" + content.unparse() if isinstance(content, Node) else None

    def text(self, address: str) -> str:
        """What a cell shows."""
        return to_text(self[address])

    def clear(self, address: str) -> None:
        """Make the cells of a range blank."""
        area = parse_area(address, self.name)
        with self.book.batch():
            for place in self.book.occupied(self.name):
                if place in area:
                    self.book.put(place, None)

    def used_area(self) -> Optional[Area]:
        """From ``A1`` to the last row and the last column that hold something; None for an empty sheet."""
        places = self.book.occupied(self.name)
        if not places:
            return None
        return Area(self.name, 1, 1, max(place.row for place in places), max(place.column for place in places))

    # -- structure -------------------------------------------------------

    def copy(self, source: str, target: str, to: Optional[Sheet] = None) -> None:
        """Copy a range to where *target* is its top left cell, on sheet *to* or on this one.

        Relative references in the copies point as far away as in the originals;
        one that would lie off the sheet becomes ``#REF!``.
        """
        area = parse_area(source, self.name)
        corner = parse_place(target, self.name if to is None else to.name)
        target_area = area.moved_to(corner)
        rows, columns = corner.row - area.top, corner.column - area.left
        contents = [self.book.content(place) for place in area.places()]
        with self.book.batch():
            for place, content in zip(target_area.places(), contents):
                self.book.put(place, content.copied(rows, columns) if isinstance(content, Node) else content)

    def move(self, source: str, target: str, to: Optional[Sheet] = None) -> None:
        """Move a range to where *target* is its top left cell, on sheet *to* or on this one.

        References to the cells follow them.  A range follows if all of it is
        moved; otherwise it stays, unless all of it is overwritten by cells from
        elsewhere: that makes it, like a reference to an overwritten cell, ``#REF!``.
        """
        area = parse_area(source, self.name)
        corner = parse_place(target, self.name if to is None else to.name)
        self.book.apply(Relocation(area, area.moved_to(corner)))

    def insert_rows(self, at: int, count: int = 1) -> None:
        """Insert blank rows before row *at*."""
        self._shift(True, at, count)

    def delete_rows(self, at: int, count: int = 1) -> None:
        """Delete rows from row *at* on."""
        self._shift(True, at, -count)

    def insert_columns(self, at: int, count: int = 1) -> None:
        """Insert blank columns before column *at*."""
        self._shift(False, at, count)

    def delete_columns(self, at: int, count: int = 1) -> None:
        """Delete columns from column *at* on."""
        self._shift(False, at, -count)

    def _shift(self, by_row: bool, at: int, count: int) -> None:
        self.book.apply(LineShift(self.name, by_row, at, count))
