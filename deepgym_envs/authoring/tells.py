"""What tells a wrong copy of a test from the right one, for whoever sees both or has the base's code."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from difflib import SequenceMatcher
from itertools import takewhile

from deepgym_envs.grade.test_file import Function, place_of
from deepgym_envs.syntax import parse_expression
from deepgym_envs.twin import Place

_FRAME = re.compile(r'^ *File ".*", line (\d+), in (\S+)$', re.MULTILINE)
_COMPARED = 10_000  # pairs of parts: for many more, what fits to what takes seconds to find
_CHECK = re.compile(r"assert(?!_?(Raises|Warns|Logs|No_?Logs))", re.IGNORECASE)


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
            case ast.Expr(value=ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)) as part) if (
                _CHECK.match(name)
            ):
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


def by_base(right: str, base: str) -> Callable[[str], tuple[bool, int]]:
    """What one knows of a wrong expression who runs the base's code, which gives ``base`` instead of
    ``right``.

    The result says whether it differs from ``right`` in a part that the base does right, or has other parts
    where the base has the right ones in another order; and by how many parts it is nearer to ``base``, or
    farther from it, than ``right`` is.

    >>> told = by_base("[1, 2, 3]", "[1, 2, 4]")
    >>> told("[1, 2, 5]"), told("[1, 5, 3]"), told("[1, 2]")
    ((False, 0), (True, 2), (True, 1))
    """
    parts, given = _parts(right), _parts(base)
    free: set[int] = set()
    moved: set[str] = set()
    for start, end, first, last in _differences(parts, given):
        free.update(range(2 * start, 2 * end + 1))
        moved.update(parts[start:end], given[first:last])
    far = _distance(parts, given)

    def differs_elsewhere(other: Sequence[str]) -> bool:
        for start, end, first, last in _differences(parts, other):
            if not free.issuperset(range(2 * start + 1, 2 * end, 2)):
                return True
            # What the base has in a wrong place may come to any other.
            if start == end and 2 * start not in free and not moved.issuperset(other[first:last]):
                return True
        return False

    def told(wrong: str) -> tuple[bool, int]:
        other = _parts(wrong)
        if sorted(parts) == sorted(given):
            kept = all(
                part == that for part, that, this in zip(parts, other, given, strict=False) if part == this
            )
            is_told = sorted(other) != sorted(parts) or not kept
        else:
            is_told = differs_elsewhere(other)
        return is_told, abs(_distance(other, given) - far)

    return told


def by_size(right: str, wrong: str) -> bool:
    """Whether one of two expressions has more parts than the other, or more that come twice."""
    one, other = _parts(right), _parts(wrong)
    return (len(one), len(set(one))) != (len(other), len(set(other)))


def between(right: str, base: str) -> Iterator[str]:
    """Expressions that are partly ``right``, and for the rest ``base``.

    >>> list(between("[1, 2, 3]", "[4, 2, 5]"))
    ['[4, 2, 3]', '[1, 2, 5]']
    """
    one, other = _parts(right), _parts(base)
    stretches = _differences(one, other)
    mixed = [
        [*one[:start], *other[first:last], *one[end:]]
        for start, end, first, last in stretches
        if len(stretches) > 1
    ]
    mixed += [
        [*other[:first], *one[start:end], *other[last:]]
        for start, end, first, last in stretches
        if len(stretches) > 2
    ]
    for parts in mixed:
        try:
            parse_expression("".join(parts))
        except ValueError:
            continue  # half a bracket, or half a text
        yield "".join(parts)


def _parts(source: str) -> list[str]:
    """The words and signs of an expression, whose order says nothing where none is meant."""
    return re.findall(r"\w+|\s+|[^\w\s]", ast.unparse(_Ordered().visit(parse_expression(source))))


class _Ordered(ast.NodeTransformer):
    def visit_Set(self, node: ast.Set) -> ast.Set:
        return ast.Set(sorted(map(self.visit, node.elts), key=ast.unparse))

    def visit_Dict(self, node: ast.Dict) -> ast.Dict:
        pairs = zip(node.keys, node.values, strict=True)
        ordered = sorted(pairs, key=lambda pair: ast.dump(pair[0] or pair[1]))
        return ast.Dict([key for key, _ in ordered], [self.visit(value) for _, value in ordered])


def _differences(one: Sequence[str], other: Sequence[str]) -> list[tuple[int, int, int, int]]:
    """Stretches of ``one`` and what ``other`` has instead: where each begins and ends."""
    head = _alike(one, other)
    tail = _alike(one[head:][::-1], other[head:][::-1])
    left, right = one[head : len(one) - tail], other[head : len(other) - tail]
    if len(left) * len(right) > _COMPARED:
        return [(head, head + len(left), head, head + len(right))]
    codes = SequenceMatcher(None, left, right, autojunk=False).get_opcodes()
    return [
        (head + start, head + end, head + first, head + last)
        for what, start, end, first, last in codes
        if what != "equal"
    ]


def _alike(one: Sequence[str], other: Sequence[str]) -> int:
    """How many parts both begin with."""
    return len([*takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))])


def _distance(one: Sequence[str], other: Sequence[str]) -> int:
    """How many parts one of them has that the other has not."""
    return sum(end - start + last - first for start, end, first, last in _differences(one, other))


def _constants(tree: ast.AST) -> Counter[str]:
    return Counter(repr(node.value) for node in ast.walk(tree) if isinstance(node, ast.Constant))


def _share(constants: Counter[str], rest: Counter[str]) -> float:
    return sum(text in rest for text in constants) / len(constants) if constants else 0.0
