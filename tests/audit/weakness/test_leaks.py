"""What counts as a leak, and how the program's report is read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from deepgym_envs import Task
from deepgym_envs.audit.weakness.leaks import Leak, LeakScan, Secret, read_scan, scan_for_leaks, secrets_of
from deepgym_envs.sandbox import Backend
from deepgym_envs.testing import FakeBackend, completed, make_task

from ...tiny import make_tiny  # noqa: TID252
from ..place import somewhere  # noqa: TID252

FIXTURES = (make_tiny, somewhere)
LINES = tuple(f"{letter * 50} = made.up({letter})" for letter in "abcd")
LONG = Secret("solution", LINES, frozenset())
BASE = "def pages(count, size):\n    return count // size\n"
TOLD = "whole, rest = divmod(max(count, 0), size)"
GOLD = f"def pages(count, size):\n    {TOLD}\n    return whole + (1 if rest > 0 else 0)\n"
ASKED = "assert pages(count=31, size=15) == 3, one_begun"


def rows(*told: object) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in told)


def end(**other: object) -> dict[str, object]:
    return {"end": 1, "files": 5, "bytes": 70, "unread": [], "late": False, **other}


@pytest.mark.parametrize(
    ("secret", "found", "told"),
    [
        (LONG, LINES[:1], False), (LONG, LINES[:2], True), (LONG, (), False),
        # Known to the base: half of all, and three at least.
        (Secret("tests", LINES, frozenset(LINES)), LINES[:2], False),
        (Secret("tests", LINES, frozenset(LINES)), LINES[:3], True),
        # One line is all that there is.
        (Secret("solution", (LINES[0],), frozenset()), LINES[:1], True),
        (Secret("solution", ("if limit is not None and limit < 0:",), frozenset()),
         ("if limit is not None and limit < 0:",), False),
    ],
)  # fmt: skip
def test_a_leak_is_more_than_chance(secret: Secret, found: tuple[str, ...], told: bool) -> None:
    assert secret.is_told_by(found) is told


def test_a_report_is_read_with_parts_of_one_place_together() -> None:
    data = rows(
        {"place": "/a", "lines": [0], "compiled": 0}, {"place": "/a", "lines": [1], "compiled": 0},
        {"place": "/b", "lines": [0], "compiled": 0}, {"place": "/c.pyc", "lines": [], "compiled": 2},
        end(unread=["/d.zip"]),
    )  # fmt: skip
    assert read_scan(data, LINES, [LONG]) == LeakScan(
        4, (Leak("/a", "solution", LINES[:2]), Leak("/c.pyc", "solution")), 5, 70, ("/d.zip",)
    )


@pytest.mark.parametrize(
    "row",
    [
        {"place": "/a", "lines": [0, 4], "compiled": 0}, {"place": "/a", "lines": [-1], "compiled": 0},
        {"place": 7, "lines": [0, 1], "compiled": 0}, {"place": "/a", "lines": [True, 1], "compiled": 0},
        ["place"], "\ud800",
    ],
)  # fmt: skip
def test_rows_that_make_no_sense_are_passed_over(row: object) -> None:
    assert read_scan(rows(row, end()), LINES, [LONG]).leaks == ()


def test_a_scan_that_does_not_come_to_its_end_is_a_problem() -> None:
    found = read_scan(rows({"place": "/a", "lines": [0, 1], "compiled": 0}), LINES, [LONG], "killed")
    assert found.problem == "the scan did not come to its end: killed"
    assert len(found.leaks) == 1
    assert read_scan(rows(end(late=True)), LINES, [LONG]).problem == "time was up before all was read"


def make(folder: Path, **files: str) -> Task:
    return make_task(
        folder / "one",
        source={"book/__init__.py": BASE, "README.md": "Pages.\n", **files},
        hidden={"test_pages.py": f"from book import pages\n\n\ndef test_pages():\n    {ASKED}\n"},
        gold={"book/__init__.py": GOLD},
        fail_to_pass=["test_pages.py::test_pages"],
    )


def test_what_is_secret_are_long_lines_that_are_new(tmp_path: Path) -> None:
    solution, tests = secrets_of(make(tmp_path))
    assert solution.lines == (TOLD, "return whole + (1 if rest > 0 else 0)")
    assert tests.lines == (ASKED,)
    assert not solution.known | tests.known


def test_moved_code_is_known(tmp_path: Path) -> None:
    moved = {"book/other.py": f"def other(count, size):\n    {TOLD}\n    return rest\n"}
    assert secrets_of(make(tmp_path, **moved))[0].known == {TOLD}


def test_of_a_task_about_tests_the_implementations_are_secret(tmp_path: Path) -> None:
    task = make_task(
        tmp_path / "one",
        source={"book.py": BASE, "tests/test_book.py": "def test_book():\n    pass\n"},
        implementations={"wrong-up": {"book.py": GOLD}},
        gold={"tests/test_book.py": f"from book import pages\n\n\ndef test_book():\n    {ASKED}\n"},
        fail_to_pass=["wrong-up"], pass_to_pass=["base"], kind="tests", editable=["tests/**"],
    )  # fmt: skip
    solution, tests = secrets_of(task)
    assert solution.lines == (ASKED,)
    assert TOLD in tests.lines


def test_a_leak_in_the_workspace_is_found_in_a_real_box(tmp_path: Path, somewhere: Backend) -> None:
    notes = {"docs/plan.md": f"Do it so:\n\n    {TOLD}\n    return whole + (1 if rest > 0 else 0)\n"}
    found = scan_for_leaks(make(tmp_path, **notes), somewhere, 3.0)
    assert "/workspace/docs/plan.md" in {leak.place for leak in found.leaks}
    assert {leak.secret for leak in found.leaks} == {"solution"}


def test_a_box_that_says_nothing_is_a_problem(tmp_path: Path) -> None:
    backend = FakeBackend(lambda state, _: (completed(1, b"no python"), state))
    found = scan_for_leaks(make(tmp_path), backend, 3.0)
    assert found.problem == "the scan did not come to its end: no python"
    assert [box.closed for box in backend.boxes] == [True]
