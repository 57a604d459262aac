"""A task's folder is there whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from deepgym_envs import Task, TaskError, load_suite
from deepgym_envs.content import Content
from deepgym_envs.owner import own_prefix
from deepgym_envs.recipe import RepoRecipe, SdistSource
from deepgym_envs.task_writer import clear_abandoned, write_task


@dataclass(frozen=True)
class Unwritable:
    """Content of which the second file cannot be written."""

    real: Content
    hidden_paths: tuple[str, ...] = ()
    origins: tuple[SdistSource, ...] = ()

    def content(self, recipe: RepoRecipe, where: str) -> Content:
        return self.real

    def written(self) -> Mapping[str, Any]:
        return {"solution.patch": b"x", "tests.patch": None}


def names(folder: Path) -> list[str]:
    return sorted(place.name for place in folder.iterdir())


def test_a_task_whose_writing_fails_is_not_there(tiny: Task, tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        write_task(replace(tiny, content=Unwritable(tiny.files)), tmp_path)
    assert names(tmp_path) == ["repos"]


def test_what_is_there_stays_as_it_is(tiny: Task, tmp_path: Path) -> None:
    place = write_task(tiny, tmp_path)
    (place / "mine").write_text("x")
    with pytest.raises(TaskError, match="is there already"):
        write_task(tiny, tmp_path)
    assert (place / "mine").read_text() == "x"
    assert names(tmp_path) == sorted(["repos", place.name])


def test_what_a_dead_process_left_is_cleared_and_nothing_else(tiny: Task, tmp_path: Path) -> None:
    write_task(tiny, tmp_path)
    mine = f".{own_prefix('task')}x"
    dead = mine.replace(f".{os.getpid()}.", ".4194303.")
    for name in (mine, dead, ".deepgym-task-of-nobody"):
        (tmp_path / name / "part").mkdir(parents=True)
        (tmp_path / name / "part" / "task.toml").write_text("half a tas")
    assert [task.digest for task in load_suite(tmp_path)] == [tiny.digest]
    clear_abandoned(tmp_path)
    assert names(tmp_path) == sorted([mine, ".deepgym-task-of-nobody", "repos", tiny.id.partition("/")[2]])
