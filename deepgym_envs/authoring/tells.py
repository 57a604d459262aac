"""What tells a wrong copy of a test from the right one, for whoever sees both or has the base's code."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Callable, Iterator

from deepgym_envs.grade.test_file import Function, place_of
from deepgym_envs.syntax import parse_expression
from deepgym_envs.twin import Place

_FRAME = re.compile(r'^ *File ".*", line (\d+), in (\S+)$', re.MULTILINE)
_CHECK = re.compile(r"assert(?!Raises|Warns|Logs|NoLogs)")


def failed_line(told: str, test: Function) -> int | None:
    """The line of ``test``, counted from its head, in which it failed; ``told`` is the traceback, in Python's
    own style."""
    lines = [int(line) - test.lineno for line, name in _FRAME.findall(told) if name == test.name]
    return lines[-1] if lines else None


def alone(test: Function, at: Place) -> tuple[tuple[Place, str], ...]:
    """Changes after which ``test`` is about the expectation at ``at`` alone, as far as that can be had.

    All other assertions hold, and a loop over a list in which ``at`` lies has its item each time.
    """
    asserted = {place_of(part): text for part, text in _asserted(test)}
    if any(_within(at, place) for place in asserted):
        return tuple((place, text) for place, text in asserted.items() if not _within(at, place))
    for node in ast.walk(test):
        match node:
            case ast.For(iter=items) | ast.comprehension(iter=items) if _within(at, place_of(items)):
                parts = items.elts if isinstance(items, ast.List | ast.Tuple) else []
                own = [ast.unparse(part) for part in parts if _within(at, place_of(part))]
                return tuple(
                    (place_of(part), own[0]) for part in parts if own and ast.unparse(part) != own[0]
                )
    return ()


def _within(inner: Place, outer: Place) -> bool:
    return outer[:2] <= inner[:2] and inner[2:] <= outer[2:]


def _asserted(test: Function) -> Iterator[tuple[ast.expr, str]]:
    """What is asserted, and for each an expression that does the same and holds."""
    for node in ast.walk(test):
        match node:
            case ast.Assert(test=part):
                yield part, f"[{ast.unparse(part)}]"
            case ast.Expr(value=ast.Call(func=ast.Attribute(attr=name)) as part) if _CHECK.match(name):
                yield part, f"[{', '.join(map(ast.unparse, part.args))}]"


def by_echo(test: Function, right: str) -> Callable[[str], float]:
    """How much oftener, or less often, what is wrong repeats the rest of ``test`` than ``right`` does.

    What is expected often repeats what was given, so whoever sees both copies prefers the one that does. The
    result is a distance: 0 for a wrong expression that is told by nothing of that kind.

    >>> test = ast.parse("def test_it(): assert double('ab', 2) == 'abab'").body[0]
    >>> told = by_echo(test, "'abab'")
    >>> told("'baba'"), told("'ab'")
    (0.0, 1.0)
    """
    own = _constants(parse_expression(right))
    rest = _constants(test) - own

    def told(wrong: str) -> float:
        other = _constants(parse_expression(wrong))
        return abs(_share(own - other, rest) - _share(other - own, rest))

    return told


def _constants(tree: ast.AST) -> Counter[str]:
    return Counter(repr(node.value) for node in ast.walk(tree) if isinstance(node, ast.Constant))


def _share(constants: Counter[str], rest: Counter[str]) -> float:
    return sum(text in rest for text in constants) / len(constants) if constants else 0.0
