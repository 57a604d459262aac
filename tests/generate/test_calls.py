"""The call by which a test sees that something is wrong."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

import pytest

from deepgym_envs.generate.calls import Example, _told, examples
from deepgym_envs.generate.calls_child import ITEMS, shown
from deepgym_envs.generate.probe import probe_task
from deepgym_envs.grade import TaskRun, TaskRuns, TestReport
from deepgym_envs.sandbox import Backend
from deepgym_envs.state import File, Tree, WorkspaceState

from ..audit.place import somewhere  # noqa: TID252
from .shop import RECIPE

FIXTURES = (somewhere,)
pytestmark = pytest.mark.bwrap
RIGHT = """\
class Cart:
    def __init__(self, kind, *, limit=9):
        if kind == "new":
            check(kind)
        self.kind, self.prices = kind, []

    def add(self, price, *more, **named):
        self.prices.append(price)
        return self

    @property
    def size(self):
        return len(self.prices)

    def total(self):
        return sum(self.prices)

    def each(self):
        for price in self.prices:
            yield price


def check(kind):
    return None


def label(name, price, sign="$", width=3):
    return f"{name}: {price}{sign}"


def refuse(price):
    if price < 0:
        raise ValueError(f"{price} is\\nless than nothing")
    return price


def quiet(texts):
    return [text.lower() for text in texts]
"""
WRONG = (
    RIGHT.replace("return sum(self.prices)", "return max(self.prices)")
    .replace("return len(self.prices)", "return 0")
    .replace("yield price", "yield -price")
    .replace("return None", "raise KeyError(kind)")
    .replace('{price}{sign}"', '{sign}{price}"')
    .replace("less than", "more than")
    .replace("if price < 0", "if price < 5")
    .replace(".lower()", "")
)
TESTS = """\
import unittest

import pytest

from shop import Cart, label, quiet, refuse


def test_method():
    cart = Cart("old")
    cart.add(3).add(4, 5, now=True)
    assert cart.total() == 7


def test_property():
    assert Cart("old", limit=2).add(1).size == 1


def test_generator():
    assert list(Cart("old").add(8).each()) == [8]


def test_constructor():
    assert Cart("new").add(2).total() == 2


def test_defaults():
    assert label("tea", 4) == "tea: 4$"
    assert label("tea", 4, width=9) == "tea: 4$"


def test_error():
    with pytest.raises(ValueError):
        refuse(-1)
    assert refuse(4) == 4


def test_long():
    assert quiet(["A" * 1000, "B"]) == ["a" * 1000, "b"]


class TestOld(unittest.TestCase):
    def helped(self, name):
        return label(name, 1, "%")

    def test_unit(self):
        self.assertEqual(self.helped("x"), "x: 1%")


def test_folder(tmp_path):
    assert label(str(tmp_path / "a"), object()).endswith("$")


def test_nothing_to_tell():
    assert "less" in open(__import__("shop").__file__).read()
"""
NODES = [
    "test_method", "test_property", "test_generator", "test_constructor", "test_defaults", "test_error",
    "test_long", "test_folder", "TestOld::test_unit", "test_nothing_to_tell",
]  # fmt: skip


def found(backend: Backend, conftest: str = "") -> dict[str, Example]:
    base = Tree({"shop.py": File(WRONG.encode())})
    hidden = {"tests/test_shop.py": TESTS.encode()}
    if conftest:
        hidden["conftest.py"] = conftest.encode()
    with TaskRuns(probe_task(RECIPE, base, hidden), backend) as runs:
        gold = WorkspaceState(base).with_file("shop.py", RIGHT.encode())
        nodes = [f"tests/test_shop.py::{name}" for name in NODES]
        told = examples(runs, WorkspaceState(base), gold, hidden, nodes)
    return {node.partition("::")[2]: example for node, example in told.items()}


def test_calls_are_told_as_one_would_write_them(somewhere: Backend) -> None:
    told = {name: example.lines for name, example in found(somewhere).items()}
    assert told["test_method"] == (
        "Cart('old')", "Cart.add(3)", "Cart.add(4, 5, now=True)", "Cart.total()",
        "    gives 4", "    should give 7",
    )  # fmt: skip
    assert told["test_property"] == (
        "Cart('old', limit=2)", "Cart.add(1)", "Cart.size", "    gives 0", "    should give 1",
    )  # fmt: skip
    assert told["test_generator"][-3:] == (
        "Cart.each()", "    gives -8, one after the other", "    should give 8, one after the other",
    )  # fmt: skip
    assert told["test_constructor"] == (
        "Cart('new')", "    raises KeyError: 'new'", "    should give <Cart>",
        "Cart.add(2)", "    should give <Cart>", "Cart.total()", "    should give 2",
    )  # fmt: skip
    assert told["test_defaults"] == (
        "label('tea', 4)", "    gives 'tea: $4'", "    should give 'tea: 4$'",
    )  # fmt: skip
    assert told["test_error"] == ("refuse(4)", "    raises ValueError: 4 is", "    should give 4")
    assert told["TestOld::test_unit"] == (
        "label('x', 1, sign='%')", "    gives 'x: %1'", "    should give 'x: 1%'",
    )  # fmt: skip


def test_long_texts_are_cut(somewhere: Backend) -> None:
    call = found(somewhere)["test_long"].call
    assert call.startswith("quiet(['AAAA")
    assert call.endswith("..., 'B'])")
    assert len(call) < 500


def test_what_differs_from_run_to_run_is_left_out(somewhere: Backend) -> None:
    told = found(somewhere)["test_folder"]
    assert told.call == "label('/tmp/.../a', <object>)"
    assert "<object object at 0x...>" in told.given


@pytest.mark.parametrize(
    "said",
    ["", "[", "[Infinity, []]", "[1e999, []]", '["0", []]', "[0, {}]", "[0, [1]]", '[0, [["f()", "eats", "1"]]]',
     "[" * 3000, '[0, [["f()", "gives", 1]]]', "null"],
)  # fmt: skip
def test_what_is_no_telling_of_calls_is_left_out(said: str) -> None:
    report = TestReport({"t.py::test_x": "failed"}, (), {"t.py::test_x": said}, True, False)
    assert _told(TaskRun("tests_failed", report, 0.1)) == {}


class Pair(NamedTuple):
    one: int
    other: object


class Colour(Enum):
    RED = 1


class Shelf(dict[str, int]):
    def __repr__(self) -> str:
        raise AssertionError("nobody asks it")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ([1, (2,), {3}, frozenset(), {"a": None}], "[1, (2,), {3}, frozenset(), {'a': None}]"),
        (Pair(1, {2, 1}), "Pair((1, {1, 2}))"),
        (Shelf(a=1), "Shelf({'a': 1})"),
        (Colour.RED, "Colour.RED"),
        ([[[[[["too deep"]]]]]], "[[[[[...]]]]]"),
        (list(range(100)), f"[{', '.join(map(str, range(ITEMS)))}, ...]"),
        ((), "()"),
        (set(), "set()"),
        (int, "int"),
        (len, "len"),
        (object(), "<object>"),
        (1.5, "1.5"),
    ],
)
def test_values_are_written_as_python_does(value: object, text: str) -> None:
    assert shown(value) == text


def test_a_value_is_not_asked_what_it_is() -> None:
    class Proxy:
        @property  # type: ignore[misc]
        def __class__(self) -> type:
            raise RuntimeError("nobody asks for it")

    assert shown([Proxy()]) == "[<Proxy>]"


def test_where_no_call_ends_otherwise_there_is_no_example(somewhere: Backend) -> None:
    assert "test_nothing_to_tell" not in found(somewhere)


def test_a_conftest_of_the_tests_stays(somewhere: Backend) -> None:
    told = found(somewhere, "import pytest\n\n\n@pytest.fixture(autouse=True)\ndef loud():\n    yield\n")
    assert "test_method" in told
    assert found(somewhere, "pytest_plugins = []\n") == {}
