"""The exceptions of rowboat.

Everything the library raises on purpose derives from :class:`RowboatError`.
Errors in the text of a statement know their place in it.
"""

from __future__ import annotations

from typing import NamedTuple


class Place(NamedTuple):
    """A part of a statement: its line and column, counted from 1, and its text."""

    line: int
    column: int
    text: str


class RowboatError(Exception):
    """Base class of every error raised by this package."""


class SqlError(RowboatError):
    """A statement that cannot be executed as it is written; ``line`` and ``column`` say where."""

    def __init__(self, message: str, at: Place) -> None:
        super().__init__(f"{at.line}:{at.column}: {message}")
        self.message = message
        self.line = at.line
        self.column = at.column


class ParseError(SqlError):
    """The text does not follow the grammar."""


class BindError(SqlError):
    """A name stands for nothing, or for too much, or must not be used where it is."""


class EvaluationError(RowboatError):
    """An expression has no value, such as ``'a' + 1``."""


class ParameterError(RowboatError):
    """The parameters given are not those that the statement asks for."""


class CatalogError(RowboatError):
    """A table, column or index that exists already, or does not exist."""


class ConstraintError(RowboatError):
    """A value of another type than its column."""

    def __init__(self, message: str, table: str, column: str) -> None:
        super().__init__(f"{table}.{column}: {message}")
        self.table = table
        self.column = column
