"""What changed between two releases, taken apart into problems and put together into candidates."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from deepgym_envs.generate import Candidate, settle
from deepgym_envs.generate.releases import Pair, released_fixes
from deepgym_envs.generate.run import Mill, Source
from deepgym_envs.sandbox import Backend

from ..audit.place import somewhere  # noqa: TID252
from ..releases import FolderIndex  # noqa: TID252
from .place import index
from .shop import recipe_of

FIXTURES = (somewhere, index)
pytestmark = pytest.mark.bwrap
OLD = """\
def total(prices):
    return max(prices)


def cheapest(prices):
    return max(prices)


# What is said of them.


def label(name, price):
    return f"{name} {price}"


def shout(name):
    return name.lower()


def silent(name):
    if name == "loud":
        raise KeyError(name)
    return name
"""
NEW = (
    OLD.replace("max(prices)", "sum(prices)", 1)
    .replace("max(prices)", "min(prices)")
    .replace('f"{name} {price}"', 'f"{name}: {price}"')
    .replace("lower()", "upper()")
    .replace("KeyError(name)", "ValueError(name)")
)
OLD_TESTS = """\
from shop import silent, total


def test_one():
    assert total([5]) == 5


def test_more():
    assert total([7]) == 7


def test_quiet():
    assert silent("a") == "a"
"""
NEW_TESTS = """\
import pytest

from shop import cheapest, label, shout, silent, total


def test_total():
    assert total([3, 4]) == 7
    assert total([10, 20, 3]) == 33


def test_cheapest():
    assert cheapest([3, 41]) == 3
    assert cheapest([100, 20, 36]) == 20


def test_label():
    assert label("tea", 4) == "tea: 4"
    assert label("milk", 12) == "milk: 12"


def test_shout():
    assert shout("a") == "A"
    assert shout("bcd") == "BCD"
    assert shout("tea for two") == "TEA FOR TWO"


def test_loud():
    with pytest.raises(ValueError, match="loud"):
        silent("loud")
""" + OLD_TESTS.partition("total\n")[2]


def candidates(index: FolderIndex, backend: Backend) -> list[Candidate]:
    old = index.add("shop", "1.0", {"shop.py": OLD, "tests/test_shop.py": OLD_TESTS})
    new = index.add("shop", "1.1", {"shop.py": NEW, "tests/test_shop.py": NEW_TESTS})
    recipe = recipe_of(new).model_copy(update={"name": "shop-0a1b2c"})  # as with a pytest of another time
    found = list(released_fixes(Pair(old, new), recipe, backend, count=9))
    return [each for each in found if isinstance(each, Candidate)]


def names(candidate: Candidate) -> list[list[str]]:
    return [[node.rpartition("::")[2] for node in problem] for problem in candidate.problems]


def test_problems_that_tests_hardly_compare_come_together(index: FolderIndex, somewhere: Backend) -> None:
    found = candidates(index, somewhere)
    assert [names(each) for each in found if len(each.problems) > 1] == [
        [["test_total"], ["test_cheapest"], ["test_label"]]
    ]
    together = next(each for each in found if len(each.problems) > 1)
    assert together.proof["hunks"] == len(together.problems) == 3
    assert together.solution.tree()["shop.py"].data.decode() == NEW.replace("upper()", "lower()").replace(
        "ValueError", "KeyError"
    )


def test_a_problem_that_tests_compare_nothing_of_stays_alone(index: FolderIndex, somewhere: Backend) -> None:
    found = candidates(index, somewhere)
    assert [["test_loud"]] in [names(each) for each in found]


@pytest.mark.slow
def test_a_task_of_several_problems_shows_a_failure_of_each(index: FolderIndex, somewhere: Backend) -> None:
    together = next(each for each in candidates(index, somewhere) if len(each.problems) > 1)
    settled = settle(together, "pypi", somewhere, repeats=1)
    task = settled.task
    assert settled.record["problems"] == together.problems
    assert task.instruction.startswith("# shop: ")
    assert task.manifest.title.startswith("shop: ")
    assert "There are 3 problems" in task.instruction
    for said in ("total([3, 4])\n    gives 4\n    should give 7", "should give 3\n", "label('tea', 4)"):
        assert said in task.instruction
    assert len(task.manifest.tests.fail_to_pass) == 3


@pytest.mark.slow
def test_what_a_task_asks_for_already_makes_no_second_one(
    index: FolderIndex, somewhere: Backend, tmp_path: Path
) -> None:
    first = next(each for each in candidates(index, somewhere) if len(each.problems) > 1)
    second = replace(first, name=f"{first.name.rpartition('-')[0]}-ffffff")
    mill = Mill("pypi", somewhere, tmp_path / "made", repeats=1, tell=lambda _: None)
    funnel = mill.run([Source("shop", lambda: iter([first, second]))])
    assert funnel.accepted == [f"pypi/{first.name}"]
    assert funnel.reasons == {second.name: ("twin", f"pypi/{first.name} asks for the same")}
