"""What a cell can hold, and how one kind of value becomes another.

A value is ``None`` (a blank cell), a ``bool``, a ``float``, a ``str`` or an
:class:`ErrorValue`.  Numbers are always finite.  A range in a formula is a
:class:`Block` of values.
"""

from __future__ import annotations

import enum
import math
import re
from dataclasses import dataclass
from typing import Iterator, Optional, Tuple, Union

from .errors import CellworkError, InvalidValueError


class ErrorValue(enum.Enum):
    """An error in a cell; formulas that read it have the same error."""

    DIV0 = "#DIV/0!"
    VALUE = "#VALUE!"
    REF = "#REF!"
    NAME = "#NAME?"
    NUM = "#NUM!"
    NA = "#N/A"
    CYCLE = "#CYCLE!"

    def __str__(self) -> str:
        return str(self.value)


Value = Union[None, bool, float, str, ErrorValue]

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_ERRORS = {error.value: error for error in ErrorValue}


class Fault(CellworkError):
    """Ends a computation with an error value.  Functions raise it; no caller of a workbook sees it."""

    def __init__(self, error: ErrorValue) -> None:
        super().__init__(str(error))
        self.error = error


@dataclass(frozen=True)
class Block:
    """The values of a range, row by row."""

    rows: Tuple[Tuple[Value, ...], ...]

    @property
    def height(self) -> int:
        return len(self.rows)

    @property
    def width(self) -> int:
        return len(self.rows[0])

    def values(self) -> Iterator[Value]:
        for row in self.rows:
            yield from row


Operand = Union[Value, Block]


def same_value(first: Value, second: Value) -> bool:
    """Whether a cell that held *first* and holds *second* now is as it was.  ``TRUE`` is not ``1``."""
    return type(first) is type(second) and first == second


def checked_value(value: object) -> Value:
    """*value* as a cell holds it; raises ``InvalidValueError`` for what no cell can hold."""
    if value is None or isinstance(value, (bool, str, ErrorValue)):
        return value
    if not isinstance(value, (int, float)):
        raise InvalidValueError(value, "is no kind of value")
    try:
        number = float(value)
    except OverflowError:
        raise InvalidValueError(value, "is too large") from None
    if not math.isfinite(number):
        raise InvalidValueError(value, "must be finite")
    return number


def checked_result(number: Union[int, float, complex]) -> float:
    """The result of a computation; a fault if it is not a finite number."""
    if isinstance(number, complex) or not math.isfinite(number):
        raise Fault(ErrorValue.NUM)
    return float(number)


def parse_number(text: str) -> Optional[float]:
    """The number that *text* writes, blanks around it aside; None if it writes none."""
    stripped = text.strip(" ")
    if not _NUMBER.fullmatch(stripped):
        return None
    number = float(stripped)
    return number if math.isfinite(number) else None


def parse_entry(text: str) -> Value:
    """The value that is meant by typing *text*, which is no formula, into a cell."""
    if text.startswith("'"):
        return text[1:]
    if text == "":
        return None
    if text.upper() in ("TRUE", "FALSE"):
        return text.upper() == "TRUE"
    if text.upper() in _ERRORS:
        return _ERRORS[text.upper()]
    number = parse_number(text)
    return text if number is None else number


def entry_text(value: Value) -> str:
    """The text that :func:`parse_entry` reads back to *value*."""
    if isinstance(value, float):
        return repr(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, str) and (value.startswith("=") or not same_value(parse_entry(value), value)):
        return "'" + value
    return to_text(value)


def format_number(number: float) -> str:
    """A number as it is shown, with up to 15 digits."""
    if number.is_integer() and abs(number) < 1e15:
        return str(int(number))
    return format(number, ".15g")


def to_scalar(operand: Operand) -> Value:
    """The one value that *operand* stands for; a fault if it is an error or a range of several cells."""
    if isinstance(operand, Block):
        if operand.height != 1 or operand.width != 1:
            raise Fault(ErrorValue.VALUE)
        operand = operand.rows[0][0]
    if isinstance(operand, ErrorValue):
        raise Fault(operand)
    return operand


def to_number(operand: Operand) -> float:
    """Blank is 0, truth is 1, and text counts if it writes a number."""
    value = to_scalar(operand)
    if isinstance(value, str):
        number = parse_number(value)
        if number is None:
            raise Fault(ErrorValue.VALUE)
        return number
    return float(value or 0)


def to_text(operand: Operand) -> str:
    """What a cell with that value shows."""
    value = operand if isinstance(operand, ErrorValue) else to_scalar(operand)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    return format_number(value) if isinstance(value, float) else str(value)


def to_bool(operand: Operand) -> bool:
    """Numbers other than 0 are true, and so is the text ``TRUE``."""
    value = to_scalar(operand)
    if isinstance(value, str):
        if value.upper() not in ("TRUE", "FALSE"):
            raise Fault(ErrorValue.VALUE)
        return value.upper() == "TRUE"
    return bool(value)


def compare(first: Operand, second: Operand) -> int:
    """Negative, 0 or positive.

    Numbers come before text and text before truth values; text compares
    without regard to case.  A blank is as the other's 0, empty text or FALSE.
    """
    left, right = to_scalar(first), to_scalar(second)
    if left is None:
        left = _blank_beside(right)
    if right is None:
        right = _blank_beside(left)
    one, other = _sort_key(left), _sort_key(right)
    return (one > other) - (one < other)


def _blank_beside(other: Value) -> Value:
    if isinstance(other, bool):
        return False
    return "" if isinstance(other, str) else 0.0


def _sort_key(value: Value) -> Tuple[int, Union[float, str]]:
    if isinstance(value, bool):
        return 2, float(value)
    if isinstance(value, str):
        return 1, value.casefold()
    assert isinstance(value, float)
    return 0, value
