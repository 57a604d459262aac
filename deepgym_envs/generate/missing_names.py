"""Tests of a later release without what keeps the earlier one from collecting them: names it does not have.

One new name in the imports of a file keeps all of its tests from being collected before, also those of what
was mended. So the import goes, and the tests that use the name go with it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator, Mapping

from deepgym_envs.generate.probe import probe_task
from deepgym_envs.generate.pruning import definitions_in, without_tests
from deepgym_envs.grade import TaskRuns
from deepgym_envs.recipe import RepoRecipe
from deepgym_envs.sandbox import Backend
from deepgym_envs.state import Tree, WorkspaceState
from deepgym_envs.syntax import parse_python

ROUNDS = 5  # a file tells of one missing name at a time
_CONFTEST = "conftest.py"
_NONE_RUNS = b"\n\ndef pytest_collection_modifyitems(items):\n    items.clear()\n"
_NO_NAME = re.compile(r"ImportError: cannot import name '(\w+)'")
_NO_MODULE = re.compile(r"ModuleNotFoundError: No module named '([\w.]+)'")


def collected_before(
    recipe: RepoRecipe, base: Tree, hidden: Mapping[str, bytes], backend: Backend
) -> Mapping[str, bytes]:
    """``hidden`` tests without those that need a name which the ``base`` does not have, where that keeps
    their file from being collected; a file stays as it is where it cannot be had without the name.

    Raises:
        SandboxError: they could not be run.
    """
    for _ in range(ROUNDS):
        collected = {**hidden, _CONFTEST: hidden.get(_CONFTEST, b"") + _NONE_RUNS}
        with TaskRuns(probe_task(recipe, base, hidden), backend) as runs:
            report = runs.tried(WorkspaceState(base), (), collected).report
        left = dict(hidden)
        for path in report.broken:
            told = report.details.get(path, "")
            found = without_missing(hidden[path], told) if path in hidden else None
            if found:
                left[path] = found
        if left == hidden:
            break
        hidden = left
    return hidden


def without_missing(source: bytes, told: str) -> bytes | None:
    """``source`` without the import that failed, by the traceback ``told``, and the tests that use it; None
    where that is not possible, or leaves no test.

    >>> source = b"from shop import new, old\\n\\ndef test_a():\\n    new()\\n\\ndef test_b():\\n    old()\\n"
    >>> without_missing(source, "E   ImportError: cannot import name 'new' from 'shop'")
    b'from shop import old\\n\\ndef test_b():\\n    old()\\n'
    """
    try:
        module = parse_python(source)
    except ValueError:
        return None
    lines = source.splitlines(keepends=True)
    names: set[str] = set()
    for node in reversed(module.body):
        if b";" in b"".join(lines[node.lineno - 1 : node.end_lineno]):
            continue  # another statement may stand on its lines
        gone = set(_gone(node, set(_NO_NAME.findall(told)), _NO_MODULE.findall(told)))
        if isinstance(node, ast.Import | ast.ImportFrom) and gone:
            names |= {alias.asname or alias.name for alias in gone}
            node.names = [alias for alias in node.names if alias not in gone]
            text = ast.unparse(node).encode() + b"\n" if node.names else b""
            lines[node.lineno - 1 : node.end_lineno] = [text] if text else []
    if not names:
        return None
    left = b"".join(lines)
    using = [test for test, node in definitions_in(left) if names & _used(node)]
    try:
        left = without_tests(left, using) or b""
        clean = bool(left) and not names & _used(parse_python(left))
    except ValueError:
        return None
    return left if clean else None


def _gone(node: ast.stmt, names: Collection[str], modules: Collection[str]) -> Iterator[ast.alias]:
    """What an import at the top of a file asks for in vain."""
    match node:
        case ast.ImportFrom(module=module, names=aliases):
            lost = module in modules
            yield from (alias for alias in aliases if lost or alias.name in names)
        case ast.Import(names=aliases):
            yield from (alias for alias in aliases if alias.name in modules)


def _used(tree: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
