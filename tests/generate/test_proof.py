"""What is found out of a task that was validated, in a real box."""

from __future__ import annotations

from pathlib import Path

import pytest

from deepgym_envs import Task
from deepgym_envs.audit.weakness.leaks import scan_for_leaks
from deepgym_envs.generate import Rejected
from deepgym_envs.generate.proof import FAULTS, prove
from deepgym_envs.sandbox import Backend
from deepgym_envs.testing import make_task

from ..audit.place import somewhere  # noqa: TID252

FIXTURES = (somewhere,)
pytestmark = pytest.mark.bwrap
BASE = "def pages(count, size):\n    return count // size\n"
TOLD = "whole, rest = divmod(max(count, 0), size)"
GOLD = f"def pages(count, size):\n    {TOLD}\n    return whole + (1 if rest > 0 else 0)\n"
STRICT = "[pages(n, 5) for n in range(-5, 12)] == [0] * 6 + [1] * 5 + [2] * 5 + [3]"
LAX = "pages(31, 15) == 3"


def make(folder: Path, asked: str, **files: str) -> Task:
    return make_task(
        folder / "one",
        source={"book/__init__.py": BASE, "README.md": "Pages.\n", **files},
        hidden={"test_pages.py": f"from book import pages\n\n\ndef test_pages():\n    assert {asked}\n"},
        gold={"book/__init__.py": GOLD},
        fail_to_pass=["test_pages.py::test_pages"],
    )


def test_stricter_tests_have_a_better_score(somewhere: Backend, tmp_path: Path) -> None:
    strict, lax = prove(make(tmp_path / "a", STRICT), somewhere), prove(make(tmp_path / "b", LAX), somewhere)
    assert 0 <= lax["mutation_score"] < strict["mutation_score"] <= 1
    assert 0 < lax["faults"] <= FAULTS
    assert strict["files_scanned"] >= 2  # those of the repository


def test_a_solution_that_the_agent_can_read_is_told(somewhere: Backend, tmp_path: Path) -> None:
    with pytest.raises(Rejected, match=r"can be read in .*old\.txt") as caught:
        prove(make(tmp_path, STRICT, **{"docs/old.txt": GOLD}), somewhere)
    assert caught.value.code == "leak"


def test_hidden_tests_that_the_agent_can_read_are_no_leak_of_the_solution(
    somewhere: Backend, tmp_path: Path
) -> None:
    """Those of a package are in part the visible ones, which other checks compare."""
    more = (f"[pages(n, {size}) for n in range(-3, 1)] == [0, 0, 0, 0], {size}" for size in (3, 4))
    asked = "\n    assert ".join((STRICT, *more))
    shown = f"from book import pages\n\n\ndef test_pages():\n    assert {asked}\n"
    task = make(tmp_path, asked, **{"tests/test_pages.py": shown})
    assert {leak.secret for leak in scan_for_leaks(task, somewhere, 60, system=False).leaks} == {"tests"}
    assert prove(task, somewhere)["faults"] > 0
