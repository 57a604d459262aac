"""The twins that are kept with the bundled tasks give themselves away by nothing that is known."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from deepgym_envs import Task
from deepgym_envs.grade.deck import path_of
from deepgym_envs.grade.test_file import place_of
from deepgym_envs.rewriting import likeness
from deepgym_envs.suite import read_suite
from deepgym_envs.syntax import parse_python
from deepgym_envs.twin import Change

from ..guesses import rates  # noqa: TID252


def recorded() -> Iterator[tuple[str, Change]]:
    """The right expression, and what may stand in its place."""
    for task in read_suite("starter").values():
        if isinstance(task, Task):
            expressions = {
                path: {
                    place_of(node): ast.unparse(node)
                    for node in ast.walk(parse_python(data))
                    if isinstance(node, ast.expr)
                }
                for path, data in task.hidden.items()
                if path.endswith(".py")
            }
            for each in task.twins.tests:
                for change in each.changes:
                    yield expressions[path_of(each.test)][change.at], change


@pytest.fixture(scope="module")
def found() -> list[tuple[str, Change]]:
    return [(right, change) for right, change in recorded() if not change.weak]


@pytest.mark.parametrize(("of_mutants", "least", "far"), [(False, 1000, 0.08), (True, 200, 0.12)])
def test_nobody_can_tell_a_recorded_wrong_value_by_its_looks(
    found: list[tuple[str, Change]], of_mutants: bool, least: int, far: float
) -> None:
    pairs = [(right, change.wrong) for right, change in found if change.mutants or not of_mutants]
    assert len(pairs) >= least
    for name, rate in rates(pairs).items():
        assert abs(rate.overall - 0.5) <= far, f"{name}: {rate.overall:.0%} of all pairs"


def test_a_value_that_a_mutant_gave_is_of_the_same_types(found: list[tuple[str, Change]]) -> None:
    for right, change in found:
        if change.mutants:
            assert likeness(change.wrong, right) > 0
