"""Probes meet what tests are given where they expect a value; what is told of that is read strictly."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepgym_envs import WorkspaceState
from deepgym_envs.authoring.probes import Probes
from deepgym_envs.authoring.sites import sites
from deepgym_envs.grade import TaskRun, TaskRuns
from deepgym_envs.grade.report import TestReport
from deepgym_envs.grade.test_file import TestFile
from deepgym_envs.sandbox import Backend
from deepgym_envs.syntax import parse_python
from deepgym_envs.testing import make_task

from ..tiny import isolating  # noqa: TID252

FIXTURES = (isolating,)
HIDDEN = '''\
"""Text, and

more."""
from __future__ import annotations
import datetime as dt
import unittest

import pytest
from sums import add, endless, items, same


@pytest.mark.parametrize("a, total", [(1, 3), (2, 4)])
def test_cases(a, total):
    assert add(a, 2) == total


def test_after_a_failure():
    assert same(None) is None
    assert add(1, 1) == 0
    assert items(2) == [0, 1]
    assert (add(2, 2), items(1)) == (4, [0])


def test_in_a_loop():
    for a, total in [(0, 5), (1, 6)]:
        assert add(5, a) == total


def test_date():
    assert same(dt.date(2024, 1, 31)) == dt.date(2024, 2, 1)


def test_what_is_not_plain():
    assert same(Odd()) == 1


def test_no_comparison():
    expected = 3
    assert same(len([expected])) is expected


def test_without_end():
    assert add(1, 2) == 3
    assert endless() == 4


class TestOld(unittest.TestCase):
    def test_equal(self):
        self.assertEqual(add(2, 3), 5)


class Odd:
    pass
'''
SOURCE = (
    "def add(a, b):\n    return a + b\n\n\ndef items(n):\n    return list(range(n))\n\n\n"
    "def same(a):\n    return a\n\n\ndef endless():\n    while True:\n        pass\n"
)


def probes_of(hidden: str, path: str = "test_hidden.py") -> Probes:
    file = TestFile(hidden.encode())
    found = {f"{path}::{test}": sites(file, test) for test in file.tests}
    return Probes({path: hidden.encode()}, {path: file}, found)


def run(details: Mapping[str, str]) -> TaskRun:
    return TaskRun("tests_failed", TestReport({}, (), details, complete=True, malformed=False), 0.1)


def test_every_place_tells_what_it_is_compared_with(isolating: Backend, tmp_path: Any) -> None:
    task = make_task(
        tmp_path / "sums",
        repo="sums",
        source={"sums/__init__.py": SOURCE},
        hidden={"test_hidden.py": "def test_it():\n    assert 1 == 1\n"},
        gold={"sums/__init__.py": SOURCE + "\n"},
        fail_to_pass=["test_hidden.py::test_it"],
    )
    probes = probes_of(HIDDEN, "deep/er/test_hidden.py")
    with TaskRuns(task, isolating) as runs:
        done = runs.tried(WorkspaceState(task.base), probes.nodes, probes.files)
    assert done.report.complete
    seen: dict[str, list[tuple[str, ...]]] = {}
    for (test, _), values in probes.seen(done).items():
        seen.setdefault(test.partition("::")[2], []).append(values)
    assert seen == {
        "test_cases": [("3",), ("4",)],
        "test_after_a_failure": [("2",), ("[0, 1]",), ("(4, [0])",)],
        "test_in_a_loop": [("5",), ("6",)],
        "test_date": [("dt.date(2024, 1, 31)",)],
        "test_without_end": [("3",)],  # and its time is short
        "TestOld::test_equal": [("5",)],
    }


ONE = "def test_it():\n    assert f() == 1\n    assert f() == [2]\n"


@pytest.mark.parametrize(
    ("told", "values"),
    [
        ('[[0, 5], [1, [6]], [0, {"tuple": [7]}]]', [("5", "(7,)"), ("[6]",)]),
        ("[[0, 5], [0, 5]]", [("5",)]),
        ("[[0, null], [1, 3]]", [("3",)]),
        ("[[2, 5], [-1, 5], [true, 5], [0.0, 5], [0], [0, 5, 6], 0, {}]", []),
        ('[[0, {"date": "2024-01-31"}]]', []),  # the test has no name for one
        ('[[0, {"float": "nan"}], [0, {"set": []}]]', []),
        ('[[0, {"nonsense": 1}, [0]]]', []),
        ('{"0": 5}', []),
        ("[[0, 5]", []),
        ("takes too long", []),
        ("[" * 100_000, []),
        ("[[0, " + "[" * 60 + "]" * 60 + "]]", []),
    ],
)
def test_only_plain_values_of_places_that_there_are_are_believed(
    told: str, values: list[tuple[str, ...]]
) -> None:
    assert list(probes_of(ONE).seen(run({"test_hidden.py::test_it": told})).values()) == values


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists))
def test_whatever_is_told_is_read_without_error(told: Any) -> None:
    for values in probes_of(ONE).seen(run({"x": json.dumps([[0, told]])})).values():
        assert all(parse_python(value) for value in values)


def test_what_is_no_plain_value_is_not_probed() -> None:
    body = "    assert f() == g\n    assert f() is not None\n    assert 1 in f()\n"
    probes = probes_of(f"def test_it():\n{body}")
    assert probes.nodes == []
