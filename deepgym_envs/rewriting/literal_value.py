"""Reads the constants out of an expression without running it: what it means, and of which types it is
made; and writes values as such expressions."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

from deepgym_envs.rewriting import plausible


@dataclass(frozen=True)
class Opaque:
    """What only running it would tell: a name, or a call with its arguments."""

    source: str
    arguments: tuple[object, ...] = ()


class Impossible(ValueError):
    """An expression that no program would hold: two equal keys, a 30th of February."""


def value_of(node: ast.expr) -> object:
    """What an expression means, as far as it is constants; the rest is ``Opaque``.

    Raises:
        Impossible: it means nothing.
    """
    match node:
        case ast.Constant(value=value):
            if isinstance(value, float) and not math.isfinite(value):
                raise Impossible
            return value
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
            if isinstance(value, float) and (value == 0 or not math.isfinite(value)):
                raise Impossible
            return -value
        case ast.Tuple(elts=parts):
            return tuple(map(value_of, parts))
        case ast.List(elts=parts):
            return list(map(value_of, parts))
        case ast.Set(elts=parts):
            return _distinct([_frozen(value_of(part)) for part in parts])
        case ast.Dict(keys=keys, values=values) if None not in keys:
            names = [_frozen(value_of(key)) for key in keys if key]
            _distinct(names)
            return dict(zip(names, map(value_of, values), strict=True))
        case ast.Call():
            return _call(node)
    return Opaque(ast.dump(node))


def _distinct(items: list[object]) -> frozenset[object]:
    if len(set(items)) < len(items):
        raise Impossible
    return frozenset(items)


def _frozen(value: object) -> object:
    """Something to hash, for what stands in a set or as a key."""
    try:
        hash(value)
    except TypeError:
        return repr(value)
    return value


def _call(node: ast.Call) -> object:
    arguments = [value_of(part) for part in node.args]
    name = _called(node)
    if not node.keywords and name == "date" and all(type(part) is int for part in arguments):
        return as_date(node) or Opaque("date", tuple(arguments))
    if not node.keywords and name == "Decimal" and len(arguments) == 1 and isinstance(arguments[0], str):
        try:
            return Decimal(arguments[0])
        except InvalidOperation:
            raise Impossible from None
    named = [(keyword.arg, value_of(keyword.value)) for keyword in node.keywords]
    function = node.func.value if isinstance(node.func, ast.Attribute) else node.func
    return Opaque(f"{ast.dump(function)}.{name}", (*arguments, *named))


def _called(node: ast.Call) -> str:
    if isinstance(node.func, ast.Attribute):
        return node.func.attr
    return node.func.id if isinstance(node.func, ast.Name) else ""


def as_date(node: ast.AST) -> date | None:
    """The day of ``date(2024, 1, 31)``; ``None`` for anything else.

    Raises:
        Impossible: there is no such day.
    """
    if not isinstance(node, ast.Call) or node.keywords or len(node.args) != 3:
        return None
    if _called(node) != "date":
        return None
    parts = [part.value for part in node.args if isinstance(part, ast.Constant) and type(part.value) is int]
    if len(parts) < 3:
        return None
    try:
        return date(*(int(part) for part in parts))
    except (ValueError, OverflowError):
        raise Impossible from None


def is_written_out(node: ast.expr) -> bool:
    """Whether an expression is a value through and through, with nothing in it that had to be run."""
    try:
        return not _holds_opaque(value_of(node))
    except Impossible:
        return False


def means_the_same(one: ast.expr, other: ast.expr) -> bool:
    """Whether two expressions mean equal values of the same types."""
    try:
        left, right = value_of(one), value_of(other)
    except Impossible:
        return False
    return left == right and shape_of(left) == shape_of(right)


def _holds_opaque(value: object) -> bool:
    match value:
        case dict():
            return any(map(_holds_opaque, (*value, *value.values())))
        case list() | tuple() | frozenset():
            return any(map(_holds_opaque, value))
    return isinstance(value, Opaque)


def source_of(value: object, like: ast.expr) -> str | None:
    """``value`` written out as ``like`` is; ``None`` for what has no such form, and for a date or ``Decimal``
    where ``like`` does not say what these are called.

    >>> source_of([date(2024, 1, 31)], ast.parse("dt.date(2024, 2, 1)", mode="eval").body)
    '[dt.date(2024, 1, 31)]'
    """
    makers = {_called(node): ast.unparse(node.func) for node in ast.walk(like) if isinstance(node, ast.Call)}
    try:
        source = _source_of(value, makers)
        return source if is_written_out(ast.parse(source, mode="eval").body) else None
    except Impossible:
        return None


def _source_of(value: object, makers: Mapping[str, str]) -> str:
    match value:
        case list() | tuple():
            parts = ", ".join(_source_of(part, makers) for part in value)
            if isinstance(value, list):
                return f"[{parts}]"
            return f"({parts},)" if len(value) == 1 else f"({parts})"
        case set() if value:
            return f"{{{', '.join(sorted(_source_of(part, makers) for part in value))}}}"
        case dict():
            pairs = (f"{_source_of(key, makers)}: {_source_of(part, makers)}" for key, part in value.items())
            return f"{{{', '.join(pairs)}}}"
        case None | bool() | int() | float() | str() | bytes():
            return repr(value)
        case date() if type(value) is date and "date" in makers:
            return f"{makers['date']}({value.year}, {value.month}, {value.day})"
        case Decimal() if "Decimal" in makers:
            return f"{makers['Decimal']}({str(value)!r})"
    raise Impossible


def shape_of(value: object) -> object:
    """The types that a value is made of; how many items there are makes no difference."""
    match value:
        case list():
            return list, frozenset(map(shape_of, value))
        case tuple():
            return tuple, tuple(map(shape_of, value))
        case frozenset():
            return set, frozenset(map(shape_of, value))
        case dict():
            return dict, frozenset(map(shape_of, value)), frozenset(map(shape_of, value.values()))
        case Opaque():
            return value.source, tuple(map(shape_of, value.arguments))
    return type(value)


def looks_of(value: object) -> tuple[object, ...]:
    """What catches the eye: an order, a repetition, the number of items, zeros at the end. A pair that
    differs in none of this gives nobody who does not know the answer a reason to prefer one."""
    return tuple(_looks(value))


def _looks(value: object) -> Iterator[object]:
    match value:
        case bool() | None:
            return
        case int():
            yield plausible.zeros(value), value < 0
        case float():
            yield plausible.zeros(int(value)), value == int(value), value < 0
        case date():
            yield plausible.is_edge_of_month(value)
        case str() | bytes():
            yield from _looks_of_text(value if isinstance(value, str) else value.decode("latin-1"))
        case list() | tuple():
            yield from _looks_of_row(list(value))
        case Opaque():
            yield from _looks_of_row(list(value.arguments))
        case dict():
            yield from (look for item in value.items() for look in _looks(item))
        case frozenset():
            yield sorted(map(repr, map(looks_of, value)))


def _looks_of_text(text: str) -> Iterator[object]:
    yield text.count("0"), text.count("\n"), text.istitle()
    for separator in ("\n", ", ", " "):
        items = text.split(separator)
        if len(items) > 1:
            yield items == sorted(items), items == sorted(items, reverse=True), len(set(items)) < len(items)
    for words in plausible.iso_dates(text):
        yield plausible.is_edge_of_month(words)


def _looks_of_row(items: list[object]) -> Iterator[object]:
    yield len(items)
    for kind in dict.fromkeys(map(shape_of, items)):
        alike = [item for item in items if shape_of(item) == kind]
        yield len(alike) - len(set(map(repr, alike)))
        try:
            yield alike == sorted(alike), alike == sorted(alike, reverse=True)  # type: ignore[type-var]
        except TypeError:
            yield None
    for item in items:
        yield from _looks(item)
