"""Small faults put into Python source on purpose, each as one readable change of the text.

For tests of tests (does a suite notice?), for tasks (find what was broken), and for wrong values that are
plausible (what does the broken program answer?)."""

from __future__ import annotations

import ast
import hashlib
import itertools
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from random import Random

from deepgym_envs.rewriting.mutation_operators import OPERATORS, Operator
from deepgym_envs.rewriting.mutation_places import Function, Place, places
from deepgym_envs.rewriting.splice import Edit, Text
from deepgym_envs.syntax import compiles, parse_python

__all__ = ["OPERATORS", "Mutant", "Operator", "mutants", "sample"]


@dataclass(frozen=True)
class Mutant:
    """A source with one fault.

    ``line`` and ``end_line`` count from 1 and say which lines of the original differ; ``function`` is the
    dotted name of the function or class that they are in, empty at module level; ``before`` and ``after`` are
    those lines and what they have become, and ``source`` is the whole text with the fault in it."""

    operator: str
    line: int
    end_line: int
    function: str
    before: str
    after: str
    source: str


def mutants(
    source: str, *, lines: Collection[int] | None = None, operators: Sequence[Operator] = OPERATORS
) -> Iterator[Mutant]:
    """Every mutant of ``source``, in the order of the text, or those that change one of ``lines`` (from 1).

    Each compiles and differs from the original, and from all others, in its syntax tree. The text outside the
    change stays as it is, byte for byte. The same source gives the same mutants.

    >>> [(mutant.operator, mutant.after) for mutant in mutants("a = b < c  # why\\n")]
    [('comparison_boundary', 'a = b <= c  # why'), ('comparison_negated', 'a = b >= c  # why')]

    Raises:
        ValueError: ``source`` is not Python.
    """
    text = Text(source)
    wanted = None if lines is None else frozenset(lines)
    units: dict[ast.AST, _Unit] = {}
    for place in places(text):
        if wanted is not None and not _touches(text, text.span(place.node), wanted):
            continue
        node = _unit_of(place)
        if node not in units:
            units[node] = _Unit(text, node)
        unit = units[node]
        for operator in operators:
            for edit in operator.propose(place):
                if (wanted is None or _touches(text, (edit.start, edit.end), wanted)) and unit.is_new(edit):
                    yield _mutant(operator.name, place, edit)


def sample(found: Iterable[Mutant], count: int, seed: int) -> tuple[Mutant, ...]:
    """``count`` of the mutants, or all where there are fewer: taken in turns, so that each operator and each
    function has its share, and the same for the same seed. In the order of ``found``."""
    random = Random(seed)
    everything = list(found)
    left = list(range(len(everything)))
    random.shuffle(left)
    taken: list[int] = []
    of_operator: dict[str, int] = defaultdict(int)
    of_function: dict[str, int] = defaultdict(int)
    while left and len(taken) < count:
        best = min(
            left, key=lambda at: of_operator[everything[at].operator] + of_function[everything[at].function]
        )
        left.remove(best)
        taken.append(best)
        of_operator[everything[best].operator] += 1
        of_function[everything[best].function] += 1
    return tuple(everything[at] for at in sorted(taken))


class _Unit:
    """A part of the module that can be understood without the rest, and what its mutants so far mean.

    The rest of the module is as it was, so that it need not be read again for each mutant.
    """

    def __init__(self, text: Text, node: ast.AST) -> None:
        self._text = text
        self._start, self._end = text.span(node)
        indent = text.indent(self._start)
        self._head = f"class _:\n{indent}" if indent else ""
        self._seen = {_fingerprint(self._head + text.between(self._start, self._end))}
        if _follows_its_like(node, text.tree.body):
            self._seen.add(_fingerprint(""))

    def is_new(self, edit: Edit) -> bool:
        """Whether an edit makes a program of it that is none of those before."""
        before = self._text.between(min(self._start, edit.start), edit.start)
        after = self._text.between(edit.end, max(self._end, edit.end))
        fingerprint = _fingerprint(self._head + before + edit.text + after)
        if fingerprint is None or fingerprint in self._seen:
            return False
        self._seen.add(fingerprint)
        return True


def _unit_of(place: Place) -> ast.AST:
    """The method of a class at module level that a place is in, else the statement at module level."""
    around = (*place.around, place.node)
    if len(around) > 2 and isinstance(around[1], ast.ClassDef) and isinstance(around[2], Function):
        start = place.text.span(around[2])[0]
        if place.text.lines_of(start, place.text.span(around[2])[1]):
            return around[2]
    return around[1]


def _follows_its_like(node: ast.AST, body: Sequence[ast.stmt]) -> bool:
    """Whether the statement before says the same, so that it makes no difference which of the two goes."""
    pairs = itertools.pairwise(body)
    return any(after is node and ast.dump(before) == ast.dump(after) for before, after in pairs)


def _fingerprint(part: str) -> bytes | None:
    """What a part means, however it is written; ``None`` for what is no program."""
    try:
        tree = parse_python(part)
    except ValueError:
        return None
    return (
        hashlib.sha256(ast.dump(tree).encode("utf-8", "surrogatepass")).digest() if compiles(tree) else None
    )


def _touches(text: Text, span: tuple[int, int], wanted: frozenset[int]) -> bool:
    first, last = _line_range(text, *span)
    return any(line in wanted for line in range(first, last + 1))


def _line_range(text: Text, start: int, end: int) -> tuple[int, int]:
    return text.line(start), text.line(max(start, end - 1))


def _mutant(operator: str, place: Place, edit: Edit) -> Mutant:
    text = place.text
    first, last = _line_range(text, edit.start, edit.end)
    before = text.lines(first, last)
    source = text.replaced([edit])
    after = text.lines(first, last, edit)
    return Mutant(operator, first, last, place.qualified_name, before, after, source)
