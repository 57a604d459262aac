"""Where tests say what they expect is found, and what they give to the code under test is left alone."""

from __future__ import annotations

import textwrap

import pytest

from deepgym_envs.authoring.sites import Site, sites
from deepgym_envs.grade.test_file import TestFile


def found(body: str, head: str = "", decorator: str = "") -> list[Site]:
    source = (
        f"import pytest\n{head}\n{decorator}\ndef test_it(a=None, b=None):\n{textwrap.indent(body, '    ')}\n"
    )
    return list(sites(TestFile(source.encode()), "test_it"))


def expressions(body: str, head: str = "", decorator: str = "") -> list[str]:
    return [site.expression for site in found(body, head, decorator) if site.sort == "value"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("assert f(1) == 2", ["2"]),
        ("assert 2 == f(1)", ["2"]),
        ("assert f(1) == -2.5", ["-2.5"]),
        ("assert f(1) == [1, ('a', b'b')]", ["[1, ('a', b'b')]"]),
        ("assert f(1) == {1: {2}}", ["{1: {2}}"]),
        ("assert f(1) == date(2024, 1, 31)", ["date(2024, 1, 31)"]),
        ("assert f(1) == Span(FIRST, date(2, 3, 4))", ["Span(FIRST, date(2, 3, 4))"]),
        ("assert f(1) == pytest.approx(0.3)", ["pytest.approx(0.3)"]),
        ("assert f(1) is True", ["True"]),
        ("assert f(1) == []", ["[]"]),
        ("assert (f(1), g(2)) == (3, 'four')", ["(3, 'four')"]),
        ("assert f(1) == 2 and g(3) == 4", ["2", "4"]),
        ("expected = (1, 2)\nassert f(3) == expected", ["(1, 2)"]),
        ("for x, y in [(1, 2), (3, 4)]:\n    assert f(x) == y", ["2", "4"]),
        ("self.assertEqual(f(1), 2)", ["2"]),
        ("assert_equal('x', f(1))", ["'x'"]),  # what suites call their own
        ("assert_not_equal('x', f(1))", []),
        ("expected = '-'.join(['a', 'b'])\nassert f(1) == expected", ["'a-b'"]),
        ("assert f(1) == dedent('  a').strip()", ["'a'"]),
        ("assert f(1) == ['a' + 'b', '-'.join(['c'])]", ["['ab', 'c']"]),
        ("assert f(1) == ','.join(x)", []),
        # a right solution may say more than it is asked for
        ("assert 'no' in f(1)", []),
        ("self.assertIn('a', f(1))", []),
        ("with pytest.raises(ValueError, match='no 3'):\n    f(1)", []),
        ("assert f(1) == g(2)", []),  # what is given to the code under test stays
        ("assert f(1)[0] == f(2)[1]", []),
        ("assert f(1) < 3", []),
        ("assert f(1) == expected", []),
    ],
)
def test_values_are_found_where_something_is_compared_with_them(body: str, expected: list[str]) -> None:
    assert expressions(body) == expected


@pytest.mark.parametrize(
    ("decorator", "expected"),
    [
        ('@pytest.mark.parametrize("a, b", [(1, 2), (3, 4)])', ["2", "4"]),
        ('@pytest.mark.parametrize(("a", "b"), [[1, 2], pytest.param(3, 4, id="x")])', ["2", "4"]),
        ('@pytest.mark.parametrize("b", [2, pytest.param(4)])', ["2", "4"]),
        ('@pytest.mark.parametrize("a, b", CASES)', ["6", "7"]),
        ('@pytest.mark.parametrize("a", [1, 2])', []),
        ('@pytest.mark.parametrize("a, b", cases())', []),
    ],
)
def test_expected_values_of_cases_belong_to_their_case(decorator: str, expected: list[str]) -> None:
    all_of_them = found("assert f(a) == b", "CASES = [(1, 6), (2, 7)]", decorator)
    values = [site for site in all_of_them if site.sort == "value"]
    assert [site.expression for site in values] == expected
    assert all(site.by_case for site in values)


@pytest.mark.parametrize(
    ("body", "opposite"),
    [
        ("assert f(1)", "not f(1)"),
        ("assert not f(1)", "f(1)"),
        ("assert f(1) < 3", "f(1) >= 3"),
        ("assert 'a' not in f(1)", "'a' in f(1)"),
        ("assert 'a' in f(1)", "'a' not in f(1)"),
        ("assert f(1) != 3", "f(1) == 3"),
        ("assert f(1) == g(2)", "f(1) != g(2)"),
        ("self.assertTrue(f(1))", "self.assertFalse"),
        ("self.assertIn('a', f(1))", "self.assertNotIn"),
    ],
)
def test_what_holds_can_be_reversed(body: str, opposite: str) -> None:
    assert [site.expression for site in found(body) if site.sort == "negation"] == [opposite]


def test_expected_exceptions_are_found() -> None:
    with_types = found("with pytest.raises(errors.SpanError):\n    f(1)")
    assert [(site.expression, site.sort) for site in with_types] == [("errors.SpanError", "exception")]


def test_values_come_before_exceptions_and_these_before_negations() -> None:
    body = "assert f(1)\nwith pytest.raises(KeyError):\n    f(2)\nassert f(3) == 4"
    assert [site.sort for site in found(body)] == ["value", "exception", "negation", "negation"]


def test_a_test_without_assertions_has_no_place() -> None:
    assert found("f(1)") == []
