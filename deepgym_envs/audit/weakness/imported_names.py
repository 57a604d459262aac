"""What the names that a file imports stand for in a repository, read without running anything."""

from __future__ import annotations

import ast
import builtins
from dataclasses import dataclass

from deepgym_envs.audit.target import module_path
from deepgym_envs.syntax import parse_python
from deepgym_envs.task import Task

_HOPS = 5  # from where a name is imported to where it is defined
_BUILTIN = frozenset((
    "abs", "bool", "bytes", "dict", "float", "frozenset", "int", "len", "list", "max", "min", "range",
    "round", "set", "sorted", "str", "sum", "tuple",
    *(name for name in dir(builtins) if name.endswith(("Error", "Exception"))),
))  # fmt: skip


@dataclass(frozen=True)
class Callee:
    """A function at the top level of the file at ``path``, or a method, with its class before a dot."""

    path: str
    name: str

    @property
    def is_method(self) -> bool:
        """Whether its receiver is its first argument."""
        return "." in self.name


class ImportedNames:
    """The names that one file imports.

    ``heads`` maps each to the statement that imports it.
    """

    def __init__(self, task: Task, module: ast.Module) -> None:
        self.heads: dict[str, str] = {}
        self._task = task
        self._modules: dict[str, str] = {}
        self._from: dict[str, tuple[str, str]] = {}
        for node in module.body:
            self.learn(node)

    def learn(self, node: ast.stmt) -> None:
        """Take note of a statement, if it is an import."""
        if isinstance(node, ast.Import):
            for alias in node.names:
                name = alias.asname or alias.name.split(".")[0]
                self.heads[name] = ast.unparse(ast.Import([alias]))
                self._modules[name] = alias.name if alias.asname else name
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            for alias in node.names:
                name = alias.asname or alias.name
                self.heads[name] = ast.unparse(ast.ImportFrom(node.module, [alias], 0))
                if module_path(self._task, f"{node.module}.{alias.name}") is not None:
                    self._modules[name] = f"{node.module}.{alias.name}"
                else:
                    self._from[name] = node.module, alias.name

    def callee(self, function: ast.expr) -> Callee | None:
        """What of the repository is called by an expression; None for classes and all that is not known."""
        match function:
            case ast.Name(id=name) if name in self._from:
                return self._function(*self._from[name])
            case ast.Attribute(value=ast.Name() | ast.Attribute() as owner, attr=attribute):
                module = self._module(owner)
                return self._function(module, attribute) if module else None
            case ast.Attribute(value=ast.Call(func=ast.Name(id=name)), attr=attribute) if name in self._from:
                home = self._home(*self._from[name])
                if home and _is_class(self._task, *home):
                    return Callee(home[0], f"{home[1]}.{attribute}")
        return None

    def suffice_for(self, node: ast.expr | None) -> bool:
        """Whether an expression needs nothing but constants, these names and some of Python's own."""
        match node:
            case ast.Constant():
                return True
            case ast.Name(id=name):
                return name in self.heads or name in _BUILTIN
            case ast.Call(keywords=keywords) if any(each.arg is None for each in keywords):
                return False
            case (
                ast.UnaryOp() | ast.BinOp() | ast.List() | ast.Tuple() | ast.Set() | ast.Dict()
                | ast.Attribute() | ast.Call()
            ):  # fmt: skip
                parts = [each.value if isinstance(each, ast.keyword) else each for each in _parts(node)]
                return all(isinstance(part, ast.expr) and self.suffice_for(part) for part in parts)
        return False

    def _module(self, node: ast.expr) -> str | None:
        """The name of the module that an expression stands for."""
        match node:
            case ast.Name(id=name):
                return self._modules.get(name)
            case ast.Attribute(value=value, attr=attribute):
                package = self._module(value)
                return f"{package}.{attribute}" if package else None
        return None

    def _function(self, module: str, name: str) -> Callee | None:
        home = self._home(module, name)
        return Callee(*home) if home and not _is_class(self._task, *home) else None

    def _home(self, module: str, name: str) -> tuple[str, str] | None:
        """Where a name is defined that ``module`` has; where nobody defines it, the last that should."""
        path = module_path(self._task, module)
        for _ in range(_HOPS):
            found = _imported(self._task, path, name) if path else None
            if found is None:
                break
            path, name = found
        return (path, name) if path else None


def _parts(node: ast.AST) -> list[ast.AST]:
    """The nodes below one, without operators and contexts."""
    return [
        part
        for part in ast.iter_child_nodes(node)
        if not isinstance(part, ast.operator | ast.unaryop | ast.expr_context)
    ]


def _imported(task: Task, path: str, name: str) -> tuple[str, str] | None:
    """Where the file at ``path`` has a name from; None where it defines it itself, or does not have it."""
    for node in _body(task, path):
        for alias in node.names if isinstance(node, ast.ImportFrom) else ():
            if (alias.asname or alias.name) != name or not isinstance(node, ast.ImportFrom):
                continue
            found = _relative(task, path, node) if node.level else module_path(task, node.module or "")
            return (found, alias.name) if found else None
    return None


def _relative(task: Task, path: str, node: ast.ImportFrom) -> str | None:
    """The file that ``from .module import ...`` in the file at ``path`` is about."""
    above = path.split("/")[: -node.level]
    place = "/".join([*above, *(node.module.split(".") if node.module else [])])
    return next((each for each in (f"{place}.py", f"{place}/__init__.py") if each in task.base), None)


def _is_class(task: Task, path: str, name: str) -> bool:
    return any(isinstance(node, ast.ClassDef) and node.name == name for node in _body(task, path))


def _body(task: Task, path: str) -> list[ast.stmt]:
    try:
        return parse_python(task.base[path].data).body
    except ValueError:
        return []
