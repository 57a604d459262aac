"""The files of a task, and what stands for files that are not here yet."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from deepgym_envs.recipe import GitSource, RepoRecipe, SdistSource
from deepgym_envs.state import Tree
from deepgym_envs.twin import NO_TWINS, Twins


@dataclass(frozen=True, eq=False)
class Content:
    """The files of a task.

    ``hidden`` maps a path relative to the task's ``tests/`` to the file's bytes; it never enters the agent's
    box. ``source`` is what the recipe's source holds, for a task that brings it along; None fetches it by the
    recipe. ``base_patch`` leads from there to the base, ``solution_patch`` from the base to a solution.
    """

    hidden: Mapping[str, bytes]
    solution_patch: bytes
    base_patch: bytes | None = None
    source: Tree | None = None
    twins: Twins = NO_TWINS


class Deferred(Protocol):
    """Content that is made when it is asked for, since it takes a download."""

    def content(self, recipe: RepoRecipe, where: str) -> Content:
        """The files; ``where`` names the origin in complaints.

        Raises:
            TaskError: what they are made of cannot be had, or is not what was validated.
        """
        ...

    @property
    def origins(self) -> Collection[SdistSource | GitSource]:
        """What it is made of besides the recipe's own source."""
        ...

    @property
    def hidden_paths(self) -> Collection[str]:
        """Where there will be hidden files."""
        ...

    def written(self) -> Mapping[str, bytes]:
        """What stands for the content in a task's folder."""
        ...
