"""An oracle's cases as tests."""

from __future__ import annotations

import ast
from random import Random

import pytest

from deepgym_envs.audit.weakness.observed import ObservedFile
from deepgym_envs.audit.weakness.oracle_tests import as_tests
from deepgym_envs.oracle_file import parse_oracle
from deepgym_envs.suite import load_suite

ORACLE = b"""
[[case]]
name = "all-of-it"
draw = { n = { whole = [3, 3] } }
steps = [
  { let = "a", call = "math:floor", args = [2.5], show = "str" },
  { call = "builtins:dict", kwargs = { x = { tuple = ["$a", "$$a", { none = true }] } } },
  { call = "builtins:sorted", args = [["b", "a"]], show = "each str", expect = ["a", "b"] },
  { get = "$n.real", expect = 3 },
  { call = "decimal:Decimal", args = [{ decimal = "1.50" }], show = ".real,.imag" , expect = { tuple = [1, 2] } },
  { call = "math:sqrt", args = [-1], raises = "ValueError" },
  { call = "math:isnan", args = [{ float = "nan" }], expect = true },
]

[[case]]
name = "a-program"
run = ["-m", "this"]
"""


def test_each_case_with_steps_becomes_a_test_that_runs() -> None:
    source = as_tests(parse_oracle(ORACLE, "oracle.toml"), Random(0)).decode()
    names: dict[str, object] = {}
    exec(source, names)
    assert "test_a_program" not in source
    names["test_all_of_it"]()  # type: ignore[operator]
    assert "a_ = math.floor(2.5)" in source
    assert "builtins.dict(x=(a_, '$a', None, ))" in source
    assert "[str(part) for part in parts(builtins.sorted(['b', 'a']))]" in source


def test_an_error_that_must_come_is_awaited() -> None:
    source = as_tests(parse_oracle(ORACLE, "oracle.toml"), Random(0)).decode()
    assert "with pytest.raises(builtins.ValueError):\n        math.sqrt(-1)" in source


@pytest.mark.slow
def test_every_oracle_of_the_suite_can_be_observed() -> None:
    tasks = [task for task in load_suite("starter") if task.oracle is not None]
    for task in tasks:
        assert task.oracle is not None
        file = ObservedFile(as_tests(task.oracle, Random(0)))
        assert len(file.tests) == len([case for case in task.oracle.case if case.steps])
        ast.parse(file.written(file.tests, {}))
    assert len(tasks) > 20
