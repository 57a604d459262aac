"""Tasks: what is read from a folder, and what is said when it is broken."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from deepgym_envs.errors import TaskError
from deepgym_envs.patch import make_patch
from deepgym_envs.state import File, WorkspaceState
from deepgym_envs.task import Limits, Task
from deepgym_envs.testing import make_task


@pytest.fixture
def task(tmp_path: Path) -> Task:
    return make_task(
        tmp_path / "one",
        source={"tiny/a.py": "x = 1\n", "tiny/b.py": "y = 1\n", "run": File(b"#!/bin/sh\n", executable=True)},
        hidden={"test_h.py": "def test_x(): pass\n", "conftest.py": "", "data/größe.txt": "x"},
        gold={"tiny/a.py": "x = 2\n", "tiny/b.py": None, "tiny/c.py": "z = 1\n"},
        fail_to_pass=["test_h.py::test_x"],
        pass_to_pass=["test_h.py::test_y[a-b]"],
        limits=Limits(steps=7),
    )


def read(tmp_path: Path) -> Task:
    return Task.from_folder(tmp_path / "one", tmp_path / "repos")


def test_a_task_is_what_its_folder_says(task: Task) -> None:
    assert task.id == "made/one"
    assert task.limits.steps == 7
    assert task.expected == ("test_h.py::test_x", "test_h.py::test_y[a-b]")
    assert task.instruction.startswith("# Something is wrong")
    assert sorted(task.hidden) == ["conftest.py", "data/größe.txt", "test_h.py"]
    assert task.base["run"].executable


def test_gold_is_the_base_with_the_solution_applied(task: Task) -> None:
    assert task.gold.changed_paths == ("tiny/a.py", "tiny/b.py", "tiny/c.py")
    assert task.gold_files() == {"tiny/a.py": b"x = 2\n", "tiny/b.py": None, "tiny/c.py": b"z = 1\n"}


def test_hidden_tests_are_no_part_of_the_base(task: Task) -> None:
    assert not any(path in task.base for path in (*task.hidden, "tests/test_h.py"))


def test_only_editable_paths_may_be_edited(task: Task) -> None:
    assert task.editable == ("tiny/**",)
    assert task.may_edit("tiny/new/file.py")
    assert not any(task.may_edit(path) for path in ("run", "tinyer/a.py", "tests/test_h.py", "conftest.py"))


def test_a_base_patch_makes_the_base(task: Task, tmp_path: Path) -> None:
    broken = WorkspaceState(task.base).with_file("tiny/a.py", b"x = 0\n")
    (tmp_path / "one" / "base.patch").write_bytes(make_patch(broken))
    mended = WorkspaceState(broken.tree()).with_file("tiny/a.py", b"x = 2\n")
    (tmp_path / "one" / "solution.patch").write_bytes(make_patch(mended))
    again = read(tmp_path)
    assert again.base["tiny/a.py"].data == b"x = 0\n"
    assert again.gold_files() == {"tiny/a.py": b"x = 2\n"}
    assert again.digest != task.digest


@pytest.mark.parametrize(("name", "attribute"), [("base.patch", "base"), ("solution.patch", "gold")])
def test_a_patch_that_does_not_apply_is_the_tasks_fault(
    task: Task, tmp_path: Path, name: str, attribute: str
) -> None:
    (tmp_path / "one" / name).write_text("--- a/none\n+++ b/none\n@@ -1 +1 @@\n-x\n+y\n")
    with pytest.raises(
        TaskError, match=f"made/one: {name}: the patch does not apply: .*; make it again from the"
    ):
        getattr(read(tmp_path), attribute)


def test_the_digest_follows_what_decides_a_verdict(task: Task, tmp_path: Path) -> None:
    assert read(tmp_path).digest == task.digest
    assert replace(task, instruction="other").digest == task.digest
    assert replace(task, content=replace(task.files, solution_patch=b"other")).digest == task.digest
    changed = [
        replace(task, content=replace(task.files, hidden={**task.hidden, "conftest.py": b"x"})),
        replace(task, content=replace(task.files, hidden={**task.hidden, "\udcff.py": b""})),
        replace(task, recipe=task.recipe.model_copy(update={"license": "MIT"})),
        replace(task, manifest=task.manifest.model_copy(update={"limits": Limits(steps=8)})),
    ]
    assert len({task.digest, *(other.digest for other in changed)}) == 5


def test_a_hurried_task_has_less_time_and_never_more(task: Task) -> None:
    assert task.hurried(2.5).limits.test_seconds == 2.5
    assert task.hurried(1e9).limits == task.limits


def test_a_task_survives_pickling(task: Task) -> None:
    _ = task.gold, task.digest
    again = pickle.loads(pickle.dumps(task))
    assert (again.digest, again.gold, again.hidden) == (task.digest, task.gold, task.hidden)
    assert pickle.loads(pickle.dumps(read_again := replace(task))).digest == read_again.digest


def edit(old: str, new: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        place = folder / "task.toml"
        text = place.read_text()
        assert old in text
        place.write_text(text.replace(old, new))

    return change


def remove(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def write(name: str, data: bytes) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        (folder / name).write_bytes(data)

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (remove("task.toml"), r"task\.toml: there is no such file"),
        (remove("instruction.md"), r"instruction\.md: there is no such file; write it"),
        (remove("solution.patch"), r"solution\.patch: there is no such file"),
        (write("instruction.md", b" \n"), r"instruction\.md: empty; write it"),
        (write("instruction.md", b"\xff"), r"instruction\.md: not UTF-8 at byte 0"),
        (
            remove("tests/test_h.py"),
            r"tests: 'test_h\.py::test_x': there is no tests/test_h\.py; write the file or drop",
        ),
        (lambda folder: (folder / "tests" / "l").symlink_to("/etc"), "only regular files and folders"),
        (edit("made/one", "made/two"), r"task\.toml: id: write 'made/one' \(found 'made/two'\)"),
        (edit("made/one", "one"), r"id: .*pattern"),
        (edit('repo = "tiny"', 'repo = "tinny"'), "no repository 'tinny' in .*; did you mean 'tiny'"),
        (edit('kind = "bug"', 'kind = "bgu"'), "kind: Input should be 'bug'"),
        (edit('["tiny/**"]', '["**"]'), r"editable\.0: name folders or files"),
        (edit('["tiny/**"]', '["../**"]'), r"editable\.0: .*'\.\.' part"),
        (edit('["tiny/**"]', "[]"), "editable: .*at least 1 item"),
        (
            edit("test_h.py::test_y[a-b]", "test_h.py::test_x"),
            r"'test_h\.py::test_x' is listed twice; list it once",
        ),
        (edit("test_h.py::test_y[a-b]", "test_h::y"), "write a pytest node id such as"),
        (edit("test_h.py::test_y[a-b]", "../x.py::y"), r"'\.\.' part"),
        (edit("steps = 7", "step = 7"), r"limits\.step: unknown key; did you mean 'steps'"),
        (edit("steps = 7", "steps = 0"), r"limits\.steps: .*greater than or equal to 1 \(found 0\)"),
    ],
)
def test_a_broken_task_says_what_to_mend(
    task: Task, tmp_path: Path, change: Callable[[Path], None], said: str
) -> None:
    change(tmp_path / "one")
    with pytest.raises(TaskError, match=said):
        read(tmp_path)
