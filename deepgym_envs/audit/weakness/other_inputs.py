"""Other literals in place of those that tests give to the code under test."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from random import Random

from deepgym_envs.rewriting import wrong_values
from deepgym_envs.syntax import parse_expression

_ALIKE = 40  # values of the same kind that are kept of one literal
_EDGES = 0.35  # how often a value at an edge is taken instead
_LARGEST = 1_000  # or four times what is there: larger ones only take time


class OtherInputs:
    """Draws other source texts for a literal; ``donors`` are the literals of the same file.

    Most look like what is there: the neighbours of a number, another day, a word that is used elsewhere. The
    others lie at an edge: nothing, zero, the same twice.
    """

    def __init__(self, donors: Sequence[str]) -> None:
        self._donors: Mapping[type, list[str]] = _by_kind(donors)
        self._alike: dict[str, list[str]] = {}

    def draw(self, source: str, chance: Random) -> str | None:
        """Another literal in place of ``source``; None where none is known."""
        node = parse_expression(source)
        edges = [text for text in _edges(node, chance) if text != source]
        alike = self._alike_to(source, node)
        if edges and (not alike or chance.random() < _EDGES):
            return chance.choice(edges)
        return chance.choice(alike) if alike else None

    def _alike_to(self, source: str, node: ast.expr) -> list[str]:
        if source not in self._alike:
            donors = self._donors.get(_kind(node), [])
            found = wrong_values(source, Random(source), seen=donors)
            self._alike[source] = list(islice(found, _ALIKE))
        return self._alike[source]


def kind_of(source: str) -> type:
    """The type of a constant, or the sort of expression that a literal is."""
    return _kind(parse_expression(source))


def _kind(node: ast.expr) -> type:
    if isinstance(node, ast.UnaryOp):
        node = node.operand
    return type(node.value) if isinstance(node, ast.Constant) else type(node)


def _by_kind(sources: Sequence[str]) -> dict[type, list[str]]:
    found: dict[type, list[str]] = {}
    for source in dict.fromkeys(sources):
        found.setdefault(kind_of(source), []).append(source)
    return found


def _edges(node: ast.expr, chance: Random) -> Iterator[str]:
    """Values that a program is most often wrong about."""
    match node:
        case ast.Constant(value=bool() as value):
            yield repr(not value)
        case ast.Constant(value=int() | float() as number):
            yield from map(repr, _numbers(number))
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
            yield from map(repr, _numbers(-number))
        case ast.Constant(value=str() as text):
            yield from map(repr, _texts(text, chance))
        case ast.Constant(value=bytes() as data):
            yield from (repr(text.encode("latin-1")) for text in _texts(data.decode("latin-1"), chance))
        case ast.List(elts=parts):
            yield from map(_list, _rows([ast.unparse(part) for part in parts], chance))


def _list(parts: Sequence[str]) -> str:
    return f"[{', '.join(parts)}]"


def _numbers(number: float) -> Iterator[float]:
    most = max(_LARGEST, 4 * abs(number))
    for other in (0, 1, -1, 2, number + 1, number - 1, -number, 2 * number, 10 * number, number // 2):
        if abs(other) <= most and other != number:
            yield type(number)(other)


def _texts(text: str, chance: Random) -> Iterator[str]:
    yield ""
    yield " " + text
    yield text + " "
    if not text:
        yield from ("a", "0")
        return
    at = chance.randrange(len(text))
    to = min(len(text), at + chance.randint(1, 4))
    yield text[:at] + text[to:]
    yield text[:to] + text[at:]
    yield text[:at] + chance.choice(text) + text[at + 1 :]
    yield text[:at] + text[at].swapcase() + text[at + 1 :]
    for separator in ("\n", " ", ",", "/", ":"):
        parts = text.split(separator)
        if len(parts) > 1:
            yield from (separator.join(row) for row in _rows(parts, chance))


def _rows(parts: list[str], chance: Random) -> Iterator[list[str]]:
    """One less, one twice, two in the other order, none."""
    yield []
    if parts:
        at = chance.randrange(len(parts))
        yield parts[:at] + parts[at + 1 :]
        yield parts[:at] + parts[at : at + 1] + parts[at:]
        yield parts[:at] + parts[at : at + 2][::-1] + parts[at + 2 :]


def neighbours(constant: object) -> list[str]:
    """The literal for a constant that a program compares with, and for whole numbers those next to it."""
    if isinstance(constant, int) and not isinstance(constant, bool):
        return [repr(constant + step) for step in (0, 1, -1)]
    return [repr(constant)] if isinstance(constant, float | str | bytes) else []
