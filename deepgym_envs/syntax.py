"""Parses Python that somebody else wrote, one text at a time."""

from __future__ import annotations

import ast
import threading
import warnings

# CPython 3.11 counts the depth of the tree that it builds for all threads together, and mistakes two trees at
# a time for a corrupt one; warnings.catch_warnings is for one thread as well.
_ONE_AT_A_TIME = threading.Lock()


def parse_python(source: bytes) -> ast.Module:
    """The syntax tree of ``source``, without warnings; safe between threads.

    Raises:
        ValueError: it is not Python, or nested too deeply.
    """
    try:
        with _ONE_AT_A_TIME, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(source)
    except (SyntaxError, RecursionError, MemoryError) as error:
        raise ValueError(str(error)) from None
