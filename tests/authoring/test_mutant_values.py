"""What mutants of the reference solution give is known, and what the base gives."""

from __future__ import annotations

from random import Random

import pytest

from deepgym_envs import Task
from deepgym_envs.authoring.mutant_values import MUTANTS, Observed, mutants_of, observe, touched
from deepgym_envs.authoring.sites import sites
from deepgym_envs.grade import TaskRuns
from deepgym_envs.grade.test_file import TestFile
from deepgym_envs.sandbox import choose_backend
from deepgym_envs.testing import make_task

BASE = "def upto(n):\n    return list(range(n + 2))\n\n\ndef other(n):\n    return n * 7\n"
GOLD = BASE.replace("n + 2", "1, n + 1")
HIDDEN = """\
from span import other, upto


def test_upto():
    assert upto(3) == [1, 2, 3]
    assert other(2) == 14


def test_sum():
    expected = 6
    assert sum(upto(3)) == expected
    assert (expected, len(upto(2))) == (6, 2)


def test_all_right_at_the_base():
    assert other(1) == 7
"""


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Task:
    return make_task(
        tmp_path_factory.mktemp("mutants") / "span",
        repo="span",
        source={"span/__init__.py": BASE},
        hidden={"test_hidden.py": HIDDEN},
        gold={"span/__init__.py": GOLD},
        fail_to_pass=["test_hidden.py::test_upto", "test_hidden.py::test_sum"],
        pass_to_pass=["test_hidden.py::test_all_right_at_the_base"],
    )


def observed(task: Task, *, seconds: float = 60.0) -> Observed:
    file = TestFile(task.hidden["test_hidden.py"])
    found = {f"test_hidden.py::{test}": sites(file, test) for test in file.tests}
    with TaskRuns(task, choose_backend("bwrap")) as runs:
        return observe(task, runs, {"test_hidden.py": file}, found, Random(1), seconds)


@pytest.mark.bwrap
def test_values_of_mutants_and_of_the_base_are_known(task: Task) -> None:
    seen = observed(task)
    base = {(test.partition("::")[2], at[0]): value for (test, at), value in seen.base.items()}
    assert base == {("test_upto", 5): "[0, 1, 2, 3, 4]", ("test_sum", 10): "10"}
    wrong = {(test.partition("::")[2], at[0]): values for (test, at), values in seen.wrong.items()}
    assert {"[1, 2]", "[1, 2, 3, 4]", "[2, 3]"} & set(wrong["test_upto", 5])
    counts = list(wrong["test_upto", 5].values())
    assert counts == sorted(counts, reverse=True)
    assert "[1, 2, 3]" not in wrong["test_upto", 5]
    assert "[0, 1, 2, 3, 4]" not in wrong["test_upto", 5]
    assert len(wrong["test_upto", 6]) > 0  # elsewhere in the same file, where the function has too few


def test_mutants_are_of_the_functions_that_the_solution_changed_first(task: Task) -> None:
    states = list(mutants_of(task, task.gold, Random(1)))
    sources = [file.data.decode() for state in states for file in state.changes.values() if file]
    heads = [source.partition("def other")[0] for source in sources]
    own = [head != GOLD.partition("def other")[0] for head in heads]
    assert own == sorted(own, reverse=True)
    assert len(set(sources)) == len(sources) <= MUTANTS
    assert GOLD not in sources
    assert states == list(mutants_of(task, task.gold, Random(1)))


def test_a_function_that_changed_is_touched_as_a_whole() -> None:
    assert touched(BASE, GOLD) == {1, 2}
    assert touched("", BASE) == set(range(1, 7))
    assert touched("a = 1\nb = 2\n", "a = 1\nb = 3\n") == {2}
    assert touched("def f():\n    a()\n    b()\n", "def f():\n    a()\n") >= {1, 2}


@pytest.mark.bwrap
def test_mutants_get_no_more_than_their_time(task: Task) -> None:
    seen = observed(task, seconds=0.0)
    assert seen.base
    assert not seen.wrong
