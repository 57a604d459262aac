"""Changing the places that the reference solution changes is worth something before anything passes."""

from __future__ import annotations

import pytest

from deepgym_envs import Grader, Task, WorkspaceState
from deepgym_envs.reward import localisation
from deepgym_envs.testing import FakeBackend, make_task

SOURCE = {
    "pkg/__init__.py": "",
    "pkg/a.py": "X = 1\n\n\ndef f():\n    return 1\n\n\nclass C:\n    def m(self):\n        return 2\n\n    def n(self):\n        return 3\n",
    "pkg/b.py": "def g():\n    return 4\n",
    "notes/read.txt": "old\n",
}
A = SOURCE["pkg/a.py"]


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Task:
    return make_task(
        tmp_path_factory.mktemp("tasks") / "places",
        source=SOURCE,
        hidden={"test_hidden.py": "def test_f():\n    pass\n"},
        gold={"pkg/a.py": A.replace("return 1", "return 10").replace("return 2", "return 20"), "pkg/b.py": "def g():\n    return 40\n"},
        fail_to_pass=["test_hidden.py::test_f"],
        editable=["pkg/**", "notes/**"],
    )  # fmt: skip


def f1(common: int, mine: int, gold: int) -> float:
    return 2 * common / (mine + gold)


@pytest.mark.parametrize(
    ("files", "value"),
    [
        ({}, 0.0),
        ({"pkg/a.py": A.replace("return 1", "return 99")}, (f1(1, 1, 2) + f1(1, 1, 3)) / 2),
        ({"pkg/a.py": A.replace("return 3", "return 99")}, (f1(1, 1, 2) + 0) / 2),
        ({"pkg/a.py": A + "# only a comment\n"}, f1(1, 1, 2) / 2),
        ({"pkg/a.py": "def (:"}, (f1(1, 1, 2) + f1(2, 4, 3)) / 2),
        ({"pkg/a.py": A + "X = " + "-" * 900 + "1\n"}, None),
        ({"pkg/a.py": A + "#" * (1 << 20)}, (f1(1, 1, 2) + f1(2, 4, 3)) / 2),
        ({"pkg/a.py": None}, (f1(1, 1, 2) + f1(2, 4, 3)) / 2),
        ({"notes/read.txt": "new\n"}, 0.0),
        ({"outside.py": "def f(): ...\n"}, 0.0),
    ],
)
def test_it_is_the_mean_of_f1_over_files_and_functions(
    task: Task, files: dict[str, str | None], value: float | None
) -> None:
    """None: the text can be parsed and not much more, so that all of it counts as changed, or a part."""
    changed = {path: None if text is None else text.encode() for path, text in files.items()}
    with Grader(task, FakeBackend()) as grader:
        found = localisation(grader, WorkspaceState(task.base).with_files(changed))
    assert found == pytest.approx(value) if value is not None else 0 < found < 1


def test_the_solution_has_1_however_it_is_written(task: Task) -> None:
    other = {path: file.data.replace(b"0", b"1") for path, file in task.gold.changes.items() if file}
    with Grader(task, FakeBackend()) as grader:
        assert localisation(grader, task.gold) == 1.0
        assert localisation(grader, WorkspaceState(task.base).with_files(other)) == 1.0


def test_to_touch_everything_is_worth_less_than_the_right_places(task: Task) -> None:
    every = {path: data.encode().replace(b"return ", b"return -") + b"#" for path, data in SOURCE.items()}
    with Grader(task, FakeBackend()) as grader:
        assert 0 < localisation(grader, WorkspaceState(task.base).with_files(dict(every))) < 1


def test_without_a_function_in_the_solution_files_alone_count(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    data = make_task(
        tmp_path_factory.mktemp("tasks") / "data",
        source=SOURCE,
        hidden={"test_hidden.py": "def test_f():\n    pass\n"},
        gold={"notes/read.txt": "new\n"},
        fail_to_pass=["test_hidden.py::test_f"],
        editable=["notes/**", "pkg/**"],
    )
    with Grader(data, FakeBackend()) as grader:
        assert localisation(grader, data.gold) == 1.0
        assert localisation(grader, data.gold.with_file("pkg/b.py", b"")) == pytest.approx(f1(1, 2, 1))
