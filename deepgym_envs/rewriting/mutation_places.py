"""Walks the places of a source that may be mutated, each with what surrounds it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from deepgym_envs.rewriting.splice import Edit, Text, docstring

Function = ast.FunctionDef | ast.AsyncFunctionDef
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
# Strings in these calls are names of types.
_TYPE_MAKERS = {"TypeVar", "ParamSpec", "TypeVarTuple", "NewType", "NamedTuple", "TypedDict", "cast"}


@dataclass(frozen=True)
class Place:
    """One node of a source, and the nodes around it, outermost first."""

    text: Text
    node: ast.AST
    around: tuple[ast.AST, ...]

    @property
    def parent(self) -> ast.AST:
        return self.around[-1]

    @property
    def function(self) -> Function | None:
        """The nearest function around the node."""
        return next((node for node in reversed(self.around) if isinstance(node, Function)), None)

    @property
    def owner(self) -> ast.ClassDef | None:
        """The class whose method or body the node is in."""
        return next((node for node in reversed(self.around) if isinstance(node, ast.ClassDef)), None)

    @property
    def qualified_name(self) -> str:
        """The dotted name of the function or class that the node belongs to; empty at module level."""
        return ".".join(node.name for node in (*self.around, self.node) if isinstance(node, _SCOPES))

    @property
    def is_default(self) -> bool:
        """Whether the node is the whole default of a parameter."""
        return isinstance(self.parent, ast.arguments)

    @property
    def block(self) -> list[ast.stmt] | None:
        """The statements among which the node is one."""
        for field in ("body", "orelse", "finalbody"):
            block = getattr(self.parent, field, None)
            if isinstance(block, list) and self.node in block:
                return block
        return None

    def dropped(self) -> Edit | None:
        """The statement taken away, with its lines; where it stands alone in its block, ``pass`` instead."""
        block = self.block
        if block is None:
            return None
        start, end = self.text.span(self.node)
        if len([stmt for stmt in block if stmt is not docstring(block)]) == 1:
            return Edit(start, end, "pass")
        lines = self.text.lines_of(start, end)
        return Edit(*lines, "") if lines else None


def places(text: Text) -> Iterator[Place]:
    """Every node that may be mutated, in the order of the text: no docstring, annotation, ``__all__``,
    import, overload or block for type checkers, and nothing inside an f-string, whose parts have no exact
    place."""
    yield from _below(text, text.tree, ())


def _below(text: Text, node: ast.AST, around: tuple[ast.AST, ...]) -> Iterator[Place]:
    inner = (*around, node)
    for child in sorted(_mutable_children(node), key=lambda child: _start(text, child)):
        if hasattr(child, "lineno"):
            yield Place(text, child, inner)
        yield from _below(text, child, inner)


def _start(text: Text, node: ast.AST) -> int:
    """Where a node begins; nodes without a place of their own begin with their first part."""
    if hasattr(node, "lineno"):
        return text.span(node)[0]
    return min((_start(text, child) for child in ast.iter_child_nodes(node)), default=0)


def _mutable_children(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.JoinedStr):
        return
    documentation = docstring(getattr(node, "body", [])) if isinstance(node, (ast.Module, *_SCOPES)) else None
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns", "ctx", "op", "ops", "type_params"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if not isinstance(child, ast.AST) or child is documentation:
                continue
            if not _is_hidden(child) and not _names_a_type(node, child):
                yield child


def _is_hidden(node: ast.AST) -> bool:
    """Whether nothing that runs in earnest is inside the node."""
    if isinstance(node, (ast.Import, ast.ImportFrom, ast.Global, ast.Nonlocal)):
        return True
    if isinstance(node, ast.If):
        return _last_name(node.test) == "TYPE_CHECKING"
    if isinstance(node, (ast.Assign, ast.AugAssign, ast.AnnAssign)):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return any(_last_name(target) == "__all__" for target in targets)
    if isinstance(node, Function):
        return any(_last_name(decorator) == "overload" for decorator in node.decorator_list)
    return type(node).__name__ == "TypeAlias"


def _names_a_type(node: ast.AST, child: ast.AST) -> bool:
    if not isinstance(child, ast.Constant):
        return False
    if isinstance(node, ast.Call):
        return _last_name(node.func) in _TYPE_MAKERS
    return isinstance(node, ast.Subscript) and _last_name(node.value) == "Literal"


def _last_name(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
