"""Wrong versions of a value that a test expects, which look as right as the right one."""

from __future__ import annotations

import ast
import io
import itertools
import math
import re
import tokenize
from collections.abc import Iterator, Sequence
from heapq import heapify, heappop, heappush
from random import Random

from deepgym_envs.rewriting import plausible
from deepgym_envs.rewriting.literal_value import Impossible, as_date, looks_of, shape_of, value_of
from deepgym_envs.rewriting.splice import Edit, Text
from deepgym_envs.syntax import parse_python

# So an expression may go over several lines, and end in a comment.
_HEAD, _TAIL = "(\n", "\n)"
# How much less often a change is made that catches the eye.
_CONSPICUOUS = 0.02
_CLOSED = (ast.JoinedStr, ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)

Proposal = tuple[float, list[Edit]]


def wrong_values(expression: str, random: Random, *, seen: Sequence[str] = ()) -> Iterator[str]:
    """Source texts like ``expression``, of another value and the same types, the best ones mostly first.

    ``expression`` is a constant, or holds constants. ``seen`` are other expected values of the same tests,
    also as source: a value that is right elsewhere is the best wrong one. Who sees the right one and the
    first of these side by side should have no reason to prefer either without knowing what the code does.
    Nothing comes for what holds no constant that may differ, like ``None``.

    >>> list(wrong_values("usd(5, True)", Random(1)))[:3]
    ['usd(6, True)', 'usd(3, True)', 'usd(5, False)']

    Raises:
        ValueError: it is not an expression.
    """
    text, node = _read(expression)
    try:
        right = value_of(node)
    except Impossible:
        return
    looks = _looks_of(expression, right)
    told = {expression}
    # Of independent exponential times, each is the first one as often as its rate says.
    queue = [
        (
            -math.log(1.0 - random.random()) / weight,
            number,
            text.replaced(edits)[len(_HEAD) : -len(_TAIL)],
            False,
        )
        for number, (weight, edits) in enumerate(_proposals(text, node, _Others(seen, node)))
    ]
    heapify(queue)
    while queue:
        time, number, source, is_delayed = heappop(queue)
        if source in told:
            continue
        wrong = _checked(source, right)
        if wrong is not None and not is_delayed and _looks_of(source, wrong[0]) != looks:
            heappush(queue, (time / _CONSPICUOUS, number, source, True))
        elif wrong is not None:
            told.add(source)
            yield source


def likeness(wrong: str, right: str) -> float:
    """How well one expression may stand in the place of another, from 0 to 1: 0 if it means the same, or
    something of other types; less than 1 if it catches the eye.

    >>> likeness("[1, 4]", "[1, 3]"), likeness("[3, 1]", "[1, 3]"), likeness("'4'", "3")
    (1.0, 0.02, 0.0)

    Raises:
        ValueError: one of them is no expression.
    """
    try:
        value = value_of(_read(right)[1])
    except Impossible:
        return 0.0
    found = _checked(wrong, value)
    if found is None:
        return 0.0
    return 1.0 if _looks_of(wrong, found[0]) == _looks_of(right, value) else _CONSPICUOUS


def _looks_of(source: str, value: object) -> tuple[object, ...]:
    words = re.findall(r"\w+", source)
    rising = sum(left <= right for left, right in itertools.pairwise(words))
    return looks_of(value), len(words) - len(set(words)), rising


def _read(expression: str) -> tuple[Text, ast.expr]:
    text = Text(f"{_HEAD}{expression}{_TAIL}")
    match text.tree.body:
        case [ast.Expr(value=node)] if expression.strip():
            return text, node
    raise ValueError(f"not one expression: {expression[:100]!r}")


def _checked(source: str, right: object) -> tuple[object] | None:
    """The value of a source, if it is another one of the same types."""
    try:
        wrong = value_of(_read(source)[1])
    except (Impossible, ValueError):
        return None
    return (wrong,) if _same_shape(wrong, right) and wrong != right else None


def _same_shape(wrong: object, right: object) -> bool:
    if isinstance(wrong, list | dict) and type(wrong) is type(right) and not (wrong and right):
        return True
    if isinstance(wrong, tuple) and isinstance(right, tuple) and len(wrong) == len(right):
        return all(map(_same_shape, wrong, right))
    return shape_of(wrong) == shape_of(right)


class _Others:
    """The constants in other expected values of the same tests."""

    def __init__(self, seen: Sequence[str], node: ast.expr) -> None:
        self.texts: list[str] = []
        self.numbers: list[int] = []
        self.whole: list[tuple[str, ast.expr]] = []
        self._take(node)
        for expression in seen:
            try:
                text, other = _read(expression)
            except ValueError:
                continue
            self._take(other)
            self.whole.append((text.of(other), other))

    def _take(self, node: ast.expr) -> None:
        for part in ast.walk(node):
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                self.texts.append(part.value)
            elif isinstance(part, ast.Constant) and type(part.value) is int:
                self.numbers.append(part.value)


def _proposals(text: Text, node: ast.expr, others: _Others) -> Iterator[Proposal]:
    """Every change of the expression, and its weight."""
    for source, other in others.whole:
        if isinstance(other, type(node)) and not isinstance(node, ast.Constant):
            alike = _size(other) == _size(node) or not (_size(other) and _size(node))
            yield 1.0 if alike else 0.1, [text.change(node, source)]
    for part in _open_parts(node):
        if isinstance(part, ast.List | ast.Tuple):
            yield from _rearranged(text, part.elts, resized=isinstance(part, ast.List))
        elif isinstance(part, ast.Dict):
            yield from _swapped(text, part.values, 1.0)
        yield from _of_constant(text, part, others)


def _size(node: ast.expr) -> int:
    return len(list(ast.iter_child_nodes(node)))


def _open_parts(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes of an expression whose constants are parts of its value, a number with its sign."""
    if isinstance(node, _CLOSED):
        return
    yield node
    if as_signed(node) is not None or _is_date(node):
        return
    for child in ast.iter_child_nodes(node):
        yield from _open_parts(child)


def as_signed(node: ast.AST) -> ast.Constant | None:
    """The number behind a minus sign."""
    match node:
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float()) as number):
            return number
    return None


def _is_date(node: ast.AST) -> bool:
    try:
        return as_date(node) is not None
    except Impossible:
        return False


def _of_constant(text: Text, node: ast.AST, others: _Others) -> Iterator[Proposal]:
    day = as_date(node) if _is_date(node) else None
    if day is not None and isinstance(node, ast.Call):
        found = plausible.dates(day)
        whole = sum(weight for _, weight in found)
        for other, weight in found:
            parts = zip(node.args, (other.year, other.month, other.day), strict=True)
            yield weight / whole, [text.change(part, str(new)) for part, new in parts]
        return
    number = as_signed(node)
    if number is None and isinstance(node, ast.Constant):
        number = node
    if number is None or not isinstance(node, ast.expr):
        return
    sign = -1 if isinstance(node, ast.UnaryOp) else 1
    match number.value:
        case bool() as value:
            yield 1.0, [text.change(node, str(not value))]
        case int() as value:
            yield from _numbers(text, node, sign * value, text.of(number), others)
        case float():
            minus = "-" if sign < 0 else ""
            choices = [(minus + words, weight) for words, weight in plausible.decimals(text.of(number))]
            whole = sum(weight for _, weight in choices)
            yield from ((weight / whole, [text.change(node, words)]) for words, weight in choices)
        case str() | bytes():
            yield from _texts(text, node, others)


def _numbers(text: Text, node: ast.expr, value: int, words: str, others: _Others) -> Iterator[Proposal]:
    found = plausible.numbers(value)
    near = [other for other in others.numbers if other != value and len(str(other)) == len(str(value))]
    whole = sum(weight for _, weight in found)
    for other, weight in [
        *((other, weight / whole) for other, weight in found),
        *((other, 0.5) for other in near),
    ]:
        if words[:2].lower() in ("0x", "0o", "0b"):
            new = f"{other:#{words[1].lower()}}"
        else:
            new = f"{other:_}" if "_" in words else str(other)
        yield weight, [text.change(node, new)]


def _texts(text: Text, node: ast.expr, others: _Others) -> Iterator[Proposal]:
    """Changes in one of the literals that the text is written as."""
    for start, end in _literals(text, node):
        literal = text.between(start, end)
        plain = _plain(literal)
        if plain is None or _written(plain, literal) != literal:
            continue
        for new, weight in plausible.texts(plain, others.texts):
            written = _written(new, literal)
            if written is not None:
                yield weight, [Edit(start, end, written)]


def _plain(literal: str) -> str | None:
    """What a literal says; ``None`` for bytes that are no text."""
    match parse_python(literal).body:
        case [ast.Expr(value=ast.Constant(value=str() as value))]:
            return value
        case [ast.Expr(value=ast.Constant(value=bytes() as data))]:
            return data.decode() if data.isascii() else None
    return None


def _literals(text: Text, node: ast.expr) -> Iterator[tuple[int, int]]:
    """Where each literal stands of those that are written one after another and make one text."""
    start, end = text.span(node)
    words = text.between(start, end)
    lines = [0]
    for line in words.encode().splitlines(keepends=True):
        lines.append(lines[-1] + len(line))
    for token in tokenize.generate_tokens(io.StringIO(f"({words})").readline):
        if token.type == tokenize.STRING:
            row, column = token.start
            before = token.line[:column].encode()
            first = start + lines[row - 1] + len(before) - (1 if row == 1 else 0)
            yield first, first + len(token.string.encode())


def _written(value: str, literal: str) -> str | None:
    """A text written as that literal is: the same quotes and prefix; ``None`` where they cannot hold it."""
    body = literal.lstrip("rRbBuU")
    prefix = literal[: len(literal) - len(body)]
    quote = body[:3] if body[:3] in ("'''", '"""') else body[0]
    if "r" in prefix.lower():
        return None if "\\" in value or quote in value or "\n" in value else prefix + quote + value + quote
    written = ""
    for char in value:
        if char == "\n" and len(quote) == 3:
            written += char
        elif char in (quote, "\\") or not char.isprintable():
            written += "\\" + quote if char == quote else repr(char)[1:-1]
        else:
            written += char
    return prefix + quote + written + quote if len(quote) == 1 or quote not in written else None


def _rearranged(text: Text, items: Sequence[ast.expr], *, resized: bool) -> Iterator[Proposal]:
    """Two items swap, one moves to the other end; and in a list one goes, or comes twice."""
    yield from _swapped(text, items, 1.0)
    if not resized or not items:
        return
    spans = [text.span(item) for item in items]
    for at, (start, end) in enumerate(spans):
        share = 1.0 / len(items)
        yield share, [Edit(end, end, f", {text.between(start, end)}")]
        if len(items) == 1:
            yield 20.0, [Edit(start, end, "")]
        elif at == 0:
            yield share, [Edit(start, spans[1][0], "")]
        else:
            yield share, [Edit(spans[at - 1][1], end, "")]


def _shape(node: ast.expr) -> object:
    try:
        return shape_of(value_of(node))
    except Impossible:
        return node


def _swapped(text: Text, items: Sequence[ast.expr], total: float) -> Iterator[Proposal]:
    """Two items of the same types change places."""
    pairs = [(left, left + gap) for gap in (1, 2) for left in range(len(items) - gap)]
    for left, right in pairs:
        first, second = items[left], items[right]
        if _shape(first) == _shape(second):
            edits = [text.change(first, text.of(second)), text.change(second, text.of(first))]
            yield total / len(pairs), edits
