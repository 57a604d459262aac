"""Reads the fields of a row, whose encodings differ: JSON in a string, Python's ``repr``, lists, any case.

Nothing in a row is executed: text that looks like Python is read by ``ast.literal_eval``, and only where it
is a list or a dict.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Mapping
from typing import Any

from deepgym_envs.importers.rejected import Rejected
from deepgym_envs.strict_json import parse_json

MOST_TEXT = 4 << 20
MOST_LITERAL = 1 << 20  # characters; what Python makes of them takes a hundred times as much
MOST_NAMES = 50_000
MOST_NAME = 2_000


class Fields:
    """The fields of one row or of a table in it, by names in any case."""

    def __init__(self, row: Mapping[str, Any]) -> None:
        self._values = {key.lower(): value for key, value in row.items() if isinstance(key, str)}

    def __contains__(self, name: str) -> bool:
        return self._values.get(name) is not None

    def text(self, *names: str, default: str | None = None) -> str:
        """The first of the fields that is a string and not blank, or ``default``.

        Raises:
            Rejected: there is none and no default, or it cannot be written as UTF-8, or is too long.
        """
        for name in names:
            value = self._values.get(name)
            if isinstance(value, str) and value.strip():
                return _checked(value, name)
        if default is None:
            raise Rejected("field", f"{names[0]}: missing or empty")
        return default

    def number(self, name: str) -> str:
        """A number, written as a number or as text."""
        value = self._values.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**12:
            return str(value)
        return self.text(name)

    def names(self, *names: str) -> tuple[str, ...]:
        """The strings of the first of the fields that holds any, without repeats: a list, the keys of a
        table, a table with a column ``name``, or any of these in a string.

        Raises:
            Rejected: it holds something else.
        """
        for name in names:
            found = _names(self._values.get(name), name)
            if found:
                return found
        return ()

    def strings(self, name: str) -> tuple[str, ...]:
        """The texts in a list, in order, with repeats.

        Raises:
            Rejected: it is something else.
        """
        value = self._values.get(name)
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise Rejected("field", f"{name}: is not a list of texts")
        return tuple(_checked(each, name) for each in value)

    def flag(self, name: str) -> bool:
        """Whether the field is true."""
        return self._values.get(name) is True

    def table(self, name: str) -> Fields:
        """The fields of ``mapping(name)``."""
        return Fields(self.mapping(name))

    def mapping(self, name: str) -> Mapping[str, Any]:
        """A table as it is, or of JSON in a string; an empty one where there is none.

        Raises:
            Rejected: it is something else.
        """
        value = self._values.get(name)
        if isinstance(value, str):
            value = _parsed(_checked(value, name), name) if value.strip() else None
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            raise Rejected("field", f"{name}: is not a table")
        return value

    def tables(self, name: str) -> list[Fields]:
        """The tables in a list.

        Raises:
            Rejected: it is something else.
        """
        value = self._values.get(name)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(each, Mapping) for each in value):
            raise Rejected("field", f"{name}: is not a list of tables")
        return [Fields(each) for each in value]

    def merged(self, over: Fields) -> Fields:
        """These fields, and those of ``over`` in their place."""
        there = {name: value for name, value in over._values.items() if value is not None}
        return Fields({**self._values, **there})


def _checked(value: str, name: str) -> str:
    if len(value) > MOST_TEXT:
        raise Rejected("too-large", f"{name}: has {len(value)} characters, of at most {MOST_TEXT}")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise Rejected("field", f"{name}: holds half a character, which UTF-8 cannot") from None
    return value


def _names(value: Any, name: str) -> tuple[str, ...]:
    if isinstance(value, str):
        value = _parsed(_checked(value, name), name) if value.strip() else None
    if isinstance(value, Mapping):
        column = value.get("name")
        value = column if isinstance(column, list) else list(value)
    if value is None:
        return ()
    if not isinstance(value, list | tuple) or not all(isinstance(each, str) for each in value):
        raise Rejected("field", f"{name}: is not a list of names")
    if len(value) > MOST_NAMES or any(len(each) > MOST_NAME for each in value):
        raise Rejected(
            "too-large", f"{name}: {len(value)} names, of at most {MOST_NAMES} and {MOST_NAME} characters"
        )
    return tuple(dict.fromkeys(_checked(each, name) for each in value))


def _parsed(text: str, name: str) -> Any:
    try:
        return parse_json(text)
    except ValueError:
        pass
    if len(text) > MOST_LITERAL:
        raise Rejected("too-large", f"{name}: has {len(text)} characters, of at most {MOST_LITERAL}")
    if text.strip()[0] not in "[{(":
        raise Rejected("field", f"{name}: is neither JSON nor a list")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escapes that Python does not know
            return ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        raise Rejected("field", f"{name}: is neither JSON nor a list of strings") from None
