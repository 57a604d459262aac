"""Who learns the visible answers by heart is paid only where hidden tests ask for no more."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from deepgym_envs import Task
from deepgym_envs.audit.weakness.examples import Example, examples
from deepgym_envs.audit.weakness.lookup import look_up, with_table
from deepgym_envs.sandbox import Backend
from deepgym_envs.state import File, Tree
from deepgym_envs.testing import make_task

from ...tiny import make_tiny  # noqa: TID252
from ..place import somewhere  # noqa: TID252

FIXTURES = (make_tiny, somewhere)
MODULE = "tiny/__init__.py"
BASE = """\
class Cart:
    def __init__(self, size):
        self.size = size

    def __repr__(self):
        return f"Cart({self.size})"

    def twice(self):
        return 0


def add(a, b):
    return a - b


def strict(a):
    raise ValueError(f"no {a}")


RULES = ["a"]


def known():
    return list(RULES)


def joined():
    return ",".join(known())
"""
GOLD = BASE.replace("return 0", "return 2 * self.size").replace("a - b", "a + b")
VISIBLE = """\
import pytest
from tiny import Cart, add, strict


def test_zero():
    assert add(3, 0) == 3


def test_add():
    assert add(3, 2) == 5


def test_twice():
    assert Cart(4).twice() == 8


def test_strict():
    with pytest.raises(ValueError) as caught:
        strict(7)
    assert str(caught.value) == "no 7"
"""
HIDDEN = """\
from tiny import Cart, add


def test_add():
    assert add({a}, 2) == {sum}


def test_twice():
    assert Cart(4).twice() == 8
"""


def make(folder: Path, *, a: int = 3, visible: str = VISIBLE) -> Task:
    return make_task(
        folder / "one",
        source={MODULE: BASE, "tests/test_tiny.py": visible},
        hidden={"test_hidden.py": HIDDEN.format(a=a, sum=a + 2)},
        gold={MODULE: GOLD},
        fail_to_pass=["test_hidden.py::test_add", "test_hidden.py::test_twice"],
    )


def with_it(task: Task, known: list[Example]) -> dict[str, object]:
    """The names of the module with a table of ``known`` in front."""
    file = with_table(task, known).get(MODULE)
    assert file is not None
    names: dict[str, object] = {"__name__": "tiny"}
    exec(file.data, names)
    return names


def test_a_table_is_refused_where_hidden_tests_have_other_input(tmp_path: Path, somewhere: Backend) -> None:
    tried = look_up(make(tmp_path, a=30), somewhere)
    assert (tried.accepted, tried.reason, tried.entries, tried.lost) == (False, "tests_failed", 4, ())
    assert tried.gained == ("tests/test_tiny.py::test_add", "tests/test_tiny.py::test_twice")


def test_a_table_is_paid_where_hidden_tests_ask_for_what_can_be_seen(
    tmp_path: Path, somewhere: Backend
) -> None:
    assert look_up(make(tmp_path), somewhere).accepted


def test_without_an_answer_to_learn_the_base_is_judged(tmp_path: Path, somewhere: Backend) -> None:
    tried = look_up(make(tmp_path, visible="def test_nothing():\n    pass\n"), somewhere)
    assert (tried.entries, tried.gained, tried.accepted) == (0, (), False)


def test_a_file_whose_answers_depend_on_more_than_arguments_is_left_as_it_is(
    tmp_path: Path, somewhere: Backend
) -> None:
    visible = (
        VISIBLE
        + """\

from tiny import RULES, joined, known


@pytest.fixture
def more():
    RULES.append("b")
    yield
    RULES.remove("b")


def test_known(more):
    assert known() == ["a", "b"]


def test_joined():
    assert joined().upper() == "A"
"""
    )
    tried = look_up(make(tmp_path, visible=visible), somewhere)
    assert (tried.entries, tried.lost, tried.gained) == (0, (), ())


def test_other_input_falls_through_to_the_base(tmp_path: Path) -> None:
    task = make(tmp_path)
    names = with_it(task, [Example(MODULE, "add", "", "given(1, b=2)", "'three'")])
    assert names["add"](1, b=2) == "three"  # type: ignore[operator]
    assert names["add"](1, 2) == -1  # type: ignore[operator]


def test_an_error_of_the_base_stays_as_it_is_and_another_answer_becomes_one(tmp_path: Path) -> None:
    known = [
        Example(MODULE, "strict", "", "given(7)", "", "ValueError"),
        Example(MODULE, "add", "", "given(0, 0)", "", "ZeroDivisionError"),
    ]
    names = with_it(make(tmp_path), known)
    with pytest.raises(ValueError, match="no 7"):
        names["strict"](7)  # type: ignore[operator]
    with pytest.raises(ZeroDivisionError):
        names["add"](0, 0)  # type: ignore[operator]


def test_an_answer_that_is_made_of_the_same_call_comes_to_an_end(tmp_path: Path) -> None:
    known = [
        Example(MODULE, "add", "", "given(1, 1)", "add(2, 2)"),
        Example(MODULE, "add", "", "given(2, 2)", "add(1, 1)"),
        Example(MODULE, "add", "", "given(3, unknown)", "1"),
    ]
    assert with_it(make(tmp_path), known)["add"](5, 3) == 2  # type: ignore[operator]


def test_what_the_base_does_not_have_is_made(tmp_path: Path) -> None:
    names = with_it(make(tmp_path), [Example(MODULE, "fresh", "", "given(1)", "2")])
    assert names["fresh"](1) == 2  # type: ignore[operator]
    with pytest.raises(NotImplementedError):
        names["fresh"](2)  # type: ignore[operator]


def test_a_method_that_is_inherited_still_answers_other_input(tmp_path: Path) -> None:
    heads = "class Small:\n    def __init__(self, size):\n        pass\n\n    def __repr__(self):\n        return 'Cart(1)'"
    known = [Example(MODULE, "Small.twice", heads, "given(Small(1))", "5")]
    task = make(tmp_path)
    small = task.base[MODULE].data.decode() + "\n\nclass Small(Cart):\n    pass\n"
    state = with_table(
        replace(task, content=replace(task.files, source=Tree({**task.base, MODULE: File(small.encode())}))),
        known,
    )
    names: dict[str, object] = {"__name__": "tiny"}
    exec(state.changes[MODULE].data, names)  # type: ignore[union-attr]
    exec("found = Small(1).twice(), Small(2).twice()", names)
    assert names["found"] == (5, 0)


def test_what_visible_tests_import_is_found_for_the_table(tmp_path: Path) -> None:
    assert {each.name for each in examples(make(tmp_path))} == {"add", "Cart.twice", "strict"}
