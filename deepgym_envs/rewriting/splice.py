"""Changes Python source at places found in its syntax tree, and leaves all other text as it is."""

from __future__ import annotations

import ast
import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from textwrap import dedent

from deepgym_envs.syntax import parse_python

_BOM = "\ufeff"
_PLACED = (ast.stmt, ast.expr, ast.excepthandler, ast.pattern, ast.keyword, ast.arg, ast.alias)


@dataclass(frozen=True)
class Edit:
    """New text for the bytes from ``start`` to before ``end`` of a source in UTF-8."""

    start: int
    end: int
    text: str


class Text:
    """One source, its tree, and where in the text each node stands. Offsets count bytes of UTF-8.

    >>> text = Text("a = b +  c  # why\\n")
    >>> text.replaced([text.change(text.tree.body[0].value.left, "d")])
    'a = d +  c  # why\\n'

    Raises:
        ValueError: it is not Python.
    """

    def __init__(self, source: str) -> None:
        self._mark = _BOM if source.startswith(_BOM) else ""
        try:
            self.data = source.removeprefix(_BOM).encode()
        except UnicodeEncodeError as error:
            raise ValueError(f"source that UTF-8 cannot hold: {error}") from None
        self.tree = parse_python(source.removeprefix(_BOM))
        self._starts = [0]
        for line in self.data.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))

    def span(self, node: ast.AST) -> tuple[int, int]:
        """Where a node begins and ends, without parentheses around it; with its decorators."""
        first, last = _place(node)
        decorators = [_place(part)[0] for part in getattr(node, "decorator_list", [])]
        start = self._offset(min([first, *decorators]))
        if start != self._offset(first):
            start = self.data.rindex(b"@", 0, start)
        return start, self._offset(last)

    def _offset(self, place: tuple[int, int]) -> int:
        return self._starts[place[0] - 1] + place[1]

    def of(self, node: ast.AST) -> str:
        """The text of a node."""
        return self.between(*self.span(node))

    def between(self, start: int, end: int) -> str:
        return self.data[start:end].decode()

    def line(self, offset: int) -> int:
        """The number, from 1, of the line that an offset lies in."""
        return bisect_right(self._starts, offset)

    def line_start(self, offset: int) -> int:
        return self._starts[self.line(offset) - 1]

    def line_before(self, offset: int) -> str:
        """The whole line before that of an offset; empty at the first line."""
        at = self.line(offset) - 1
        return self.between(self._starts[at - 1], self._starts[at]) if at else ""

    def indent(self, offset: int) -> str:
        """The white space that the line of an offset begins with, up to there."""
        line = self.between(self.line_start(offset), offset)
        return line[: len(line) - len(line.lstrip())]

    def lines(self, first: int, last: int, edit: Edit | None = None) -> str:
        """Some lines by number, without what all of them are indented by; with an edit inside them made."""
        start, end = self._starts[first - 1], self._starts[min(last, len(self._starts) - 1)]
        if edit is None:
            return dedent(self.between(start, end)).rstrip()
        return dedent(self.between(start, edit.start) + edit.text + self.between(edit.end, end)).rstrip()

    def find(self, pattern: str, start: int, end: int) -> tuple[int, int] | None:
        """Where the first match of ``pattern`` stands that is not in a comment; for text without strings."""
        for found in re.compile(rb"#[^\r\n]*|(" + pattern.encode() + rb")").finditer(self.data, start, end):
            if found[1] is not None:
                return found.span()
        return None

    def change(self, node: ast.AST, text: str) -> Edit:
        return Edit(*self.span(node), text)

    def lines_of(self, start: int, end: int) -> tuple[int, int] | None:
        """The whole lines that a span fills, with a comment at its end; ``None`` where other code shares
        them."""
        begin = self.line_start(start)
        after = re.compile(rb"[ \t\f]*(?:#[^\r\n]*)?(?:\r\n|\r|\n|\Z)").match(self.data, end)
        if self.data[begin:start].strip(b" \t\f") or after is None:
            return None
        return begin, after.end()

    def replaced(self, edits: Iterable[Edit]) -> str:
        """The source with all the edits made, none of which may overlap."""
        parts: list[bytes] = []
        done = 0
        for edit in sorted(edits, key=lambda edit: (edit.start, edit.end)):
            assert done <= edit.start <= edit.end, "edits overlap"
            parts += [self.data[done : edit.start], edit.text.encode()]
            done = edit.end
        return self._mark + b"".join([*parts, self.data[done:]]).decode()


def _place(node: ast.AST) -> tuple[tuple[int, int], tuple[int, int]]:
    """The line and the column where a node begins, and where it ends."""
    if isinstance(node, _PLACED) and node.end_lineno is not None and node.end_col_offset is not None:
        return (node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset)
    raise TypeError(f"{type(node).__name__} has no place of its own")


def docstring(body: Sequence[ast.stmt]) -> ast.Expr | None:
    """The statement that documents a module, class or function with that body."""
    first = body[0] if body else None
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        return first if isinstance(first.value.value, str) else None
    return None
