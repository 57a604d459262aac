"""Markers: conditions on the environment under which a requirement counts.

    python >= "3.9" and (platform == "linux" or not debug == "yes")

``not`` binds closer than ``and``, ``and`` closer than ``or``.  A comparison
has a variable on the left and a quoted text on the right.  ``==`` and ``!=``
compare texts, ``in`` and ``not in`` look the variable's value up in a list
separated by commas, and ``<  <=  >  >=`` compare dotted numbers, where missing
numbers count as 0 (``3.10`` is later than ``3.9`` and equal to ``3.10.0``).
"""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import List, Mapping, Tuple, Union

from .errors import MarkerError

_TOKEN = re.compile(
    r"\s*(?:(?P<op>==|!=|<=|>=|<|>)|(?P<paren>[()])|\"(?P<text>[^\"]*)\""
    r"|(?P<word>[A-Za-z_][A-Za-z0-9_]*))"
)
_ORDER = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_KEYWORDS = ("and", "or", "not", "in")
Token = Tuple[str, str]


def _numbers(text: str) -> Tuple[int, ...]:
    """Dotted numbers without the zeros at the end."""
    try:
        items = [int(part) for part in text.split(".")]
    except ValueError:
        raise MarkerError(f"cannot order {text!r}: not dotted numbers") from None
    while items and items[-1] == 0:
        items.pop()
    return tuple(items)


@dataclass(frozen=True)
class Comparison:
    """``variable op "text"``."""

    variable: str
    op: str
    text: str

    def holds(self, environment: Mapping[str, str]) -> bool:
        """Whether the comparison is true in ``environment``."""
        if self.variable not in environment:
            raise MarkerError(f"environment has no variable {self.variable!r}")
        value = environment[self.variable]
        if self.op == "==":
            return value == self.text
        if self.op == "!=":
            return value != self.text
        if self.op in ("in", "not in"):
            found = value in [item.strip() for item in self.text.split(",")]
            return found == (self.op == "in")
        return _ORDER[self.op](_numbers(value), _numbers(self.text))

    def __str__(self) -> str:
        return f'{self.variable} {self.op} "{self.text}"'


@dataclass(frozen=True)
class Not:
    """Negation."""

    item: "Node"

    def holds(self, environment: Mapping[str, str]) -> bool:
        """Whether the operand is false in ``environment``."""
        return not self.item.holds(environment)

    def __str__(self) -> str:
        return f"not {_nested(self.item)}"


@dataclass(frozen=True)
class Junction:
    """Several operands joined by ``and`` or by ``or``."""

    word: str
    items: Tuple["Node", ...]

    def holds(self, environment: Mapping[str, str]) -> bool:
        """Evaluates the operands from left to right, as far as needed."""
        found = (item.holds(environment) for item in self.items)
        return all(found) if self.word == "and" else any(found)

    def __str__(self) -> str:
        if self.word == "or":
            return " or ".join(str(item) for item in self.items)
        return " and ".join(_nested(item) for item in self.items)


Node = Union[Comparison, Not, Junction]


def _nested(node: Node) -> str:
    return f"({node})" if isinstance(node, Junction) else str(node)


@dataclass(frozen=True)
class Marker:
    """A parsed marker; ``str()`` gives its canonical text."""

    root: Node

    def holds(self, environment: Mapping[str, str]) -> bool:
        """Whether the marker is true in ``environment``."""
        return self.root.holds(environment)

    def __str__(self) -> str:
        return str(self.root)


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens: List[Token] = []
        position, end = 0, len(text.rstrip())
        while position < end:
            match = _TOKEN.match(text, position)
            if match is None:
                raise MarkerError(f"cannot read marker at {text[position:]!r}")
            kind = match.lastgroup or ""
            value = match[kind]
            self.tokens.append(("key" if value in _KEYWORDS and kind == "word" else kind, value))
            position = match.end()
        self.position = 0

    def take(self, *wanted: Token) -> bool:
        """Step over ``wanted`` if these tokens come next."""
        if tuple(self.tokens[self.position : self.position + len(wanted)]) == wanted:
            self.position += len(wanted)
            return True
        return False

    def next_of(self, kind: str) -> str:
        """Step over the next token, which must be of ``kind``."""
        if self.position < len(self.tokens):
            found, value = self.tokens[self.position]
            if found == kind:
                self.position += 1
                return value
        raise MarkerError(f"expected {kind} in marker {self.text!r}")

    def junction(self, word: str) -> Node:
        operand = self.negation if word == "and" else lambda: self.junction("and")
        items = [operand()]
        while self.take(("key", word)):
            items.append(operand())
        return items[0] if len(items) == 1 else Junction(word, tuple(items))

    def negation(self) -> Node:
        if self.take(("key", "not")):
            return Not(self.negation())
        if self.take(("paren", "(")):
            node = self.junction("or")
            if not self.take(("paren", ")")):
                raise MarkerError(f"missing ) in marker {self.text!r}")
            return node
        variable = self.next_of("word")
        if self.take(("key", "in")):
            op = "in"
        elif self.take(("key", "not"), ("key", "in")):
            op = "not in"
        else:
            op = self.next_of("op")
        return Comparison(variable, op, self.next_of("text"))


@lru_cache(maxsize=1024)
def parse_marker(text: str) -> Marker:
    """Read a marker."""
    parser = _Parser(text)
    node = parser.junction("or")
    if parser.position != len(parser.tokens):
        raise MarkerError(f"unexpected text at the end of marker {text!r}")
    return Marker(node)
