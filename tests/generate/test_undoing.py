"""What was mended in an older release, turned back in the newest."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepgym_envs.generate import Candidate, Rejected, settle
from deepgym_envs.generate.hunks import apply_hunks
from deepgym_envs.generate.releases import Pair
from deepgym_envs.generate.undoing import turned_back, undone_fixes
from deepgym_envs.sandbox import Backend
from deepgym_envs.state import File, Tree

from ..audit.place import somewhere  # noqa: TID252
from ..releases import FolderIndex  # noqa: TID252
from .place import index
from .shop import recipe_of

FIXTURES = (somewhere, index)
FIRST = """\
def total(prices):
    return max(prices)


def label(name, price):
    return f"{name} {price}"


def kept(value):
    return value
"""
SECOND = FIRST.replace("max(prices)", "sum(prices)").replace('f"{name} {price}"', 'f"{name}: {price}"')
NEWEST = '"""A shop."""\n\nRATE = 7\n\n\n' + SECOND.replace('f"{name}: {price}"', '": ".join((name, price))')
TESTS = """\
from shop import kept, label, total


def test_total():
    assert total([3, 4]) == 7
    assert total([10, 20, 3]) == 33
    assert total([10, 20, 37]) == 67
    assert total([1, 1]) == 2


def test_label():
    assert label("tea", "4") == "tea: 4"


def test_kept():
    assert kept(5) == 5


def test_kept_text():
    assert kept("a") == "a"


def test_kept_nothing():
    assert kept(None) is None
"""


def tree(text: str) -> Tree:
    return Tree({"shop.py": File(text.encode()), "tests/test_shop.py": File(TESTS.encode())})


def made(index: FolderIndex, backend: Backend, oldest: str = FIRST) -> list[Candidate]:
    first, second, third = (
        index.add("shop", version, {"shop.py": text, "tests/test_shop.py": TESTS})
        for version, text in (("1.0", oldest), ("1.1", SECOND), ("2.0", NEWEST))
    )
    found = undone_fixes(Pair(first, second), third, recipe_of(third), backend, count=5)
    return [each for each in found if isinstance(each, Candidate)]


@pytest.mark.bwrap
def test_what_was_mended_is_broken_in_the_newest_release(index: FolderIndex, somewhere: Backend) -> None:
    (candidate,) = made(index, somewhere)
    assert candidate.base["shop.py"].data.decode() == NEWEST.replace("sum(prices)", "max(prices)")
    assert candidate.solution.tree()["shop.py"].data.decode() == NEWEST
    assert candidate.problems == (("tests/test_shop.py::test_total",),)
    assert candidate.proof["releases"] == ["2.0", "1.0", "1.1"]


@pytest.mark.bwrap
@pytest.mark.slow
def test_it_becomes_a_task(index: FolderIndex, somewhere: Backend) -> None:
    task = settle(made(index, somewhere)[0], "pypi", somewhere, repeats=1).task
    assert task.manifest.tests.fail_to_pass == ("tests/test_shop.py::test_total",)
    assert len(task.manifest.tests.pass_to_pass) == 4


@pytest.mark.bwrap
def test_where_nothing_is_as_it_was_there_is_none(index: FolderIndex, somewhere: Backend) -> None:
    with pytest.raises(Rejected, match="as it was") as caught:
        made(index, somewhere, oldest=SECOND)
    assert caught.value.code == "no_change"


def test_a_change_whose_surroundings_differ_today_is_left_alone() -> None:
    assert [each.new_lines for each in turned_back(tree(FIRST), tree(SECOND), tree(NEWEST))] == [
        (b"    return max(prices)\n",)
    ]
    assert not list(turned_back(tree(FIRST), tree(SECOND), Tree({})))


LINES = st.lists(st.sampled_from(["a\n", "b\n", "c\n", "d\n", "e = 1\n"]), max_size=12).map("".join)


@given(LINES, LINES, LINES)
def test_what_is_turned_back_fits_the_newest(old: str, new: str, newest: str) -> None:
    back = tuple(turned_back(tree(old), tree(new), tree(newest)))
    after = apply_hunks(tree(newest), back).tree()["shop.py"].data
    if newest == new:
        assert after == tree(old)["shop.py"].data
