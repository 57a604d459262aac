"""Suites: the bundled ones, and folders of tasks."""

from __future__ import annotations

from pathlib import Path

import pytest

from deepgym_envs.errors import TaskError, UnknownTask
from deepgym_envs.suite import load_suite, load_task, suite_names, task_ids
from deepgym_envs.testing import make_task


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two tasks of one repository."""
    for name in ("ledger-order", "money-rounding"):
        make_task(
            tmp_path / "mine" / name,
            source={"tiny/a.py": "x = 1\n"},
            hidden={"test_h.py": "def test_x(): pass\n"},
            gold={"tiny/a.py": "x = 2\n"},
            fail_to_pass=["test_h.py::test_x"],
            suite="mine",
        )
    return tmp_path / "mine"


@pytest.fixture
def bundled(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those tasks, as if they were bundled."""
    root = folder.parent
    (root / "tasks").mkdir()
    (folder / "repos").rename(root / "repos")
    folder.rename(root / "tasks" / "mine")
    (root / "pyproject.toml").touch()
    monkeypatch.setattr("deepgym_envs.paths._CHECKOUT", root)


def test_a_folder_of_tasks_is_a_suite_with_recipes_of_its_own(folder: Path) -> None:
    assert [task.id for task in load_suite(folder)] == ["mine/ledger-order", "mine/money-rounding"]
    assert [task.id for task in load_suite(str(folder))] == ["mine/ledger-order", "mine/money-rounding"]


def test_a_task_is_loaded_from_its_folder(folder: Path) -> None:
    assert load_task(folder / "ledger-order").id == "mine/ledger-order"


def test_an_empty_folder_is_no_suite(tmp_path: Path) -> None:
    with pytest.raises(TaskError, match=r"holds no task; each task is a folder with a task.toml"):
        load_suite(tmp_path)


@pytest.mark.usefixtures("bundled")
def test_bundled_suites_and_tasks_are_found_by_name() -> None:
    assert suite_names() == ("mine",)
    assert task_ids("mine") == ("mine/ledger-order", "mine/money-rounding")
    assert [task.id for task in load_suite("mine")] == list(task_ids("mine"))
    assert load_task("mine/money-rounding").recipe.name == "tiny"


@pytest.mark.usefixtures("bundled")
@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("mine/ledger-ordr", "mine/ledger-order"),
        ("mine/money-roundings", "mine/money-rounding"),
        ("ledger-order", "mine/ledger-order"),
        ("Mine/ledger-order", "mine/ledger-order"),
    ],
)
def test_an_unknown_task_suggests_the_nearest(name: str, near: str) -> None:
    with pytest.raises(UnknownTask, match=f"no task '{name}'; did you mean '{near}'"):
        load_task(name)


@pytest.mark.usefixtures("bundled")
def test_an_unknown_suite_suggests_the_nearest() -> None:
    for ask in (load_suite, task_ids):
        with pytest.raises(UnknownTask, match="'mina'; did you mean 'mine'"):
            ask("mina")
        with pytest.raises(UnknownTask, match="known: mine"):
            ask("zzzz")


@pytest.mark.usefixtures("bundled")
def test_names_lead_nowhere_else() -> None:
    for name in ("../tasks/mine", "mine/../mine/ledger-order", ""):
        with pytest.raises(UnknownTask):
            load_task(name)


def test_every_bundled_task_can_be_loaded() -> None:
    for name in suite_names():
        loaded = load_suite(name)
        assert [task.id for task in loaded] == list(task_ids(name))
