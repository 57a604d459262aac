"""Parses Python that somebody else wrote, one text at a time."""

from __future__ import annotations

import ast
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T", ast.Module, ast.Expression)

# CPython 3.11 counts the depth of the tree that it builds for all threads together, and mistakes two trees at
# a time for a corrupt one; warnings.catch_warnings is for one thread as well.
_ONE_AT_A_TIME = threading.Lock()


@contextmanager
def parsing() -> Iterator[None]:
    """While somebody parses Python: one thread at a time, and no warnings."""
    with _ONE_AT_A_TIME, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def parse_python(source: bytes | str) -> ast.Module:
    """The syntax tree of ``source``, without warnings; safe between threads.

    In text, a comment that names an encoding means nothing.

    Raises:
        ValueError: it is not Python, or nested too deeply.
    """
    return _parsed(source, ast.Module, "exec")


def parse_expression(source: str) -> ast.expr:
    """The syntax tree of one expression; else as ``parse_python``.

    Raises:
        ValueError: it is not one.
    """
    return _parsed(source, ast.Expression, "eval").body


def _parsed(source: bytes | str, kind: type[T], mode: str) -> T:
    try:
        with parsing():
            tree = ast.parse(source, mode=mode)
    except (SyntaxError, RecursionError, MemoryError) as error:
        raise ValueError(str(error)) from None
    assert isinstance(tree, kind)
    return tree


def compiles(tree: ast.Module) -> bool:
    """Whether Python takes the tree for a program: a ``nonlocal`` has its variable, a ``break`` its loop."""
    try:
        with parsing():
            compile(tree, "<tree>", "exec")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def same_program(left: bytes, right: bytes) -> bool:
    """Whether two sources differ in nothing but layout, comments and docstrings.

    >>> same_program(b"def f(): return 1", b"def f(): 'Says one.'; return (1)  # or so")
    True

    Raises:
        ValueError: one is not Python.
    """
    try:
        return ast.dump(_without_docstrings(left)) == ast.dump(_without_docstrings(right))
    except RecursionError as error:
        raise ValueError(str(error)) from None


def _without_docstrings(source: bytes) -> ast.Module:
    tree = parse_python(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            text = first.value if isinstance(first, ast.Expr) else None
            if isinstance(text, ast.Constant) and isinstance(text.value, str):
                node.body = node.body[1:]
    return tree
