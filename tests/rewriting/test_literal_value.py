"""Values are read out of expressions without running them, and written as such."""

from __future__ import annotations

import ast
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepgym_envs.plain import canonical
from deepgym_envs.rewriting.literal_value import is_written_out, means_the_same, source_of
from deepgym_envs.syntax import parse_expression

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.binary(max_size=5),
    lambda part: (
        st.lists(part, max_size=3)
        | st.lists(part, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=3) | st.integers(), part, max_size=3)
        | st.sets(st.integers() | st.text(max_size=3), max_size=3)
    ),
    max_leaves=8,
)


@given(PLAIN)
def test_what_is_written_says_the_same_value(value: Any) -> None:
    source = source_of(value, parse_expression("0"))
    if source is None:
        assert any(text in repr(value) for text in ("nan", "inf", "-0.0", "set()"))
    else:
        assert canonical(ast.literal_eval(source)) == canonical(value)
        assert is_written_out(parse_expression(source))
        assert means_the_same(parse_expression(source), parse_expression(source))


@pytest.mark.parametrize(
    ("value", "like", "source"),
    [
        (date(2024, 1, 31), "date(2020, 1, 1)", "date(2024, 1, 31)"),
        ([date(2024, 1, 31)], "(dt.date(2020, 1, 1), 1)", "[dt.date(2024, 1, 31)]"),
        (date(2024, 1, 31), "'2024-01-31'", None),
        (Decimal("1.20"), "Decimal('3')", "Decimal('1.20')"),
        (Decimal("1.20"), "3", None),
        (object(), "3", None),
        ([1, object()], "3", None),
        ((1,), "3", "(1,)"),
        ((), "3", "()"),
        ("it's \n", "3", '"it\'s \\n"'),
    ],
)
def test_a_value_is_written_as_another_one_is(value: object, like: str, source: str | None) -> None:
    assert source_of(value, parse_expression(like)) == source


@pytest.mark.parametrize(
    ("expression", "written_out"),
    [
        ("[1, (2, 'a'), {3: {4.0}}, None]", True),
        ("date(2024, 1, 31)", True),
        ("-1", True),
        ("Span(1, 2)", False),
        ("[1, a]", False),
        ("{a: 1}", False),
        ("[1, *a]", False),
        ("2 * 3", False),
        ("f'{a}'", False),
        ("{1: 2, 1: 3}", False),
    ],
)
def test_a_value_is_written_out_if_nothing_in_it_had_to_be_run(expression: str, written_out: bool) -> None:
    assert is_written_out(parse_expression(expression)) is written_out


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("[1, 2]", "[1,2]", True),
        ("0x10", "16", True),
        ("{1, 2}", "{2, 1}", True),
        ("1", "1.0", False),
        ("1", "True", False),
        ("[1]", "(1,)", False),
        ("[]", "[1]", False),
    ],
)
def test_equal_values_of_the_same_types_mean_the_same(one: str, other: str, same: bool) -> None:
    assert means_the_same(parse_expression(one), parse_expression(other)) is same
