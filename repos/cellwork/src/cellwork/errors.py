"""The exceptions of cellwork.

What goes wrong while a formula is computed is no exception: it is an error
value such as ``#DIV/0!`` in a cell.  Exceptions are for callers who ask for
something that cannot be done, and all of them derive from
:class:`CellworkError`.
"""

from __future__ import annotations

from typing import Optional


class CellworkError(Exception):
    """Base class of every error raised by this package."""


class AddressError(CellworkError):
    """A cell or a range is written wrongly, or lies outside of the sheet."""

    def __init__(self, text: str, reason: str = "is no address") -> None:
        super().__init__(f"{text!r} {reason}")
        self.text = text


class FormulaError(CellworkError):
    """A formula cannot be read.

    ``position`` counts the characters before the offending one; the equals
    sign at the start of the formula is character 0.
    """

    def __init__(self, message: str, position: int) -> None:
        super().__init__(f"{message} at position {position}")
        self.position = position


class InvalidValueError(CellworkError):
    """A Python object that no cell can hold."""

    def __init__(self, value: object, reason: str) -> None:
        super().__init__(f"{type(value).__name__} {reason}")
        self.value = value


class FunctionError(CellworkError):
    """A function cannot be registered that way."""


class WorkbookError(CellworkError):
    """The workbook refuses an operation; it is as it was before."""


class UnknownSheetError(WorkbookError):
    """A sheet that the workbook does not have."""

    def __init__(self, name: str) -> None:
        super().__init__(f"no sheet named {name!r}")
        self.name = name


class SheetExistsError(WorkbookError):
    """A second sheet of the same name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is a sheet named {name!r} already")
        self.name = name


class InvalidNameError(WorkbookError):
    """A name that cannot stand for a cell, or is not defined."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"name {name!r} {reason}")
        self.name = name


class SheetFullError(WorkbookError):
    """Cells that hold something would be pushed off the sheet."""


class CsvError(CellworkError):
    """CSV text that cannot be read; ``line`` counts from 1."""

    def __init__(self, message: str, line: Optional[int]) -> None:
        super().__init__(message if line is None else f"line {line}: {message}")
        self.line = line
