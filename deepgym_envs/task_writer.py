"""Writes a task as a folder that ``Task.from_folder`` reads back as an equal one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from deepgym_envs.content import Content, Deferred
from deepgym_envs.errors import TaskError
from deepgym_envs.manifest import manifest_text
from deepgym_envs.recipe import BundledSource, load_recipe
from deepgym_envs.source import source_tree
from deepgym_envs.state import File, Tree
from deepgym_envs.task import Task


def write_task(
    task: Task, folder: Path, *, repos: Path | None = None, beside: Mapping[str, bytes] = MappingProxyType({})
) -> Path:
    """Write ``task`` below ``folder``, and its recipe below ``repos``; returns the task's own folder.

    ``repos`` is by default ``folder/repos``. ``beside`` are more files of the task's folder, by name.

    Tasks of the same repository share its recipe. ``load_suite(folder)`` reads what was written.

    Raises:
        TaskError: a task of that name is there already, or another repository of the same name.
    """
    place = folder / task.id.rpartition("/")[2]
    if place.name == "repos":
        raise TaskError(f"{task.id}: a task cannot be called 'repos', where the recipes go; rename it")
    if place.exists():
        raise TaskError(f"{place}: is there already; delete it or choose another folder")
    _write_recipe(task, (repos or folder / "repos") / task.recipe.name)
    files = {
        "task.toml": File(manifest_text(task.manifest).encode()),
        "instruction.md": File(task.instruction.encode()),
        **_content(task.content),
        **{name: File(data) for name, data in beside.items()},
        **{f"scripts/{name}.jsonl": File(data) for name, data in task.scripts.items()},
    }
    if task.figures is not None:
        files["figures.json"] = File(task.figures.as_json())
    place.mkdir(parents=True)
    Tree(files).write_to(place)
    return place


def _content(content: Content | Deferred) -> dict[str, File]:
    if not isinstance(content, Content):
        return {name: File(data) for name, data in content.written().items()}
    files = {"solution.patch": File(content.solution_patch)}
    files |= {f"tests/{path}": File(data) for path, data in content.hidden.items()}
    if content.twins.tests:
        files["twins.json"] = File(content.twins.as_json())
    if content.base_patch is not None:
        files["base.patch"] = File(content.base_patch)
    return files


def _write_recipe(task: Task, folder: Path) -> None:
    recipe = task.recipe
    source = None
    if isinstance(recipe.source, BundledSource):
        source = task.files.source or source_tree(recipe)
    if folder.exists():
        there = load_recipe(recipe.name, folder.parent)
        # Not ==, which also compares the folders that they were read from.
        if there.model_dump() != recipe.model_dump() or (source is not None and source_tree(there) != source):
            raise TaskError(f"{folder}: is another repository of the same name; choose another folder")
        return
    files = {"recipe.toml": File(manifest_text(recipe).encode())}
    if source is not None:
        files |= {f"src/{path}": file for path, file in source.items()}
    folder.mkdir(parents=True)
    Tree(files).write_to(folder)
