"""Values and what can be done with them.

NULL is ``None``; the other values are ``bool``, ``int``, ``float`` and ``str``.
A condition is true, false or unknown, and unknown is NULL as well.
"""

from __future__ import annotations

import math
import operator
from typing import Any, Callable, Dict, Iterable, Optional, Sequence, Tuple

from .errors import EvaluationError

Value = Any
Key = Tuple[int, Any]

TYPES = ("INTEGER", "REAL", "TEXT", "BOOLEAN")


def is_value(value: object) -> bool:
    """Whether *value* can be stored and compared; floats have to be finite."""
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or isinstance(value, (bool, int, str))


def key(value: Value) -> Key:
    """What sorts, groups and finds *value*: two values are the same if their keys are equal.

    Booleans come before numbers and numbers before texts; NULL comes first of
    all.  The rank keeps TRUE and 1 apart, which Python holds to be equal.
    """
    if value is None:
        return (0, 0)
    if isinstance(value, bool):
        return (1, value)
    return (3, value) if isinstance(value, str) else (2, value)


def row_key(values: Iterable[Value]) -> Tuple[Key, ...]:
    """The key of several values; rows are the same if it is equal, NULLs included."""
    return tuple(map(key, values))


def type_name(value: Value) -> str:
    if value is None:
        return "NULL"
    return {bool: "BOOLEAN", int: "INTEGER", float: "REAL", str: "TEXT"}.get(type(value), type(value).__name__)


# -- conditions --------------------------------------------------------------


def truth(value: Value) -> Optional[bool]:
    """*value* as a condition; anything but a boolean or NULL is an error."""
    if value is None or isinstance(value, bool):
        return value
    raise EvaluationError(f"a condition must be BOOLEAN, not {type_name(value)}")


def negation(value: Value) -> Optional[bool]:
    known = truth(value)
    return None if known is None else not known


COMPARISONS: Dict[str, Callable[[Key, Key], bool]] = {
    "=": operator.eq, "<>": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}


def compare(sign: str, left: Value, right: Value) -> Optional[bool]:
    """One of the six comparisons; unknown if either side is NULL."""
    if left is None or right is None:
        return None
    return COMPARISONS[sign](key(left), key(right))


# -- numbers and texts -------------------------------------------------------


def is_number(value: Value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def arithmetic(sign: str, left: Value, right: Value) -> Value:
    """``+ - * /`` on numbers and ``||`` on texts; NULL if either side is.

    Whole numbers divide to a whole number, towards zero.  Dividing by zero
    gives NULL.
    """
    if left is None or right is None:
        return None
    if sign == "||":
        if isinstance(left, str) and isinstance(right, str):
            return left + right
    elif is_number(left) and is_number(right):
        return finite(_ARITHMETIC[sign](left, right))
    raise EvaluationError(f"cannot compute {type_name(left)} {sign} {type_name(right)}")


def finite(number: Value) -> Value:
    if isinstance(number, float) and not math.isfinite(number):
        raise EvaluationError("number out of range")
    return number


def _divide(left: Value, right: Value) -> Value:
    if right == 0:
        return None
    if isinstance(left, int) and isinstance(right, int):
        quotient = abs(left) // abs(right)
        return quotient if (left < 0) == (right < 0) else -quotient
    return left / right


_ARITHMETIC: Dict[str, Callable[[Value, Value], Value]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": _divide,
}


# -- functions ---------------------------------------------------------------

#: Each function, and how many arguments it takes; 0 is any number of them.
FUNCTIONS: Dict[str, Tuple[Callable[..., Value], int]] = {
    "COALESCE": (lambda *values: next((value for value in values if value is not None), None), 0),
    "NULLIF": (lambda value, other: None if compare("=", value, other) else value, 2),
}


def _sum(numbers: Sequence[Value]) -> Value:
    for number in numbers:
        if not is_number(number):
            raise EvaluationError(f"cannot add up {type_name(number)}")
    return finite(sum(numbers)) if numbers else None


def _average(numbers: Sequence[Value]) -> Value:
    total = _sum(numbers)
    return None if total is None else total / len(numbers)


#: What each aggregate makes of the values in a group that are not NULL.
AGGREGATES: Dict[str, Callable[[Sequence[Value]], Value]] = {
    "AVG": _average,
    "COUNT": len,
    "MAX": lambda values: max(values, key=key, default=None),
    "MIN": lambda values: min(values, key=key, default=None),
    "SUM": _sum,
}
