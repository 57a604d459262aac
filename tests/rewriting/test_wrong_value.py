"""Wrong values are wrong, of the same types, and do not give themselves away."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from datetime import date
from itertools import islice
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepgym_envs.rewriting.wrong_value import likeness, wrong_values

from ..guesses import Rate, rates  # noqa: TID252

STARTER = Path(__file__).parent.parent.parent / "tasks" / "starter"

Literal = (
    st.booleans()
    | st.none()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=12)
    | st.sampled_from(["a b c", "1.0.12", "2024-02-29 x", "12.50 EUR", "one, two\nthree, four\n", "'\"\\"])
    | st.binary(max_size=6)
)
KEYS = st.integers(-9, 99) | st.text("abc", max_size=2)
VALUES = st.recursive(
    Literal,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=3).map(tuple)
        | st.sets(KEYS, max_size=3)
        | st.dictionaries(KEYS, inner, max_size=3)
    ),
    max_leaves=8,
)


def some(expression: str, count: int = 12, seed: int = 0, seen: list[str] | None = None) -> list[str]:
    return list(islice(wrong_values(expression, Random(seed), seen=seen or []), count))


def kinds(value: object) -> set[type]:
    """The types of a value and of all its parts."""
    parts: list[object] = []
    if isinstance(value, list | set | frozenset | tuple):
        parts = [*value]
    elif isinstance(value, dict):
        parts = [*value, *value.values()]
    return {type(value)}.union(*map(kinds, parts))


@settings(deadline=None)
@given(VALUES, st.lists(VALUES, max_size=2), st.integers(0, 99))
def test_every_outcome_is_another_value_of_the_same_types(
    value: object, seen: list[object], seed: int
) -> None:
    if repr(value) == "set()":
        return
    found = some(repr(value), 25, seed, [repr(other) for other in seen])
    assert len(set(found)) == len(found)
    for source in found:
        wrong = ast.literal_eval(source) if source != "set()" else set()
        assert wrong != value
        assert not (isinstance(wrong, float) and repr(wrong) in ("-0.0", "inf"))
        assert type(wrong) is type(value)
        assert kinds(wrong) <= kinds(value).union(*map(kinds, seen))


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("True", "False"),
        ("41", "42"),
        ("0", "1"),
        ("-3", "3"),
        ("1200", "1300"),
        ("0x1f", "0x20"),
        ("10_000", "20_000"),
        ("0.5", "0.6"),
        ("1.25e-3", "1.26e-3"),
        ("-0.25", "-0.24"),
        ("'1.0.9'", "'1.0.8'"),
        ("'858.00 EUR'", "'859.00 EUR'"),
        ('"it is 7"', '"it is 8"'),
        ("b'B7'", "b'B8'"),
        ("'b a'", "'a b'"),
        ("'b:c,d'", "'b,c:d'"),
        ("'mon'", "'tue'"),
        ("'text'", "'Text'"),
        ("[3, 1]", "[1, 3]"),
        ("[1, 2]", "[1]"),
        ("[1, 2]", "[1, 2, 2]"),
        ("{'a': 1, 'b': 2}", "{'a': 2, 'b': 1}"),
        ("{1, 5}", "{1, 6}"),
        ("date(2024, 1, 31)", "date(2024, 2, 29)"),
        ("dt.date(2024, 1, 30)", "dt.date(2024, 1, 29)"),
        ("Span(date(1, 1, 4), LAST)", "Span(date(1, 1, 5), LAST)"),
        ("'2024-12-31'", "'2025-01-01'"),
        ("usd(5, sign=True)", "usd(5, sign=False)"),
        ("Decimal('1.20')", "Decimal('1.30')"),
        ("1, 2  # why", "1, 3  # why"),
        ("('a 1'\n   'b 2')", "('a 1'\n   'b 3')"),
        ("'''a\nb 1\n'''", "'''a\nb 2\n'''"),
        (r"r'\d'", None),
        ("f'{a}'", None),
        ("[a for a in range(3)]", None),
        ("'\u0664'", None),
        ("None", None),
        ("name", None),
        ("''", None),
        ("{1: 2, 1: 3}", None),
        ("date(2024, 2, 30)", None),
    ],
)
def test_each_kind_of_value_has_natural_wrong_ones(expression: str, expected: str | None) -> None:
    found = {source for seed in range(25) for source in some(expression, 40, seed)}
    assert expected in found if expected else not found


@pytest.mark.parametrize("expression", ["1.0", "[1, 2]", "'007'", "'a-b_c'", "(1, 'a')", "{'a': [1, 2]}"])
def test_the_same_seed_gives_the_same_values(expression: str) -> None:
    assert some(expression, seed=5) == some(expression, seed=5)


def test_a_float_differs_by_more_than_a_tolerance() -> None:
    for source in some("0.333333333333", 20):
        assert float(source) != pytest.approx(0.333333333333, rel=1e-4)


@pytest.mark.parametrize(
    "expression", [str(10**400), f"-{10**400 + 7}", "'" + "9" * 5000 + "'", "1e300", f"{'3' * 300}.5"]
)
def test_large_numbers_are_no_trouble(expression: str) -> None:
    for source in some(expression):
        assert ast.literal_eval(source) != ast.literal_eval(expression)


def test_no_day_is_impossible() -> None:
    for source in some("(date(2024, 2, 29), '2023-02-28')", 80):
        inner = ast.parse(source, mode="eval").body
        assert isinstance(inner, ast.Tuple)
        call, text = inner.elts
        assert isinstance(call, ast.Call)
        date(*(ast.literal_eval(part) for part in call.args))
        date.fromisoformat(ast.literal_eval(text))


def test_what_is_right_elsewhere_is_the_best_wrong_value() -> None:
    firsts = Counter(
        some("'codec'", 1, seed, ["'viewer'", "'net'", "'1.0'", "['images']"])[0] for seed in range(60)
    )
    assert set(firsts) <= {"'viewer'", "'net'", "'images'", "'Codec'", "'codecs'"}
    assert firsts["'viewer'"] + firsts["'net'"] + firsts["'images'"] >= 50


def test_what_is_no_expression_is_refused() -> None:
    for source in ("a = 1", "1; 2", ")", ""):
        with pytest.raises(ValueError, match=r"\S"):
            some(source)


@pytest.mark.parametrize(
    ("wrong", "right", "fit"),
    [
        ("[1, 4]", "[1, 3]", 1.0),
        ("[3, 1]", "[1, 3]", 0.02),  # in disorder
        ("[1, 3, 5]", "[1, 3]", 0.02),  # longer
        ("[]", "[1, 3]", 0.02),
        ("[1, 3]", "[1,3]", 0.0),
        ("(1, 4)", "[1, 3]", 0.0),
        ("['a']", "[1, 3]", 0.0),
        ("True", "1", 0.0),
        ("{1: 2, 1: 3}", "{1: 2}", 0.0),
    ],
)
def test_a_value_is_the_fitter_the_less_it_catches_the_eye(wrong: str, right: str, fit: float) -> None:
    assert likeness(wrong, right) == fit


# --- can anyone tell? ---


def expectations() -> Iterator[list[str]]:
    """What the asserts of each file of the starter tasks compare with, where it is made of constants."""
    closed = (ast.JoinedStr, ast.ListComp, ast.GeneratorExp, ast.BinOp)
    for path in sorted(STARTER.glob("*/tests/*.py")):
        source = path.read_text(encoding="utf-8")
        found = []
        for node in ast.walk(ast.parse(source)):
            if (
                isinstance(node, ast.Assert)
                and isinstance(node.test, ast.Compare)
                and isinstance(node.test.ops[0], ast.Eq)
            ):
                right = node.test.comparators[0]
                parts = list(ast.walk(right))
                if any(isinstance(part, ast.Constant) for part in parts) and not any(
                    isinstance(part, closed) for part in parts
                ):
                    found.append(ast.get_source_segment(source, right) or "")
        yield found


def pairs(*, with_seen: bool, every: int) -> list[tuple[str, str]]:
    random = Random(1)
    found = []
    for group in islice(expectations(), 0, None, every):
        for at, right in enumerate(group):
            seen = group[:at] + group[at + 1 :] if with_seen else []
            wrong = next(wrong_values(right, random, seen=seen), None)
            if wrong is not None:
                found.append((right, wrong))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("with_seen", [True, False], ids=["others-seen", "alone"])
def test_nobody_can_tell_the_wrong_value_by_its_looks(with_seen: bool) -> None:
    found = pairs(with_seen=with_seen, every=2)
    assert len(found) >= 400
    for name, rate in rates(found).items():
        assert 0.42 <= rate.overall <= 0.58, f"{name}: {rate.overall:.0%} of all pairs"
        assert 0.33 <= rate.decided <= 0.67 or rate.pairs < 60, (
            f"{name}: {rate.decided:.0%} of {rate.pairs} pairs"
        )


def test_a_generator_that_gives_itself_away_would_be_found_out() -> None:
    found = [(str(number), str(number + 1)) for number in range(10, 310, 10)]
    assert rates(found)["smaller"] == rates(found)["rounder"] == Rate(1.0, 1.0, 30)
