"""Writes a task as a folder that ``Task.from_folder`` reads back as an equal one."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from deepgym_envs.content import BASE_PATCH, SOLUTION_PATCH, TWINS, Content, Deferred
from deepgym_envs.errors import TaskError
from deepgym_envs.manifest import manifest_text
from deepgym_envs.owner import owned_names, owner_in, scratch_folder
from deepgym_envs.recipe import BundledSource, load_recipe
from deepgym_envs.source import source_tree
from deepgym_envs.state import File, Tree
from deepgym_envs.task import Task


def write_task(
    task: Task, folder: Path, *, repos: Path | None = None, beside: Mapping[str, bytes] = MappingProxyType({})
) -> Path:
    """Write ``task`` below ``folder``, and its recipe below ``repos``; returns the task's own folder.

    ``repos`` is by default ``folder/repos``. ``beside`` are more files of the task's folder, by name.

    Tasks of the same repository share its recipe. ``load_suite(folder)`` reads what was written. A folder is
    there whole or not at all, even if the process is killed or another one writes the same.

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
    if not _put(place, Tree(files), folder):
        raise TaskError(f"{place}: is there already; delete it or choose another folder")
    return place


def clear_abandoned(folder: Path) -> None:
    """Remove what processes that were killed while they wrote a task have left below ``folder``."""
    for place in folder.glob(f".{owned_names('task')}"):
        owner = owner_in(place.name)
        if owner is not None and owner.alive is False:
            shutil.rmtree(place, ignore_errors=True)


def _put(place: Path, files: Tree, folder: Path) -> bool:
    """Make the folder ``place`` with ``files``; False if there is one. What is unfinished lies in a folder of
    ``folder`` where nobody looks for tasks."""
    place.parent.mkdir(parents=True, exist_ok=True)
    with scratch_folder("task", folder, before=".") as scratch:
        part = Path(scratch, "part")
        part.mkdir()
        files.write_to(part)
        try:
            part.rename(place)
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR):
                raise
            return False
    return True


def _content(content: Content | Deferred) -> dict[str, File]:
    if not isinstance(content, Content):
        return {name: File(data) for name, data in content.written().items()}
    files = {SOLUTION_PATCH: File(content.solution_patch)}
    files |= {f"tests/{path}": File(data) for path, data in content.hidden.items()}
    if content.twins.tests:
        files[TWINS] = File(content.twins.as_json())
    if content.base_patch is not None:
        files[BASE_PATCH] = File(content.base_patch)
    return files


def _write_recipe(task: Task, folder: Path) -> None:
    recipe = task.recipe
    source = None
    if isinstance(recipe.source, BundledSource):
        source = task.files.source or source_tree(recipe)
    files = {"recipe.toml": File(manifest_text(recipe).encode())}
    if source is not None:
        files |= {f"src/{path}": file for path, file in source.items()}
    if not folder.exists() and _put(folder, Tree(files), folder.parent):
        return
    there = load_recipe(recipe.name, folder.parent)
    # Not ==, which also compares the folders that they were read from.
    if there.model_dump() != recipe.model_dump() or (source is not None and source_tree(there) != source):
        raise TaskError(f"{folder}: is another repository of the same name; choose another folder")
