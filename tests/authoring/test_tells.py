"""What tells copies of a test apart is found: where they fail, what they are about, what they repeat."""

from __future__ import annotations

import ast
import textwrap

import pytest

from deepgym_envs.authoring.tells import alone, between, by_base, by_echo, by_size, failed_line
from deepgym_envs.grade.test_file import Copy, Function, TestFile, place_of
from deepgym_envs.syntax import parse_python


def file_with(body: str) -> tuple[TestFile, Function]:
    file = TestFile(f"def test_it(self):\n{textwrap.indent(body, '    ')}\n".encode())
    return file, file.tests["test_it"]


def about(body: str, constant: int) -> str:
    """The body of a test that is about one constant alone."""
    file, test = file_with(body)
    at = next(place_of(node) for node in _constants(test) if node.value == constant)
    text = file.written([Copy("test_it", "test_alone", alone(test, at))]).decode()
    return textwrap.dedent("\n".join(text.strip().split("\n")[1:]))


def _constants(test: Function) -> list[ast.Constant]:
    return [node for node in ast.walk(test) if isinstance(node, ast.Constant)]


@pytest.mark.parametrize(
    ("body", "left"),
    [
        ("assert f() == 1\nassert f() == 2", "[f() == 1]\nassert f() == 2"),
        ("self.assertEqual(f(), 1)\nassert f() == 2", "[f(), 1]\nassert f() == 2"),
        ("assert_equal(1, f())\nassert f() == 2", "[1, f()]\nassert f() == 2"),
        ("for x in [(f, 1), (g, 2)]:\n    assert x", "for x in [(g, 2), (g, 2)]:\n    assert x"),
        ("assert all([h(x) for x in [1, 2]])", "assert all([h(x) for x in [1, 2]])"),
        ("x = 2\nassert f() == 1\nassert f() == x", "x = 2\nassert f() == 1\nassert f() == x"),
    ],
)
def test_a_test_can_be_about_one_expectation_alone(body: str, left: str) -> None:
    assert about(body, 2) == left.replace("[f() == 1]", "assert [f() == 1]")


def test_the_line_of_a_failure_is_counted_from_the_head_of_its_test() -> None:
    test = TestFile(b"import m\n\ndef test_it():\n    m.f()\n    assert m.g()\n").tests["test_it"]
    told = '  File "/t.py", line 5, in test_it\n    assert m.g()\n  File "/m.py", line 9, in g\nKeyError: 1'
    assert (failed_line(told, test), failed_line("", test)) == (2, None)


def test_a_wrong_value_that_repeats_as_much_as_the_right_one_is_told_by_nothing() -> None:
    test = TestFile(b"def test_it():\n    assert f('a', 'b') == ['a', 'c']\n").tests["test_it"]
    told = by_echo(test, "['a', 'c']")
    assert told("['a', 'd']") == 0.0
    assert told("['b', 'c']") == 0.0  # as likely as the 'a' that it replaces
    assert told("['d', 'c']") == 1.0


def test_what_is_tried_is_still_python() -> None:
    file, test = file_with("self.assertTrue(f(1))\nself.assertEqual(f(2), 3)")
    at = next(place_of(node) for node in _constants(test) if node.value == 3)
    assert parse_python(file.written([Copy("test_it", "test_alone", alone(test, at))]))


@pytest.mark.parametrize(
    ("right", "base", "wrong", "told"),
    [
        ("[1, 2, 3]", "[1, 2, 4]", "[1, 2, 5]", False),
        ("[1, 2, 3]", "[1, 2, 4]", "[1, 5, 3]", True),
        ("[1, 2, 3]", "[1, 2, 4]", "[1, 5, 7]", True),
        ("[1, 2, 3]", "[1, 2, 4]", "[1, 2, 3, 3]", False),
        ("[1, 2, 3]", "[1, 2, 4]", "[1, 2]", True),  # the base gives a third one
        ("[1, 2, 3]", "[1, 2]", "[1, 2, 4]", False),
        ("[1, 2, 3]", "[1, 2]", "[9, 2, 3]", True),
        ("[1, 2, 3]", "[]", "[9, 2, 3]", False),
        ("[1, 2, 3]", "None", "[3, 2, 1]", False),
        ("[1, 2, 3, 4]", "[1, 3, 2, 4]", "[1, 2, 5, 4]", True),  # the base has the right ones, in disorder
        ("[1, 2, 3, 4]", "[1, 4, 2, 3]", "[1, 3, 2, 4]", False),
        ("[1, 2, 3, 4]", "[1, 4, 2, 3]", "[3, 2, 1, 4]", True),
        ("['a', 'b', 'c', 'd']", "['b', 'c', 'd']", "['b', 'c', 'd', 'a']", False),  # it may be anywhere
        ("(4, 'ab cd')", "(4, 'ab xx')", "(4, 'ab yy')", False),
        ("(4, 'ab cd')", "(4, 'ab xx')", "(4, 'zz cd')", True),
        ("(4, 'ab cd')", "(4, 'ab xx')", "(5, 'ab cd')", True),
        ("{'a': 1, 'b': 2}", "{'b': 3, 'a': 1}", "{'a': 1, 'b': 4}", False),
        ("{'a': 1, 'b': 2}", "{'b': 3, 'a': 1}", "{'a': 4, 'b': 2}", True),
        ("{1, 2}", "{3, 2}", "{2, 4}", False),
        ("[(1, 'a'), (2, 'b')]", "[(1, 'a'), (3, 'b')]", "[(1, 'a'), (4, 'b')]", False),
        ("[(1, 'a'), (2, 'b')]", "[(1, 'a'), (3, 'b')]", "[(1, 'a'), (2, 'c')]", True),
        ("'45.10 EUR'", "'45.01 EUR'", "'45.11 EUR'", False),
        ("'45.10 EUR'", "'45.01 EUR'", "'46.10 EUR'", True),
        ("7", "5", "8", False),
    ],
)
def test_a_wrong_value_is_told_by_what_the_base_does_right(
    right: str, base: str, wrong: str, told: bool
) -> None:
    assert by_base(right, base)(wrong)[0] is told


def test_of_two_wrong_values_one_may_be_as_far_from_the_base_as_the_right_one() -> None:
    known = by_base("[1, 2, 3]", "[1, 2, 4]")
    assert [known(wrong)[1] for wrong in ("[1, 2, 5]", "[1, 2, 4, 4]", "[1, 2, 3, 3]")] == [0, 1, 3]


def test_what_is_partly_right_and_partly_as_the_base_has_it_is_made() -> None:
    assert set(between("[(1, 2), (3, 4), 5]", "[(1, 7), (8, 4), 6]")) == {
        *("[(1, 7), (3, 4), 5]", "[(1, 2), (8, 4), 5]", "[(1, 2), (3, 4), 6]"),
        *("[(1, 2), (8, 4), 6]", "[(1, 7), (3, 4), 6]", "[(1, 7), (8, 4), 5]"),
    }
    assert list(between("[1, 2]", "[1, 3]")) == []


@pytest.mark.parametrize(
    ("right", "wrong", "shows"),
    [
        ("[1, 2]", "[3, 4]", False),
        ("[1, 2]", "[2, 1]", False),
        ("[1, 2]", "[1]", True),
        ("[1, 2]", "[1, 1]", True),
    ],
)
def test_more_parts_or_more_that_come_twice_show(right: str, wrong: str, shows: bool) -> None:
    assert by_size(right, wrong) is shows
