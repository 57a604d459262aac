"""The tree of a formula.

Nodes are immutable.  A node computes its value in a :class:`Scope`, prints
itself in canonical form, tells which areas it reads, and makes changed copies
of itself when the formula is copied or when what it refers to has moved.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Callable, Dict, Iterator, Mapping, Optional, Tuple

from .addresses import Area, Place, Ref, ordered, quoted_sheet
from .edits import Edit
from .errors import InvalidValueError
from .functions import Function, FunctionLibrary
from .values import Block, ErrorValue, Fault, Operand, Value, checked_result, checked_value, compare, entry_text
from .values import to_number, to_text

COMPARISON, JOIN, SUM, PRODUCT, POWER, SIGN, PERCENT, ATOM = range(8)

Names = Mapping[str, Optional[Area]]


class Scope:
    """What a formula can see; ``home`` is the sheet that it stands on."""

    home: str
    functions: FunctionLibrary
    names: Names

    def value(self, place: Place) -> Value:
        raise NotImplementedError

    def block(self, area: Area) -> Operand:
        raise NotImplementedError


class Node:
    """Part of a formula."""

    @property
    def precedence(self) -> int:
        """How tightly the node holds together when it is printed."""
        return ATOM

    def children(self) -> Tuple[Node, ...]:
        return ()

    def with_children(self, children: Tuple[Node, ...]) -> Node:
        """A copy with other children, as many as before."""
        return self

    def evaluate(self, scope: Scope) -> Operand:
        raise NotImplementedError

    def unparse(self) -> str:
        """The node in canonical form, with no more parentheses than its structure needs."""
        raise NotImplementedError

    def rewritten(self, rewrite: Callable[[Reference], Node]) -> Node:
        """A copy with every reference replaced; the node itself if none is."""
        before = self.children()
        after = tuple(child.rewritten(rewrite) for child in before)
        return self if all(new is old for new, old in zip(after, before)) else self.with_children(after)

    def walk(self) -> Iterator[Node]:
        """The node and all below it."""
        yield self
        for child in self.children():
            yield from child.walk()

    def areas(self, home: str, names: Names) -> Iterator[Area]:
        """The areas that a formula on sheet *home* reads."""
        for child in self.children():
            yield from child.areas(home, names)

    def copied(self, rows: int, columns: int) -> Node:
        """The formula in a copy made that many rows and columns away."""
        return self.rewritten(lambda reference: reference.copied_reference(rows, columns))

    def relocated(self, edit: Edit, home: str, new_home: str) -> Node:
        """The formula after *edit*, which brought it from one sheet to another or left it where it was."""
        return self.rewritten(lambda reference: reference.relocated_reference(edit, home, new_home))


@dataclass(frozen=True)
class Literal(Node):
    """A number, text, truth value or error that is written in the formula."""

    value: Value

    def evaluate(self, scope: Scope) -> Operand:
        return self.value

    def unparse(self) -> str:
        if isinstance(self.value, str):
            return '"' + self.value.replace('"', '""') + '"'
        return entry_text(self.value).upper()


BROKEN = Literal(ErrorValue.REF)


class Reference(Node):
    """A cell or a range; ``sheet`` is None where the formula names none and means its own."""

    sheet: Optional[str]

    def area(self, home: str) -> Area:
        raise NotImplementedError

    def copied_reference(self, rows: int, columns: int) -> Node:
        raise NotImplementedError

    def pointed_at(self, area: Area, sheet: Optional[str]) -> Node:
        """A reference to *area* instead, with the same parts absolute."""
        raise NotImplementedError

    def rewritten(self, rewrite: Callable[[Reference], Node]) -> Node:
        replacement = rewrite(self)
        return self if replacement == self else replacement

    def areas(self, home: str, names: Names) -> Iterator[Area]:
        yield self.area(home)

    def relocated_reference(self, edit: Edit, home: str, new_home: str) -> Node:
        """Where the reference points after *edit*.

        The sheet is written if it was before or if it is not the formula's own.
        """
        area = edit.area(self.area(home))
        if area is None:
            return BROKEN
        unnamed = self.sheet is None and area.sheet == new_home
        return self.pointed_at(area, None if unnamed else area.sheet)

    def prefix(self) -> str:
        return "" if self.sheet is None else quoted_sheet(self.sheet) + "!"


@dataclass(frozen=True)
class CellReference(Reference):
    sheet: Optional[str]
    ref: Ref

    def area(self, home: str) -> Area:
        return Area.single(Place(self.sheet or home, self.ref.row, self.ref.column))

    def evaluate(self, scope: Scope) -> Operand:
        return scope.value(self.area(scope.home).corner)

    def copied_reference(self, rows: int, columns: int) -> Node:
        ref = self.ref.copied(rows, columns)
        return replace(self, ref=ref) if ref.is_on_sheet else BROKEN

    def pointed_at(self, area: Area, sheet: Optional[str]) -> Node:
        return CellReference(sheet, self.ref.at(area.top, area.left))

    def unparse(self) -> str:
        return self.prefix() + str(self.ref)


@dataclass(frozen=True)
class RangeReference(Reference):
    """A rectangle; ``start`` is its top left corner and ``end`` its bottom right one."""

    sheet: Optional[str]
    start: Ref
    end: Ref

    def area(self, home: str) -> Area:
        return Area(self.sheet or home, self.start.row, self.start.column, self.end.row, self.end.column)

    def evaluate(self, scope: Scope) -> Operand:
        return scope.block(self.area(scope.home))

    def copied_reference(self, rows: int, columns: int) -> Node:
        start, end = ordered(self.start.copied(rows, columns), self.end.copied(rows, columns))
        return RangeReference(self.sheet, start, end) if start.is_on_sheet and end.is_on_sheet else BROKEN

    def pointed_at(self, area: Area, sheet: Optional[str]) -> Node:
        return RangeReference(sheet, self.start.at(area.top, area.left), self.end.at(area.bottom, area.right))

    def unparse(self) -> str:
        return f"{self.prefix()}{self.start}:{self.end}"


@dataclass(frozen=True)
class NameReference(Node):
    """A defined name; it is looked up without regard to case."""

    name: str

    def evaluate(self, scope: Scope) -> Operand:
        if self.name.lower() not in scope.names:
            return ErrorValue.NAME
        area = scope.names[self.name.lower()]
        if area is None:
            return ErrorValue.REF
        return scope.value(area.corner) if area.is_single else scope.block(area)

    def areas(self, home: str, names: Names) -> Iterator[Area]:
        area = names.get(self.name.lower())
        if area is not None:
            yield area

    def unparse(self) -> str:
        return self.name


@dataclass(frozen=True)
class Sign(Node):
    """A sign before an operand; it binds more tightly than ``^``."""

    operator: str
    operand: Node

    @property
    def precedence(self) -> int:
        return SIGN

    def children(self) -> Tuple[Node, ...]:
        return (self.operand,)

    def with_children(self, children: Tuple[Node, ...]) -> Node:
        return Sign(self.operator, *children)

    def evaluate(self, scope: Scope) -> Operand:
        try:
            number = to_number(self.operand.evaluate(scope))
        except Fault as fault:
            return fault.error
        return -number if self.operator == "-" else number

    def unparse(self) -> str:
        return self.operator + _wrapped(self.operand, SIGN)


@dataclass(frozen=True)
class Percent(Node):
    """An operand with a percent sign behind it."""

    operand: Node

    @property
    def precedence(self) -> int:
        return PERCENT

    def children(self) -> Tuple[Node, ...]:
        return (self.operand,)

    def with_children(self, children: Tuple[Node, ...]) -> Node:
        return Percent(*children)

    def evaluate(self, scope: Scope) -> Operand:
        try:
            return to_number(self.operand.evaluate(scope)) / 100
        except Fault as fault:
            return fault.error

    def unparse(self) -> str:
        return _wrapped(self.operand, PERCENT) + "%"


def _divide(left: Operand, right: Operand) -> float:
    dividend, divisor = to_number(left), to_number(right)
    if divisor == 0:
        raise Fault(ErrorValue.DIV0)
    return dividend / divisor


def _power(left: Operand, right: Operand) -> float:
    base, exponent = to_number(left), to_number(right)
    if base == 0 and exponent < 0:
        raise Fault(ErrorValue.DIV0)
    result: float = base**exponent
    return result


@dataclass(frozen=True)
class _Operator:
    precedence: int
    apply: Callable[[Operand, Operand], Value]


_OPERATORS: Dict[str, _Operator] = {
    "+": _Operator(SUM, lambda left, right: to_number(left) + to_number(right)),
    "-": _Operator(SUM, lambda left, right: to_number(left) - to_number(right)),
    "*": _Operator(PRODUCT, lambda left, right: to_number(left) * to_number(right)),
    "/": _Operator(PRODUCT, _divide),
    "^": _Operator(POWER, _power),
    "&": _Operator(JOIN, lambda left, right: to_text(_no_error(left)) + to_text(_no_error(right))),
    "=": _Operator(COMPARISON, lambda left, right: compare(left, right) == 0),
    "<>": _Operator(COMPARISON, lambda left, right: compare(left, right) != 0),
    "<": _Operator(COMPARISON, lambda left, right: compare(left, right) < 0),
    "<=": _Operator(COMPARISON, lambda left, right: compare(left, right) <= 0),
    ">": _Operator(COMPARISON, lambda left, right: compare(left, right) > 0),
    ">=": _Operator(COMPARISON, lambda left, right: compare(left, right) >= 0),
}

OPERATOR_PRECEDENCE = {symbol: operator.precedence for symbol, operator in _OPERATORS.items()}


def _no_error(operand: Operand) -> Operand:
    if isinstance(operand, ErrorValue):
        raise Fault(operand)
    return operand


@dataclass(frozen=True)
class Binary(Node):
    """Two operands; operators of the same precedence group from the left."""

    operator: str
    left: Node
    right: Node

    @property
    def precedence(self) -> int:
        return OPERATOR_PRECEDENCE[self.operator]

    def children(self) -> Tuple[Node, ...]:
        return (self.left, self.right)

    def with_children(self, children: Tuple[Node, ...]) -> Node:
        return Binary(self.operator, *children)

    def evaluate(self, scope: Scope) -> Operand:
        left, right = self.left.evaluate(scope), self.right.evaluate(scope)
        try:
            result = _OPERATORS[self.operator].apply(left, right)
            return checked_result(result) if isinstance(result, (float, complex)) else result
        except Fault as fault:
            return fault.error
        except OverflowError:
            return ErrorValue.NUM

    def unparse(self) -> str:
        left = _wrapped(self.left, self.precedence)
        return left + self.operator + _wrapped(self.right, self.precedence + 1)


def _wrapped(node: Node, least: int) -> str:
    """The node's text, in parentheses if the node binds less tightly than *least*."""
    return node.unparse() if node.precedence >= least else f"({node.unparse()})"


@dataclass(frozen=True)
class Call(Node):
    """A function with its arguments; ``name`` is in capitals."""

    name: str
    arguments: Tuple[Node, ...]

    def children(self) -> Tuple[Node, ...]:
        return self.arguments

    def with_children(self, children: Tuple[Node, ...]) -> Node:
        return Call(self.name, children)

    def evaluate(self, scope: Scope) -> Operand:
        function = scope.functions.get(self.name)
        if function is None:
            return ErrorValue.NAME
        if not function.takes(len(self.arguments)):
            return ErrorValue.NA
        try:
            return _result(self._apply(function, scope))
        except Fault as fault:
            return fault.error
        except ArithmeticError:
            return ErrorValue.NUM

    def _apply(self, function: Function, scope: Scope) -> object:
        if function.lazy:
            thunks = [lambda node=node: node.evaluate(scope) for node in self.arguments]  # type: ignore[misc]
            return function.call(*thunks)
        operands = [argument.evaluate(scope) for argument in self.arguments]
        if not function.takes_errors:
            for operand in operands:
                _no_error(operand)
        return function.call(*operands)

    def unparse(self) -> str:
        return f"{self.name}({','.join(argument.unparse() for argument in self.arguments)})"


def _result(result: object) -> Operand:
    if isinstance(result, Block):
        return result
    if isinstance(result, (int, float, complex)) and not isinstance(result, bool):
        return checked_result(result)
    try:
        return checked_value(result)
    except InvalidValueError:
        raise Fault(ErrorValue.VALUE) from None
