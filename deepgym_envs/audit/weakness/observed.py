"""Files of tests written anew: with other input, and so that they tell what they see and demand nothing."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping, Sequence
from copy import deepcopy
from typing import cast

from deepgym_envs.grade.test_file import TestFile, place_of
from deepgym_envs.syntax import parse_expression, parse_python
from deepgym_envs.twin import Place

SEEN = "__seen__"
"""The name under which the program in the box offers its eye: called with a label and a value, it gives the
value back."""

_PLAIN_MAKERS = frozenset(("date", "datetime", "timedelta", "time", "Decimal"))
# Their arguments say how to test, not what.
_NO_INPUT = frozenset((
    "raises", "warns", "fixture", "skip", "skipif", "xfail", "importorskip", "getattr", "setattr", "hasattr",
    "isinstance", "approx", "usefixtures", "monkeypatch", "compile",
))  # fmt: skip
_NO_INPUT_KEYS = frozenset(("match", "ids", "id", "reason", "scope", "encoding"))
_LOOKED_AT = (ast.Call, ast.Await, ast.Attribute, ast.Subscript)


class ObservedFile:
    """One file of tests, parsed.

    ``tests`` are names such as ``"test_x"`` and ``"TestY::test_x"``. ``inputs`` maps each of them to the
    places of its literals that are input, and ``""`` to those that tests share: in fixtures, in what tests
    call, and at the top level. ``sources`` has the text of each, ``callees`` the name of what it is given to.

    Raises:
        ValueError: the source is not Python.
    """

    def __init__(self, source: bytes) -> None:
        self._module = parse_python(source)
        functions = TestFile(source).tests
        self.tests = tuple(functions)
        own = {(node.lineno, node.name): name for name, node in functions.items()}
        finder = _Inputs(own)
        finder.visit(self._module)
        self.inputs: Mapping[str, Sequence[Sequence[Place]]] = finder.found
        self.sources: Mapping[Place, str] = finder.sources
        self.callees: Mapping[Place, str] = finder.callees

    def expression(self, label: str) -> str:
        """The text of what is observed under ``label``; empty for none."""
        nodes = (node for node in ast.walk(self._module) if isinstance(node, ast.expr))
        return next((ast.unparse(node) for node in nodes if _label(node) == label), "")

    def written(self, tests: Collection[str], changes: Mapping[Place, str]) -> bytes:
        """The file with those ``tests`` alone, observing, and other literals at some places."""
        module = _without_others(deepcopy(self._module), "", frozenset(tests))
        changed = {place: parse_expression(text) for place, text in changes.items()}
        module = cast(ast.Module, _Observing(changed).visit(module))
        return ast.unparse(ast.fix_missing_locations(module)).encode("utf-8", "surrogateescape")


def _label(node: ast.expr) -> str:
    return ":".join(map(str, place_of(node)))


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _is_literal(node: ast.expr | None) -> bool:
    """Whether a value stands there, whole."""
    match node:
        case ast.Constant(value=value):
            return value is not None and value is not ...
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant()):
            return True
        case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts):
            return all(map(_is_part, parts))
        case ast.Dict(keys=keys, values=values):
            return all(map(_is_part, keys)) and all(map(_is_part, values))
        case ast.Call(func=function, args=parts, keywords=[]):
            return _last_name(function) in _PLAIN_MAKERS and all(map(_is_part, parts))
    return False


def _is_part(node: ast.expr | None) -> bool:
    return _is_literal(node) or (isinstance(node, ast.Constant) and node.value is None)


class _Inputs(ast.NodeVisitor):
    """Finds literals that are input. They come in rows, of which one each is changed at a time: a row for
    each case that a test is parametrised with, and one for all else in it."""

    def __init__(self, tests: Mapping[tuple[int, str], str]) -> None:
        self._tests = tests
        self._home = ""
        self._row: list[Place] = []
        self.found: dict[str, list[list[Place]]] = {"": [self._row]}
        self.sources: dict[Place, str] = {}
        self.callees: dict[Place, str] = {}
        self._callee = ""

    def visit(self, node: ast.AST) -> None:
        if isinstance(node, ast.expr) and _is_literal(node):
            self._row.append(place_of(node))
            self.sources[place_of(node)] = ast.unparse(node)
            self.callees[place_of(node)] = self._callee
            return
        super().visit(node)

    def _visit_all(self, nodes: Sequence[ast.AST | None]) -> None:
        for node in nodes:
            if node is not None:
                self.visit(node)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        home, row = self._home, self._row
        name = self._tests.get((node.lineno, node.name))
        if name is not None:
            self._home, self._row = name, []
            self.found[name] = [self._row]
            for decorator in node.decorator_list:
                self._cases(decorator)
        self._visit_all([*node.args.defaults, *node.args.kw_defaults, *node.body])
        self._home, self._row = home, row

    visit_FunctionDef = visit_AsyncFunctionDef = _function  # noqa: N815

    def _cases(self, decorator: ast.expr) -> None:
        match decorator:
            case ast.Call(func=function, args=[_, ast.List(elts=cases) | ast.Tuple(elts=cases), *_]):
                if _last_name(function) != "parametrize":
                    return
                own = self._row
                for case in cases:
                    self._row = []
                    self._visit_all(case.elts if isinstance(case, ast.Tuple | ast.List) else [case])
                    self.found[self._home].append(self._row)
                self._row = own

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._visit_all(node.body)

    def visit_Assert(self, node: ast.Assert) -> None:
        self.visit(node.test)

    def visit_Expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):
            self.visit(node.value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self._visit_all([node.value])

    def visit_Subscript(self, node: ast.Subscript) -> None:
        self.visit(node.value)

    def visit_Compare(self, node: ast.Compare) -> None:
        self._visit_all([part for part in (node.left, *node.comparators) if not _is_part(part)])

    def visit_Call(self, node: ast.Call) -> None:
        self.visit(node.func)
        if _last_name(node.func) in _NO_INPUT:
            return
        outer, self._callee = self._callee, _last_name(node.func)
        self._visit_all(node.args)
        self._visit_all([each.value for each in node.keywords if each.arg not in _NO_INPUT_KEYS])
        self._callee = outer

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        pass

    visit_Import = visit_ImportFrom = visit_Global = visit_Nonlocal = visit_JoinedStr  # type: ignore[assignment]  # noqa: N815


class _Observing(ast.NodeTransformer):
    """Puts other literals in, and an eye at what was asserted, and at what statements call."""

    def __init__(self, changes: Mapping[Place, ast.expr]) -> None:
        self._changes = changes
        self._depth = 0

    def visit(self, node: ast.AST) -> ast.AST:
        if isinstance(node, ast.expr) and place_of(node) in self._changes:
            return deepcopy(self._changes[place_of(node)])
        return cast(ast.AST, super().visit(node))

    def _function(self, node: ast.AST) -> ast.AST:
        self._depth += 1
        self.generic_visit(node)
        self._depth -= 1
        return node

    visit_FunctionDef = visit_AsyncFunctionDef = _function  # noqa: N815

    def visit_Assert(self, node: ast.Assert) -> ast.AST:
        return ast.Expr(self._eyed(node.test))

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        looked_at = self._depth > 0 and isinstance(node.value, _LOOKED_AT)
        node.value = self._seen(node.value) if looked_at else self._visited(node.value)
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        value = node.value
        if isinstance(value, ast.Call) and _last_name(value.func).startswith("assert"):
            if isinstance(value.func, ast.Attribute) and "Raises" not in value.func.attr:
                return ast.Expr(ast.List([self._eyed(part) for part in value.args], ast.Load()))
        elif self._depth > 0 and isinstance(value, ast.Call | ast.Await):
            return ast.Expr(self._seen(value))
        node.value = self._visited(value)
        return node

    def visit_With(self, node: ast.With) -> list[ast.stmt]:
        """Behind a ``raises`` the class of what was raised is looked at."""
        self.generic_visit(node)
        found: list[ast.stmt] = [node]
        for item in node.items:
            if isinstance(item.context_expr, ast.Call) and _last_name(item.context_expr.func) == "raises":
                name = item.optional_vars or ast.Name(f"_caught_{node.lineno}", ast.Store())
                if isinstance(name, ast.Name):
                    item.optional_vars = name
                    value = ast.Attribute(ast.Name(name.id, ast.Load()), "type", ast.Load())
                    found.append(ast.Expr(_eye(_label(item.context_expr), value)))
        return found

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if _last_name(node.func) == "raises":
            node.keywords = [each for each in node.keywords if each.arg != "match"]
        self.generic_visit(node)
        return node

    def _visited(self, node: ast.expr) -> ast.expr:
        return cast(ast.expr, self.visit(node))

    def _seen(self, node: ast.expr) -> ast.expr:
        return _eye(_label(node), self._visited(node))

    def _eyed(self, node: ast.expr) -> ast.expr:
        """The expression with an eye at each of the values that decide what comes of it."""
        match node:
            case ast.Compare():
                node.left = self._eyed(node.left)
                node.comparators = [self._eyed(part) for part in node.comparators]
                return node
            case ast.BoolOp():
                node.values = [self._eyed(part) for part in node.values]
                return node
            case ast.UnaryOp(op=ast.Not()):
                node.operand = self._eyed(node.operand)
                return node
            case ast.Call(func=ast.Name(id="all" | "any"), args=[ast.GeneratorExp() as each]):
                each.elt = self._eyed(each.elt)
                each.generators = [cast(ast.comprehension, self.visit(part)) for part in each.generators]
                # As a list, for all of it is of interest.
                return ast.Call(node.func, [ast.ListComp(each.elt, each.generators)], [])
        return self._visited(node) if _is_part(node) else self._seen(node)


def _eye(label: str, value: ast.expr) -> ast.expr:
    return ast.Call(ast.Name(SEEN, ast.Load()), [ast.Constant(label), value], [])


def _without_others(module: ast.Module, inside: str, tests: frozenset[str]) -> ast.Module:
    module.body = list(_kept(module.body, inside, tests)) or [ast.Pass()]
    return module


def _kept(body: Sequence[ast.stmt], inside: str, tests: frozenset[str]) -> Iterator[ast.stmt]:
    for node in body:
        name = inside + getattr(node, "name", "")
        if isinstance(node, ast.ClassDef):
            node.body = list(_kept(node.body, f"{name}::", tests)) or [ast.Pass()]
            yield node
        elif not (
            isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            and node.name.startswith("test")
            and name not in tests
        ):
            yield node
