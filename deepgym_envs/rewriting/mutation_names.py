"""Faults in names: a sibling is called, read, returned, raised or inherited from instead."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from deepgym_envs.rewriting.mutation_places import Function, Place
from deepgym_envs.rewriting.splice import Edit

_FUNCTIONS = {
    "min": "max", "any": "all", "ceil": "floor", "bisect_left": "bisect_right", "insort_left": "insort_right",
    "takewhile": "dropwhile",
}  # fmt: skip
_METHODS = {
    "startswith": "endswith", "lstrip": "rstrip", "find": "rfind", "index": "rindex", "split": "rsplit",
    "partition": "rpartition", "lower": "upper", "keys": "values", "append": "appendleft", "pop": "popleft",
    "ljust": "rjust", "removeprefix": "removesuffix", "union": "intersection", "issubset": "issuperset",
    "isdigit": "isalpha", "discard": "remove", "ceil": "floor", "bisect_left": "bisect_right", "match":
    "search",
}  # fmt: skip
# Called on lists and sets most often, which lack the sibling.
_NEVER = {"append", "pop", "remove", "index"}
_EXCEPTIONS = (
    "ValueError", "TypeError", "KeyError", "IndexError", "AttributeError", "RuntimeError", "LookupError",
    "OSError", "FileNotFoundError", "NotImplementedError", "StopIteration", "OverflowError",
    "ZeroDivisionError", "ArithmeticError", "PermissionError", "TimeoutError", "UnicodeDecodeError",
    "AssertionError", "Exception",
)  # fmt: skip


def _both_ways(table: dict[str, str], name: str) -> str | None:
    if name in _NEVER:
        return None
    if name in table:
        return table[name]
    return next((key for key, value in table.items() if value == name), None)


def _next(names: Sequence[str], name: str) -> str | None:
    """The one after ``name``, round and round, or ``None`` where it is alone."""
    if name not in names:
        return names[0] if names else None
    other = names[(names.index(name) + 1) % len(names)]
    return other if other != name else None


def function_swapped(place: Place) -> Iterator[Edit]:
    """``min`` becomes ``max``, ``any`` becomes ``all``, and back."""
    node = place.node
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        other = _both_ways(_FUNCTIONS, node.id)
        if other is not None:
            yield place.text.change(node, other)


def method_swapped(place: Place) -> Iterator[Edit]:
    """``startswith`` becomes ``endswith``, and the like."""
    node = place.node
    if isinstance(node, ast.Attribute) and isinstance(place.parent, ast.Call) and place.parent.func is node:
        other = _both_ways(_METHODS, node.attr)
        if other is not None and not _is_self(node.value):
            yield _with_attribute(place, other)


def _with_attribute(place: Place, name: str) -> Edit:
    """An attribute's name is the end of its text."""
    assert isinstance(place.node, ast.Attribute)
    end = place.text.span(place.node)[1]
    return Edit(end - len(place.node.attr.encode()), end, name)


def _is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in ("self", "cls")


def attribute_swapped(place: Place) -> Iterator[Edit]:
    """Another attribute of the same object is read, or another method with as many parameters called."""
    node, owner = place.node, place.owner
    if not isinstance(node, ast.Attribute) or not isinstance(node.ctx, ast.Load) or not _is_self(node.value):
        return
    if owner is None:
        return
    methods = {
        stmt.name: len(stmt.args.posonlyargs + stmt.args.args)
        for stmt in owner.body
        if isinstance(stmt, Function) and not stmt.decorator_list and not stmt.name.startswith("__")
    }
    if isinstance(place.parent, ast.Call) and place.parent.func is node:
        alike = [name for name, count in methods.items() if count == methods.get(node.attr)]
        other = _next(alike, node.attr) if node.attr in methods else None
    else:
        attributes = _attributes(owner)
        other = _next(attributes, node.attr) if node.attr in attributes else None
    if other is not None:
        yield _with_attribute(place, other)


def _attributes(owner: ast.ClassDef) -> list[str]:
    """What instances hold: fields that are declared, and attributes that a method sets."""
    declared = [
        stmt.target.id
        for stmt in owner.body
        if isinstance(stmt, ast.AnnAssign) and isinstance(stmt.target, ast.Name)
    ]
    given = [
        node.attr
        for node in ast.walk(owner)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and _is_self(node.value)
    ]
    return list(dict.fromkeys([*declared, *given]))


def returned_other_variable(place: Place) -> Iterator[Edit]:
    """``return a`` becomes ``return b``, of which the function has a value by then."""
    node, function = place.node, place.function
    if not isinstance(node, ast.Name) or not isinstance(place.parent, ast.Return) or function is None:
        return
    arguments = function.args
    parameters = [arg.arg for arg in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    stored = sorted(
        (inner.lineno, inner.col_offset, inner.id)
        for inner in ast.walk(function)
        if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store) and inner.lineno < node.lineno
    )
    names = list(dict.fromkeys([*parameters, *(name for _, _, name in stored)]))
    other = _next([name for name in names if name not in ("self", "cls", "_")], node.id)
    if other is not None:
        yield place.text.change(node, other)


def exception_changed(place: Place) -> Iterator[Edit]:
    """Another exception is raised or caught: one that the module also names, or a built-in one."""
    node, parent = place.node, place.parent
    if not isinstance(node, ast.Name) or not isinstance(node.ctx, ast.Load):
        return
    if isinstance(parent, ast.Call) and parent.func is node:
        fits = isinstance(place.around[-2], ast.Raise)
    else:
        fits = isinstance(parent, ast.Raise | ast.ExceptHandler) or (
            isinstance(parent, ast.Tuple) and isinstance(place.around[-2], ast.ExceptHandler)
        )
    if not fits:
        return
    if node.id in _EXCEPTIONS:
        other = "RuntimeError" if node.id == "Exception" else _next(_EXCEPTIONS[:5], node.id)
    else:
        other = _next(_errors_of(place.around[0]), node.id)
    if other is not None:
        yield place.text.change(node, other)


def _errors_of(module: ast.AST) -> list[str]:
    """Exceptions, by their name, that a module imports or defines."""
    assert isinstance(module, ast.Module)
    names = [
        name
        for stmt in module.body
        for name in (
            [alias.asname or alias.name for alias in stmt.names]
            if isinstance(stmt, ast.ImportFrom)
            else [stmt.name]
            if isinstance(stmt, ast.ClassDef)
            else []
        )
    ]
    return [name for name in dict.fromkeys(names) if name.endswith(("Error", "Exception"))]


def bases_swapped(place: Place) -> Iterator[Edit]:
    """Two bases of a class change places."""
    node = place.node
    if isinstance(node, ast.ClassDef):
        for left, right in zip(node.bases, node.bases[1:], strict=False):
            (start, middle), (again, end) = place.text.span(left), place.text.span(right)
            words = place.text.of(right) + place.text.between(middle, again) + place.text.of(left)
            yield Edit(start, end, words)
