"""A task that is none yet: for trying tests on states of a source tree before there is anything to solve."""

from __future__ import annotations

from collections.abc import Mapping

from deepgym_envs.content import Content
from deepgym_envs.recipe import RepoRecipe
from deepgym_envs.state import Tree
from deepgym_envs.task import HiddenTests, Limits, Task, TaskManifest

_LIMITS = Limits(test_seconds=120, disk_mb=128, memory_mb=1024)


def probe_task(recipe: RepoRecipe, tree: Tree, hidden: Mapping[str, bytes]) -> Task:
    """A task that serves only to run ``hidden`` tests on states of ``tree``."""
    manifest = TaskManifest(
        id=f"probe/{recipe.name}",
        repo=recipe.name,
        title="Probe",
        kind="bug",
        difficulty="easy",
        editable=("*.py", "**/*.py"),
        tests=HiddenTests(),
        limits=_LIMITS,
    )
    return Task(manifest, recipe, "Probe.", Content(hidden, b"", source=tree))
