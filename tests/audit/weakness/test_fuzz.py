"""Survivors compared with the reference: real ones are shown with their input, equivalent ones bounded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from deepgym_envs import Task
from deepgym_envs.audit.weakness.fuzz import ENOUGH, Compared, Difference, Fuzzer
from deepgym_envs.audit.weakness.variations import Focus, Variations
from deepgym_envs.sandbox import Backend

from ...tiny import make_tiny  # noqa: TID252
from ..place import somewhere  # noqa: TID252
from .soft import HIDDEN, fault, make_soft, soft

FIXTURES = (make_tiny, soft, somewhere)


@pytest.fixture(scope="module")
def compared(soft: Task, somewhere: Backend) -> Iterator[dict[str, Compared]]:
    faults = {
        "boundary": fault(soft, "count < 0", "count <= 0"),
        "text of an error": fault(soft, "ValueError(count)", "ValueError(each)"),
        "another error": fault(soft, "ValueError(count)", "KeyError(count)"),
        "order": fault(soft, "min(count // 10, count)", "min(count, count // 10)"),
    }
    with Fuzzer(soft, somewhere, inputs=50, seed=0) as fuzzer:
        yield dict(zip(faults, fuzzer.compare(list(faults.values())), strict=True))


def test_a_fault_that_shows_is_real_and_the_input_is_told(compared: dict[str, Compared]) -> None:
    difference = compared["boundary"].difference
    assert difference is not None
    assert any(new == "0" for _, new in difference.changes)
    assert difference.fault == "builtins:ValueError"
    assert "-> 0" in difference.text
    assert difference.test.startswith(("hidden/test_hidden.py::", "visible/tests/test_price.py::"))
    assert compared["boundary"].bound == 1.0


def test_a_fault_that_never_shows_is_probably_equivalent_up_to_three_by_n(
    compared: dict[str, Compared],
) -> None:
    same = compared["order"]
    assert same.is_alike
    assert same.inputs >= ENOUGH
    assert same.bound == 3 / same.inputs


def test_the_class_of_an_error_is_compared_and_its_text_is_not(compared: dict[str, Compared]) -> None:
    assert compared["text of an error"].difference is None
    assert compared["another error"].difference is not None


def test_a_function_that_no_test_reaches_is_not_called_equivalent(tmp_path: Path, somewhere: Backend) -> None:
    task = make_soft(tmp_path, hidden=HIDDEN.replace('assert label(" a ") == "a"', "assert True"))
    with Fuzzer(task, somewhere, inputs=20, seed=0) as fuzzer:
        (seen,) = fuzzer.compare([fault(task, "text.strip()", "text.lstrip()", "label")])
    assert (seen.inputs, seen.is_alike, seen.bound) == (0, False, 1.0)


def test_what_a_public_function_gives_counts_though_no_test_looks_at_it(
    tmp_path: Path, somewhere: Backend
) -> None:
    task = make_soft(tmp_path, hidden=HIDDEN.replace('label(" a ") == "a"', 'bool(label(" a "))'))
    with Fuzzer(task, somewhere, inputs=20, seed=0) as fuzzer:
        (seen,) = fuzzer.compare([fault(task, "text.strip()", "text.lstrip()", "label")])
    assert seen.difference is not None
    assert seen.difference.what == "what label gives"
    assert (seen.difference.reference, seen.difference.fault) == ('"a"', '"a "')


def test_few_inputs_are_not_enough_to_call_anything_equivalent(soft: Task) -> None:
    few = Compared(fault(soft, "count < 0", "count <= 0"), ENOUGH - 1)
    assert (few.is_alike, few.bound) == (False, 3 / (ENOUGH - 1))


def test_many_changes_are_shown_in_part() -> None:
    changes = tuple((str(number), "x") for number in range(6))
    assert "3 -> x and 2 more\n" in Difference("t.py::test", changes, "f(x)", "1", "2").text


def test_the_same_seed_varies_in_the_same_way(soft: Task) -> None:
    def sources(seed: int) -> list[bytes]:
        varied = Variations(soft, seed)
        focus = Focus(frozenset({"price"}), ("10",))
        return [
            varied.vary(original, number, original.tests, focus).source
            for original in varied.originals
            for number in range(1, 6)
        ]

    assert sources(1) == sources(1) != sources(2)


def test_what_is_in_focus_takes_the_place_of_one_literal_after_the_other(soft: Task) -> None:
    varied = Variations(soft, 0)
    original = next(each for each in varied.originals if each.module == "visible/tests/test_price.py")
    focus = Focus(frozenset({"price"}), ("10", "'no'"))
    changed = [varied.vary(original, number, original.tests, focus) for number in (1, 3)]
    assert [each.changed_in("test_price") for each in changed] == [[("20", "10")], [("3", "10")]]
    assert [each.path for each in changed] == [
        "visible/tests/test_price__1.py", "visible/tests/test_price__3.py",
    ]  # fmt: skip
