"""Twins are tried on real boxes: those that are kept fail on the solution and at the base, by themselves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from deepgym_envs import Grader, Task, TaskError, WorkspaceState
from deepgym_envs.authoring.twins import find_twins
from deepgym_envs.grade import Deck, SecretRandom, TaskRuns
from deepgym_envs.sandbox import Backend
from deepgym_envs.testing import make_task
from deepgym_envs.twin import Change, TestTwins, Twins
from deepgym_envs.validation import validate

from ..tiny import isolating  # noqa: TID252

FIXTURES = (isolating,)
BASE = "def add(a, b):\n    return a - b\n\n\ndef lookup(table, key):\n    return table.get(key)\n"
GOLD = (
    "def add(a, b):\n    return a + b\n\n\n"
    "def lookup(table, key):\n    if key not in table:\n        raise KeyError(key)\n    return table[key]\n"
)
HIDDEN = """\
import unittest

import pytest
from sums import add, lookup

CASES = [(1, 2, 3), (2, 2, 4)]


@pytest.mark.parametrize("a, b, total", CASES)
def test_cases(a, b, total):
    assert add(a, b) == total


@pytest.mark.parametrize("a", [1, 2], ids=["one", "two"])
def test_many_that_share_a_value(a):
    assert add(a, 10) in (11, 12)


def test_value():
    assert add(20, 3) == 23
    assert add(20, 0) == 20


def test_exception():
    with pytest.raises(KeyError):
        lookup({}, "a")


def test_found():
    assert lookup({"a": "b"}, "a") == "b"


def test_truth():
    assert add(1, 1) > 1


class TestOld(unittest.TestCase):
    def test_equal(self):
        self.assertEqual(add(2, 3), 5)


def test_no_assertion_of_its_own():
    check(3)


def check(a):
    assert add(a, 1) == 4
"""


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Task:
    return make_task(
        tmp_path_factory.mktemp("twins") / "sums",
        repo="sums",
        source={"sums/__init__.py": BASE, "tests/test_sums.py": "def test_nothing():\n    pass\n"},
        hidden={"test_hidden.py": HIDDEN},
        gold={"sums/__init__.py": GOLD},
        fail_to_pass=[
            *("test_hidden.py::test_cases[1-2-3]", "test_hidden.py::test_cases[2-2-4]"),
            *(
                "test_hidden.py::test_many_that_share_a_value[one]",
                "test_hidden.py::test_many_that_share_a_value[two]",
            ),
            *("test_hidden.py::test_value", "test_hidden.py::test_exception", "test_hidden.py::test_truth"),
            *("test_hidden.py::TestOld::test_equal", "test_hidden.py::test_no_assertion_of_its_own"),
        ],
        pass_to_pass=["test_hidden.py::test_found"],
    )


@pytest.fixture(scope="module")
def twins(isolating: Backend, task: Task) -> Twins:
    return find_twins(task, isolating)


def test_tests_of_every_form_get_twins(twins: Twins) -> None:
    forms = {each.test.partition("::")[2]: each for each in twins.tests}
    # Not test_truth, whose opposite holds at the base, nor those whose assertion is elsewhere or forgives.
    assert set(forms) == {"test_cases", "test_value", "test_exception", "test_found", "TestOld::test_equal"}
    assert {change.by_case for change in forms["test_cases"].changes} == {True}
    assert {next(iter(change.fails)) for change in forms["test_cases"].changes} == {0, 1}


def test_the_solution_passes_with_twins_and_the_base_does_not(
    isolating: Backend, task: Task, twins: Twins
) -> None:
    with Grader(replace(task, twins=twins), isolating) as grader:
        verdict = grader.grade(task.gold)
        assert verdict.passed
        assert verdict.forge_probability <= 1 / 32
        assert grader.grade(WorkspaceState(task.base)).reason == "tests_failed"


def test_no_twin_passes_at_the_base(isolating: Backend, task: Task, twins: Twins) -> None:
    """Or the one who runs the base's code would know which copy is the wrong one."""
    deck = Deck(replace(task, twins=twins))
    with TaskRuns(task, isolating) as runs:
        for number in range(8):
            draw = deck.draw(SecretRandom(bytes([number])))
            run = runs.drawn(WorkspaceState(task.base), draw)
            assert not [
                node
                for node, demand in draw.demands.items()
                if demand == "failed" and run.outcome(node) == "passed"
            ]


def test_a_solution_that_fails_its_tests_is_the_tasks_fault(isolating: Backend, task: Task) -> None:
    broken = replace(
        task, solution_patch=task.solution_patch.replace(b"+    return a + b", b"+    import os; os._exit(0)")
    )
    with pytest.raises(TaskError, match="do not come to their end"):
        find_twins(broken, isolating)


def test_validation_tells_of_twins_of_other_tests(isolating: Backend, task: Task, twins: Twins) -> None:
    other = replace(task, twins=twins, hidden={"test_hidden.py": HIDDEN.encode() + b"\n# changed\n"})
    found = validate(other, backend=isolating, repeats=1)
    assert [finding.code for finding in found.reasons] == ["twins"]
    assert "forgeable" in [finding.code for finding in found.warnings]
    assert found.figures["forge_probability"] == 1.0


def test_validation_tells_of_a_twin_that_passes(isolating: Backend, task: Task, twins: Twins) -> None:
    line = HIDDEN.splitlines().index("    assert add(20, 3) == 23") + 1
    right = Change(at=(line, 25, line, 27), wrong="10 + 13", fails={0: ""})
    wrong = TestTwins(test="test_hidden.py::test_value", cases=("",), changes=(right,))
    bad = replace(task, twins=twins.model_copy(update={"tests": (wrong,)}))
    found = validate(bad, backend=isolating, repeats=1)
    assert [finding.code for finding in found.reasons] == ["twins"]
    assert "test_value" in found.reasons[0].message


def test_a_task_of_kind_tests_has_none(isolating: Backend, task: Task, tmp_path: Path) -> None:
    manifest = task.manifest.model_copy(update={"kind": "tests"})
    assert find_twins(replace(task, manifest=manifest), isolating).tests == ()
