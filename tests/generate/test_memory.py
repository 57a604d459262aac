"""What hidden tests take of the memory, in a real box."""

from __future__ import annotations

from pathlib import Path

import pytest

from deepgym_envs.generate.memory import memory_mb
from deepgym_envs.grade import TaskRuns
from deepgym_envs.sandbox import Backend
from deepgym_envs.testing import make_task

from ..audit.place import somewhere  # noqa: TID252

FIXTURES = (somewhere,)
pytestmark = pytest.mark.bwrap


def measured(folder: Path, backend: Backend, size: int, conftest: str = "") -> float | None:
    tests = f"from book import page\n\n\ndef test_page():\n    big = bytearray({size} << 20)\n    assert page() == len(big[:2])\n"
    task = make_task(
        folder / "one",
        source={"book/__init__.py": "def page():\n    return 1\n"},
        hidden={"test_book.py": tests, **({"conftest.py": conftest} if conftest else {})},
        gold={"book/__init__.py": "def page():\n    return 2\n"},
        fail_to_pass=["test_book.py::test_page"],
    )
    with TaskRuns(task, backend) as runs:
        return memory_mb(runs)


def test_it_is_what_the_tests_had_at_most(somewhere: Backend, tmp_path: Path) -> None:
    small, large = measured(tmp_path / "a", somewhere, 1), measured(tmp_path / "b", somewhere, 101)
    assert small is not None
    assert large is not None
    assert 90 < large - small < 115


def test_where_the_tests_write_their_own_reports_it_is_not_told(somewhere: Backend, tmp_path: Path) -> None:
    conftest = "def pytest_runtest_makereport(item, call):\n    return None\n"
    assert measured(tmp_path, somewhere, 1, conftest) is None
