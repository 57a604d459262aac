"""What a linter finds in the text of a state that it does not find at the base; the only file that needs
``pyflakes``."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from deepgym_envs.errors import UsageError
from deepgym_envs.grade import Grader
from deepgym_envs.state import File, WorkspaceState
from deepgym_envs.syntax import compiles, parse_python, parsing

_MOST_BYTES = 256 << 10
_UNREAD = "not looked into"


@dataclass(frozen=True)
class StaticChecks:
    """``half / (half + n)``, where ``n`` findings were added to what the base has: 1 for none of them.

    A finding is what pyflakes says of a file (an undefined name, an unused import and so on), without its
    line; a file that is not Python, or larger than 256 KiB, or too much for pyflakes, is one. Findings that
    went away gain nothing, so the base has 1, and it warns of damage only: combine it with others. ``half``,
    above 0, is the number of findings that halves it.

    All Python files count that a solution may change. Nothing is executed: the host parses them by its own
    Python, whatever version the box has.

    Raises:
        UsageError: pyflakes is not installed.
        ValueError: ``half`` is not a number above 0.
    """

    half: float = 3.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.half) and self.half > 0):
            raise ValueError(f"half is a number of findings above 0, not {self.half}")
        _pyflakes()

    @cached_property
    def key(self) -> str:
        """With the version of pyflakes, since another finds other things."""
        return f"static_checks 1 half={self.half!r} pyflakes={_pyflakes().__version__}"

    def __call__(self, grader: Grader, state: WorkspaceState) -> float:
        added: Counter[str] = Counter()
        for path, file in grader.judged_part(state).changes.items():
            if path.endswith(".py") and file is not None:
                added += Counter(
                    {f"{path} {what}": n for what, n in _added(state.base.get(path), file).items()}
                )
        return self.half / (self.half + added.total())


def _added(old: File | None, new: File) -> Counter[str]:
    before = Counter(_findings(old)) if old else Counter()
    return Counter(_findings(new)) - before


def _findings(file: File) -> Iterator[str]:
    """What is wrong with one file; one that is too large, or that the linter cannot read, is one finding."""
    if len(file.data) > _MOST_BYTES:
        yield _UNREAD
        return
    try:
        tree = parse_python(file.data)
        if not compiles(tree):
            raise ValueError("a statement stands where it means nothing")
    except ValueError:
        yield "not Python"
        return
    try:
        with parsing():  # annotations that are text are parsed by it
            messages = _pyflakes().checker.Checker(tree).messages
    except Exception:  # nested too deeply, or whatever else a linter trips over
        yield _UNREAD
        return
    for message in messages:
        yield f"{type(message).__name__} {message.message_args!r}"


def _pyflakes() -> Any:
    try:
        import pyflakes
        import pyflakes.checker
    except ImportError:
        raise UsageError(
            "static checks need pyflakes; install it: pip install 'deepgym-envs[static]'"
        ) from None
    return pyflakes
