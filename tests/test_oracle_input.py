"""Values are drawn from what is asked for, and what cannot be drawn from is refused."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from deepgym_envs.oracle_input import Drawn, as_drawn, draw


def one(how: dict[str, Any], seed: int = 0) -> Any:
    return draw({"x": Drawn.model_validate(as_drawn(how))}, Random(seed))["x"]


@given(st.integers(), st.integers(0, 10**6), st.integers())
def test_a_whole_number_is_in_its_range(first: int, more: int, seed: int) -> None:
    found = one({"whole": [first, first + more]}, seed)
    assert type(found) is int
    assert first <= found <= first + more


@given(st.integers())
def test_each_kind_is_drawn_from_its_range(seed: int) -> None:
    assert 0.5 <= one({"real": [0.5, 2]}, seed) <= 2
    price = one({"decimal": [-2, 3], "places": 3}, seed)
    assert type(price) is Decimal
    assert -2 <= price <= 3
    assert price.as_tuple().exponent == -3
    assert (
        dt.date(2024, 2, 28)
        <= one({"day": [dt.date(2024, 2, 28), dt.date(2024, 3, 1)]}, seed)
        <= dt.date(2024, 3, 1)
    )
    text = one({"text": [2, 4], "of": "ab "}, seed)
    assert 2 <= len(text) <= 4
    assert set(text) <= set("ab ")
    assert one({"choice": ["a", {"none": True}]}, seed) in ("a", None)
    assert one({"bool": True}, seed) in (True, False)
    many = one({"many": {"many": {"whole": [1, 2]}, "length": [1, 1]}, "length": [0, 3]}, seed)
    assert len(many) <= 3
    assert all(inner in ([1], [2]) for inner in many)


def test_another_seed_draws_something_else() -> None:
    assert len({one({"whole": [0, 10**9]}, seed) for seed in range(20)}) == 20


@pytest.mark.parametrize(
    ("how", "complaint"),
    [
        ({}, "write one of"),
        ({"whole": [1, 2], "text": [1, 2]}, "write one of"),
        ({"whole": [2, 1]}, "ends before it begins"),
        ({"many": {"whole": [1, 2]}, "length": [3, 2]}, "ends before it begins"),
        ({"whole": [1]}, "at least 2"),
        ({"choice": []}, "at least 1"),
        ({"choice": [{"set": [[1]]}]}, "unhashable"),
        ({"text": [0, 10**9]}, "less than or equal"),
        ({"number": [1, 2]}, "Extra"),
    ],
)
def test_what_cannot_be_drawn_is_refused(how: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        Drawn.model_validate(how)
