"""The functions that formulas can call, and the library that holds them.

A function gets the operands that its arguments came to: values, and blocks for
ranges.  It returns a value, and raises :class:`~cellwork.values.Fault` for an
error.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Callable, Dict, Iterator, List, Optional, Tuple

from .errors import FunctionError
from .values import Block, ErrorValue, Fault, Operand, Value, compare, to_bool, to_number, to_scalar, to_text

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.]*")


@dataclass(frozen=True)
class Function:
    """A function and how it wants to be called; without *max_args* it takes any number of arguments.

    An argument that is an error becomes the result, without a call, unless the
    function *takes_errors*.  A *lazy* function gets callables in place of
    operands, so that it computes only those arguments that it needs; errors
    are among what they return.
    """

    name: str
    call: Callable[..., object]
    min_args: int = 0
    max_args: Optional[int] = None
    lazy: bool = False
    takes_errors: bool = False

    def takes(self, count: int) -> bool:
        """Whether it can be called with *count* arguments."""
        return self.min_args <= count and (self.max_args is None or count <= self.max_args)


class FunctionLibrary:
    """Functions by name, without regard to case."""

    def __init__(self, functions: Tuple[Function, ...] = ()) -> None:
        self._functions: Dict[str, Function] = {function.name: function for function in functions}

    def register(
        self,
        name: str,
        call: Callable[..., object],
        min_args: int = 0,
        max_args: Optional[int] = None,
        *,
        lazy: bool = False,
        takes_errors: bool = False,
    ) -> Function:
        """Add a function, or put another in place of one."""
        if not _NAME.fullmatch(name):
            raise FunctionError(f"{name!r} cannot be called in a formula")
        if min_args < 0 or max_args is not None and max_args < min_args:
            raise FunctionError(f"{name} cannot take from {min_args} to {max_args} arguments")
        function = Function(name.upper(), call, min_args, max_args, lazy, takes_errors)
        self._functions[function.name] = function
        return function

    def get(self, name: str) -> Optional[Function]:
        return self._functions.get(name.upper())

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.upper() in self._functions

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._functions))

    def copy(self) -> FunctionLibrary:
        """A library of its own with the same functions."""
        return FunctionLibrary(tuple(self._functions.values()))


def _numbers(operands: Tuple[Operand, ...]) -> List[float]:
    """The numbers among the operands; in ranges, all that is no number is passed over, errors excepted."""
    found: List[float] = []
    for operand in operands:
        if not isinstance(operand, Block):
            found.append(to_number(operand))
            continue
        for value in operand.values():
            if isinstance(value, ErrorValue):
                raise Fault(value)
            if isinstance(value, float):
                found.append(value)
    return found


def _truths(operands: Tuple[Operand, ...]) -> List[bool]:
    """Truth values; blanks and text in ranges are passed over."""
    found: List[bool] = []
    for operand in operands:
        values = operand.values() if isinstance(operand, Block) else [operand]
        skipped = (type(None), str) if isinstance(operand, Block) else ()
        found += [to_bool(value) for value in values if not isinstance(value, skipped)]
    return found


def _values(operands: Tuple[Operand, ...]) -> Iterator[Value]:
    for operand in operands:
        if isinstance(operand, Block):
            yield from operand.values()
        else:
            yield operand


def _average(*operands: Operand) -> float:
    numbers = _numbers(operands)
    if not numbers:
        raise Fault(ErrorValue.DIV0)
    return math.fsum(numbers) / len(numbers)


def _if(condition: Callable[[], Operand], *branches: Callable[[], Operand]) -> Operand:
    if to_bool(condition()):
        return branches[0]()
    return branches[1]() if len(branches) == 2 else False


def _iferror(tried: Callable[[], Operand], fallback: Callable[[], Operand]) -> Operand:
    operand = tried()
    return fallback() if isinstance(operand, ErrorValue) else operand


def _sqrt(operand: Operand) -> float:
    number = to_number(operand)
    if number < 0:
        raise Fault(ErrorValue.NUM)
    return math.sqrt(number)


def _mod(dividend: Operand, divisor: Operand) -> float:
    """The remainder has the sign of the divisor."""
    number, by = to_number(dividend), to_number(divisor)
    if by == 0:
        raise Fault(ErrorValue.DIV0)
    return number % by


def _round(operand: Operand, digits: Operand = 0.0) -> float:
    """Rounds the decimal number that is shown, half away from zero."""
    places = max(-330, min(330, math.floor(to_number(digits))))
    with localcontext() as context:
        context.prec = 700
        step = Decimal(1).scaleb(-places)
        return float(Decimal(repr(to_number(operand))).quantize(step, rounding=ROUND_HALF_UP))


def _length(operand: Operand) -> int:
    length = math.floor(to_number(operand))
    if length < 0:
        raise Fault(ErrorValue.VALUE)
    return length


def _mid(operand: Operand, start: Operand, count: Operand) -> str:
    """Part of a text; *start* counts from 1."""
    first = _length(start)
    if first < 1:
        raise Fault(ErrorValue.VALUE)
    return to_text(operand)[first - 1 : first - 1 + _length(count)]


def _vlookup(wanted: Operand, operand: Operand, column: Operand) -> Value:
    """From the first row whose first value equals *wanted*, the value in *column*; blanks and errors equal nothing."""
    block = operand if isinstance(operand, Block) else Block(((operand,),))
    across = math.floor(to_number(column))
    if not 1 <= across <= block.width:
        raise Fault(ErrorValue.REF)
    for row in block.rows:
        if row[0] is not None and not isinstance(row[0], ErrorValue) and compare(to_scalar(wanted), row[0]) == 0:
            return row[across - 1]
    raise Fault(ErrorValue.NA)


def _na() -> Value:
    raise Fault(ErrorValue.NA)


def _standard_library() -> FunctionLibrary:
    library = FunctionLibrary()
    add = library.register
    add("SUM", lambda *operands: math.fsum(_numbers(operands)), 1)
    add("AVERAGE", _average, 1)
    add("MIN", lambda *operands: min(_numbers(operands), default=0.0), 1)
    add("MAX", lambda *operands: max(_numbers(operands), default=0.0), 1)
    add("COUNT", lambda *operands: sum(type(value) is float for value in _values(operands)), 1, takes_errors=True)
    add("COUNTA", lambda *operands: sum(value is not None for value in _values(operands)), 1, takes_errors=True)
    add("ROWS", lambda operand: operand.height if isinstance(operand, Block) else 1, 1, 1)
    add("VLOOKUP", _vlookup, 3, 3)
    add("IF", _if, 2, 3, lazy=True)
    add("IFERROR", _iferror, 2, 2, lazy=True)
    add("AND", lambda *operands: all(_truths(operands)), 1)
    add("OR", lambda *operands: any(_truths(operands)), 1)
    add("NOT", lambda operand: not to_bool(operand), 1, 1)
    add("NA", _na, 0, 0)
    add("ISERROR", lambda operand: isinstance(operand, ErrorValue), 1, 1, takes_errors=True)
    add("ISBLANK", lambda operand: operand is None, 1, 1, takes_errors=True)
    add("ISNUMBER", lambda operand: type(operand) is float, 1, 1, takes_errors=True)
    add("ABS", lambda operand: abs(to_number(operand)), 1, 1)
    add("INT", lambda operand: math.floor(to_number(operand)), 1, 1)
    add("SQRT", _sqrt, 1, 1)
    add("MOD", _mod, 2, 2)
    add("ROUND", _round, 1, 2)
    add("LEN", lambda operand: len(to_text(operand)), 1, 1)
    add("UPPER", lambda operand: to_text(operand).upper(), 1, 1)
    add("LEFT", lambda operand, count=1.0: to_text(operand)[: _length(count)], 1, 2)
    add("MID", _mid, 3, 3)
    return library


STANDARD = _standard_library()
