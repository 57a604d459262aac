"""Formula text to trees.

From loose to tight: comparisons, ``&``, ``+ -``, ``* /``, ``^``, signs, ``%``.
Operators of the same line group from the left, ``^`` too.
"""

from __future__ import annotations

import re
from typing import List, NamedTuple, Optional

from .addresses import REF_PATTERN, Ref, ordered, unquoted_sheet
from .errors import AddressError, FormulaError
from .nodes import COMPARISON, OPERATOR_PRECEDENCE, Binary, Call, CellReference, Literal, NameReference, Node, Percent
from .nodes import RangeReference, Sign
from .values import ErrorValue, parse_number

MAX_DEPTH = 100

_ERRORS = "|".join(re.escape(error.value) for error in ErrorValue)
_TOKEN = re.compile(
    r"(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r'|(?P<text>"(?:[^"]|"")*")'
    rf"|(?P<error>{_ERRORS})"
    r"|(?P<sheet>(?:'(?:[^']|'')+'|[A-Za-z_][A-Za-z0-9_.]*)!)"
    r"|(?P<word>[$A-Za-z_][$A-Za-z0-9_.]*)"
    r"|(?P<symbol><=|>=|<>|[-+*/^&=<>%(),:])",
    re.IGNORECASE | re.ASCII,
)


class Token(NamedTuple):
    kind: str
    text: str
    position: int


def tokenize(text: str) -> List[Token]:
    """The tokens of a formula, the last of kind ``end``; its equals sign is left out."""
    if not text.startswith("="):
        raise FormulaError("a formula starts with '='", 0)
    tokens = []
    position = 1
    while position < len(text):
        if text[position] in " \t\r\n":
            position += 1
            continue
        match = _TOKEN.match(text, position)
        if match is None:
            raise FormulaError(f"unexpected {text[position]!r}", position)
        tokens.append(Token(str(match.lastgroup), match.group(), position))
        position = match.end()
    tokens.append(Token("end", "", len(text)))
    return tokens


class Parser:
    """Reads one formula."""

    def __init__(self, text: str) -> None:
        self._tokens = tokenize(text)
        self._index = 0
        self._depth = 0

    def parse(self) -> Node:
        node = self._expression(COMPARISON)
        if self._next.kind != "end":
            raise self._unexpected()
        return node

    @property
    def _next(self) -> Token:
        return self._tokens[self._index]

    def _take(self) -> Token:
        token = self._next
        self._index += 1
        return token

    def _accept(self, symbol: str) -> bool:
        if self._next.kind != "symbol" or self._next.text != symbol:
            return False
        self._index += 1
        return True

    def _expect(self, symbol: str) -> None:
        if not self._accept(symbol):
            raise FormulaError(f"expected {symbol!r}", self._next.position)

    def _unexpected(self) -> FormulaError:
        token = self._next
        what = "the formula ends too early" if token.kind == "end" else f"unexpected {token.text!r}"
        return FormulaError(what, token.position)

    def _expression(self, least: int) -> Node:
        """An expression of operators that bind at least as tightly as *least*."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise FormulaError("nested too deeply", self._next.position)
        node = self._signed()
        while self._next.kind == "symbol":
            precedence = OPERATOR_PRECEDENCE.get(self._next.text)
            if precedence is None or precedence < least:
                break
            operator = self._take().text
            node = Binary(operator, node, self._expression(precedence + 1))
        self._depth -= 1
        return node

    def _signed(self) -> Node:
        signs = []
        while self._next.kind == "symbol" and self._next.text in "+-":
            signs.append(self._take().text)
        node = self._atom()
        while self._accept("%"):
            node = Percent(node)
        for sign in reversed(signs):
            node = Sign(sign, node)
        return node

    def _atom(self) -> Node:
        token = self._next
        if token.kind == "number":
            return self._number()
        if token.kind == "text":
            return Literal(self._take().text[1:-1].replace('""', '"'))
        if token.kind == "error":
            return Literal(ErrorValue(self._take().text.upper()))
        if token.kind == "sheet":
            return self._reference(unquoted_sheet(self._take().text))
        if token.kind == "word":
            return self._word()
        if not self._accept("("):
            raise self._unexpected()
        node = self._expression(COMPARISON)
        self._expect(")")
        return node

    def _number(self) -> Node:
        token = self._take()
        number = parse_number(token.text)
        if number is None:
            raise FormulaError("number too large", token.position)
        return Literal(number)

    def _word(self) -> Node:
        token = self._next
        following = self._tokens[self._index + 1]
        if following.kind == "symbol" and following.text == "(" and "$" not in token.text:
            return self._call()
        if token.text.upper() in ("TRUE", "FALSE"):
            return Literal(self._take().text.upper() == "TRUE")
        if REF_PATTERN.fullmatch(token.text):
            return self._reference(None)
        if "$" in token.text:
            raise FormulaError(f"{token.text!r} is no reference", token.position)
        return NameReference(self._take().text)

    def _call(self) -> Node:
        name = self._take().text.upper()
        self._expect("(")
        arguments: List[Node] = []
        if not self._accept(")"):
            arguments.append(self._expression(COMPARISON))
            while self._accept(","):
                arguments.append(self._expression(COMPARISON))
            self._expect(")")
        return Call(name, tuple(arguments))

    def _reference(self, sheet: Optional[str]) -> Node:
        start = self._ref()
        if not self._accept(":"):
            return CellReference(sheet, start)
        return RangeReference(sheet, *ordered(start, self._ref()))

    def _ref(self) -> Ref:
        token = self._next
        if token.kind != "word":
            raise self._unexpected()
        try:
            ref = Ref.parse(token.text)
        except AddressError as error:
            raise FormulaError(str(error), token.position) from None
        self._index += 1
        return ref


def parse_formula(text: str) -> Node:
    """The tree of a formula, which starts with ``=``; raises ``FormulaError``."""
    return Parser(text).parse()
