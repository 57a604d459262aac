"""The repository's own tests, as the agent sees them."""

from __future__ import annotations

from collections.abc import Mapping

from deepgym_envs.task import Task


def visible_files(task: Task) -> Mapping[str, bytes]:
    """Every file of the base that is, or lies below, one of the places where its recipe has tests."""
    places = [path.rstrip("/") for path in task.recipe.test.paths]
    return {
        path: file.data
        for path, file in task.base.items()
        if any(place in (".", path) or path.startswith(f"{place}/") for place in places)
    }
