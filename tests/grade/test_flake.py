"""What counts as a difference between two results, and what is said of it."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepgym_envs import Verdict
from deepgym_envs.grade import Flake, Outcome, TestReport
from deepgym_envs.grade.flake import compare

KEY = ("task", "state", "visible fake 1")
texts = st.text(st.characters(), max_size=12)
outcomes = st.dictionaries(texts, st.sampled_from(get_args(Outcome)), max_size=6)
reports = st.builds(
    TestReport, outcomes, st.lists(texts, max_size=2).map(tuple), st.just({}), st.booleans(), st.booleans()
)


def report(seen: dict[str, Outcome], complete: bool = True) -> TestReport:
    return TestReport(seen, (), {}, complete, False)


@given(reports, reports)
def test_a_difference_can_be_printed_and_written_and_is_one_from_both_sides(
    first: TestReport, other: TestReport
) -> None:
    flake = compare(KEY, first, other)
    assert (flake is None) == (compare(KEY, other, first) is None)
    assert compare(KEY, first, first) is None
    if flake is not None:
        assert all(
            test.isprintable() and len(test) <= 200 for test in (*flake.tests, flake.first, flake.other)
        )
        assert Flake.from_json(flake.to_json()) == flake


def test_tests_that_ended_differently_are_named() -> None:
    flake = compare(
        KEY,
        report({"a": "passed", "b": "passed", "c": "failed"}),
        report({"a": "failed", "b": "passed", "d": "passed"}),
    )
    assert flake is not None
    assert flake.tests == ("a", "c", "d")
    assert (flake.first, flake.other) == ("2 passed, 1 failed", "2 passed, 1 failed")


def test_what_a_run_that_was_cut_short_did_not_come_to_is_no_difference() -> None:
    short = report({"a": "passed"}, False)
    assert compare(KEY, short, report({"a": "passed", "b": "passed"}, False)) is None
    flake = compare(KEY, short, report({"a": "passed", "b": "passed"}))
    assert flake is not None
    assert (flake.tests, flake.first) == ((), "1 passed, 0 failed, not to its end")
    late = Verdict(0.0, False, "timeout", "t", "s", tests={"a": "passed", "b": "missing"})
    assert compare(KEY, late, Verdict(0.0, False, "timeout", "t", "s", tests={"a": "passed"})) is None


def test_verdicts_differ_by_reason_and_by_test() -> None:
    timeout = Verdict(0.0, False, "timeout", "t", "s", tests={"a": "missing"})
    passed = Verdict(1.0, True, "passed", "t", "s", tests={"a": "passed"})
    flake = compare(KEY, timeout, passed)
    assert flake is not None
    assert (flake.first, flake.other, flake.tests) == ("timeout", "passed", ())
    assert compare(KEY, passed, Verdict(**{**vars(passed), "flags": ("outside_editable:x",)})) is None


def test_names_that_hostile_code_chose_are_made_fit_to_be_shown() -> None:
    flake = compare(KEY, report({"\x1b[31m\ud800\n\0\u202e" + "x" * 10**6: "passed"}), report({}))
    assert flake is not None
    assert len(flake.tests[0]) <= 200
    assert flake.tests[0].isprintable()
    many = compare(KEY, report({f"t{number}": "passed" for number in range(1000)}), report({}))
    assert many is not None
    assert len(many.tests) == 20


@pytest.mark.parametrize(
    "text", ["", "{}", '{"format":1,"kind":"flake"}', '{"format":1,"kind":"flake","tests":[1]}']
)
def test_what_is_no_flake_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="this is not"):
        Flake.from_json(text)
