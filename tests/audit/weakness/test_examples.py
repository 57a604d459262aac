"""Examples read out of visible tests and the instruction."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path

import pytest

from deepgym_envs import Task
from deepgym_envs.audit.weakness.examples import examples
from deepgym_envs.audit.weakness.imported_names import Callee, ImportedNames
from deepgym_envs.testing import make_task

SOURCE = {
    "shop/__init__.py": "from .inner import total as total\nfrom .inner.money import *\n",
    "shop/inner/__init__.py": "from ..price import total, Cart\nfrom .money import cents\n",
    "shop/inner/money.py": "def cents(a):\n    return 100 * a\n",
    "shop/price.py": "class Cart:\n    def size(self):\n        return 0\n\n\ndef total(items):\n    return 0\n",
    "other.py": "def tax(a):\n    return 1\n",
}
TESTS = """\
import pytest
import other
import shop.price
from datetime import date
from shop import total
from shop.inner import Cart, cents

ITEMS = [1, 2]


def test_total():
    assert total(ITEMS) == 3
    assert 0 == total(items=[])
    two = 2
    assert total([two, date(2024, 1, two)]) is None
    two = total([1])
    assert total([two]) == 5


@pytest.mark.parametrize("given, wanted", [((1, 2), 100), ((3,), 300)])
def test_cases(given, wanted):
    assert cents(given) == wanted


@pytest.mark.parametrize("given", [7])
def test_single(given):
    for more in (8, 9):
        assert other.tax(given + more) == more


def test_refused():
    with pytest.raises(ValueError):
        shop.price.total(None)
    assert Cart().size() == 4


def test_state(tmp_path):
    cart = Cart()
    cart.put(1)
    assert total([6]) == 6


def test_unknown(tmp_path):
    assert total(tmp_path) == 6
    assert total(*ITEMS) == 6
    assert len(ITEMS) == 2
    assert Cart(1) == 2


def test_contradiction():
    assert total([4]) == 4
    assert total([4]) == 5
"""
TEXT = """\
It should be so:

```python
>>> from shop.price import total
>>> total([11])
11
>>> print(total([12]))
a
b
>>> total([13])
Traceback (most recent call last):
```

and `total([14]) == 14`, but not `total([`.
"""


@pytest.fixture
def task(tmp_path: Path) -> Task:
    task = make_task(
        tmp_path / "one",
        source={**SOURCE, "tests/test_shop.py": TESTS, "tests/broken.py": "def ("},
        hidden={"test_hidden.py": "def test_sum():\n    pass\n"},
        gold={"shop/price.py": "a = 1\n"},
        fail_to_pass=["test_hidden.py::test_sum"],
        editable=["shop/**", "other.py"],
    )
    return replace(task, instruction=TEXT)


def test_examples_are_read_out_of_visible_tests_and_the_instruction(task: Task) -> None:
    found = {(each.name, each.given): each.expected or each.error for each in examples(task)}
    assert found == {
        ("total", "given([1, 2])"): "3",
        ("total", "given(items=[])"): "0",
        ("total", "given([2, date(2024, 1, 2)])"): "None",
        ("total", "given([total([1])])"): "5",
        ("cents", "given((1, 2))"): "100",
        ("cents", "given((3,))"): "300",
        ("tax", "given(7 + 8)"): "8",
        ("tax", "given(7 + 9)"): "9",
        ("total", "given(None)"): "ValueError",
        ("Cart.size", "given(Cart())"): "4",
        ("total", "given([11])"): "11",
        ("total", "given([12])"): "'a\\nb'",
        ("total", "given([14])"): "14",
    }


def test_an_example_lies_where_the_function_is_defined_and_brings_its_imports(task: Task) -> None:
    found = {each.given: each for each in examples(task)}
    assert found["given([1, 2])"].path == "shop/price.py"
    assert found["given((3,))"].path == "shop/inner/money.py"
    assert found["given([2, date(2024, 1, 2)])"].heads == "from datetime import date"


def test_what_may_not_be_edited_is_left_out(task: Task) -> None:
    manifest = task.manifest.model_copy(update={"editable": ("shop/**",)})
    assert "tax" not in {each.name for each in examples(replace(task, manifest=manifest))}


def names(task: Task, source: str) -> ImportedNames:
    return ImportedNames(task, ast.parse(source))


@pytest.mark.parametrize(
    ("imports", "called", "callee"),
    [
        ("from shop import total", "total", Callee("shop/price.py", "total")),
        ("import shop.price as p", "p.total", Callee("shop/price.py", "total")),
        ("from shop import price", "price.total", Callee("shop/price.py", "total")),
        ("from shop import fresh", "fresh", Callee("shop/__init__.py", "fresh")),
        ("from shop.inner import Cart", "Cart", None),
        ("from shop.inner import Cart", "Cart(1).size", Callee("shop/price.py", "Cart.size")),
        ("from shop import total", "total(1).size", None),
        ("from math import floor", "floor", None),
        ("", "total", None),
    ],
)
def test_a_call_leads_to_what_is_called(task: Task, imports: str, called: str, callee: Callee | None) -> None:
    function = ast.parse(called, mode="eval").body
    assert names(task, imports).callee(function) == callee


@pytest.mark.parametrize(
    ("source", "suffices"),
    [
        ("[1, -2, {'a': date(1, 2, x=3)}]", True),
        ("'a' * 3", True),
        ("date.max", True),
        ("other", False),
        ("date(**{})", False),
        ("[a for a in (1, 2)]", False),
        ("lambda: 1", False),
        ("{**{}}", True),
    ],
)
def test_an_expression_must_need_nothing_but_imports(task: Task, source: str, suffices: bool) -> None:
    node = ast.parse(source, mode="eval").body
    assert names(task, "from datetime import date").suffice_for(node) is suffices
