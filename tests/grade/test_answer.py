"""Answers are compared type for type, and pass for nothing that they are not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepgym_envs import plain
from deepgym_envs.grade import answer as answer_module
from deepgym_envs.grade.answer import Told, broken_properties, steps_of
from deepgym_envs.grade.patterns import Patterns
from deepgym_envs.oracle_file import Case, Must, parse_oracle
from deepgym_envs.plain import NotPlain


def case(steps: str, more: str = "") -> Case:
    return parse_oracle(f'[[case]]\nname = "c"\n{more}\n{steps}\n'.encode(), "oracle.toml").case[0]


def steps(text: str) -> Case:
    return case(f"steps = [{text}]")


def answer(*told: Any) -> list[Any]:
    return steps_of(json.dumps({"steps": told}))


def value(of: Any) -> list[Any]:
    return ["value", plain.encode(of)]


def complaint(asked: Case, drawn: dict[str, Any], told: list[Told]) -> str | None:
    with Patterns() as patterns:
        return answer_module.complaint(asked, drawn, told, patterns)


def raised(*classes: str, text: str | None = "") -> list[Any]:
    return ["raised", list(classes), text]


@pytest.mark.parametrize("wrong", [True, 1.0, "1", [1], None, 2, (1,)])
def test_only_the_same_value_of_the_same_type_is_right(wrong: Any) -> None:
    asked = steps('{ call = "t:f", expect = 1 }')
    assert complaint(asked, {}, answer(value(1))) is None
    assert complaint(asked, {}, answer(value(wrong))) == f"step 1 (t:f) gave {wrong!r}; expected 1"


@pytest.mark.parametrize(
    "told",
    [["done"], ["skipped"], ["not_plain", "x.Y is not plain"], ["raised", ["builtins:ValueError"], "no"]],
)
def test_a_step_without_its_value_is_wrong(told: list[Any]) -> None:
    assert complaint(steps('{ call = "t:f", expect = 1 }'), {}, answer(told))


def test_a_step_that_fails_is_wrong_whatever_follows() -> None:
    asked = steps('{ call = "t:f" }, { call = "t:g", expect = 1 }')
    assert complaint(asked, {}, answer(["done"], value(1))) is None
    assert complaint(asked, {}, answer(raised("builtins:ValueError"), value(1)))
    assert complaint(asked, {}, answer(value(1), value(1)))


def test_there_are_as_many_steps_as_were_asked_for() -> None:
    asked = steps('{ call = "t:f", expect = 1 }')
    assert complaint(asked, {}, answer()) == "has 0 steps, not 1"
    assert complaint(asked, {}, answer(value(1), value(1))) == "has 2 steps, not 1"


def test_an_exception_is_known_by_its_class_and_by_those_above() -> None:
    asked = steps('{ call = "t:f", raises = "t.errors:Wrong", match = "^no" }')
    assert complaint(asked, {}, answer(raised("t.errors:Sub", "t.errors:Wrong", text="no way"))) is None
    assert complaint(asked, {}, answer(raised("t.errors:Sub", "t.errors:Wrong", text="yes, no")))
    assert complaint(asked, {}, answer(raised("t.errors:Wrong", text=None)))
    assert complaint(asked, {}, answer(raised("builtins:Exception", text="no")))
    assert complaint(asked, {}, answer(value("t.errors:Wrong")))


def test_values_are_compared_with_drawn_ones_and_with_earlier_ones() -> None:
    asked = case(
        'steps = [{ let = "a", call = "t:f", must = { equals = "$n" } }, { call = "t:g", must = { equals = ["$a"] } }]',
        "draw = { n = { whole = [1, 9] } }",
    )
    assert complaint(asked, {"n": 4}, answer(value(4), value([4]))) is None
    assert complaint(asked, {"n": 4}, answer(value(5), value([5])))
    assert complaint(asked, {"n": 4}, answer(value(4), value([5])))


@pytest.mark.parametrize(
    ("must", "good", "bad"),
    [
        ({"equals": [1]}, [1], [True]),
        ({"near": [1.5, 0.25]}, 1.75, 1.76),
        ({"near": [1.0, 1.0]}, 1.0, 1),
        ({"near": [1.0, 1.0]}, 2.0, float("nan")),
        ({"matches": "a+"}, "aa", "aab"),
        ({"matches": "a+"}, "a", b"a"),
        ({"sorted": True}, [1, 1, 3], [2, 1]),
        ({"sorted": False}, [2, 1], [1, 2]),
        ({"sorted": True}, (1, 2), {1, 2}),
        ({"sorted": True}, [], [1, "a"]),
        ({"permutation_of": [1, 2, 2]}, [2, 1, 2], [1, 1, 2]),
        ({"permutation_of": [1]}, [1], [True]),
        ({"subset_of": [1, 2]}, {2}, {3}),
        ({"subset_of": [1, 2]}, [], [True]),
        ({"length": [1, 2]}, "ab", ""),
        ({"length": [0, 9]}, {}, 5),
        ({"between": [1, 5]}, 5, 6),
        ({"between": [1, 5]}, 1, 3.0),
        ({"between": [0, 1]}, 1, True),
        ({"sorted": True, "length": [2, 2]}, [1, 2], [1, 2, 3]),
    ],
)
def test_a_property_holds_or_does_not(must: dict[str, Any], good: Any, bad: Any) -> None:
    asked = Must.model_validate(must)
    with Patterns() as patterns:
        assert list(broken_properties(asked, good, {}, patterns)) == []
        assert list(broken_properties(asked, bad, {}, patterns))


PROGRAM = 'run = ["-m", "t"]\nstdout = "a\\n"\nstderr = { pattern = "w.*" }\nstatus = 2\nfiles = { "b" = "x", "c" = { none = true } }'
ENDED = {"status": 2, "stdout": "a\n", "stderr": "warning", "files": {"b": "x", "c": None}}


def test_a_program_is_known_by_all_that_it_leaves() -> None:
    assert complaint(case(PROGRAM), {}, answer(value(ENDED))) is None


@pytest.mark.parametrize(
    "other",
    [
        {"status": 0}, {"stdout": "a"}, {"stdout": b"a\n"}, {"stderr": ""}, {"stderr": None}, {"files": {"b": "x"}},
        {"files": {"b": "y", "c": None}}, {"files": {"b": "x", "c": ""}}, {"files": []},
    ],
    ids=str,
)  # fmt: skip
def test_a_program_that_leaves_something_else_is_wrong(other: dict[str, Any]) -> None:
    wrong = complaint(case(PROGRAM), {}, answer(value({**ENDED, **other})))
    assert (wrong is None) == (other == {"files": {"b": "x"}})


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "{}", '{"steps":{}}', '{"steps":[],"x":1}', '{"steps":[[]]}', '{"steps":["done"]}', '{"steps":[["value"]]}',
        '{"steps":[["value",null]]}', '{"steps":[["raised","E",""]]}', '{"steps":[["raised",[1],""]]}',
        '{"steps":[["done",1]]}', '{"steps":[["value",{"set":[1,true]}]]}', '{"steps":[["value",NaN]]}',
    ],
)  # fmt: skip
def test_what_is_no_answer_is_refused(text: str) -> None:
    with pytest.raises(NotPlain):
        steps_of(text)


@given(
    st.recursive(
        st.none() | st.booleans() | st.text() | st.sampled_from(["done", "value", "raised"]), st.lists
    )
)
def test_any_json_is_an_answer_or_refused(told: Any) -> None:
    asked = steps('{ call = "t:f", expect = 1 }')
    try:
        found = steps_of(json.dumps({"steps": told}))
    except NotPlain:
        return
    assert complaint(asked, {}, found)
