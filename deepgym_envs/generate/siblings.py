"""Finds a task that asks for what another one asks for already, as runs with different seeds may make."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from deepgym_envs.content import Content, Origin
from deepgym_envs.errors import TaskError
from deepgym_envs.task import Task


def sibling(task: Task, folder: Path, repos: Path) -> str | None:
    """The id of another task below ``folder``, cut out of the same two releases as ``task``, where the tests
    that have to begin to pass of one are all among those of the other."""
    origins, wanted = _origins(task), set(task.manifest.tests.fail_to_pass)
    if len(origins) < 2:
        return None
    name = task.id.rpartition("/")[2]
    for place in sorted(folder.glob(f"{name.rpartition('-')[0]}-*")):
        try:
            other = Task.from_folder(place, repos)
        except (TaskError, OSError, ValueError):
            continue
        asked = set(other.manifest.tests.fail_to_pass)
        if other.id != task.id and _origins(other) == origins and (asked <= wanted or wanted <= asked):
            return other.id
    return None


def _origins(task: Task) -> Sequence[Origin]:
    return () if isinstance(task.content, Content) else tuple(task.content.origins)
