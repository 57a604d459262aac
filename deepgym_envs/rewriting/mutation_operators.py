"""The kinds of faults: each looks at one place and proposes changes of its text.

A proposal may be no program, or change nothing; ``mutation`` leaves those out. The order matters where two
kinds of fault give the same program: the first one names it."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from deepgym_envs.rewriting.mutation_constants import (
    bool_flipped,
    default_changed,
    number_off_by_one,
    range_off_by_one,
    slice_off_by_one,
    string_changed,
)
from deepgym_envs.rewriting.mutation_names import (
    attribute_swapped,
    bases_swapped,
    exception_changed,
    function_swapped,
    method_swapped,
    returned_other_variable,
)
from deepgym_envs.rewriting.mutation_places import Place
from deepgym_envs.rewriting.splice import Edit


@dataclass(frozen=True)
class Operator:
    """One kind of fault."""

    name: str
    propose: Callable[[Place], Iterator[Edit]]


_BOUNDARY = {ast.Lt: "<=", ast.LtE: "<", ast.Gt: ">=", ast.GtE: ">"}
_NEGATED = {
    ast.Lt: ">=", ast.LtE: ">", ast.Gt: "<=", ast.GtE: "<", ast.Eq: "!=", ast.NotEq: "==",
    ast.Is: "is not", ast.IsNot: "is", ast.In: "not in", ast.NotIn: "in",
}  # fmt: skip
_COMPARISON = r"<=|>=|==|!=|<|>|\bnot(?:\s|\\)+in\b|\bis(?:\s|\\)+not\b|\bis\b|\bin\b"
_ARITHMETIC = {
    ast.Add: "-", ast.Sub: "+", ast.Mult: "/", ast.Div: "*", ast.FloorDiv: "/", ast.Mod: "//", ast.Pow: "*",
    ast.LShift: ">>", ast.RShift: "<<", ast.BitAnd: "|", ast.BitOr: "&", ast.BitXor: "&",
}  # fmt: skip
_UNWRAPPED = {
    "sorted", "reversed", "list", "tuple", "set", "frozenset", "dict", "abs", "round", "copy", "deepcopy",
    "int", "str",
}  # fmt: skip
_UNCHAINED = {
    "copy",
    "strip",
    "lstrip",
    "rstrip",
    "lower",
    "upper",
    "casefold",
    "title",
    "removeprefix",
    "removesuffix",
}
_LOOSE = (ast.BoolOp, ast.IfExp, ast.Lambda, ast.NamedExpr, ast.Yield, ast.YieldFrom, ast.Starred)


def _comparison(place: Place, instead: dict[type[ast.cmpop], str]) -> Iterator[Edit]:
    node = place.node
    if not isinstance(node, ast.Compare):
        return
    left: ast.expr = node.left
    for operator, right in zip(node.ops, node.comparators, strict=True):
        token = place.text.find(_COMPARISON, place.text.span(left)[1], place.text.span(right)[0])
        if token and type(operator) in instead:
            yield Edit(*token, instead[type(operator)])
        left = right


def _comparison_boundary(place: Place) -> Iterator[Edit]:
    yield from _comparison(place, _BOUNDARY)


def _comparison_negated(place: Place) -> Iterator[Edit]:
    yield from _comparison(place, _NEGATED)


def _arithmetic_swapped(place: Place) -> Iterator[Edit]:
    node = place.node
    if not isinstance(node, ast.BinOp) or any(map(_is_text, (node.left, node.right))):
        return
    between = place.text.span(node.left)[1], place.text.span(node.right)[0]
    token = place.text.find(r"\*\*|//|<<|>>|[-+*/%&|^]", *between)
    if token and type(node.op) in _ARITHMETIC:
        yield Edit(*token, _ARITHMETIC[type(node.op)])


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str | bytes)
    )


def _augmented_assignment_changed(place: Place) -> Iterator[Edit]:
    node = place.node
    if not isinstance(node, ast.AugAssign):
        return
    between = place.text.span(node.target)[1], place.text.span(node.value)[0]
    token = place.text.find(r"(?:\*\*|//|<<|>>|[-+*/%&|^@])=", *between)
    if token is None:
        return
    if type(node.op) in _ARITHMETIC and not _is_text(node.value):
        yield Edit(*token, f"{_ARITHMETIC[type(node.op)]}=")
    yield Edit(*token, "=")


def _and_or_swapped(place: Place) -> Iterator[Edit]:
    node = place.node
    if isinstance(node, ast.BoolOp):
        for token in _joints(place, node):
            yield Edit(*token, "or" if isinstance(node.op, ast.And) else "and")


def _operand_dropped(place: Place) -> Iterator[Edit]:
    """``a and b`` becomes ``b``, or ``a``."""
    node = place.node
    if not isinstance(node, ast.BoolOp):
        return
    joints = list(_joints(place, node))
    start, end = place.text.span(node)
    starts = [start, *(joint[1] for joint in joints)]
    ends = [*(joint[0] for joint in joints), end]
    for at in range(len(node.values)):
        if at == 0:
            gap = place.text.between(starts[1], ends[1])
            yield Edit(starts[0], starts[1] + len(gap) - len(gap.lstrip()), "")
        else:
            gap = place.text.between(starts[at - 1], ends[at - 1])
            yield Edit(
                ends[at - 1] - len(gap) + len(gap.rstrip()), ends[at], "" if at == len(joints) else " "
            )


def _joints(place: Place, node: ast.BoolOp) -> Iterator[tuple[int, int]]:
    """Where the ``and`` or ``or`` between each two operands stand."""
    for left, right in zip(node.values, node.values[1:], strict=False):
        token = place.text.find(r"\band\b|\bor\b", place.text.span(left)[1], place.text.span(right)[0])
        assert token is not None
        yield token


def _condition_negated(place: Place) -> Iterator[Edit]:
    node, parent = place.node, place.parent
    tested = (isinstance(parent, ast.If | ast.While | ast.IfExp) and parent.test is node) or (
        isinstance(parent, ast.comprehension) and node in parent.ifs
    )
    # These two have shorter ways to be negated.
    bare = (isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)) or (
        isinstance(node, ast.Compare) and len(node.ops) == 1
    )
    if tested and not bare:
        words = place.text.of(node)
        yield place.text.change(node, f"not ({words})" if isinstance(node, _LOOSE) else f"not {words}")


def _not_dropped(place: Place) -> Iterator[Edit]:
    node = place.node
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield place.text.change(node, place.text.of(node).removeprefix("not").lstrip(" "))


def _guard_dropped(place: Place) -> Iterator[Edit]:
    """``if wrong: return`` goes away: an early exit that is lost."""
    node = place.node
    if not isinstance(node, ast.If) or node.orelse or _is_elif(place, node):
        return
    if isinstance(node.body[-1], ast.Return | ast.Raise | ast.Continue | ast.Break):
        edit = place.dropped()
        if edit:
            yield edit


def _branch_dropped(place: Place) -> Iterator[Edit]:
    """An ``elif`` or ``else`` goes away with its block; or an ``if``, or the block under it."""
    node, text = place.node, place.text
    if not isinstance(node, ast.If):
        return
    start, end = text.span(node)[0], text.span(node.body[-1])[1]
    if _is_elif(place, node):
        lines = text.lines_of(start, end)
        if lines:
            yield Edit(*lines, "")
    elif not node.orelse:
        edit = place.dropped()
        if edit:
            yield edit
    if node.orelse:
        yield Edit(text.span(node.body[0])[0], end, "pass")
        otherwise = text.find(r"\belse\b", end, text.span(node.orelse[0])[0])
        lines = text.lines_of(otherwise[0], text.span(node.orelse[-1])[1]) if otherwise else None
        if lines:
            yield Edit(*lines, "")


def _is_elif(place: Place, node: ast.If) -> bool:
    return place.text.of(node).startswith("elif")


def _super_call_dropped(place: Place) -> Iterator[Edit]:
    edit = place.dropped() if _calls_super(place.node) else None
    if edit:
        yield edit


def _calls_super(node: ast.AST) -> bool:
    if isinstance(node, ast.Expr):
        node = node.value.value if isinstance(node.value, ast.Await) else node.value
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return False
    made = node.func.value
    return isinstance(made, ast.Call) and isinstance(made.func, ast.Name) and made.func.id == "super"


def _statement_dropped(place: Place) -> Iterator[Edit]:
    """A statement that does something, but gives no local variable its first value: that would only be a
    crash."""
    node = place.node
    if isinstance(node, ast.Expr):
        acts = isinstance(node.value, ast.Call | ast.Await) and not _calls_super(node)
    elif isinstance(node, ast.Assign):
        acts = all(isinstance(target, ast.Attribute | ast.Subscript) for target in node.targets)
    else:
        acts = isinstance(node, ast.AugAssign | ast.Delete | ast.Raise | ast.Assert)
    edit = place.dropped() if acts else None
    if edit:
        yield edit


def _await_lost(place: Place) -> Iterator[Edit]:
    node = place.node
    if isinstance(node, ast.Await):
        yield place.text.change(node, place.text.of(node).removeprefix("await").lstrip(" "))


def _loop_exit_swapped(place: Place) -> Iterator[Edit]:
    if isinstance(place.node, ast.Break | ast.Continue):
        yield place.text.change(place.node, "continue" if isinstance(place.node, ast.Break) else "break")


def _arguments_swapped(place: Place) -> Iterator[Edit]:
    """Two neighbours change places, or the values of two neighbours that have names."""
    node = place.node
    if not isinstance(node, ast.Call):
        return
    named = [keyword.value for keyword in node.keywords if keyword.arg is not None]
    for values in (node.args, named):
        for left, right in itertools.pairwise(values):
            if isinstance(left, ast.Starred) or isinstance(right, ast.Starred):
                continue
            (start, middle), (again, end) = place.text.span(left), place.text.span(right)
            swapped = place.text.of(right) + place.text.between(middle, again) + place.text.of(left)
            yield Edit(start, end, swapped)


def _named_argument_dropped(place: Place) -> Iterator[Edit]:
    node = place.node
    if not isinstance(node, ast.Call):
        return
    given: list[ast.AST] = sorted([*node.args, *node.keywords], key=place.text.span)
    for before, argument in itertools.pairwise(given):
        if isinstance(argument, ast.keyword) and argument.arg is not None:
            start, end = place.text.span(argument)
            comma = place.text.find(",", place.text.span(before)[1], start)
            if comma:
                yield Edit(comma[0], end, "")


def _call_unwrapped(place: Place) -> Iterator[Edit]:
    """``sorted(x)`` or ``x.copy()`` becomes ``x``."""
    node = place.node
    if not isinstance(node, ast.Call):
        return
    name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
    name = node.func.id if isinstance(node.func, ast.Name) else name
    inner: ast.expr | None = None
    if name in _UNWRAPPED and node.args:
        inner = node.args[0]
    elif name in _UNCHAINED and isinstance(node.func, ast.Attribute):
        inner = node.func.value
    if inner is None or isinstance(inner, ast.Starred):
        return
    words = place.text.of(inner)
    loose = isinstance(inner, (*_LOOSE, ast.BinOp, ast.UnaryOp, ast.Compare, ast.Await))
    yield place.text.change(node, f"({words})" if loose else words)


OPERATORS: tuple[Operator, ...] = (
    Operator("comparison_boundary", _comparison_boundary),
    Operator("comparison_negated", _comparison_negated),
    Operator("arithmetic_swapped", _arithmetic_swapped),
    Operator("augmented_assignment_changed", _augmented_assignment_changed),
    Operator("and_or_swapped", _and_or_swapped),
    Operator("operand_dropped", _operand_dropped),
    Operator("not_dropped", _not_dropped),
    Operator("condition_negated", _condition_negated),
    Operator("guard_dropped", _guard_dropped),
    Operator("branch_dropped", _branch_dropped),
    Operator("super_call_dropped", _super_call_dropped),
    Operator("statement_dropped", _statement_dropped),
    Operator("await_lost", _await_lost),
    Operator("loop_exit_swapped", _loop_exit_swapped),
    Operator("default_changed", default_changed),
    Operator("range_off_by_one", range_off_by_one),
    Operator("slice_off_by_one", slice_off_by_one),
    Operator("bool_flipped", bool_flipped),
    Operator("number_off_by_one", number_off_by_one),
    Operator("string_changed", string_changed),
    Operator("arguments_swapped", _arguments_swapped),
    Operator("named_argument_dropped", _named_argument_dropped),
    Operator("call_unwrapped", _call_unwrapped),
    Operator("function_swapped", function_swapped),
    Operator("method_swapped", method_swapped),
    Operator("attribute_swapped", attribute_swapped),
    Operator("returned_other_variable", returned_other_variable),
    Operator("exception_changed", exception_changed),
    Operator("bases_swapped", bases_swapped),
)
