"""A task whose hidden tests ask for too little, with a reference solution in which some faults show nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from deepgym_envs import Task
from deepgym_envs.audit.weakness.mutants import Fault
from deepgym_envs.rewriting import Mutant
from deepgym_envs.task import Limits
from deepgym_envs.testing import make_task

PATH = "shop/price.py"
BASE = '''\
"""What things cost."""


def price(count, each, limit=10):
    """From *limit* pieces on, one in ten is free."""
    return count * each


def label(text):
    return text.strip()
'''
GOLD = '''\
"""What things cost."""


def price(count, each, limit=10):
    """From *limit* pieces on, one in ten is free."""
    if count < 0:
        raise ValueError(count)
    free = min(count // 10, count) if count >= limit else 0
    return (count - free) * each


def label(text):
    return text.strip()
'''
HIDDEN = """\
import pytest

from shop.price import label, price


def test_one_in_ten_is_free():
    assert price(20, 3) == 54


def test_few():
    assert price(2, 3) == 6


def test_less_than_none():
    with pytest.raises(ValueError):
        price(-1, 3)


def test_label():
    assert label(" a ") == "a"
"""
VISIBLE = """\
from shop.price import price


def test_price():
    assert price(20, 3) == 54
"""


def make_soft(folder: Path, *, hidden: str = HIDDEN, source: dict[str, str] | None = None) -> Task:
    """The task; ``source`` are further files of its base."""
    tests = [f"test_hidden.py::{line[4:-3]}" for line in hidden.splitlines() if line.startswith("def test")]
    failing = [test for test in tests if "free" in test or "less" in test]
    return make_task(
        folder / "soft",
        source={"shop/__init__.py": "", PATH: BASE, "tests/test_price.py": VISIBLE, **(source or {})},
        hidden={"test_hidden.py": hidden},
        gold={PATH: GOLD},
        fail_to_pass=failing or tests,
        pass_to_pass=[test for test in tests if test not in failing] if failing else [],
        editable=["shop/**"],
        limits=Limits(test_seconds=20),
    )


@pytest.fixture(scope="session")
def soft(tmp_path_factory: pytest.TempPathFactory) -> Task:
    return make_soft(tmp_path_factory.mktemp("tasks"))


def fault(task: Task, before: str, after: str, function: str = "price") -> Fault:
    """The reference solution with one piece of text in another one's place."""
    source = GOLD.replace(before, after)
    line = GOLD[: GOLD.index(before)].count("\n") + 1
    mutant = Mutant("made", line, line, function, before, after, source)
    return Fault(PATH, mutant, task.gold.with_file(PATH, source.encode()))
