"""Plain values cross as JSON and come back the same, type for type; nothing else crosses at all."""

from __future__ import annotations

import datetime as dt
import enum
import json
import subprocess
import sys
from collections import OrderedDict
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepgym_envs import plain
from deepgym_envs.plain import NotPlain, canonical, decode, dumps, encode, loads, references

ZONES = st.none() | st.integers(-1000, 1000).map(lambda minutes: dt.timezone(dt.timedelta(minutes=minutes)))
HASHABLE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(min_value=-(2**9_999), max_value=2**9_999),
    st.floats(),
    st.text(),
    st.text(st.characters(categories=["Cs", "Ll"])),
    st.binary(),
    st.decimals().filter(lambda value: not value.is_snan()),
    st.dates(),
    st.times().map(lambda value: value.replace(fold=0)),
    st.datetimes(timezones=ZONES).map(lambda value: value.replace(fold=0)),
    st.timedeltas(),
)
TAGS = st.sampled_from(["none", "tuple", "set", "dict", "int", "str", "x", "$x"])
VALUES = st.recursive(
    HASHABLE,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.sets(HASHABLE, max_size=4),
        st.frozensets(HASHABLE, max_size=4),
        st.dictionaries(HASHABLE, inner, max_size=4),
        st.dictionaries(TAGS, inner, max_size=2),
    ),
    max_leaves=12,
)


class Equal:
    """Equals everything."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, _: object) -> bool:
        return True


class Pair(NamedTuple):
    a: int
    b: int


class Text(str):
    __slots__ = ()


class Number(enum.IntEnum):
    ONE = 1


@given(VALUES)
def test_every_plain_value_comes_back_the_same(value: Any) -> None:
    text = dumps(encode(value))
    assert text.isascii()
    again = decode(loads(text))
    assert canonical(again) == canonical(value)
    assert type(again) is type(value)


@given(VALUES)
def test_the_form_of_what_came_back_is_the_form_that_went(value: Any) -> None:
    form = encode(value)
    assert canonical(decode(loads(dumps(form)))) == canonical(decode(form))


@given(st.dictionaries(HASHABLE, HASHABLE, max_size=5), st.randoms())
def test_the_order_of_a_dict_does_not_count(value: dict[Any, Any], chance: Any) -> None:
    pairs = list(value.items())
    chance.shuffle(pairs)
    assert canonical(dict(pairs)) == canonical(value)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, True), (1, 1.0), (0, False), ("1", 1), ([1], (1,)), ({1}, frozenset({1})), (b"a", "a"), (0.0, -0.0),
        ({"none": True}, None), ({1: 2}, {"1": 2}), ({1}, {True}), (Decimal("1.0"), Decimal("1.00")),
        (dt.date(2024, 1, 1), dt.datetime(2024, 1, 1)), ("\ud83d\ude00", "\U0001f600"), ({}, []), ([[1], 2], [[1, 2]]),
    ],
)  # fmt: skip
def test_values_of_different_types_are_different(one: Any, other: Any) -> None:
    assert canonical(one) != canonical(other)


@pytest.mark.parametrize(
    "value",
    [
        Equal(), Text("x"), Number.ONE, object(), int, len, Fraction(1, 2), 1j, bytearray(b"x"), range(3), OrderedDict(),
        Pair(1, 2), [Equal()], {"a": Text("b")}, {Text("a"): 1}, {Number.ONE}, iter([]),
        dt.datetime(2024, 1, 1, tzinfo=type("Zone", (dt.tzinfo,), {"utcoffset": lambda *_: None})()), 2**10_001,
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_what_is_not_exactly_of_a_plain_type_does_not_cross(value: Any) -> None:
    with pytest.raises(NotPlain):
        encode(value)


def test_what_is_too_deep_or_too_large_does_not_cross() -> None:
    deep: list[Any] = []
    for _ in range(50):
        deep = [deep]
    endless: list[Any] = []
    endless.append(endless)
    for value in (deep, endless, [0] * 100_001, dict.fromkeys(range(60_000), 0)):
        with pytest.raises(NotPlain):
            encode(value)
    with pytest.raises(NotPlain):
        decode(deep)


@pytest.mark.parametrize(
    "text",
    [
        "NaN", "[Infinity]", "1e999", '{"a":1,"a":1}', "{", "", "[1,]", "99999999999999999999999", "[" * 100_000, "'x'",
    ],
)  # fmt: skip
def test_json_that_leaves_a_doubt_is_refused(text: str) -> None:
    with pytest.raises(NotPlain):
        loads(text)


@pytest.mark.parametrize(
    "form",
    [
        None, object(), {"none": False}, {"none": 1}, {"bytes": "0"}, {"bytes": "AA"}, {"bytes": "zz"}, {"bytes": 1},
        {"float": "1.0"}, {"float": 1}, {"int": "1_0"}, {"int": " 1"}, {"int": 5}, {"int": "9" * 4000}, {"str": "a"},
        {"str": [-1]}, {"str": [1114112]}, {"decimal": "1_0"}, {"decimal": "x"}, {"decimal": 1}, {"timedelta": [0, -1, 0]},
        {"timedelta": [10**12, 0, 0]}, {"date": "2024-1-1"}, {"date": "20240101"}, {"time": "25:00:00"}, {"tuple": "ab"},
        {"set": [1, True]}, {"set": [[1]]}, {"dict": [[1]]}, {"dict": [[1, 2], [1.0, 3]]}, {"dict": {"a": 1}}, {1: None},
    ],
    ids=lambda form: type(form).__name__ if type(form) is object else str(form),
)  # fmt: skip
def test_a_form_that_stands_for_nothing_is_refused(form: Any) -> None:
    with pytest.raises(NotPlain):
        decode(form)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(TAGS, inner, max_size=2)
            | st.dictionaries(st.text(), inner)
        ),
        max_leaves=8,
    )
)
def test_a_form_is_a_value_or_not_plain_and_nothing_else(form: Any) -> None:
    try:
        value = decode(form)
    except NotPlain:
        return
    canonical(value)


def test_names_stand_for_values() -> None:
    form = {"tuple": ["$x", "$$x", ["$y"], {"a": "$x"}]}
    marker = object()
    assert decode(form, {"x": marker, "y": 2}) == (marker, "$x", [2], {"a": marker})
    assert references(form) == ["x", "y", "x"]
    assert decode("$x") == "$x"
    with pytest.raises(NotPlain, match="no such name"):
        decode("$z", {"x": 1})


def test_dates_of_a_toml_file_stand_for_themselves() -> None:
    assert decode([dt.date(2024, 2, 29), dt.datetime(2024, 1, 1, 5)]) == [
        dt.date(2024, 2, 29),
        dt.datetime(2024, 1, 1, 5),
    ]


def test_it_needs_nothing_but_itself() -> None:
    source = Path(plain.__file__).read_text(encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"{source}\nprint(dumps(encode((1, None))))"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == {"tuple": [1, {"none": True}]}
