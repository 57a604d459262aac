"""Literals drawn in place of others."""

from __future__ import annotations

import ast
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepgym_envs.audit.weakness.other_inputs import OtherInputs, kind_of, neighbours

PLAIN = st.recursive(
    st.one_of(
        st.booleans(), st.integers(), st.text(max_size=20), st.binary(max_size=20), st.floats(-1e6, 1e6)
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.tuples(inner, inner)),
    max_leaves=6,
)


@given(PLAIN, st.integers(0, 2**32))
def test_what_is_drawn_is_another_literal(value: object, seed: int) -> None:
    other = OtherInputs([]).draw(repr(value), Random(seed))
    if other is not None:
        assert ast.unparse(ast.parse(other)) != ast.unparse(ast.parse(repr(value)))
        ast.literal_eval(other)


def test_the_same_chance_draws_the_same() -> None:
    def drawn(seed: int) -> list[str | None]:
        others, chance = OtherInputs(["'a b'", "'c d'", "7"]), Random(seed)
        return [others.draw("'e f'", chance) for _ in range(20)]

    assert drawn(1) == drawn(1) != drawn(2)


def test_edges_and_values_from_elsewhere_are_among_them() -> None:
    others, chance = OtherInputs(["'Assets:Bank'", "'Assets:Cash'"]), Random(0)
    texts = {others.draw("'Assets:Cash'", chance) for _ in range(200)}
    assert {"''", "'Assets:Bank'"} <= texts
    assert {"0", "-1"} <= {OtherInputs([]).draw("12", chance) for _ in range(200)}
    assert "[]" in {OtherInputs([]).draw("[1, 2]", chance) for _ in range(200)}


def test_numbers_stay_small_enough_to_count_to() -> None:
    chance = Random(0)
    drawn = [OtherInputs([]).draw("900", chance) for _ in range(200)]
    assert max(int(other) for other in drawn if other) <= 3_600


def test_nothing_takes_the_place_of_nothing() -> None:
    assert OtherInputs([]).draw("None", Random(0)) is None


@pytest.mark.parametrize(
    ("constant", "literals"),
    [(2, ["2", "3", "1"]), (True, []), ("a", ["'a'"]), (None, []), (2.5, ["2.5"])],
)
def test_what_a_program_compares_with_is_tried_with_its_neighbours(
    constant: object, literals: list[str]
) -> None:
    assert neighbours(constant) == literals


def test_a_number_with_a_sign_is_of_the_kind_of_numbers() -> None:
    assert kind_of("-1") is kind_of("1") is int
    assert kind_of("[1]") is ast.List
