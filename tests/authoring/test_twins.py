"""Twins are tried on real boxes: those that are kept fail on the solution and at the base, by themselves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from deepgym_envs import Grader, Task, TaskError, WorkspaceState
from deepgym_envs.authoring.twins import coins_at_most, find_twins
from deepgym_envs.grade import Deck, SecretRandom, TaskRuns
from deepgym_envs.sandbox import Backend, choose_backend
from deepgym_envs.testing import make_task
from deepgym_envs.twin import Change, TestTwins, Twins
from deepgym_envs.validation import validate

from ..tiny import TrustedLocalBackend, isolating  # noqa: TID252

FIXTURES = (isolating,)
BASE = (
    "class Missing(Exception):\n    pass\n\n\nclass MissingName(Missing):\n    pass\n\n\n"
    "def add(a, b):\n    return a - b\n\n\ndef lookup(table, key):\n    return table.get(key)\n"
)
GOLD = (
    "class Missing(KeyError):\n    pass\n\n\nclass MissingName(Missing):\n    pass\n\n\n"
    "def add(a, b):\n    return a + b\n\n\n"
    "def lookup(table, key):\n    if key not in table:\n        raise (MissingName if key == 'me' else Missing)(key)\n    return table[key]\n"
)
HIDDEN = """\
import unittest

import pytest
from sums import Missing, MissingName, add, lookup

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


def test_exceptions_of_a_family():
    with pytest.raises(Missing):
        lookup({}, "a")


def test_narrower_exception():
    with pytest.raises(MissingName):
        lookup({}, "me")


def test_one_after_another():
    assert add(7, 0) == 7
    assert add(7, 1) == 8


def test_in_a_loop():
    for a, total in [(0, 5), (1, 6)]:
        assert add(5, a) == total


def test_found():
    assert lookup({"a": "b"}, "a") == "b"


def test_truth():
    assert add(1, 1) > 1


class TestOld(unittest.TestCase):
    def test_equal(self):
        self.assertEqual(add(2, 3), 5)


def test_with_a_helper():
    assert_equal(7, add(2, 5))


def assert_equal(expected, seen):
    assert seen == expected


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
            *("test_hidden.py::TestOld::test_equal", "test_hidden.py::test_with_a_helper"),
            "test_hidden.py::test_no_assertion_of_its_own",
            *("test_hidden.py::test_exceptions_of_a_family", "test_hidden.py::test_narrower_exception"),
            *("test_hidden.py::test_one_after_another", "test_hidden.py::test_in_a_loop"),
        ],
        pass_to_pass=["test_hidden.py::test_found"],
    )


@pytest.fixture(scope="module")
def twins(isolating: Backend, task: Task) -> Twins:
    return find_twins(task, isolating)


@pytest.mark.parametrize(
    ("body", "failing", "coins"),
    [
        ("def test_a():\n    assert f() == 1\n    assert g() == 2\n", ["test_a"], 2),
        ("def test_a():\n    assert f(), g()\n", ["test_a"], 0),
        ("def test_a():\n    assert f() == 1\n\ndef test_b():\n    assert f() == 1\n", ["test_a"], 1),
        ("def test_a():\n" + "    assert f() == 1\n" * 9, ["test_a"], 3),
        ("@pytest.mark.parametrize('a, b', [(1, 2), (3, 4), (5, 6)])\ndef test_a(a, b):\n    assert f(a) == b\n",
         ["test_a[1-2]", "test_a[5-6]"], 2),
        ("@pytest.mark.parametrize('a, b', [(1, 2), (3, 4)])\ndef test_a(a, b):\n    assert f(a) == b\n"
         "    assert g() == 1\n    assert h() == 2\n", ["test_a[1-2]"], 2),
        ("def test_a(:\n", ["test_a"], 0),
        ("def test_a():\n    assert f() == 1\n", ["test_b"], 0),
    ],
)  # fmt: skip
def test_how_many_coins_there_can_be_is_known_before_anything_is_tried(
    body: str, failing: list[str], coins: int
) -> None:
    assert coins_at_most({"t.py": body.encode()}, [f"t.py::{each}" for each in failing]) == coins


def test_tests_of_files_that_are_not_there_are_worth_no_coin() -> None:
    """A report comes out of a box, and may speak of anything."""
    assert coins_at_most({}, ["gone.py::test_a", "../../x.py::test_b[1]", ""]) == 0


def test_tests_of_every_form_get_twins(twins: Twins) -> None:
    forms = {each.test.partition("::")[2]: each for each in twins.tests}
    # Not test_truth, whose opposite holds at the base, nor those whose assertion is elsewhere or forgives.
    assert set(forms) == {
        *("test_cases", "test_value", "test_exception", "test_found", "TestOld::test_equal"),
        *("test_with_a_helper", "test_one_after_another", "test_in_a_loop"),
    }
    assert {change.by_case for change in forms["test_cases"].changes} == {True}
    assert {next(iter(change.fails)) for change in forms["test_cases"].changes} == {0, 1}


def test_the_solution_passes_with_twins_and_the_base_does_not(
    isolating: Backend, task: Task, twins: Twins
) -> None:
    with Grader(replace(task, content=replace(task.files, twins=twins)), isolating) as grader:
        verdict = grader.grade(task.gold)
        assert verdict.passed
        assert verdict.forge_probability <= 1 / 32
        assert grader.grade(WorkspaceState(task.base)).reason == "tests_failed"


def changed(twins: Twins, test: str) -> set[str]:
    """The lines of the hidden tests in which copies of ``test`` are changed."""
    lines = HIDDEN.splitlines()
    found = next(each for each in twins.tests if each.test == f"test_hidden.py::{test}")
    return {lines[change.at[0] - 1].strip() for change in found.changes}


def test_nothing_is_changed_that_the_base_gets_right(twins: Twins) -> None:
    """Or the one who runs the base's code on both copies would see that one fails too early."""
    assert changed(twins, "test_value") == {"assert add(20, 3) == 23"}
    assert changed(twins, "test_one_after_another") == {"assert add(7, 1) == 8"}
    columns = {change.at[1] for each in twins.tests if each.test.endswith("loop") for change in each.changes}
    assert columns == {33}  # of the 6


def test_a_copy_never_expects_an_exception_that_the_right_one_takes_too(twins: Twins) -> None:
    """A right solution might raise it: ``Missing`` is what is asked for, and ``MissingName`` is one."""
    assert not [each.test for each in twins.tests if "family" in each.test or "narrower" in each.test]


def test_all_but_a_changed_value_is_weak(twins: Twins) -> None:
    for each in twins.tests:
        assert {change.weak for change in each.changes} == {"exception" in each.test}


def test_no_twin_passes_at_the_base(isolating: Backend, task: Task, twins: Twins) -> None:
    """Or the one who runs the base's code would know which copy is the wrong one."""
    deck = Deck(replace(task, content=replace(task.files, twins=twins)))
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
        task,
        content=replace(
            task.files,
            solution_patch=task.files.solution_patch.replace(
                b"+    return a + b", b"+    import os; os._exit(0)"
            ),
        ),
    )
    with pytest.raises(TaskError, match="do not come to their end"):
        find_twins(broken, isolating)


def test_validation_tells_of_twins_of_other_tests(isolating: Backend, task: Task, twins: Twins) -> None:
    other = replace(
        task,
        content=replace(
            task.files, twins=twins, hidden={"test_hidden.py": HIDDEN.encode() + b"\n# changed\n"}
        ),
    )
    found = validate(other, backend=isolating, repeats=1)
    assert [finding.code for finding in found.reasons] == ["twins"]
    assert "forgeable" in [finding.code for finding in found.warnings]
    assert found.figures["forge_probability"] == 1.0


def test_validation_tells_of_a_twin_that_passes(isolating: Backend, task: Task, twins: Twins) -> None:
    line = HIDDEN.splitlines().index("    assert add(20, 3) == 23") + 1
    right = Change(at=(line, 25, line, 27), wrong="10 + 13", fails={0: ""})
    wrong = TestTwins(test="test_hidden.py::test_value", cases=("",), changes=(right,))
    bad = replace(task, content=replace(task.files, twins=twins.model_copy(update={"tests": (wrong,)})))
    found = validate(bad, backend=isolating, repeats=1)
    assert [finding.code for finding in found.reasons] == ["twins"]
    assert "test_value" in found.reasons[0].message


def test_a_task_of_kind_tests_has_none(isolating: Backend, task: Task, tmp_path: Path) -> None:
    manifest = task.manifest.model_copy(update={"kind": "tests"})
    assert find_twins(replace(task, manifest=manifest), isolating).tests == ()


def span(folder: Path) -> Task:
    base = "def upto(n):\n    return [*range(10, 10 + n), n]\n\n\ndef parted(n):\n    return n // 2, n % 2 == 1\n"
    hidden = (
        "from span import parted, upto\n\n\ndef test_upto():\n    assert upto(2) == [10, 11, 12]\n\n\n"
        "def test_parted():\n    assert parted(9) == (4, False)\n"
    )
    return make_task(
        folder / "span",
        repo="span",
        source={"span/__init__.py": base},
        hidden={"test_hidden.py": hidden},
        gold={"span/__init__.py": base.replace("), n]", "), 10 + n]").replace("% 2 == 1", "% 2 == 0")},
        fail_to_pass=["test_hidden.py::test_upto", "test_hidden.py::test_parted"],
    )


@pytest.mark.bwrap
def test_who_runs_the_bases_code_sees_no_part_of_a_wrong_value_that_it_does_right(tmp_path: Path) -> None:
    upto, parted = find_twins(span(tmp_path), choose_backend("bwrap")).tests
    assert all(change.wrong.startswith("[10, 11, ") and not change.weak for change in upto.changes)
    assert any(change.mutants for change in upto.changes)
    # Of the two halves the base does the first right, and the other can be wrong in one way only: as it is.
    assert all(change.weak for change in parted.changes)


def test_no_mutant_runs_where_nothing_would_keep_it(tmp_path: Path) -> None:
    found = find_twins(span(tmp_path), TrustedLocalBackend())
    assert [each.test for each in found.tests] == ["test_hidden.py::test_upto", "test_hidden.py::test_parted"]
    assert not any(change.mutants for each in found.tests for change in each.changes)


def test_of_many_cases_those_that_fail_at_the_base_are_tried_first(
    isolating: Backend, tmp_path: Path
) -> None:
    """Where only some tests are looked at; each copy of a test has all its cases."""
    cases = ", ".join(f"({number}, {number + 100})" for number in range(40))
    hidden = (
        "import pytest\nfrom sums import add\n\n\n"
        f"@pytest.mark.parametrize('a, total', [{cases}])\ndef test_cases(a, total):\n    assert add(a, 100) == total\n"
    )
    right = "def add(a, b):\n    return a + b\n"
    wrong = "def add(a, b):\n    return a + b + (a in (17, 31))\n"
    ids = [f"test_hidden.py::test_cases[{number}-{number + 100}]" for number in range(40)]
    task = make_task(
        tmp_path / "sums",
        repo="sums",
        source={"sums/__init__.py": wrong, "tests/test_sums.py": "def test_nothing():\n    pass\n"},
        hidden={"test_hidden.py": hidden},
        gold={"sums/__init__.py": right},
        fail_to_pass=[ids[17], ids[31]],
        pass_to_pass=[each for each in ids if each not in (ids[17], ids[31])],
    )
    found = find_twins(task, isolating, most=4).tests[0].changes
    numbers = {number for change in found for number in change.fails}
    assert {17, 31} <= numbers
    assert len(numbers) < 20
