"""A file of tests is written again with copies in place of its tests, and means the same."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from deepgym_envs.grade.test_file import Copy, TestFile

SOURCE = b'''
"""A file of tests."""
import pytest

CASES = [(1, "one"), (2, "two")]
NAMES = {1: "one"}


def helper(x):
    return NAMES.get(x, "two")


def test_plain():
    """It has a text:

    with several lines."""
    assert helper(1) == "one"


@pytest.mark.parametrize("number, name", CASES)
def test_cases(number, name):
    assert helper(number) == name


class TestInside:
    base = 3

    def test_method(self):
        text = """a
b"""
        assert (self.base, text) == (3, "a\\nb")

    class TestDeeper:
        def test_deep(self):
            assert helper(2) == "two"


def test_calls_another():
    test_plain()
'''


def outcomes(tmp_path: Path, data: bytes) -> dict[str, str]:
    (tmp_path / "test_it.py").write_bytes(data)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rA", "-q", "--tb=no", "test_it.py"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    rows = [line.split(" ") for line in done.stdout.splitlines() if line.startswith(("PASSED ", "FAILED "))]
    return {row[1].removeprefix("test_it.py::"): row[0].lower() for row in rows}


def test_copies_stand_in_place_of_their_tests(tmp_path: Path) -> None:
    file = TestFile(SOURCE)
    deep = "TestInside::TestDeeper::test_deep"
    copies = [
        Copy("TestInside::test_method", "test_m"),
        Copy("test_cases", "test_c1"),
        Copy(deep, "test_d"),
        Copy("test_cases", "test_c2"),
    ]
    assert outcomes(tmp_path, file.written(copies)) == {
        "test_plain": "passed",
        "test_calls_another": "passed",
        "test_c1[1-one]": "passed",
        "test_c1[2-two]": "passed",
        "test_c2[1-one]": "passed",
        "test_c2[2-two]": "passed",
        "TestInside::test_m": "passed",
        "TestInside::TestDeeper::test_d": "passed",
    }


def test_a_change_concerns_one_copy_only(tmp_path: Path) -> None:
    file = TestFile(SOURCE)
    copies = [
        Copy("test_plain", "test_right"),
        Copy("test_plain", "test_wrong", (((17, 24, 17, 29), "'two'"),)),
    ]
    seen = outcomes(tmp_path, file.written(copies))
    assert (seen["test_right"], seen["test_wrong"]) == ("passed", "failed")


def test_a_constant_of_the_module_is_changed_for_one_copy_only(tmp_path: Path) -> None:
    file = TestFile(SOURCE)
    place = (5, 13, 5, 18)
    copies = [Copy("test_cases", "test_right"), Copy("test_cases", "test_wrong", ((place, "'six'"),))]
    seen = outcomes(tmp_path, file.written(copies))
    assert {node for node, outcome in seen.items() if outcome == "failed"} == {"test_wrong[1-six]"}


def test_a_test_that_others_speak_of_is_fixed() -> None:
    assert TestFile(SOURCE).fixed == {"test_plain"}


def test_constants_of_a_test_are_those_that_nothing_else_reads() -> None:
    file = TestFile(SOURCE)
    assert {test: set(found) for test, found in file.constants.items() if found} == {"test_cases": {"CASES"}}
    many = b"A = 1\nB = 2\nB += 1\nC = D = 3\nE = 4\nF = 5\ndef test_a(A): return A, B, C\ndef test_b(): return E, F, F\n"
    assert {test: set(found) for test, found in TestFile(many).constants.items()} == {
        "test_a": set(),
        "test_b": {"E"},
    }


def test_a_constant_that_was_changed_cannot_be_compared_with_anything() -> None:
    place = (5, 13, 5, 18)
    copies = [Copy("test_cases", "test_right"), Copy("test_cases", "test_wrong", ((place, "'six'"),))]
    text = TestFile(SOURCE).written(copies).decode()
    assert "CASES" not in text
    assert (text.count("(1, 'one')"), text.count("(1, 'six')")) == (1, 1)


def test_the_same_copies_give_the_same_text() -> None:
    file = TestFile(SOURCE)
    copies = [Copy("test_cases", "test_1"), Copy("TestInside::test_method", "test_2")]
    assert file.written(copies) == file.written(copies) == TestFile(SOURCE).written(copies)


def test_what_is_not_python_is_refused() -> None:
    with pytest.raises(ValueError, match="invalid syntax"):
        TestFile(b"def (:")
