"""Named collections of tasks: the bundled suites, or a folder of tasks."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path

from deepgym_envs.content import CUT
from deepgym_envs.errors import TaskError, UnknownTask
from deepgym_envs.paths import data_dir
from deepgym_envs.task import Task

_TASK_FILES = ("task.toml", "instruction.md", "solution.patch", CUT)


def suite_names() -> tuple[str, ...]:
    """Names of the bundled suites, sorted."""
    return tuple(sorted(place.name for place in data_dir("tasks").iterdir() if place.is_dir()))


def task_ids(suite: str) -> tuple[str, ...]:
    """Ids of the tasks of a bundled suite, sorted, without reading them. Raises ``UnknownTask``."""
    folder = data_dir("tasks") / suite
    if suite not in suite_names():
        raise UnknownTask(f"no suite {suite!r}; {_hint(suite, suite_names())}")
    return tuple(f"{suite}/{place.name}" for place in _task_folders(folder))


def load_suite(name_or_path: str | Path) -> Sequence[Task]:
    """Every task of a bundled suite (by name) or of a folder of task folders (by path).

    A folder may hold its own recipes in a folder ``repos`` beside the tasks; all others are the bundled ones.

    Raises:
        UnknownTask: there is no such suite; suggests the nearest.
        TaskError: one of the tasks is malformed.
    """
    folder = _suite_folder(name_or_path)
    return [Task.from_folder(place, folder / "repos") for place in _task_folders(folder)]


def read_suite(name_or_path: str | Path) -> Mapping[str, Task | TaskError]:
    """Like ``load_suite``, by id, but a task that cannot be read is there as its error and stops no other.

    Raises:
        UnknownTask: there is no such suite; suggests the nearest.
        TaskError: the folder holds nothing that looks like a task.
    """
    folder = _suite_folder(name_or_path)
    found: dict[str, Task | TaskError] = {}
    for place in _task_folders(folder, _TASK_FILES):
        try:
            task = Task.from_folder(place, folder / "repos")
            found[task.id] = task
        except (TaskError, OSError, ValueError) as error:
            problem = error if isinstance(error, TaskError) else TaskError(str(error))
            found[f"{folder.name}/{place.name}"] = problem
    return found


def _suite_folder(name_or_path: str | Path) -> Path:
    """Where the tasks of a suite lie."""
    name = str(name_or_path)
    if name in suite_names():
        return data_dir("tasks") / name
    folder = Path(name_or_path)
    if not folder.is_dir():
        raise UnknownTask(f"no suite and no folder {name!r}; {_hint(name, suite_names())}")
    if not _task_folders(folder, _TASK_FILES):
        raise TaskError(f"{folder}: holds no task; each task is a folder with a task.toml")
    return folder


def load_task(id_or_path: str | Path) -> Task:
    """The bundled task of that id, such as ``starter/<name>``, or the one in that folder.

    Raises:
        UnknownTask: there is none; suggests the nearest.
        TaskError: it is malformed.
    """
    name = str(id_or_path)
    known = [task_id for suite in suite_names() for task_id in task_ids(suite)]
    if name in known:
        return Task.from_folder(data_dir("tasks") / name)
    folder = Path(id_or_path)
    if (folder / "task.toml").is_file():
        return Task.from_folder(folder, folder.parent / "repos")
    raise UnknownTask(f"no task {name!r}; {_hint(name, known)}")


def _task_folders(folder: Path, marks: Sequence[str] = _TASK_FILES[:1]) -> list[Path]:
    return sorted(place for place in folder.iterdir() if any((place / mark).is_file() for mark in marks))


def _hint(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    if not near:  # a bare task name without its suite
        near = [known_id for known_id in known if known_id.endswith(f"/{name}")][:1]
    return f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known) or 'none'}"
