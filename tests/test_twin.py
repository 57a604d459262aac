"""Twins are kept beside a task, and count only for the test files that they were found for."""

from __future__ import annotations

import pytest

from deepgym_envs import TaskError
from deepgym_envs.twin import Change, TestTwins, Twins, file_digest, parse_twins

SOURCE = b"def test_a():\n    assert f() == 1\n"
TWINS = Twins(
    files={"test_a.py": file_digest(SOURCE), "more/test_b.py": file_digest(b"")},
    tests=(
        TestTwins(test="test_a.py::test_a", cases=("",), changes=(Change(at=(2, 18, 2, 19), wrong="2", fails={0: ""}),)),
        TestTwins(
            test="more/test_b.py::T::test_b",
            cases=("[1]", "[é]"),
            changes=(Change(at=(1, 0, 1, 1), wrong="'ä'", fails={1: "[ä]"}, by_case=True),),
        ),
    ),
)  # fmt: skip


def test_twins_are_read_back_as_they_were_written() -> None:
    assert parse_twins(TWINS.as_json(), "twins.json") == TWINS


def test_twins_of_a_file_that_has_changed_do_not_count() -> None:
    hidden = {"test_a.py": SOURCE, "more/test_b.py": b"# changed"}
    assert list(TWINS.of(hidden)) == ["test_a.py::test_a"]
    assert TWINS.current(hidden) == {"test_a.py"}


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b'{"files": {}}', b"[" * 100_000, b'{"files": {}, "tests": [{"test": "a"}]}', b"\xff"],
)
def test_what_is_not_twins_is_the_tasks_fault(data: bytes) -> None:
    with pytest.raises(TaskError, match=r"^twins\.json"):
        parse_twins(data, "twins.json")
