"""What can be said against a task without running anything of it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from deepgym_envs.content import Content
from deepgym_envs.errors import TaskError
from deepgym_envs.figures import lines_changed, script_calls
from deepgym_envs.state import Tree, WorkspaceState
from deepgym_envs.suite import suite_names
from deepgym_envs.syntax import parse_python
from deepgym_envs.task import BASE_IMPLEMENTATION, Task

Code = Literal[
    "unreadable",  # the folder is not a task
    "no_base",  # the source cannot be had, or base.patch does not apply
    "no_solution",  # solution.patch does not apply, or changes nothing
    "not_editable",  # the solution changes what the task does not allow to change
    "no_instruction",  # the instruction is empty
    "leaks_tests",  # the instruction names a hidden test
    "leaks_solution",  # the instruction holds a line of the solution
    "names_changed_file",  # the instruction names a file that the solution changes
    "few_tests",  # less hidden tests than a bundled task has
    "no_such_test",  # a listed test does not exist
    "bad_implementation",  # a patch in tests/ does not apply, or changes nothing or what is editable
    "told_by_size",  # the size of a change tells the right implementations from the wrong ones
    "unlisted_test",  # a hidden test is not listed, so nobody looks at it
    "test_in_base",  # a hidden test is in the repository already
    "noop_passes",  # the task counts as solved before anything is done
    "passes_too_early",  # a test of fail_to_pass passes without the solution
    "fails_before",  # a test of pass_to_pass fails without the solution
    "gold_fails",  # the reference solution does not pass
    "flaky",  # the same files, another outcome
    "template",  # the instruction holds what `new task` wrote
    "no_script",  # a bundled task has no script, or one of another length than people need
    "figures",  # figures.json is missing or old
    "difficulty",  # not the one that follows from the figures
    "slow",  # the hidden tests take longer than SLOW_SECONDS
    "little_time",  # test_seconds leaves slower machines no room
    "twins",  # twins.json is of other tests, or the solution does not pass with them
    "forgeable",  # a report made up at random is believed too often
    "cold_tests",  # no run of the tests can be started warm
    "visible_fails",  # the repository's own tests fail with the solution
]
FEWEST_FAIL_TO_PASS, FEWEST_PASS_TO_PASS = 3, 5
TEMPLATE_TEXT = "(Write here what"
SCRIPT_CALLS = {"direct": (6, 15), "wander": (8, 30)}
LEAK_CHARS = 30
SHOWN = 5
# A signature or an import may be the interface that the instruction has to ask for.
_INTERFACE = ("def ", "async def ", "class ", "import ", "from ", "@", "#")


@dataclass(frozen=True)
class Finding:
    """Something wrong with a task: a stable code, and what to mend in words. A warning rejects nothing.

    ``tests``: all that a finding ``flaky`` is about.
    """

    code: Code
    message: str
    warning: bool = False
    tests: tuple[str, ...] = ()


def is_bundled(task: Task) -> bool:
    """Whether the task was written for a suite of this package, for which stricter rules hold."""
    return isinstance(task.content, Content) and task.id.partition("/")[0] in suite_names()


def static_findings(task: Task) -> Iterator[Finding]:
    """Everything that can be found in the task's files; no code of the task is executed."""
    if not task.instruction.strip():
        yield Finding("no_instruction", "instruction.md: empty; write what is wrong and what is expected")
    if TEMPLATE_TEXT in task.instruction:
        yield Finding(
            "template", "instruction.md: holds the template's text; write what was seen and expected"
        )
    yield from _count(task)
    yield from _scripts(task)
    for node in undefined_tests(task):
        yield Finding(
            "no_such_test", f"task.toml: tests: {node}: no hidden file defines it; correct or drop it"
        )
    try:
        base = task.base
    except (TaskError, OSError) as error:
        yield Finding("no_base", " ".join(str(error).split()))
        return
    yield from _implementations(task) if task.manifest.kind == "tests" else _tests_in_base(task, base)
    try:
        changes = task.gold.changes
    except (TaskError, OSError) as error:
        yield Finding("no_solution", " ".join(str(error).split()))
        return
    if not changes:
        yield Finding("no_solution", "solution.patch: changes nothing; make it from the base to the solution")
    outside = [path for path in changes if not task.may_edit(path)]
    if outside:
        what = f"solution.patch: changes {shown(outside)}, which task.toml: editable does not allow"
        yield Finding("not_editable", f"{what}; widen editable or move the change to base.patch")
    yield from leaks(task)


def undefined_tests(task: Task) -> list[str]:
    """Listed tests whose function no hidden file defines; none if a hidden file cannot be read by this
    Python."""
    if task.manifest.kind == "tests":
        return [
            node
            for node in task.expected
            if node != BASE_IMPLEMENTATION and f"{node}.patch" not in task.hidden
        ]
    try:
        defined = {
            name for path in task.hidden if path.endswith(".py") for name in _functions(task.hidden[path])
        }
    except ValueError:
        return []
    if task.oracle is not None:
        defined.update(task.oracle.nodes)
    return [node for node in task.expected if not {node, function_name(node)} & defined]


def function_name(node: str) -> str:
    """The test's function in a node id.

    >>> function_name("test_x.py::TestY::test_z[a::b]")
    'test_z'
    """
    return node.partition("[")[0].rpartition("::")[2]


def shown(names: Iterable[str]) -> str:
    """The first few of ``names`` for a message."""
    every = list(names)
    more = f" and {len(every) - SHOWN} more" if len(every) > SHOWN else ""
    return ", ".join(every[:SHOWN]) + more


def _count(task: Task) -> Iterator[Finding]:
    tests = task.manifest.tests
    for key, found, fewest in (
        ("fail_to_pass", len(tests.fail_to_pass), FEWEST_FAIL_TO_PASS),
        ("pass_to_pass", len(tests.pass_to_pass), FEWEST_PASS_TO_PASS),
    ):
        if found < fewest:
            what = f"task.toml: tests.{key}: holds {found}; write at least {fewest}"
            if not task.expected:
                what = "task.toml: tests: lists none; write hidden tests, then run 'deepgym-envs record'"
            needed = key == "fail_to_pass" and found == 0
            yield Finding("few_tests", what, warning=not is_bundled(task) and not needed)


def _scripts(task: Task) -> Iterator[Finding]:
    if not is_bundled(task):
        return
    for name, (fewest, most) in SCRIPT_CALLS.items():
        calls = script_calls(task.scripts.get(name, b""))
        if not fewest <= calls <= most:
            what = f"scripts/{name}.jsonl: holds {calls} tool calls; write {fewest} to {most}, one a line"
            yield Finding("no_script", what)


def _functions(source: bytes) -> dict[str, str]:
    """Name and structure of every function in ``source``; raises ``ValueError`` where it is not Python."""
    tree = parse_python(source)
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    try:
        return {node.name: ast.dump(node) for node in functions}
    except RecursionError as error:
        raise ValueError(str(error)) from None


def _structures(source: bytes) -> dict[str, str]:
    """Structure of every function by its name within its classes, as ``"TestX::test_y"``; none if ``source``
    is not Python."""
    found: dict[str, str] = {}

    def look(node: ast.AST, inside: str) -> None:
        for each in ast.iter_child_nodes(node):
            if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef):
                found[inside + each.name] = ast.dump(each)
            look(each, f"{inside}{each.name}::" if isinstance(each, ast.ClassDef) else inside)

    try:
        look(parse_python(source), "")
    except (ValueError, RecursionError):
        return {}
    return found


def _tests_in_base(task: Task, base: Tree) -> Iterator[Finding]:
    visible = {
        structure
        for path, file in base.items()
        if path.endswith(".py")
        for structure in _structures(file.data).values()
    }
    hidden = {path: _structures(data) for path, data in task.hidden.items() if path.endswith(".py")}

    def is_copied(node: str) -> bool:
        path, _, test = node.partition("[")[0].partition("::")
        there = hidden.get(path, {})
        # Of a test that its class inherits it is not known which one it is, if several have its name.
        name = function_name(node)
        same = [its for each, its in there.items() if each == test] or [
            its for each, its in there.items() if each.rpartition("::")[2] == name
        ]
        return bool(same) and visible.issuperset(same)

    tests = task.manifest.tests
    for nodes, key in ((tests.fail_to_pass, "fail_to_pass"), (tests.pass_to_pass, "pass_to_pass")):
        copied = [node for node in nodes if is_copied(node)]
        if copied:
            what = f"tests.{key}: {shown(copied)}: the repository has the same test; write one that differs"
            yield Finding("test_in_base", what, warning=key == "pass_to_pass")


def _implementations(task: Task) -> Iterator[Finding]:
    try:
        others = {name: state for name, state in task.implementations.items() if name != BASE_IMPLEMENTATION}
    except TaskError as error:
        yield Finding("bad_implementation", " ".join(str(error).split()))
        return
    for name, state in others.items():
        reachable = [path for path in state.changes if task.may_edit(path)]
        if reachable:
            what = f"tests/{name}.patch: changes {shown(reachable)}, which the agent may edit"
            yield Finding("bad_implementation", f"{what}; leave it as it is at the base")
        if not state.changes:
            yield Finding("bad_implementation", f"tests/{name}.patch: changes nothing; make it from the base")
    if BASE_IMPLEMENTATION not in task.expected:
        what = "does not list 'base', the repository as it is; add it to pass_to_pass or fail_to_pass"
        yield Finding("bad_implementation", f"task.toml: tests: {what}")
    yield from _sizes(others)


def _sizes(others: Mapping[str, WorkspaceState]) -> Iterator[Finding]:
    """Tests that measure how far the source is from the base must not be right about everything."""
    lines = {name: lines_changed(state) for name, state in others.items()}
    right = [size for name, size in lines.items() if name.startswith("right-")]
    wrong = [size for name, size in lines.items() if name.startswith("wrong-")]
    if right and wrong and min(right) > max(wrong):
        what = f"each right one changes {min(right)} lines or more, each wrong one {max(wrong)} or less"
        yield Finding("told_by_size", f"tests/: {what}; add a right one that is as small as a wrong one")


def leaks(task: Task) -> Iterator[Finding]:
    """What the statement gives away of the tests and of the solution."""
    said = task.instruction
    names = sorted({function_name(node) for node in task.expected} - {BASE_IMPLEMENTATION})
    told = [name for name in names if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", said)]
    theirs = {path.rpartition("/")[2] for path in task.base}
    files = {node.partition("::")[0].rpartition("/")[2] for node in task.expected if "::" in node} - theirs
    told += sorted(name for name in files if name in said)
    if told:
        yield Finding(
            "leaks_tests", f"instruction.md: names hidden tests ({shown(told)}); describe behaviour instead"
        )
    plain = " ".join(said.split())
    copied = [line for line in added_lines(task.gold) if len(line) >= LEAK_CHARS and line in plain]
    if copied:
        what = f"instruction.md: holds lines of the solution ({shown(map(repr, copied))}); say what, not how"
        yield Finding("leaks_solution", what)
    named = [path for path in task.gold.changes if path in said]
    if named and task.manifest.kind != "tests":
        what = (
            f"instruction.md: names {shown(named)}, which the solution changes; is it meant to point there?"
        )
        yield Finding("names_changed_file", what, warning=True)


def added_lines(state: WorkspaceState) -> list[str]:
    """Lines that a state adds to files of its base, blanks made one, without those that an interface needs:
    signatures, imports."""
    added: dict[str, None] = {}
    for path, file in state.changes.items():
        old = state.base.get(path)
        before = {_plain(line) for line in old.data.splitlines()} if old else set()
        after = [_plain(line) for line in file.data.splitlines()] if file else []
        added |= {line: None for line in after if line not in before and not line.startswith(_INTERFACE)}
    return list(added)


def _plain(line: bytes) -> str:
    return " ".join(line.decode("utf-8", "replace").split())
