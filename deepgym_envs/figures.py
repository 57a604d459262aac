"""What a task measures, and how hard it is therefore.

Nothing here runs code of the task. The figures describe the way to the reference solution, not the only one.
"""

from __future__ import annotations

import ast
import difflib
from collections import deque
from collections.abc import Iterator, Mapping

from deepgym_envs.state import File, WorkspaceState
from deepgym_envs.syntax import parse_python
from deepgym_envs.task import Difficulty, Figures, Task

# Points for each figure: one for each bound that it goes beyond. docs/tasks.md explains the rule.
BOUNDS = {
    "lines": (8, 24, 60),
    "functions": (1, 3),
    "files": (1, 2),
    "distance": (0, 1),
    "tool_calls": (8, 11),
}
EASY, MEDIUM = 4, 8
_MOST_BYTES = 1 << 20


def measure(task: Task, *, visible_failing: int | None = None) -> Figures:
    """The task's figures; those that come from running tests are given.

    Raises:
        TaskError: a patch of the task does not apply.
    """
    changes = task.gold.changes
    calls = [script_calls(script) for script in task.scripts.values()]
    return Figures(
        files=len(changes),
        functions=len(functions_touched(task.gold)),
        lines=lines_changed(task.gold),
        distance=_distance(task),
        visible_failing=visible_failing,
        tool_calls=min(calls, default=None),
    )


def points(figures: Figures) -> int:
    """How much there is to find and to do, from 0.

    >>> points(Figures(files=1, functions=1, lines=4, distance=0, tool_calls=6))
    0
    >>> points(Figures(files=3, functions=4, lines=40, distance=2, tool_calls=12))
    10
    """
    measured: dict[str, int | None] = figures.model_dump()
    total = sum((measured[name] or 0) > bound for name, bounds in BOUNDS.items() for bound in bounds)
    # Where no visible test fails, nothing but the report tells when the work is done.
    return total + (figures.visible_failing == 0)


def difficulty(figures: Figures) -> Difficulty:
    """The difficulty that follows from the figures."""
    total = points(figures)
    if total <= EASY:
        return "easy"
    return "medium" if total <= MEDIUM else "hard"


def script_calls(script: bytes) -> int:
    """Tool calls in a task's script, one a line; blank lines are none."""
    return sum(bool(line.strip()) for line in script.splitlines())


def lines_changed(state: WorkspaceState) -> int:
    """Lines added and removed between a state's base and it."""
    return sum(_lines_changed(state.base.get(path), file) for path, file in state.changes.items())


def _lines(file: File | None) -> list[bytes]:
    return file.data.splitlines() if file else []


def _lines_changed(old: File | None, new: File | None) -> int:
    matcher = difflib.SequenceMatcher(None, _lines(old), _lines(new), autojunk=False)
    return sum(
        end - start + to - since for tag, start, end, since, to in matcher.get_opcodes() if tag != "equal"
    )


def functions_touched(state: WorkspaceState) -> frozenset[tuple[str, str]]:
    """Functions that were added, removed or changed between a state's base and it: path and qualified name.

    What lies outside of the functions of a file counts as one without a name. Of a file that cannot be
    parsed, or is larger than 1 MiB, all functions have gone.
    """
    found: set[tuple[str, str]] = set()
    for path, file in state.changes.items():
        if path.endswith(".py"):
            before, after = _functions(state.base.get(path)), _functions(file)
            names = before.keys() | after.keys()
            found.update((path, name) for name in names if before.get(name) != after.get(name))
    return frozenset(found)


def function_lines(file: File | None) -> dict[str, tuple[int, int]]:
    """First and last line, decorators among them, of each function by its qualified name; what is defined
    inside of a function is part of it. Empty for what is not Python."""
    tree = _parsed(file)
    return {
        prefix + node.name: (
            min([node.lineno, *(part.lineno for part in node.decorator_list)]),
            node.end_lineno or node.lineno,
        )
        for prefix, node in (_statements(tree) if tree else ())
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def _functions(file: File | None) -> dict[str, str]:
    """What each function does, by its qualified name."""
    tree = _parsed(file)
    try:
        return dict(_dumped(tree)) if tree else {}
    except RecursionError:  # it can be parsed at a depth at which it cannot be dumped
        return {}


def _dumped(tree: ast.Module) -> Iterator[tuple[str, str]]:
    outside: list[str] = []
    for prefix, node in _statements(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield prefix + node.name, ast.dump(node)
        elif isinstance(node, ast.ClassDef):
            outside.append(
                f"{prefix}{node.name} {[ast.dump(part) for part in (*node.bases, *node.decorator_list)]}"
            )
        elif not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            outside.append(prefix + ast.dump(node))
    yield "", "\n".join(outside)


def _statements(tree: ast.Module) -> Iterator[tuple[str, ast.stmt]]:
    """Each statement of a module and of its classes, behind the names of the classes that it is in."""
    waiting: deque[tuple[str, ast.stmt]] = deque(("", node) for node in tree.body)
    while waiting:
        prefix, node = waiting.popleft()
        yield prefix, node
        if isinstance(node, ast.ClassDef):
            waiting.extend((f"{prefix}{node.name}.", inner) for inner in node.body)


def _parsed(file: File | None) -> ast.Module | None:
    if file and len(file.data) > _MOST_BYTES:
        return None
    try:
        return parse_python(file.data if file else b"")
    except ValueError:
        return None


def _distance(task: Task) -> int | None:
    """Imports between the symptom and the farthest file that the solution changes, in either direction."""
    symptom = task.manifest.symptom
    if symptom is None:
        return None
    files = {path: file for path, file in task.gold.tree().items() if path.endswith(".py")}
    graph = _import_graph(files, task.recipe.install.pythonpath)
    away = _steps_from(symptom, graph)
    return max((away[path] for path in task.gold.changes if path in away), default=0)


def _steps_from(start: str, graph: Mapping[str, set[str]]) -> dict[str, int]:
    away = {start: 0}
    waiting = deque([start])
    while waiting:
        path = waiting.popleft()
        # A package's __init__ brings together what otherwise has nothing to do with each other.
        if path.endswith("__init__.py") and path != start:
            continue
        for other in graph.get(path, ()):
            if other not in away:
                away[other] = away[path] + 1
                waiting.append(other)
    return away


def _import_graph(files: Mapping[str, File], pythonpath: tuple[str, ...]) -> Mapping[str, set[str]]:
    """Which files import which, in both directions."""
    places = {_module(path, root): path for root in pythonpath for path in files}
    graph: dict[str, set[str]] = {path: set() for path in files}
    for module, path in places.items():
        package = module if path.endswith("__init__.py") else module.rpartition(".")[0]
        for name in _imported(_parsed(files[path]), package):
            target = places.get(name)
            if target is not None and target != path:
                graph[path].add(target)
                graph[target].add(path)
    return graph


def _module(path: str, root: str) -> str:
    inside = path.removeprefix("" if root == "." else f"{root}/")
    return inside.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _imported(tree: ast.Module | None, package: str) -> Iterator[str]:
    """Full names of what a file imports: modules, and names in modules, which may be modules too."""
    for node in ast.walk(tree) if tree else ():
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".")
            above = ".".join(parts[: len(parts) - node.level + 1]) if node.level else ""
            module = ".".join(part for part in (above, node.module or "") if part)
            yield module
            yield from (f"{module}.{name.name}" for name in node.names)
