"""Faults in constants and bounds: off by one, flipped, cut short."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from deepgym_envs.rewriting.mutation_places import Place
from deepgym_envs.rewriting.splice import Edit

# What a string of one character, or none, becomes.
_OTHER_CHARACTER = {
    "": " ", " ": "", ",": ";", ";": ",", ":": "=", "=": ":", "\n": "", "/": "\\", "\\": "/", "-": "_",
    "_": "-", "+": "-", "*": "+", ".": ",", "(": "[", ")": "]", "[": "(", "]": ")", "<": ">", ">": "<",
    "'": '"', '"': "'", "r": "w", "w": "a", "a": "w", "\t": " ", "0": "1", "1": "0",
}  # fmt: skip
_ONE_LITERAL = re.compile(r"""(?P<prefix>[rRbBuU]{0,2})(?P<quote>'{3}|"{3}|'|")""")


def _number(place: Place, node: ast.Constant, delta: int) -> str | None:
    """A number that is ``delta`` more, written as the one that is there."""
    value, words = node.value, place.text.of(node)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, float):
        return repr(value + delta)
    new = value + delta
    if words[:2].lower() in ("0x", "0o", "0b"):
        return f"{new:#{words[1].lower()}}" if new >= 0 else None
    return f"{new:_}" if "_" in words else str(new)


def number_off_by_one(place: Place) -> Iterator[Edit]:
    node = place.node
    if not isinstance(node, ast.Constant) or place.is_default:
        return
    for delta in (1, -1):
        new = _number(place, node, delta)
        below_zero = new is not None and new.startswith("-") and isinstance(place.parent, ast.UnaryOp)
        if new is not None and not below_zero:
            yield place.text.change(node, f"({new})" if _is_power_base(place, new) else new)


def _is_power_base(place: Place, new: str) -> bool:
    return new.startswith("-") and isinstance(place.parent, ast.BinOp | ast.Attribute)


def bool_flipped(place: Place) -> Iterator[Edit]:
    node = place.node
    if isinstance(node, ast.Constant) and isinstance(node.value, bool) and not place.is_default:
        yield place.text.change(node, str(not node.value))


def string_changed(place: Place) -> Iterator[Edit]:
    """A string loses its last character; a short one becomes another."""
    node = place.node
    if isinstance(node, ast.Constant) and not place.is_default:
        words = _other_string(node.value, place.text.of(node))
        if words is not None:
            yield place.text.change(node, words)


def _other_string(value: object, words: str) -> str | None:
    opening = _ONE_LITERAL.match(words)
    if opening is None or not isinstance(value, str | bytes):
        return None
    plain = value.decode("latin-1") if isinstance(value, bytes) else value
    new = plain[:-1] if len(plain) > 1 else _OTHER_CHARACTER.get(plain, "" if plain else " ")
    literal = repr(new.encode("latin-1") if isinstance(value, bytes) else new)
    quote = opening["quote"][0]
    body = literal[literal.index(literal[-1]) + 1 : -1]
    if literal[-1] != quote and quote not in body and "\\" not in body:
        literal = literal.replace(literal[-1] + body + literal[-1], quote + body + quote)
    return literal


def default_changed(place: Place) -> Iterator[Edit]:
    """A parameter that is left out gets another value."""
    node = place.node
    if not place.is_default or not isinstance(node, ast.Constant):
        return
    if isinstance(node.value, bool):
        yield place.text.change(node, str(not node.value))
        return
    for delta in (1, -1):
        new = _number(place, node, delta)
        if new is not None:
            yield place.text.change(node, new)
    words = _other_string(node.value, place.text.of(node))
    if words is not None:
        yield place.text.change(node, words)


def range_off_by_one(place: Place) -> Iterator[Edit]:
    """``range(n)`` becomes ``range(1, n)``, ``range(n - 1)`` and ``range(n + 1)``; ``range(a, b)`` in the
    same way."""
    node = place.node
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or node.func.id != "range":
        return
    if len(node.args) == 1 and not isinstance(node.args[0], ast.Starred):
        yield place.text.change(node.args[0], f"1, {place.text.of(node.args[0])}")
    for bound in node.args[:2]:
        yield from _nudged(place, bound)


def slice_off_by_one(place: Place) -> Iterator[Edit]:
    """A bound of a slice moves by one, and a bound that is missing at the front appears."""
    node = place.node
    if not isinstance(node, ast.Slice):
        return
    if node.lower is None and node.upper is not None:
        start = place.text.span(node)[0]
        yield Edit(start, start, "1")
    for bound in (node.lower, node.upper):
        if bound is not None:
            yield from _nudged(place, bound)


def _nudged(place: Place, bound: ast.expr) -> Iterator[Edit]:
    words = place.text.of(bound)
    if isinstance(bound, ast.Starred):
        return
    for delta in (1, -1):
        if isinstance(bound, ast.Constant):
            new = _number(place, bound, delta)
        elif isinstance(bound, ast.BinOp | ast.UnaryOp | ast.Call | ast.Name | ast.Attribute | ast.Subscript):
            new = _less(words, delta)
        else:
            new = _less(f"({words})", delta)
        if new is not None:
            yield place.text.change(bound, new)


def _less(words: str, delta: int) -> str:
    """``a + 1`` and -1 make ``a``."""
    undo = " - 1" if delta > 0 else " + 1"
    if words.endswith(undo):
        return words.removesuffix(undo)
    return f"{words} + 1" if delta > 0 else f"{words} - 1"
