"""Takes tests out of files that are otherwise left as they are."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping

from deepgym_envs.syntax import compiles, parse_python

_Function = ast.FunctionDef | ast.AsyncFunctionDef


def without_tests(source: bytes, tests: Collection[str]) -> bytes | None:
    """``source`` without the tests of these names (``test_x``, ``TestY::test_x``); None if none is left.

    A class whose tests are all gone goes as well, unless something else in the file speaks of it. Every other
    line stays as it is.

    >>> without_tests(b"def test_a():\\n    pass\\n\\n\\n# Of b.\\ndef test_b():\\n    pass\\n", {"test_a"})
    b'# Of b.\\ndef test_b():\\n    pass\\n'

    Raises:
        ValueError: the source is not Python, or would not be without them.
    """
    module = parse_python(source)
    there = dict(_tests(module.body, ""))
    if not there.keys() - set(tests):
        return None
    lines = source.splitlines(keepends=True)
    for node, alone in sorted(_removed(module, set(tests)), key=lambda pair: -pair[0].lineno):
        first, last = _lines(node)
        while last < len(lines) and not lines[last].strip():
            last += 1
        lines[first - 1 : last] = [b" " * node.col_offset + b"pass\n"] if alone else []
    left = b"".join(lines)
    if not compiles(parse_python(left)):
        raise ValueError("what is left is not a program")
    return left


def test_names(source: bytes) -> Collection[str]:
    """The names of all tests of a file. Raises ``ValueError`` if it is not Python."""
    return tuple(name for name, _ in definitions_in(source))


def definitions_in(source: bytes) -> Iterator[tuple[str, _Function]]:
    """The tests of a file by their names. Raises ``ValueError`` if it is not Python."""
    yield from _tests(parse_python(source).body, "")


test_names.__test__ = False  # type: ignore[attr-defined]


def without_nodes(files: Mapping[str, bytes], nodes: Collection[str]) -> Mapping[str, bytes]:
    """``files`` without the tests of these node ids, whatever their cases; a file that has none left goes.

    Raises:
        ValueError: a file cannot be read, or would not be a program without them.
    """
    gone: dict[str, set[str]] = {}
    for node in nodes:
        path, _, name = node.partition("[")[0].partition("::")
        gone.setdefault(path, set()).add(name)
    left = {path: without_tests(data, gone[path]) if path in gone else data for path, data in files.items()}
    return {path: data for path, data in left.items() if data is not None}


def _tests(body: list[ast.stmt], inside: str) -> Iterator[tuple[str, _Function]]:
    for node in body:
        if isinstance(node, _Function) and node.name.startswith("test"):
            yield inside + node.name, node
        elif isinstance(node, ast.ClassDef):
            yield from _tests(node.body, f"{inside}{node.name}::")
        for inner in _blocks(node):
            yield from _tests(inner, inside)


def _blocks(node: ast.AST) -> Iterator[list[ast.stmt]]:
    """The blocks of a statement whose definitions are of the level that it is on."""
    if isinstance(node, _Function | ast.ClassDef):
        return
    for _, inner in ast.iter_fields(node):
        if isinstance(inner, list) and inner and isinstance(inner[0], ast.stmt):
            yield inner
        elif isinstance(inner, list):
            for part in inner:
                if isinstance(part, ast.ExceptHandler | ast.match_case):
                    yield from _blocks(part)


def _removed(module: ast.Module, tests: set[str]) -> Iterator[tuple[ast.stmt, bool]]:
    """The definitions to take out, none inside of another, and whether something has to stand in its place
    because nothing else is in its block."""
    mentioned = {name.id for name in ast.walk(module) if isinstance(name, ast.Name)}

    def goes(node: ast.stmt, prefix: str) -> bool:
        if isinstance(node, _Function):
            return prefix + node.name in tests
        if not isinstance(node, ast.ClassDef) or node.name in mentioned:
            return False
        names = {name for name, _ in _tests(node.body, f"{prefix}{node.name}::")}
        return bool(names) and names <= tests

    def inside(body: list[ast.stmt], prefix: str) -> Iterator[tuple[ast.stmt, bool]]:
        gone = [node for node in body if goes(node, prefix)]
        yield from ((node, len(gone) == len(body) and node is gone[0]) for node in gone)
        for node in body:
            if isinstance(node, ast.ClassDef) and node not in gone:
                yield from inside(node.body, f"{prefix}{node.name}::")
            for inner in _blocks(node):
                yield from inside(inner, prefix)

    yield from inside(module.body, "")


def _lines(node: ast.stmt) -> tuple[int, int]:
    decorators = node.decorator_list if isinstance(node, _Function | ast.ClassDef) else []
    first = min([node.lineno, *(each.lineno for each in decorators)])
    return first, node.end_lineno or node.lineno
