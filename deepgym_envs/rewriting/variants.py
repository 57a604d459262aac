"""Honest variants of Python source: written in another way, and doing the same.

They check that a grader accepts every right answer and not only the one that it was made with, so a rewrite
that might change what the program does is not made: the text then comes back as it was."""

from __future__ import annotations

import ast
import builtins
import itertools
import keyword
from collections import defaultdict
from collections.abc import Iterator

from deepgym_envs.rewriting.scopes import Scope, Site, name_at, scopes
from deepgym_envs.rewriting.splice import Edit, Text, docstring
from deepgym_envs.syntax import compiles, parse_python

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
# With one of these a program can see the names of its variables, or the order of its functions.
_SEES_ITSELF = {
    "locals", "globals", "vars", "dir", "eval", "exec", "_getframe", "currentframe", "f_locals", "f_back",
    "tb_frame", "gi_frame", "cr_frame", "ag_frame", "f_code", "f_lineno", "tb_lineno", "__code__",
    "co_varnames", "getsource", "getsourcelines", "getmembers", "settrace", "setprofile", "__dict__",
    "extract_stack", "extract_tb",
}  # fmt: skip


def renamed_locals(source: str) -> str:
    """The source with other names for the variables of its functions and comprehensions.

    Parameters keep theirs, for a caller may use them, and so do functions, classes, imports, and whatever an
    inner function rebinds. A function that looks at its own variables, as with ``locals()``, is left alone.

    >>> renamed_locals("def f(a):\\n    b = a + 1  # one more\\n    return b\\n")
    'def f(a):\\n    its_b = a + 1  # one more\\n    return its_b\\n'

    Raises:
        ValueError: it is not Python.
    """
    text = Text(source)
    groups: dict[ast.AST, dict[Site, str]] = defaultdict(dict)
    prefix = _unused_prefix("its", text.tree)
    for (scope, name), sites in _variables(text.tree).items():
        if all(_place(text, site) is not None for site in sites):
            groups[_outermost(scope)].update(dict.fromkeys(sites, prefix + name))
    whole: dict[Site, str] = {}
    for renaming in groups.values():
        if _renamed(text, renaming) is not None:
            whole.update(renaming)
    return _renamed(text, whole) or source


def _variables(tree: ast.Module) -> dict[tuple[Scope, str], list[Site]]:
    """The variables that may be renamed, and every place where each is named."""
    everything = scopes(tree)
    sites: dict[tuple[Scope, str], list[Site]] = defaultdict(list)
    kept: set[tuple[Scope, str]] = set()
    for scope in everything:
        kept |= {(outer, name) for name in scope.foreign for outer in _around(scope)}
        kept |= {(scope.home(name), name) for name in scope.annotations}
        for site in scope.sites:
            name = name_at(site)
            assert name is not None
            sites[scope.home(name), name].append(site)
    watched = {
        _outermost(scope) for scope in everything if scope.is_local and _sees_itself(_outermost(scope))
    }
    return {
        (scope, name): found
        for (scope, name), found in sites.items()
        if scope.is_local
        and name in scope.bound - scope.fixed
        and not name.startswith("__")
        and (scope, name) not in kept
        and _outermost(scope) not in watched
    }


def _around(scope: Scope | None) -> Iterator[Scope]:
    while scope is not None:
        yield scope
        scope = scope.parent


def _outermost(scope: Scope) -> ast.AST:
    """The function or class at module level that a scope is in."""
    path = list(_around(scope))
    return path[-2].node if len(path) > 1 else path[-1].node


def _sees_itself(node: ast.AST) -> bool:
    return any(
        (isinstance(inner, ast.Name) and inner.id in _SEES_ITSELF)
        or (isinstance(inner, ast.Attribute) and inner.attr in _SEES_ITSELF)
        or bool(getattr(inner, "type_params", None))
        for inner in ast.walk(node)
    )


def _identifiers(tree: ast.Module) -> set[str]:
    """All that is named anywhere, and what always has a meaning."""
    named = {*dir(builtins), *keyword.kwlist, *keyword.softkwlist}
    for node in ast.walk(tree):
        for field in ("id", "name", "arg", "attr", "asname", "rest"):
            value = getattr(node, field, None)
            if isinstance(value, str):
                named.update(value.split("."))
        if isinstance(node, ast.Global | ast.Nonlocal):
            named.update(node.names)
    return named


def _unused_prefix(word: str, tree: ast.Module) -> str:
    """What no name in the module begins with."""
    taken = _identifiers(tree)
    return next(
        prefix
        for prefix in (f"{word}{number or ''}_" for number in itertools.count())
        if not any(name.startswith(prefix) for name in taken)
    )


def _place(text: Text, site: Site) -> tuple[int, int] | None:
    """Where in the text a name stands; ``None`` where that cannot be told, as it may be in an f-string."""
    name = name_at(site)
    assert name is not None
    start, end = text.span(site)
    if isinstance(site, ast.ExceptHandler):
        assert site.type is not None
        word = text.find(r"\bas\b", text.span(site.type)[1], text.span(site.body[0])[0])
        found = text.find(name, word[1], text.span(site.body[0])[0]) if word else None
    else:
        found = end - len(name.encode()), end
    return found if found and found[0] >= start and text.between(*found) == name else None


def _renamed(text: Text, renaming: dict[Site, str]) -> str | None:
    """The source with new names at some sites, or ``None`` where that would say anything else than it
    should."""
    edits = [Edit(*place, new) for site, new in renaming.items() if (place := _place(text, site))]
    if len({edit.start for edit in edits}) < len(renaming):
        return None
    new_source = text.replaced(edits)
    old = {site: name_at(site) for site in renaming}
    for site, new in renaming.items():
        _set_name(site, new)
    wanted = ast.dump(text.tree)
    for site, name in old.items():
        _set_name(site, name)
    return new_source if _dump(new_source) == wanted else None


def _set_name(site: Site, name: str | None) -> None:
    if isinstance(site, ast.Name):
        assert name is not None
        site.id = name
    else:
        site.name = name


def _dump(source: str) -> str | None:
    """What a source means, or ``None`` where it is no program."""
    try:
        tree = parse_python(source.removeprefix("\ufeff"))
    except ValueError:
        return None
    return ast.dump(tree) if compiles(tree) else None


def reordered_functions(source: str) -> str:
    """The source with neighbouring functions of the module in the opposite order.

    Only functions move that have no decorator, and whose defaults and annotations are constants or names from
    elsewhere; no other statement does, and no function moves across one.

    >>> reordered_functions("def a(): ...\\n\\n\\ndef b(): ...\\n")
    'def b(): ...\\n\\n\\ndef a(): ...\\n'

    Raises:
        ValueError: it is not Python.
    """
    text = Text(source)
    if _sees_itself(text.tree):
        return source
    edits: list[Edit] = []
    order = list(text.tree.body)
    for first, run in _runs(text.tree.body):
        chunks = [_chunk(text, stmt) for stmt in run]
        slots = [chunk for chunk in chunks if chunk is not None]
        if len(slots) == len(run):
            order[first : first + len(run)] = reversed(run)
            moved = [text.between(*slot) for slot in reversed(slots)]
            edits += [Edit(*slot, words) for slot, words in zip(slots, moved, strict=True)]
    if not edits:
        return source
    new_source = text.replaced(edits)
    return new_source if _dump(new_source) == ast.dump(ast.Module(order, text.tree.type_ignores)) else source


def _runs(body: list[ast.stmt]) -> Iterator[tuple[int, list[ast.stmt]]]:
    """Neighbouring functions that may change places, and the index of the first."""
    run: list[ast.stmt] = []
    for at, stmt in enumerate([*body, None]):
        if stmt is not None and _is_movable(stmt):
            run.append(stmt)
            continue
        names = {getattr(inner, "name", "") for inner in run}
        if (
            len(run) > 1
            and len(names) == len(run)
            and not any(names & _named_in_signature(one) for one in run)
        ):
            yield at - len(run), run
        run = []


def _is_movable(stmt: ast.stmt) -> bool:
    if not isinstance(stmt, _FUNCTIONS) or stmt.decorator_list or stmt.name.startswith("__"):
        return False
    plain = (
        ast.Constant, ast.Name, ast.Attribute, ast.Subscript, ast.Tuple, ast.List, ast.BinOp, ast.BitOr,
        ast.UnaryOp, ast.USub, ast.expr_context, ast.arguments, ast.arg,
    )  # fmt: skip
    return not getattr(stmt, "type_params", None) and all(
        isinstance(inner, plain) for part in _signature(stmt) for inner in ast.walk(part)
    )


def _signature(stmt: ast.stmt) -> list[ast.AST]:
    assert isinstance(stmt, _FUNCTIONS)
    return [stmt.args, *([stmt.returns] if stmt.returns else [])]


def _named_in_signature(stmt: ast.stmt) -> set[str]:
    return {inner.id for part in _signature(stmt) for inner in ast.walk(part) if isinstance(inner, ast.Name)}


def _chunk(text: Text, stmt: ast.stmt) -> tuple[int, int] | None:
    """A function's whole lines, with the comments right above it, but without the end of the last line."""
    start, end = text.span(stmt)
    lines = text.lines_of(start, end)
    if lines is None:
        return None
    start = lines[0]
    # The first lines may hold a comment for the interpreter.
    while text.line(start) > 3 and text.line_before(start).startswith("#"):
        start -= len(text.line_before(start).encode())
    return start, start + len(text.between(start, lines[1]).rstrip("\r\n").encode())


def reformatted(source: str) -> str:
    """The source as Python itself would write it down, without comments.

    Raises:
        ValueError: it is not Python.
    """
    text = Text(source)
    try:
        new_source = ast.unparse(text.tree) + "\n"
    except (RecursionError, ValueError):
        return source
    return new_source if _dump(new_source) == ast.dump(text.tree) else source


def with_dead_code(source: str) -> str:
    """The source with statements in its functions that change nothing: a variable that nobody needs, and a
    branch that is never taken. A function that looks at its own variables is left alone, and one on a single
    line.

    Raises:
        ValueError: it is not Python.
    """
    text = Text(source)
    unused = f"{_unused_prefix('unused', text.tree)}value"
    dead = [f"{unused} = None", f"if {unused} is not None:", f"    raise AssertionError({unused})"]
    statements = parse_python("\n".join(dead)).body
    edits = []
    for node in ast.walk(text.tree):
        at = _room(text, node)
        if at is None or not isinstance(node, _FUNCTIONS):
            continue
        start = text.span(node.body[at])[0]
        indent = text.indent(start)
        begin = text.line_start(start)
        edits.append(Edit(begin, begin, "".join(f"{indent}{line}\n" for line in dead)))
        node.body[at:at] = statements
    new_source = text.replaced(edits)
    return new_source if _dump(new_source) == ast.dump(text.tree) else source


def _room(text: Text, node: ast.AST) -> int | None:
    """Where among the statements of a function there is room at a line's start, after its documentation."""
    if not isinstance(node, _FUNCTIONS) or _sees_itself(node):
        return None
    at = 1 if docstring(node.body) else 0
    if at == len(node.body):
        return None
    start = text.span(node.body[at])[0]
    alone = start - len(text.indent(start).encode()) == text.line_start(start)
    return at if alone and text.indent(start) else None
