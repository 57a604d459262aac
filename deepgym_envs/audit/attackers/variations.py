"""Copies of hidden tests that are changed in secret: another input, or a wrong expected value."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from random import Random

from deepgym_envs.authoring.sites import sites
from deepgym_envs.grade.deck import path_of, split_case
from deepgym_envs.grade.test_file import Copy, Function, TestFile, place_of
from deepgym_envs.rewriting import wrong_values
from deepgym_envs.task import Task
from deepgym_envs.twin import Place

_INPUTS, _WRONG = 4, 1  # copies of one test
_MOST = 80  # copies in all
# What asks something of an outcome: what it is given is no input.
_ASKING = frozenset((
    "startswith", "endswith", "count", "index", "find", "get", "search", "match", "fullmatch", "findall",
    "raises", "warns", "approx", "assertRaises", "assertRaisesRegex", "assertRegex", "assertIn",
))  # fmt: skip


@dataclass(frozen=True)
class Variation:
    """One copy: its ``node`` without a case, whether it expects what is ``wrong`` or else has another input,
    and the ids of cases that it shares with its original."""

    node: str
    wrong: bool
    unchanged: frozenset[str]


def drawn(task: Task, chance: Random) -> tuple[Sequence[Variation], Mapping[str, bytes]]:
    """Copies of tests of ``task`` that fail at the base, and the files that hold them."""
    cases: dict[str, set[str]] = {}
    for node in task.manifest.tests.fail_to_pass:
        test, case = split_case(node)
        if path_of(test).endswith(".py"):
            cases.setdefault(test, set()).add(case)
    files = {path: TestFile(task.hidden[path]) for path in {path_of(test) for test in cases}}
    variations: list[Variation] = []
    copies: dict[str, list[Copy]] = {}
    for test in chance.sample(list(cases), len(cases)):
        path, _, name = test.partition("::")
        if name not in files[path].tests or name in files[path].fixed:
            continue
        for change in _changes(files[path], name, chance):
            copy = Copy(name, f"test_{chance.getrandbits(48):012x}", ((change.at, change.other),))
            unchanged = frozenset() if change.in_body else frozenset(cases[test] - {""})
            node = f"{test.rpartition('::')[0]}::{copy.name}"
            variations.append(Variation(node, change.wrong, unchanged))
            copies.setdefault(path, []).append(copy)
        if len(variations) >= _MOST:
            break
    return variations, {path: files[path].written(made) for path, made in copies.items()}


@dataclass(frozen=True)
class _Change:
    """What stands at a place instead; ``in_body``: it concerns all cases of the test."""

    at: Place
    other: str
    wrong: bool
    in_body: bool


def _changes(file: TestFile, test: str, chance: Random) -> Iterator[_Change]:
    """Some changes of one expected value or of one input each."""
    function = file.tests[test]
    first, last = function.body[0], function.body[-1]
    body = first.lineno, 0, last.end_lineno or 0, last.end_col_offset or 0
    expected = [site for site in sites(file, test) if site.sort != "negation"]
    values = [(site.at, site.expression) for site in expected if site.sort == "value"]
    literals = {place_of(node): node for node in (*_inputs(function), *_constants(file, test))}
    given = [
        (at, ast.unparse(node))
        for at, node in literals.items()
        if not any(_within(at, site.at) for site in expected)
    ]
    for wrong, places, most in ((True, values, _WRONG), (False, given, _INPUTS)):
        chosen = chance.sample(places, min(most, len(places)))
        for at, expression in chosen:
            for other in islice(wrong_values(expression, chance), math.ceil(most / len(chosen))):
                yield _Change(at, other, wrong, _within(at, body))


def _constants(file: TestFile, test: str) -> Iterator[ast.Constant]:
    for literal in file.constants[test].values():
        yield from _literals(literal)


def _inputs(function: Function) -> Iterator[ast.Constant]:
    """Constants that are given to something, in the body of a test or among its cases."""
    for decorator in function.decorator_list:
        match decorator:
            case ast.Call(func=ast.Attribute(attr="parametrize"), args=[_, values, *_]):
                yield from _literals(values)
    for statement in function.body:
        for node in ast.walk(statement):
            if isinstance(node, ast.Call) and not _is_asking(node):
                for argument in (*node.args, *(word.value for word in node.keywords)):
                    yield from _literals(argument)


def _is_asking(call: ast.Call) -> bool:
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name in _ASKING
    return False


def _literals(tree: ast.expr) -> Iterator[ast.Constant]:
    """The constants in an expression, but for those in texts that are put together, and names of cases."""
    closed: set[ast.AST] = set()
    for node in ast.walk(tree):
        match node:
            case ast.JoinedStr() | ast.keyword(arg="id"):
                closed.update(ast.walk(node))
            case ast.Constant(value=int() | float() | str() | bytes()) if node not in closed:
                yield node


def _within(inner: Place, outer: Place) -> bool:
    return outer[:2] <= inner[:2] and inner[2:] <= outer[2:]
