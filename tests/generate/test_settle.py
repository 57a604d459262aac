"""What becomes of candidates, in a real box."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from deepgym_envs import load_suite
from deepgym_envs.generate import Candidate, Rejected, Settled, settle
from deepgym_envs.sandbox import Backend
from deepgym_envs.task import Limits
from deepgym_envs.task_writer import write_task
from deepgym_envs.validation import validate

from ..audit.place import somewhere  # noqa: TID252
from .shop import OLD_TESTS, RIGHT, TESTS, WRONG, candidate

FIXTURES = (somewhere,)
pytestmark = pytest.mark.bwrap
ORDERED = """


SEEN = []


@pytest.fixture(autouse=True)
def seen():
    SEEN.append(1)


def test_by_order():
    assert len(SEEN) == 1
"""


@pytest.fixture(scope="module")
def mixed() -> Candidate:
    """Next to good tests some that are of no use: unsteady, skipped, failing with the solution as well."""
    tests = (
        TESTS.replace("\n\n\n@pytest", ORDERED + "\n\n@pytest", 1)
        + "\n\n@pytest.mark.skip\ndef test_skipped():\n    assert total([1, 2]) == 3\n"
        + "\n\ndef test_of_the_future():\n    assert total(['a']) == 'a'\n"
    )
    visible = (
        "from shop import label, total\n\n\ndef test_total_of_many():\n    assert total(range(40)) == 780\n\n\n"
        "def test_of_old():\n    assert label('b', 2) == 'b: 2'\n\n\n"
        "def test_long_broken():\n    assert label('a', 1) == 'b'\n"
    )
    return candidate(
        {"tests/test_shop.py": tests, "tests/conftest.py": "", "tests/data.txt": "x"}, visible=visible
    )


@pytest.fixture(scope="module")
def settled(somewhere: Backend, mixed: Candidate) -> Settled:
    return settle(mixed, "made", somewhere, repeats=2)


def test_a_good_candidate_becomes_a_task(settled: Settled) -> None:
    task = settled.task
    assert task.id == "made/shop-1"
    assert set(task.manifest.tests.fail_to_pass) == {
        *(
            f"tests/test_shop.py::test_totals[prices{number}-{end}]"
            for number, end in enumerate((21, 357, 12))
        ),
        *(f"tests/test_shop.py::test_total_of_{name}" for name in ("many", "taxed", "cheapest")),
    }
    assert set(task.manifest.tests.pass_to_pass) == {
        "tests/test_shop.py::test_totals[prices3-41]",
        *(f"tests/test_shop.py::test_{name}" for name in ("taxed", "cheapest", "label")),
    }
    assert task.editable == ("shop.py",)
    assert "`total`" in task.instruction
    assert task.twins.tests
    assert settled.record["source"] == "invented"
    json.dumps(settled.record)


def test_tests_of_no_use_are_left_out_and_unsteady_ones_named(settled: Settled) -> None:
    hidden = settled.task.hidden["tests/test_shop.py"]
    for name in (b"test_by_order", b"test_skipped", b"test_of_the_future"):
        assert name not in hidden
    assert settled.record["flaky"] == ["tests/test_shop.py::test_by_order"]
    assert settled.record["tests_left_out"] == 3
    assert {"tests/conftest.py", "tests/data.txt"} <= set(settled.task.hidden)


def test_visible_tests_that_fail_or_tell_are_taken_out_of_the_base(settled: Settled) -> None:
    assert settled.task.base["tests/test_old.py"].data.decode() == OLD_TESTS
    left = settled.task.base["tests/test_shop.py"].data.decode()
    assert "test_of_old" in left
    assert "test_total_of_many" not in left
    assert "test_long_broken" not in left
    assert settled.task.figures is not None
    assert settled.task.figures.visible_failing == 0


def test_the_folder_that_was_written_validates_clean(
    settled: Settled, somewhere: Backend, tmp_path: Path
) -> None:
    write_task(settled.task, tmp_path / "made")
    (again,) = load_suite(tmp_path / "made")
    done = validate(again, backend=somewhere, repeats=1)
    assert done.clean, done.reasons
    assert again.digest == settled.task.digest


def rejected(given: Candidate, backend: Backend) -> Rejected:
    with pytest.raises(Rejected) as caught:
        settle(given, "made", backend, repeats=1)
    return caught.value


def test_without_a_test_that_fails_there_is_nothing_to_mend(somewhere: Backend) -> None:
    why = rejected(candidate(wrong=WRONG.replace("result = price", "result = result + price")), somewhere)
    assert why.code == "nothing_fails"


def test_without_a_test_that_stays_there_is_nothing_to_keep(somewhere: Backend) -> None:
    tests = "from shop import total\n\n\ndef test_sum():\n    assert total([1, 2]) == 3\n"
    assert rejected(candidate(tests), somewhere).code == "nothing_kept"


@pytest.mark.slow
def test_tests_that_never_end_are_told(somewhere: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[settle.__module__], "LIMITS", Limits(test_seconds=2, disk_mb=128))
    endless = RIGHT.replace("result = 0", "result = 0\n    while len(list(prices)) > 30: pass")
    why = rejected(candidate(right=endless), somewhere)
    assert (why.code, "with the solution (timeout)" in str(why)) == ("not_ended", True)
    endless = WRONG.replace("result = 0", "result = 0\n    while len(list(prices)) > 30: pass")
    why = rejected(candidate(wrong=endless), somewhere)
    assert (why.code, "without the solution (timeout)" in str(why)) == ("not_ended", True)


def test_what_validation_alone_finds_to_be_unsteady_is_left_out_too(
    somewhere: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules[settle.__module__], "TRIALS", 0)
    ordered = "import pytest\n" + ORDERED + "\n\ndef test_other():\n    assert SEEN\n"
    unsteady = candidate({"tests/test_shop.py": TESTS, "tests/test_order.py": ordered})
    settled = settle(unsteady, "made", somewhere, repeats=4)
    assert settled.record["flaky"] == ["tests/test_order.py::test_by_order"]
    assert "tests/test_order.py::test_other" in settled.task.expected
    assert b"test_by_order" not in settled.task.hidden["tests/test_order.py"]


@pytest.mark.parametrize(
    ("tests", "code"),
    [
        ("import nosuchmodule\n\n\ndef test_x():\n    pass\n", "not_collected"),
        ("def test_x(:\n", "not_collected"),
        ("x = 1\n", "solution_fails"),
        ("def test_x():\n    assert 0\n", "solution_fails"),
    ],
)
def test_tests_that_tell_nothing_are_told(somewhere: Backend, tests: str, code: str) -> None:
    assert rejected(candidate(tests), somewhere).code == code


def test_tests_that_cannot_be_collected_without_the_solution_are_told(somewhere: Backend) -> None:
    why = rejected(candidate(wrong=RIGHT.replace("def total", "def old_total")), somewhere)
    assert (why.code, "tests/test_shop.py cannot be collected" in str(why)) == ("not_collected", True)


@pytest.mark.slow
def test_a_report_that_is_easily_made_up_is_told(somewhere: Backend) -> None:
    """Six tests fail, of which none has a twin: what they compare cannot be wrong in another way."""
    tests = "from shop import label, total\n" + "".join(
        f"\n\ndef test_sum_{number}():\n    assert total([{number}, 2]) > 2\n"
        f"\n\ndef test_label_{number}():\n    assert label('a', {number})\n"
        for number in range(1, 7)
    )
    why = rejected(candidate(tests), somewhere)
    assert (why.code, "a made-up report" in str(why)) == ("forgeable", True)


def test_what_changes_nothing_or_too_much_is_not_run(somewhere: Backend) -> None:
    assert rejected(candidate(wrong=RIGHT), somewhere).code == "no_change"
    long = RIGHT + "".join(f"x{number} = {number}\n" for number in range(400))
    assert rejected(candidate(right=long), somewhere).code == "too_large"


@pytest.mark.slow
def test_a_statement_that_tells_the_tests_is_refused(somewhere: Backend) -> None:
    told = replace(candidate(), instruction="# Totals\n\ntest_total_of_many fails.\n", title="Totals")
    assert rejected(told, somewhere).code == "leak"


INHERITING = """\
from shop import label, total


class Base:
    def test_sum(self):
        assert total([1, 2]) == 3

    def test_label(self):
        assert label("a", 1) == "a: 1"


class TestOne(Base):
    def test_other_label(self):
        assert label("c", 8) == "c: 8"


class TestTwo(Base):
    def test_more(self):
        assert total([3, 4]) == 7

    def test_sums(self):
        assert total([5, 4]) == 9

    def test_largest(self):
        assert total([50, 49]) == 99
"""


@pytest.mark.slow
def test_tests_that_classes_inherit_stay_with_the_rest_of_their_file(somewhere: Backend) -> None:
    settled = settle(candidate(INHERITING, visible=INHERITING), "made", somewhere, repeats=1)
    of_two = {"test_sum", "test_label", "test_more", "test_sums", "test_largest"}
    assert set(settled.task.expected) == {
        *(f"tests/test_shop.py::TestOne::{name}" for name in ("test_sum", "test_label", "test_other_label")),
        *(f"tests/test_shop.py::TestTwo::{name}" for name in of_two),
    }
    assert "tests/test_shop.py" not in settled.task.base
    unsteady = INHERITING + "\n    def test_of_the_future(self):\n        assert total([]) is None\n"
    assert rejected(candidate(unsteady), somewhere).code == "flaky"


@pytest.mark.slow
def test_files_whose_tests_come_from_other_files_are_left_out(somewhere: Backend) -> None:
    borrowing = (
        "import pathlib\nimport sys\n\nsys.path.insert(0, str(pathlib.Path(__file__).parent))\n"
        "from test_shop import TestOne as One\n\n\nclass TestBorrowed(One):\n"
        "    def test_own(self):\n        assert 1 == 1\n"
    )
    files = {"tests/test_shop.py": INHERITING, "tests/test_borrowed.py": borrowing}
    task = settle(candidate(files, visible=INHERITING), "made", somewhere, repeats=1).task
    assert {node.partition("::")[0] for node in task.expected} == {"tests/test_shop.py"}
    assert "tests/test_borrowed.py" not in task.hidden
