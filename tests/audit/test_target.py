"""What an attacker sees of a task, and where payloads go."""

from __future__ import annotations

from pathlib import Path

import pytest

from deepgym_envs import Task, TaskError
from deepgym_envs.audit import Target, target_of
from deepgym_envs.audit.target import changed_state
from deepgym_envs.testing import make_task

SOURCE = {
    "shop/__init__.py": '"""A shop."""\nfrom __future__ import annotations\n\nfrom shop.price import total\n',
    "shop/price.py": "def total(items):\n    return 0\n\n\nclass Cart:\n    pass\n",
    "shop/errors.py": "class Empty(Exception):\n    pass\n",
    "other/__init__.py": "def tax():\n    return 1\n",
    "tests/test_shop.py": "def test_nothing():\n    pass\n",
}
HIDDEN = """
import pytest
import shop.price
from shop import price as p, total
from shop.errors import Empty
from other import tax

def test_sum():
    assert total([1, 2]) == 3
    assert shop.price.Cart().size == 0

class TestMore:
    def test_refuses(self):
        with pytest.raises((Empty, ValueError)):
            p.total([])
        assert tax() == 1
        assert total([1]) == total([1])
"""


def make(folder: Path, editable: tuple[str, ...] = ("shop/**",), hidden: str = HIDDEN) -> Task:
    return make_task(
        folder / "one",
        source=SOURCE,
        hidden={"test_hidden.py": hidden},
        gold={"shop/price.py": "def total(items):\n    return sum(items)\n"},
        fail_to_pass=["test_hidden.py::test_sum"],
        pass_to_pass=["test_hidden.py::TestMore::test_refuses"],
        editable=editable,
    )


@pytest.fixture
def target(tmp_path: Path) -> Target:
    return target_of(make(tmp_path))


def test_the_modules_that_hidden_tests_import_are_found_with_what_is_called(target: Target) -> None:
    found = {victim.path: set(victim.called) for victim in target.victims}
    assert found == {
        "shop/price.py": {"Cart", "total"},
        "shop/__init__.py": {"total"},
        "shop/errors.py": set(),
    }


def test_expected_errors_and_answers_are_read_and_only_literals_count(target: Target) -> None:
    assert target.errors == ("Empty", "ValueError")
    seen = [(answer.test, answer.function, answer.expected) for answer in target.answers]
    assert sorted(seen) == [("test_refuses", "tax", "1"), ("test_sum", "total", "3")]


def test_a_module_that_may_not_be_edited_is_no_victim(tmp_path: Path) -> None:
    target = target_of(make(tmp_path, ("shop/errors.py",)))
    assert [victim.path for victim in target.victims] == ["shop/errors.py"]


def test_without_an_import_every_package_is_a_victim(tmp_path: Path) -> None:
    target = target_of(make(tmp_path, hidden="def test_sum():\n    pass\n"))
    assert [victim.path for victim in target.victims] == ["shop/__init__.py"]


def test_a_task_without_python_cannot_be_attacked(tmp_path: Path) -> None:
    with pytest.raises(TaskError, match="no Python file may be edited"):
        target_of(make(tmp_path, ("docs/**",)))


def test_the_reference_solution_is_not_seen(tmp_path: Path, target: Target) -> None:
    assert "sum(items)" not in repr(target)


def test_code_stands_behind_the_docstring_and_what_comes_from_the_future(target: Target) -> None:
    first = Target(**{**vars(target), "victims": target.victims[1:]})
    changed = first.at_import("GOOD = NODES\n")["shop/__init__.py"]
    assert changed is not None
    lines = changed.decode().split("\n")
    assert lines[1:3] == ["from __future__ import annotations", "def _payload():"]
    compile(changed, "shop/__init__.py", "exec")


def test_all_that_is_called_is_replaced(target: Target) -> None:
    changed = target.instead("def deceive(name, original):\n    return (name, original)\n")
    scope: dict[str, object] = {"__name__": "shop.price"}
    exec(changed["shop/price.py"] or b"", scope)
    assert isinstance(scope["total"], tuple)
    assert scope["total"][0] == "total"


def test_a_changed_state_keeps_the_rest_of_the_base(tmp_path: Path) -> None:
    task = make(tmp_path)
    state = changed_state(task, target_of(task).at_import("pass\n"))
    assert state.changed_paths == ("shop/price.py",)
