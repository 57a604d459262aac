"""Cuts the text of a statement into tokens that know where they stand."""

from __future__ import annotations

import re
from typing import Any, List, NamedTuple

from .errors import ParseError, Place
from .values import is_value

KEYWORDS = frozenset(
    "ALL AND AS ASC BETWEEN BY DELETE DESC DISTINCT EXCEPT EXISTS EXPLAIN FALSE FIRST FROM GROUP HAVING IN INNER "
    "INSERT INTERSECT INTO IS JOIN LAST LEFT LIMIT NOT NULL NULLS OFFSET ON OR ORDER OUTER SELECT SET TRUE UNION "
    "UPDATE VALUES WHERE".split()
)

_TOKEN = re.compile(
    r"""
    (?P<blank> \s+ | --[^\n]* | /\*.*?\*/ )
  | (?P<number> [0-9]+ (?:\.[0-9]+)? (?:[eE][-+]?[0-9]+)? )
  | (?P<text> '(?:[^']|'')*' )
  | (?P<word> [A-Za-z_][A-Za-z_0-9]* )
  | (?P<parameter> \? )
  | (?P<symbol> <= | >= | <> | != | \|\| | [-+*=<>(),.] | /(?!\*) )
    """,
    re.VERBOSE | re.DOTALL,
)
_UNFINISHED = {"'": "text", "/*": "comment"}


class Token(NamedTuple):
    """``kind`` is keyword, name, number, text, parameter, symbol or end.

    ``value`` is what the token means: a keyword in capitals, a name in small
    letters, a number, the characters of a text.
    """

    kind: str
    value: Any
    at: Place
    offset: int


def tokenize(sql: str) -> List[Token]:
    """The tokens of *sql*, with one of kind ``end`` behind them."""
    tokens: List[Token] = []
    offset, line, line_start = 0, 1, 0
    while offset < len(sql):
        match = _TOKEN.match(sql, offset)
        text = match.group() if match else ""
        at = Place(line, offset - line_start + 1, text)
        if match is None:
            unfinished = [what for start, what in _UNFINISHED.items() if sql.startswith(start, offset)]
            raise ParseError(f"{unfinished[0]} without an end" if unfinished else "unexpected character", at)
        if match.lastgroup != "blank":
            tokens.append(_token(str(match.lastgroup), at, offset))
        if "\n" in text:
            line += text.count("\n")
            line_start = offset + text.rindex("\n") + 1
        offset = match.end()
    tokens.append(Token("end", None, Place(line, offset - line_start + 1, ""), offset))
    return tokens


def _token(kind: str, at: Place, offset: int) -> Token:
    value: Any = at.text
    if kind == "word":
        kind = "keyword" if value.upper() in KEYWORDS else "name"
        value = value.upper() if kind == "keyword" else value.lower()
    elif kind == "text":
        value = value[1:-1].replace("''", "'")
    elif kind == "number":
        value = int(value) if value.isdigit() else float(value)
        if not is_value(value):
            raise ParseError("number out of range", at)
    return Token(kind, "<>" if value == "!=" and kind == "symbol" else value, at, offset)
