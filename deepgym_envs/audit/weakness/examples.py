"""What anybody can see of right answers: calls with literal arguments and what must come of them, as visible
tests and the instruction have them."""

from __future__ import annotations

import ast
import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import cast

from deepgym_envs.audit.weakness.imported_names import ImportedNames
from deepgym_envs.audit.weakness.visible import visible_files
from deepgym_envs.syntax import parse_expression, parse_python
from deepgym_envs.task import Task

_MOST = 2_000  # of one task
_MOST_CASES = 200  # of one test
_FENCE = re.compile(r"^```[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")

Known = Mapping[str, ast.expr]
"""What variables stand for."""


@dataclass(frozen=True)
class Example:
    """A call of something in the repository, as source: ``given(...)`` with its arguments, a method's
    receiver first; ``heads`` are imports of what is named there.

    It is ``name`` of the file ``path``, with its class before a dot. It must give ``expected``, or raise
    ``error``.
    """

    path: str
    name: str
    heads: str
    given: str
    expected: str = ""
    error: str = ""


def examples(task: Task) -> tuple[Example, ...]:
    """Every example that can be read without running anything, of what the task allows to be edited.

    Where two contradict each other, what is called depends on more than its arguments: both are left out.
    """
    found: dict[Example, None] = {}
    for path, data in visible_files(task).items():
        if path.endswith(".py"):
            try:
                found |= dict.fromkeys(_of_tests(task, parse_python(data)))
            except ValueError:
                continue
    found |= dict.fromkeys(_of_text(task))
    answers = Counter((each.path, each.name, each.given) for each in found)
    return tuple(
        each for each in found if task.may_edit(each.path) and answers[each.path, each.name, each.given] == 1
    )[:_MOST]


def _of_tests(task: Task, module: ast.Module) -> Iterator[Example]:
    names = ImportedNames(task, module)
    constants: dict[str, ast.expr] = {}
    for node in module.body:
        _assign(node, constants, names)
    for inner in ast.walk(module):
        if isinstance(inner, ast.FunctionDef) and inner.name.startswith("test"):
            for case in _cases(inner):
                yield from _of_block(inner.body, {**constants, **case}, names)


def _cases(test: ast.FunctionDef) -> Sequence[Known]:
    """What the parameters of a test stand for, for each case that it is parametrised with."""
    cases: list[dict[str, ast.expr]] = [{}]
    for decorator in test.decorator_list:
        match decorator:
            case ast.Call(
                func=ast.Attribute(attr="parametrize"),
                args=[ast.Constant(value=str(names)), ast.List() | ast.Tuple() as table, *_],
            ):
                target = parse_expression(f"({names},)" if "," not in names else f"({names})")
                rows = [ast.Tuple([row], ast.Load()) if "," not in names else row for row in table.elts]
                bound = [_matched(target, row) for row in rows]
                cases = [{**case, **values} for case in cases for values in bound][:_MOST_CASES]
    return cases


def _assign(node: ast.stmt, known: dict[str, ast.expr], names: ImportedNames) -> None:
    """Note what a name stands for behind a statement."""
    match node:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            filled = _filled(value, known)
            if names.suffice_for(filled):
                known[name] = filled
            else:
                known.pop(name, None)


def _of_block(body: Iterable[ast.stmt], before: Known, names: ImportedNames) -> Iterator[Example]:
    known = dict(before)
    for node in body:
        _assign(node, known, names)
        match node:
            case ast.Expr(value=ast.Call()):
                return  # it may have changed what is called behind it
            case ast.Assert(test=ast.Compare(left=left, ops=[ast.Eq() | ast.Is()], comparators=[right])):
                yield from _compared(_filled(left, known), _filled(right, known), names)
            case ast.With(
                items=[ast.withitem(context_expr=ast.Call(args=[error, *_], func=function))],
                body=[ast.Expr(value=ast.Call() as call)],
            ) if _is_raises(function):
                filled = _filled(call, known)
                if isinstance(filled, ast.Call) and names.suffice_for(error):
                    yield from _example(filled, names, error=error)
            case ast.For(target=target, iter=ast.List() | ast.Tuple() as table):
                for row in table.elts:
                    yield from _of_block(node.body, {**known, **_matched(target, row)}, names)


def _is_raises(function: ast.expr) -> bool:
    return (isinstance(function, ast.Attribute) and function.attr == "raises") or (
        isinstance(function, ast.Name) and function.id == "raises"
    )


def _compared(left: ast.expr, right: ast.expr, names: ImportedNames) -> Iterator[Example]:
    for call, value in ((left, right), (right, left)):
        if isinstance(call, ast.Call) and names.suffice_for(value):
            found = list(_example(call, names, expected=value))
            yield from found
            if found:
                return


def _example(
    call: ast.Call, names: ImportedNames, expected: ast.expr | None = None, error: ast.expr | None = None
) -> Iterator[Example]:
    """The example that ``call`` makes, if it is one of something in the repository, all written out."""
    callee = names.callee(call.func)
    if callee is None:
        return
    receiver = [call.func.value] if callee.is_method and isinstance(call.func, ast.Attribute) else []
    given = ast.Call(ast.Name("given", ast.Load()), [*receiver, *call.args], call.keywords)
    parts = [*given.args, *(each.value for each in given.keywords)]
    if not all(map(names.suffice_for, parts)) or any(each.arg is None for each in given.keywords):
        return
    wanted = [part for part in (expected, error) if part is not None]
    used = {node.id for part in (*parts, *wanted) for node in ast.walk(part) if isinstance(node, ast.Name)}
    heads = "\n".join(names.heads[name] for name in sorted(used) if name in names.heads)
    texts = (ast.unparse(part) if part else "" for part in (expected, error))
    yield Example(callee.path, callee.name, heads, ast.unparse(given), *texts)


def _matched(target: ast.expr, value: ast.expr) -> dict[str, ast.expr]:
    """What names stand for when ``value`` is assigned to ``target``."""
    match target, value:
        case ast.Name(id=name), _:
            return {name: value}
        case ast.Tuple(elts=names) | ast.List(elts=names), ast.Tuple(elts=parts) | ast.List(elts=parts):
            if len(names) == len(parts):
                pairs = zip(names, parts, strict=True)
                return {name: part for pair in pairs for name, part in _matched(*pair).items()}
    return {}


class _Filling(ast.NodeTransformer):
    """Puts what names stand for in their place."""

    def __init__(self, known: Known) -> None:
        self._known = known

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return deepcopy(self._known[node.id]) if node.id in self._known else node


def _filled(node: ast.expr, known: Known) -> ast.expr:
    return cast(ast.expr, _Filling(known).visit(deepcopy(node)))


def _of_text(task: Task) -> Iterator[Example]:
    """Examples in the instruction: of an interpreter's session, and ``f(x) == y`` between backquotes."""
    names = ImportedNames(task, ast.Module([], []))
    for block in _FENCE.findall(task.instruction):
        yield from _of_session(block.splitlines(), names)
    for span in _SPAN.findall(task.instruction):
        match _expression(span):
            case ast.Compare(left=left, ops=[ast.Eq()], comparators=[right]):
                yield from _compared(left, right, names)


def _of_session(lines: Sequence[str], names: ImportedNames) -> Iterator[Example]:
    starts = [number for number, line in enumerate(lines) if line.startswith(">>> ")]
    for start, end in itertools.pairwise([*starts, len(lines)]):
        output = "\n".join(lines[start + 1 : end])
        try:
            body = parse_python(lines[start].removeprefix(">>> ")).body
        except ValueError:
            continue  # it goes on in the next line
        expected = _expression(output.strip())
        match body:
            case [ast.Expr(value=ast.Call(func=ast.Name(id="print"), args=[ast.Call() as call]))]:
                yield from _example(call, names, expected=ast.Constant(output))
            case [ast.Expr(value=ast.Call() as call)] if expected is not None and names.suffice_for(expected):
                yield from _example(call, names, expected=expected)
            case [statement]:
                names.learn(statement)


def _expression(source: str) -> ast.expr | None:
    try:
        return parse_expression(source)
    except ValueError:
        return None
