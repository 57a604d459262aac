"""Finds the places where a test says what it expects, and where a wrong expectation would make it fail.

Only what is compared with an outcome may be changed, never what is given to the code under test: a right
solution may do as it likes with input that nobody has spoken of. Nor is another text or item looked for in an
outcome: a right solution may say more than the test asks for.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from itertools import chain
from textwrap import dedent
from typing import Literal, TypeVar, cast

from deepgym_envs.grade.test_file import Function, TestFile, place_of
from deepgym_envs.twin import Place

Sort = Literal["value", "exception", "negation"]
"""What is wrong at a site: a value, the type of an exception, or whether something holds."""

# Plain values come out of these, whoever calls them; names in capitals are classes by custom.
_MAKERS = frozenset(
    (
        "approx",
        "bytes",
        "bytearray",
        "complex",
        "date",
        "datetime",
        "dict",
        "float",
        "frozenset",
        "int",
        "list",
        "range",
        "set",
        "sorted",
        "str",
        "time",
        "timedelta",
        "tuple",
    )
)
_OPPOSITE: Mapping[type[ast.cmpop], type[ast.cmpop]] = {
    ast.NotEq: ast.Eq, ast.NotIn: ast.In, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.Eq: ast.NotEq,
    ast.Is: ast.IsNot, ast.Lt: ast.GtE, ast.GtE: ast.Lt, ast.Gt: ast.LtE, ast.LtE: ast.Gt,
}  # fmt: skip
# assertEqual and its like, and what suites call their own: assert_equal, assert_eq, assertHtmlEqual.
_EQUALS = re.compile(r"assert(?!_?not)\w*?_?eq(uals?)?|assertIs", re.IGNORECASE)
_REVERSED = {"assertTrue": "assertFalse", "assertFalse": "assertTrue", "assertIsNone": "assertIsNotNone",
             "assertIsNotNone": "assertIsNone", "assertNotIn": "assertIn", "assertIn": "assertNotIn",
             "assertNotEqual": "assertEqual"}  # fmt: skip
_RAISES = frozenset(("raises", "assertRaises", "assertRaisesRegex"))


@dataclass(frozen=True)
class Site:
    """An expression that says what is expected: where it lies, its source, and how it can be wrong.

    ``by_case``: it belongs to one of the cases that a test is parametrised with.
    """

    at: Place
    expression: str
    sort: Sort
    by_case: bool = False


def sites(file: TestFile, test: str) -> tuple[Site, ...]:
    """The places of ``test``, the better ones first: values, then types of exceptions, then negations."""
    found = dict.fromkeys(_Finder(file.tests[test], file.constants[test]).found())
    order: Sequence[Sort] = ("value", "exception", "negation")
    return tuple(sorted(found, key=lambda site: order.index(site.sort)))


class _Finder:
    def __init__(self, function: Function, constants: Mapping[str, ast.expr]) -> None:
        self._function = _folded(function)
        self._constants = {name: _folded(value) for name, value in constants.items()}

    def found(self) -> Iterator[Site]:
        for node in ast.walk(self._function):
            match node:
                case ast.Assert(test=test):
                    yield from self._asserted(test)
                case ast.withitem(context_expr=ast.Call() as call) if _called(call) in _RAISES:
                    yield from self._raised(call)
                case ast.Expr(value=ast.Call() as call):
                    yield from self._checked(call)

    def _asserted(self, test: ast.expr) -> Iterator[Site]:
        match test:
            case ast.BoolOp(op=ast.And(), values=values):
                yield from chain.from_iterable(map(self._asserted, values))
            case ast.Compare(left=left, ops=[ast.Eq() | ast.Is() as op], comparators=[right]):
                sides = [right, left] if isinstance(op, ast.Eq) else [right]
                inside = [site for side in sides[:1] for site in self._expected(side)]
                if not inside:
                    inside = [site for side in sides[1:] for site in self._expected(side)]
                yield from inside
                yield Site(place_of(test), ast.unparse(_opposite(test)), "negation")
            case ast.Compare(ops=[_]):
                yield Site(place_of(test), ast.unparse(_opposite(test)), "negation")
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                yield Site(place_of(test), ast.unparse(operand), "negation")
            case ast.Compare(ops=[*_], comparators=[*_]):  # a < b < c, a == b == c
                yield from self._expected(test.comparators[-1])
                yield Site(place_of(test), f"not {ast.unparse(test)}", "negation")
            case ast.Call() | ast.Name() | ast.Attribute() | ast.Subscript():
                yield Site(place_of(test), f"not {ast.unparse(test)}", "negation")

    def _raised(self, call: ast.Call) -> Iterator[Site]:
        for argument in call.args[:1]:
            if isinstance(argument, ast.Name | ast.Attribute):
                yield Site(place_of(argument), ast.unparse(argument), "exception")

    def _checked(self, call: ast.Call) -> Iterator[Site]:
        name = _called(call)
        if _EQUALS.fullmatch(name) and len(call.args) >= 2:
            sides = call.args[1], call.args[0]
            yield from next(filter(None, ([*self._expected(side)] for side in sides)), [])
        elif name in _REVERSED and isinstance(call.func, ast.Attribute):
            owner = ast.unparse(call.func.value)
            yield Site(place_of(call.func), f"{owner}.{_REVERSED[name]}", "negation")

    def _expected(self, side: ast.expr) -> Iterator[Site]:
        """Sites of a value that something is compared with; none if it comes from the code under test."""
        if not _is_plain(side):
            return
        if _is_constant(side) or _is_named(side):
            yield Site(place_of(side), ast.unparse(side), "value")
        for node in ast.walk(side):
            if isinstance(node, ast.Name):
                yield from self._named(node.id)

    def _named(self, name: str) -> Iterator[Site]:
        """Where the value of a variable is written: among the cases, in a loop, or in an assignment."""
        for decorator in self._function.decorator_list:
            for value in self._cases(decorator, name):
                yield Site(place_of(value), ast.unparse(value), "value", by_case=True)
        for node in ast.walk(self._function):
            match node:
                case ast.For(target=target, iter=loop) | ast.comprehension(target=target, iter=loop):
                    for value in _values(target, self._literal(loop), name):
                        yield Site(place_of(value), ast.unparse(value), "value")
                case ast.Assign(targets=[ast.Name(id=assigned)], value=value) if assigned == name:
                    if _is_constant(value):
                        yield Site(place_of(value), ast.unparse(value), "value")
        literal = self._constants.get(name)
        if literal is not None and _is_constant(literal):
            yield Site(place_of(literal), ast.unparse(literal), "value")

    def _cases(self, decorator: ast.expr, name: str) -> Iterator[ast.expr]:
        match decorator:
            case ast.Call(args=[names, values, *_]) if _called(decorator) == "parametrize":
                target = _target(names)
                if target is not None:
                    yield from _values(target, self._literal(values), name)

    def _literal(self, node: ast.expr) -> ast.expr:
        """What ``node`` stands for, if it is the name of a constant."""
        return self._constants.get(node.id, node) if isinstance(node, ast.Name) else node


class _Folding(ast.NodeTransformer):
    """Writes texts that are put together of others as one: ``", ".join(["a", "b"])``, ``dedent("...")``."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        match node:
            case ast.BinOp(ast.Constant(value=str(left)), ast.Add(), ast.Constant(value=str(right))):
                return ast.copy_location(ast.Constant(left + right), node)
        return node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        match node:
            case ast.Call(
                ast.Attribute(ast.Constant(value=str(text)), "join"), [ast.List() | ast.Tuple() as parts], []
            ):
                items = [part.value for part in parts.elts if isinstance(part, ast.Constant)]
                texts = [each for each in items if isinstance(each, str)]
                value = text.join(texts) if len(texts) == len(parts.elts) else None
            case ast.Call(
                ast.Attribute(ast.Constant(value=str(text)), "strip" | "lstrip" | "rstrip" as name), [], []
            ):
                value = getattr(text, name)()
            case ast.Call(args=[ast.Constant(value=str(text))], keywords=[]) if _called(node) == "dedent":
                value = dedent(text)
            case _:
                value = None
        return node if value is None else ast.copy_location(ast.Constant(value), node)


_Tree = TypeVar("_Tree", bound=ast.AST)


def _folded(tree: _Tree) -> _Tree:
    return cast(_Tree, _Folding().visit(deepcopy(tree)))


def _values(target: ast.expr, values: ast.expr, name: str) -> Iterator[ast.expr]:
    """Of each of the ``values`` that ``target`` is bound to, the constant that ``name`` gets."""
    if not isinstance(values, ast.List | ast.Tuple):
        return
    for value in values.elts:
        bound = value
        if isinstance(value, ast.Call) and _called(value) == "param":
            bound = ast.Tuple(value.args) if isinstance(target, ast.Tuple) else value.args[0]
        if isinstance(target, ast.Name) and target.id == name:
            found: ast.expr | None = bound
        elif isinstance(target, ast.Tuple) and isinstance(bound, ast.Tuple | ast.List):
            places = [isinstance(part, ast.Name) and part.id == name for part in target.elts]
            found = bound.elts[places.index(True)] if True in places[: len(bound.elts)] else None
        else:
            found = None
        if found is not None and _is_constant(found):
            yield found


def _target(names: ast.expr) -> ast.expr | None:
    """The first argument of ``parametrize``, as a loop would write it."""
    match names:
        case ast.Constant(value=str(text)):
            parts = [part.strip() for part in text.split(",") if part.strip()]
            single = len(parts) == 1 and "," not in text
        case ast.Tuple(elts=elts) | ast.List(elts=elts):
            parts = [str(part.value) for part in elts if isinstance(part, ast.Constant)]
            single = False
        case _:
            return None
    return ast.Name(parts[0]) if single else ast.Tuple([ast.Name(part) for part in parts])


def _is_constant(node: ast.expr) -> bool:
    return _is_plain(node) and any(
        isinstance(part, ast.Constant) or _is_empty(part) for part in ast.walk(node)
    )


def _is_named(node: ast.expr) -> bool:
    """Whether an expression is made of names in capitals, which are constants by custom."""
    names = [part.id for part in ast.walk(node) if isinstance(part, ast.Name)]
    return _is_plain(node) and bool(names) and all(name.isupper() for name in names)


def _is_empty(node: ast.AST) -> bool:
    match node:
        case ast.Tuple(elts=[]) | ast.List(elts=[]) | ast.Dict(keys=[]) | ast.Call(args=[], keywords=[]):
            return True
    return False


def _is_plain(node: ast.expr) -> bool:
    """Whether an expression is made of constants, names, and values that are made of such."""
    match node:
        case ast.Constant() | ast.Name() | ast.Attribute():
            return True
        case ast.Call(func=func, args=args, keywords=keywords):
            name = _called(node)
            made = name in _MAKERS or name[:1].isupper()
            return made and all(map(_is_plain, [*args, *(word.value for word in keywords)])) and bool(func)
        case ast.Tuple() | ast.List() | ast.Set() | ast.Dict() | ast.UnaryOp() | ast.BinOp() | ast.Starred():
            parts = (part for part in ast.iter_child_nodes(node) if isinstance(part, ast.expr))
            return all(map(_is_plain, parts))
    return False


def _called(call: ast.Call) -> str:
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def _opposite(test: ast.Compare) -> ast.expr:
    opposite = _OPPOSITE.get(type(test.ops[0]))
    if opposite is None:
        return ast.UnaryOp(ast.Not(), test)
    return ast.Compare(test.left, [opposite()], test.comparators)
