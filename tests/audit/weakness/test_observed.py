"""Tests written anew so that they observe: what they see, and that they demand nothing."""

from __future__ import annotations

import ast
from collections.abc import Mapping

import pytest

from deepgym_envs.audit.weakness.observed import SEEN, ObservedFile
from deepgym_envs.twin import Place

SOURCE = """\
import pytest

TABLE = ("x", "y")


@pytest.fixture
def given():
    return "shared"


class TestOne:
    def test_inside(self):
        self.assertEqual(double(2), 5)
        assert not double("a") == "ab"


@pytest.mark.parametrize("a, b", [(1, 2), (3, 4)])
def test_cases(a, b):
    \"\"\"No input.\"\"\"
    assert double(a) == b and double(b) > 7, "no"


def test_rest(tmp_path):
    value = double(4)
    with pytest.raises(ValueError, match="text"):
        double(-1)
    double(6)
    assert all(double(part) == 2 * part for part in [1, 2])
    assert value[0:2] == f"{value}" or value == 9
    assert getattr(value, "name", None) is None
"""


def places(file: ObservedFile, home: str) -> list[list[str]]:
    return [[file.sources[at] for at in row] for row in file.inputs[home]]


def seen_by(source: bytes, test: str, *arguments: object) -> list[object]:
    """What a test sees when ``double`` doubles and everything else is a stranger to it."""
    values: list[object] = []

    def eye(_: str, value: object) -> object:
        values.append(value)
        return value

    names: dict[str, object] = {SEEN: eye, "double": lambda value: 2 * value}
    exec(compile(source, "t", "exec"), names)
    names[test](*arguments)  # type: ignore[operator]
    return values


def test_input_is_what_is_given_and_not_what_is_expected() -> None:
    file = ObservedFile(SOURCE.encode())
    assert file.tests == ("TestOne::test_inside", "test_cases", "test_rest")
    assert places(file, "TestOne::test_inside") == [["2", "5", "'a'"]]
    assert places(file, "test_rest") == [["4", "-1", "6", "2", "[1, 2]"]]
    assert places(file, "") == [["('x', 'y')", "'shared'"]]


def test_each_case_of_a_test_has_a_row_of_its_own() -> None:
    assert places(ObservedFile(SOURCE.encode()), "test_cases") == [[], ["1", "2"], ["3", "4"]]


def test_what_a_literal_is_given_to_is_known() -> None:
    file = ObservedFile(b"def test():\n    assert outer(1, inner(2)) == 3\n")
    assert {file.sources[at]: name for at, name in file.callees.items()} == {"1": "outer", "2": "inner"}


def test_assertions_only_look() -> None:
    file = ObservedFile(SOURCE.encode())
    written = file.written(file.tests, {})
    assert seen_by(written, "test_cases", 1, 2) == [2, 2, 4]
    assert seen_by(written, "test_cases", 1, 8) == [2, 8]
    assert not [node for node in ast.walk(ast.parse(written)) if isinstance(node, ast.Assert)]
    assert b"match=" not in written


def test_operands_are_seen_in_their_order_and_every_item_of_all() -> None:
    source = b"def test():\n    value = double(1)\n    assert all(double(n) == n for n in (5, 6))\n    assert not 3 < value\n"
    assert seen_by(ObservedFile(source).written(["test"], {}), "test") == [2, 10, 5, 12, 6, 2]


def test_the_class_of_an_awaited_error_is_seen() -> None:
    source = b"import pytest\n\n\ndef test():\n    with pytest.raises(LookupError):\n        {}[double(1)]\n"
    assert seen_by(ObservedFile(source).written(["test"], {}), "test") == [KeyError]


def test_operands_behind_the_one_that_decides_are_not_touched() -> None:
    source = b"def test():\n    assert double(0) and 1 / 0\n"
    assert seen_by(ObservedFile(source).written(["test"], {}), "test") == [0]


def test_other_literals_stand_where_they_are_put_and_tests_that_are_not_wanted_go() -> None:
    file = ObservedFile(SOURCE.encode())
    changes: Mapping[Place, str] = {file.inputs["test_rest"][0][0]: "'other'", file.inputs[""][0][0]: "()"}
    written = file.written(["test_rest"], changes).decode()
    assert "double('other')" in written
    assert "TABLE = ()" in written
    assert "test_cases" not in written
    assert "test_inside" not in written
    assert "def given" in written


def test_a_label_leads_back_to_what_was_looked_at() -> None:
    file = ObservedFile(SOURCE.encode())
    tree = ast.parse(file.written(["test_cases"], {}))
    labels = [
        node.args[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == SEEN
        and isinstance(node.args[0], ast.Constant)
    ]
    assert [file.expression(str(label)) for label in labels] == ["double(a)", "b", "double(b)"]
    assert file.expression("7:7:7:7") == ""


def test_what_is_not_python_is_refused() -> None:
    with pytest.raises(ValueError, match="invalid syntax"):
        ObservedFile(b"def test(:\n  (")
