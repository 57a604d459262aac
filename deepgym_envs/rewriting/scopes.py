"""Which variable each name in a program means: every function, class and comprehension is a scope."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_CAPTURES = (ast.MatchAs, ast.MatchStar)
# Nodes that bind a name which is no ``Name`` node, but can be found in the text.
Site = ast.Name | ast.ExceptHandler | ast.MatchAs | ast.MatchStar


@dataclass(eq=False)
class Scope:
    """Names as one part of the program sees them.

    ``bound`` are the names that it gives values to; ``fixed`` those of them that are seen from outside or are
    no variables: parameters, functions, classes, imports. ``foreign`` are declared ``global`` or
    ``nonlocal``, ``annotations`` are named in an annotation, and ``sites`` are the places in this scope's own
    text that name one."""

    node: ast.AST
    parent: Scope | None
    bound: set[str] = field(default_factory=set)
    fixed: set[str] = field(default_factory=set)
    foreign: set[str] = field(default_factory=set)
    annotations: set[str] = field(default_factory=set)
    sites: list[Site] = field(default_factory=list)

    @property
    def is_local(self) -> bool:
        """Whether its variables live in a frame, and not in a module or a class."""
        return isinstance(self.node, (*_FUNCTIONS, *_COMPREHENSIONS))

    def home(self, name: str) -> Scope:
        """The scope whose variable a name in this one means; the module's for what is bound nowhere."""
        if name in self.bound and name not in self.foreign:
            return self
        scope = self.parent
        while scope is not None and scope.parent is not None:
            if scope.is_local and name in scope.bound and name not in scope.foreign:
                return scope
            scope = scope.parent
        return scope or self


def name_at(site: Site) -> str | None:
    """The name that a site uses or binds."""
    return site.id if isinstance(site, ast.Name) else site.name


def scopes(tree: ast.Module) -> list[Scope]:
    """Every scope of a program, the module's first."""
    reader = _Reader(Scope(tree, None))
    for stmt in tree.body:
        reader.visit(stmt)
    return reader.found


def _parameters(arguments: ast.arguments) -> list[ast.arg]:
    stars = [star for star in (arguments.vararg, arguments.kwarg) if star]
    return [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, *stars]


class _Reader(ast.NodeVisitor):
    """Visits each node with the scope that it belongs to."""

    def __init__(self, module: Scope) -> None:
        self.found = [module]
        self._scope = module
        self._annotation = False

    def _bind(self, name: str, *, fixed: bool) -> None:
        self._scope.bound.add(name)
        if fixed:
            self._scope.fixed.add(name)

    def _enter(self, node: ast.AST, parts: Iterator[ast.AST]) -> None:
        outer, annotation = self._scope, self._annotation
        self._scope, self._annotation = Scope(node, outer), False
        self.found.append(self._scope)
        arguments = getattr(node, "args", None)
        if isinstance(arguments, ast.arguments):
            for argument in _parameters(arguments):
                self._bind(argument.arg, fixed=True)
        for part in parts:
            self.visit(part)
        self._scope, self._annotation = outer, annotation

    def _visit_all(self, *nodes: ast.AST | None) -> None:
        for node in nodes:
            if node is not None:
                self.visit(node)

    def _annotated(self, *nodes: ast.AST | None) -> None:
        outer, self._annotation = self._annotation, True
        self._visit_all(*nodes)
        self._annotation = outer

    def _signature(self, arguments: ast.arguments) -> None:
        self._visit_all(*arguments.defaults, *arguments.kw_defaults)
        self._annotated(*(argument.annotation for argument in _parameters(arguments)))

    def visit_Name(self, node: ast.Name) -> None:
        self._scope.sites.append(node)
        if not isinstance(node.ctx, ast.Load):
            self._bind(node.id, fixed=False)
        if self._annotation:
            self._scope.annotations.add(node.id)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._bind(node.name, fixed=True)
        self._visit_all(*node.decorator_list)
        self._signature(node.args)
        self._annotated(node.returns)
        self._enter(node, iter(node.body))

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._signature(node.args)
        self._enter(node, iter([node.body]))

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._bind(node.name, fixed=True)
        self._visit_all(*node.decorator_list, *node.bases, *node.keywords)
        self._enter(node, iter(node.body))

    def _comprehension(self, node: ast.AST) -> None:
        generators = getattr(node, "generators", [])
        self.visit(generators[0].iter)
        results = [getattr(node, name) for name in ("elt", "key", "value") if hasattr(node, name)]
        inside = [part for loop in generators for part in (loop.target, loop.iter, *loop.ifs)]
        self._enter(node, iter([part for part in inside if part is not generators[0].iter] + results))

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension  # noqa: N815

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        home = self._scope
        while isinstance(home.node, _COMPREHENSIONS) and home.parent is not None:
            home = home.parent
        self.visit(node.value)
        # It belongs to the function around, also from inside a comprehension.
        self._scope.sites.append(node.target)
        home.bound.add(node.target.id)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self._annotated(node.annotation)
        self._visit_all(node.value, node.target)

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            self._bind(alias.asname or alias.name.split(".")[0], fixed=True)

    visit_ImportFrom = visit_Import  # noqa: N815

    def visit_Global(self, node: ast.Global | ast.Nonlocal) -> None:
        self._scope.foreign.update(node.names)

    visit_Nonlocal = visit_Global  # noqa: N815

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        if node.name:
            self._bind(node.name, fixed=False)
            self._scope.sites.append(node)
        self.generic_visit(node)

    def _capture(self, node: ast.MatchAs | ast.MatchStar) -> None:
        if node.name:
            self._bind(node.name, fixed=False)
            self._scope.sites.append(node)
        self.generic_visit(node)

    visit_MatchAs = visit_MatchStar = _capture  # noqa: N815

    def visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        if node.rest:
            self._bind(node.rest, fixed=True)
        self.generic_visit(node)
