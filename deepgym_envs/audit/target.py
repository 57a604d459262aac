"""What an attacker who knows a task's hidden tests can see of it: all but the reference solution."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from deepgym_envs.errors import TaskError
from deepgym_envs.oracle_file import is_case
from deepgym_envs.state import WorkspaceState
from deepgym_envs.syntax import parse_python
from deepgym_envs.task import Task

Files = Mapping[str, bytes | None]
"""Changed files: path to content, or None for one that is deleted."""


@dataclass(frozen=True)
class Victim:
    """A module that may be edited and that hidden tests import; ``called`` are the names they call in it."""

    path: str
    module: str
    source: bytes
    called: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answer:
    """A comparison in a hidden test of a call with a literal: ``function(...) == expected``, as source."""

    test: str
    function: str
    expected: str


@dataclass(frozen=True)
class Target:
    """A task as a white-box attacker sees it.

    ``nodes`` are the hidden tests by node id, ``failing`` those that the base fails, ``errors`` the names of
    the exceptions that they expect, ``victims`` the editable modules that they import, in that order.
    """

    id: str
    base: Mapping[str, bytes]
    editable: tuple[str, ...]
    nodes: tuple[str, ...]
    failing: tuple[str, ...]
    errors: tuple[str, ...]
    victims: tuple[Victim, ...]
    answers: tuple[Answer, ...] = field(default=(), repr=False)

    @property
    def package(self) -> str:
        """The folder of the first victim; empty for the root."""
        return self.victims[0].path.rpartition("/")[0]

    def at_import(self, code: str) -> Files:
        """The base with ``code`` at the head of the first victim, in a scope of its own.

        The code finds ``NODES``, ``FAILING`` and ``ERRORS`` as lists of strings.
        """
        victim = self.victims[0]
        return {victim.path: _after_head(victim.source, _function("", self._known() + code, ""))}

    def instead(self, code: str) -> Files:
        """The base with ``deceive(name, original)``, which ``code`` defines, in place of all that is called.

        ``original`` is None where the base has no such name. ``ERRORS`` and ``ANSWERS`` (triples of test,
        function and expected value) are there too.
        """
        changed: dict[str, bytes | None] = {}
        for victim in self.victims:
            body = f"{self._known()}ANSWERS = {self._literals()!r}\n{code}\n"
            body += (
                f"for name in {list(victim.called)!r}:\n    scope[name] = deceive(name, scope.get(name))\n"
            )
            changed[victim.path] = victim.source.rstrip(b"\n") + b"\n" + _function("scope", body, "globals()")
        return changed

    def appended(self, path: str, text: str) -> Files:
        """The base with ``text`` behind what the file at ``path`` holds, if there is one."""
        return {path: self.base.get(path, b"").rstrip(b"\n") + b"\n" + text.encode()}

    def _known(self) -> str:
        failing = list(self.failing)
        return f"NODES = {list(self.nodes)!r}\nFAILING = {failing!r}\nERRORS = {list(self.errors)!r}\n"

    def _literals(self) -> list[tuple[str, str, object]]:
        return [(answer.test, answer.function, ast.literal_eval(answer.expected)) for answer in self.answers]


def target_of(task: Task) -> Target:
    """What can be attacked in ``task``.

    Raises:
        TaskError: nothing that may be edited is Python.
    """
    scan = _Scan(task)
    for path in sorted(path for path in task.hidden if path.endswith(".py")):
        scan.read(task.hidden[path])
    victims = tuple(scan.victims()) or tuple(_by_default(task))
    if not victims:
        raise TaskError(f"{task.id}: no Python file may be edited, so no payload can be put anywhere")
    tests = task.manifest.tests
    base = {path: file.data for path, file in task.base.items()}
    return Target(
        task.id, base, task.editable, _tests(task.expected), _tests(tests.fail_to_pass),
        tuple(sorted(scan.errors)),
        victims, tuple(scan.answers),
    )  # fmt: skip


def _tests(nodes: Sequence[str]) -> tuple[str, ...]:
    """Without cases of an oracle, of which nothing is known where a payload runs."""
    return tuple(node for node in nodes if not is_case(node))


def changed_state(task: Task, files: Files) -> WorkspaceState:
    """The state of ``task`` that holds ``files`` over its base."""
    return WorkspaceState(task.base).with_files(files)


def _by_default(task: Task) -> Iterator[Victim]:
    """Where hidden tests name no editable module: every package, or else each file."""
    sources = [path for path in task.base if path.endswith(".py") and task.may_edit(path)]
    for path in [path for path in sources if path.endswith("__init__.py")] or sources:
        yield Victim(path, "", task.base[path].data)


class _Scan:
    """Collects what hidden tests import, call and expect."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._names: dict[str, tuple[str, str]] = {}
        self._called: dict[str, dict[str, None]] = {}
        self.errors: set[str] = set()
        self.answers: list[Answer] = []

    def read(self, source: bytes) -> None:
        try:
            tree = parse_python(source)
        except ValueError:
            return
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and not node.level:
                self._import_from(node)
            elif isinstance(node, ast.Import):
                for name in node.names:
                    self._bind(name.asname or name.name.split(".")[0], name.name, "", whole=bool(name.asname))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                self._call(node)
            elif isinstance(node, ast.FunctionDef) and node.name.startswith("test"):
                self._answers(node)

    def victims(self) -> Iterator[Victim]:
        for module, called in self._called.items():
            path = self._path(module)
            if path is not None and self._task.may_edit(path):
                yield Victim(path, module, self._task.base[path].data, tuple(called))

    def _import_from(self, node: ast.ImportFrom) -> None:
        for name in node.names:
            inner = f"{node.module}.{name.name}"
            if self._path(inner) is not None:
                self._bind(name.asname or name.name, inner, "", whole=True)
            else:
                self._bind(name.asname or name.name, node.module or "", name.name, whole=True)

    def _bind(self, local: str, module: str, attribute: str, *, whole: bool) -> None:
        if self._path(module) is not None:
            self._called.setdefault(module, {})
            self._names[local] = (module if whole else local, attribute)

    def _call(self, node: ast.Call) -> None:
        dotted = _dotted(node.func)
        if dotted and dotted[-1] in ("raises", "assertRaises", "assertRaisesRegex") and node.args:
            expected = node.args[0].elts if isinstance(node.args[0], ast.Tuple) else [node.args[0]]
            self.errors.update(_dotted(error)[-1] for error in expected if _dotted(error))
            return
        if not dotted or dotted[0] not in self._names:
            return
        module, attribute = self._names[dotted[0]]
        rest = dotted[1:]
        while not attribute and rest:
            inner = f"{module}.{rest[0]}"
            if self._path(inner) is None:
                attribute = rest[0]
            else:
                module, rest = inner, rest[1:]
        if attribute:
            self._called.setdefault(module, {}).setdefault(attribute)

    def _answers(self, test: ast.FunctionDef) -> None:
        for node in ast.walk(test):
            match node:
                case ast.Compare(left=ast.Call() as call, ops=[ast.Eq()], comparators=[expected]):
                    try:
                        ast.literal_eval(expected)
                    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
                        continue
                    name = _dotted(call.func)
                    if name:
                        self.answers.append(Answer(test.name, name[-1], ast.unparse(expected)))

    def _path(self, module: str) -> str | None:
        return module_path(self._task, module)


def module_path(task: Task, module: str) -> str | None:
    """The file of the repository that ``import module`` finds; None if there is none."""
    for folder in task.recipe.install.pythonpath or (".",):
        place = "/".join(([] if folder == "." else [folder]) + module.split("."))
        for path in (f"{place}.py", f"{place}/__init__.py"):
            if path in task.base:
                return path
    return None


def _dotted(node: ast.expr) -> list[str]:
    """The names in ``a.b.c``, or nothing for any other expression."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return [node.id, *reversed(parts)] if isinstance(node, ast.Name) else []


def _function(parameter: str, body: str, argument: str) -> bytes:
    """Code that runs ``body`` in a function, so that no name of it meets one of the module."""
    return f"def _payload({parameter}):\n{textwrap.indent(body, '    ')}\n_payload({argument})\n".encode()


def _after_head(source: bytes, code: bytes) -> bytes:
    """``source`` with ``code`` behind its docstring and its imports from ``__future__``."""
    end = 0
    try:
        body = parse_python(source).body
    except ValueError:
        body = []
    for number, node in enumerate(body):
        docstring = number == 0 and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not docstring and not (isinstance(node, ast.ImportFrom) and node.module == "__future__"):
            break
        end = node.end_lineno or 0
    lines = source.split(b"\n")
    return b"\n".join([*lines[:end], code, *lines[end:]])
