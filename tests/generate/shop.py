"""An invented package before and after a change, and candidates made of it, for tests of what becomes of them."""

from __future__ import annotations

from collections.abc import Mapping

from deepgym_envs.generate import Candidate
from deepgym_envs.recipe import (
    PYTEST_PINS,
    PYTEST_PYTHON,
    BundledSource,
    Install,
    Needs,
    RepoRecipe,
    SdistSource,
)
from deepgym_envs.state import File, Tree, WorkspaceState

RIGHT = """\
RATES = {"books": 7, "games": 19}


def total(prices):
    result = 0
    for price in prices:
        result += price
    return result


def taxed(price, kind):
    return price + price * RATES[kind] // 100


def cheapest(prices, count):
    return sorted(prices)[:count]


def label(name, price):
    return f"{name}: {price}"
"""
WRONG = RIGHT.replace("result += price", "result = price")
TESTS = """\
import pytest

from shop import cheapest, label, taxed, total


@pytest.mark.parametrize(
    ("prices", "sum_of_all"),
    [([17, 4], 21), ([100, 250, 7], 357), ([3, 3, 3, 3], 12), ([41], 41)],
)
def test_totals(prices, sum_of_all):
    assert total(prices) == sum_of_all


def test_total_of_many():
    assert total(range(40)) == 780


def test_total_of_taxed():
    assert total([taxed(100, "books"), taxed(200, "games")]) == 345


def test_total_of_cheapest():
    assert total(cheapest([9, 5, 7, 1], 3)) == 13


def test_taxed():
    assert taxed(200, "games") == 238


def test_cheapest():
    assert cheapest([8, 2, 6], 2) == [2, 6]


def test_label():
    assert label("tea", 40) == "tea: 40"
"""
OLD_TESTS = "from shop import label, total\n\n\ndef test_one():\n    assert total([5]) == 5\n\n\ndef test_old_label():\n    assert label('a', 1) == 'a: 1'\n"
RECIPE = RepoRecipe(
    name="shop",
    summary="Sells things.",
    license="MIT",
    python=PYTEST_PYTHON,
    source=BundledSource(kind="bundled"),
    needs=Needs(pip=PYTEST_PINS),
    install=Install(pythonpath=(".",)),
)


def recipe_of(source: SdistSource) -> RepoRecipe:
    """The recipe with its source in a release."""
    return RECIPE.model_copy(update={"source": source})


def candidate(
    tests: str | Mapping[str, str] = TESTS, *, right: str = RIGHT, wrong: str = WRONG, visible: str = ""
) -> Candidate:
    """The shop with a fault, and hidden tests: of one file, or by path."""
    files = {"tests/test_shop.py": tests} if isinstance(tests, str) else tests
    there = {"shop.py": wrong, "tests/test_old.py": OLD_TESTS, "tests/test_shop.py": visible}
    base = Tree({path: File(text.encode()) for path, text in there.items() if text})
    return Candidate(
        name="shop-1",
        recipe=RECIPE,
        base=base,
        solution=WorkspaceState(base).with_file("shop.py", right.encode()),
        hidden={path: text.encode() for path, text in files.items()},
        proof={"source": "invented"},
    )
