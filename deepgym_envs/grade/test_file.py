"""A file of hidden tests that can be written again with copies of its tests in it."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import TypeVar, cast

from deepgym_envs.syntax import parse_expression, parse_python
from deepgym_envs.twin import Place

Function = ast.FunctionDef | ast.AsyncFunctionDef
Tree = TypeVar("Tree", bound=ast.AST)
_LITERALS = (ast.Constant, ast.Tuple, ast.List, ast.Dict, ast.Set, ast.UnaryOp, ast.Call)
_NAME = "_the_name_of_a_copy"
_HERE = "_here_go_the_copies"


@dataclass(frozen=True)
class Copy:
    """A copy of the test ``test`` (``"test_x"``, ``"TestY::test_x"``) under the name ``name``, in which the
    expressions at some places are replaced by the source texts of others."""

    test: str
    name: str
    changes: tuple[tuple[Place, str], ...] = ()


class TestFile:
    """One file of tests, parsed.

    ``tests`` maps names such as ``"test_x"`` and ``"TestY::test_x"`` to their definitions, in their order.
    ``constants`` maps, for each test, names to the literals that the module assigns to them for this test
    alone; its copies have them written out, and the module has them no more, so that nothing is left to
    compare a changed one with. ``fixed`` are tests that
    something else in the file speaks of by name, which therefore keep it and are never copied.

    Raises:
        ValueError: the source is not Python.
    """

    __test__ = False

    def __init__(self, source: bytes) -> None:
        self._module = parse_python(source)
        self.tests: Mapping[str, Function] = dict(_tests(self._module.body, ""))
        self.constants = _constants(self._module, self.tests)
        self._frames: dict[frozenset[str], Sequence[tuple[str, bool]]] = {}
        self._texts: dict[tuple[str, tuple[tuple[Place, str], ...]], str] = {}
        mentioned = _mentioned(self._module)
        self.fixed = frozenset(test for test in self.tests if test.rpartition("::")[2] in mentioned)

    def written(self, copies: Sequence[Copy]) -> bytes:
        """The file with ``copies``, in this order, in place of the tests that they are copies of.

        Tests that are not copied stay as they are. The copies follow after all else in the module, or in
        their class; comments and formatting are gone.
        """
        frame = self._frame(frozenset(copy.test for copy in copies))
        texts: dict[str, list[str]] = {}
        for copy in copies:
            home = copy.test.rpartition("::")[0]
            texts.setdefault(home, []).append(self._text(copy).replace(_NAME, copy.name, 1))
        return "".join("".join(texts.get(part, [])) if home else part for part, home in frame).encode()

    def _frame(self, taken: frozenset[str]) -> Sequence[tuple[str, bool]]:
        """The text of the file without the tests ``taken``, in parts: texts, and between them the names of
        classes (or of none), marked as such, whose copies go there."""
        if taken not in self._frames:
            gone = {name for test in taken for name in self.constants[test]}
            module = _without(self._module, "", taken)
            module.body = [node for node in module.body if _assigned(node)[0] not in gone]
            lines = ast.unparse(module).splitlines(keepends=True)
            parts: list[tuple[str, bool]] = []
            for line in [*lines, "\n", f"{_HERE}('')"]:
                head, mark, home = line.strip().partition(_HERE)
                parts.append((line, False) if head or not mark else (ast.literal_eval(home), True))
            self._frames[taken] = parts
        return self._frames[taken]

    def _text(self, copy: Copy) -> str:
        """The definition of a copy whose name is still to be filled in, indented as its class wants it."""
        key = copy.test, copy.changes
        if key in self._texts:
            return self._texts[key]
        node: ast.stmt = self._changed(copy)
        depth = copy.test.count("::")
        for _ in range(depth):
            node = ast.ClassDef("_", [], [], [node], [])
        lines = ast.unparse(ast.fix_missing_locations(node)).strip("\n").split("\n")
        text = "\n".join(line for line in lines if line.strip() != "class _:") + "\n\n"
        if len(copy.changes) < 2:  # of more there are too many to be met again
            self._texts[key] = text
        return text

    def _changed(self, copy: Copy) -> Function:
        changes = {place: parse_expression(text) for place, text in copy.changes}
        replacing = _Replacing(changes, {})
        constants = self.constants[copy.test]
        inlined = {name: replacing.changed(literal) for name, literal in constants.items()}
        function = _Replacing(changes, inlined).changed(self.tests[copy.test])
        function.name = _NAME
        return function


def place_of(node: ast.expr) -> Place:
    """Where an expression lies."""
    return node.lineno, node.col_offset, node.end_lineno or 0, node.end_col_offset or 0


class _Replacing(ast.NodeTransformer):
    """Puts other expressions at places, and literals in place of names."""

    def __init__(self, changes: Mapping[Place, ast.expr], inlined: Mapping[str, ast.expr]) -> None:
        self._changes = changes
        self._inlined = inlined

    def changed(self, tree: Tree) -> Tree:
        """A copy of ``tree`` with all that is to be replaced in it replaced."""
        made = self.visit(deepcopy(tree))
        assert isinstance(made, ast.AST)
        return cast("Tree", made)

    def visit(self, node: ast.AST) -> ast.AST:
        if isinstance(node, ast.expr):
            wrong = self._changes.get(place_of(node))
            if wrong is not None:
                return deepcopy(wrong)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in self._inlined:
                return deepcopy(self._inlined[node.id])
        return self.generic_visit(node)


def _tests(body: Iterable[ast.stmt], inside: str) -> Iterator[tuple[str, Function]]:
    for node in body:
        if isinstance(node, Function) and node.name.startswith("test"):
            yield inside + node.name, node
        elif isinstance(node, ast.ClassDef):
            yield from _tests(node.body, f"{inside}{node.name}::")


def _constants(module: ast.Module, tests: Mapping[str, Function]) -> Mapping[str, Mapping[str, ast.expr]]:
    """For each test, the names that are bound exactly once in the whole module, to a literal at its top
    level, and read only once, in this test."""
    names = [node for node in ast.walk(module) if isinstance(node, ast.Name)]
    bound = Counter(node.id for node in names if not isinstance(node.ctx, ast.Load))
    bound.update(node.arg for node in ast.walk(module) if isinstance(node, ast.arg))
    read = Counter(node.id for node in names if isinstance(node.ctx, ast.Load))
    found = {
        name: value
        for name, value in map(_assigned, module.body)
        if value is not None and bound[name] == read[name] == 1
    }
    return {
        test: {
            node.id: found[node.id]
            for node in ast.walk(function)
            if isinstance(node, ast.Name) and node.id in found
        }
        for test, function in tests.items()
    }


def _assigned(node: ast.stmt) -> tuple[str, ast.expr | None]:
    """A name, and the literal that a statement gives it; None if it does something else."""
    match node:
        case ast.Assign(targets=[ast.Name(id=name)], value=value) if isinstance(value, _LITERALS):
            return name, value
    return "", None


def _mentioned(module: ast.Module) -> set[str]:
    """Names that are read, as variables, attributes or texts."""
    found = set()
    for node in ast.walk(module):
        match node:
            case ast.Name(id=name, ctx=ast.Load()) | ast.Attribute(attr=name):
                found.add(name)
            case ast.Constant(value=str(name)):
                found.add(name)
    return found


def _without(node: ast.Module | ast.ClassDef, inside: str, taken: frozenset[str]) -> ast.Module:
    """``node`` without the tests ``taken``, and marks at the end of classes that had some."""
    body: list[ast.stmt] = []
    for statement in node.body:
        name = getattr(statement, "name", "")
        qualified = f"{inside}::{name}" if inside else name
        if isinstance(statement, ast.ClassDef):
            parts = statement.bases, statement.keywords, statement.decorator_list
            inner = _without(statement, qualified, taken).body
            if any(test.rpartition("::")[0] == qualified for test in taken):
                inner.append(ast.Expr(ast.Call(ast.Name(_HERE), [ast.Constant(qualified)], [])))
            body.append(ast.ClassDef(statement.name, parts[0], parts[1], inner or [ast.Pass()], parts[2]))
        elif qualified not in taken:
            body.append(statement)
    return ast.fix_missing_locations(ast.Module(body, []))
