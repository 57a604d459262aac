"""Tasks that are patches to a commit, such as the rows of most data sets describe.

The task holds patches alone: its hidden tests are files of the repository as
``tests.patch`` leaves it, by their paths there. Where that is empty they are in the base already, and the
files of tests that must begin to pass are taken out of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from deepgym_envs.content.content import Content
from deepgym_envs.errors import TaskError
from deepgym_envs.layout import hidden_tests, role
from deepgym_envs.patch import apply_patch
from deepgym_envs.recipe import GitSource, RepoRecipe, SdistSource
from deepgym_envs.source import source_tree
from deepgym_envs.state import Tree
from deepgym_envs.twin import NO_TWINS, Twins
from deepgym_envs.unified_diff import parse_diff

TESTS_PATCH, SOLUTION_PATCH, BASE_PATCH, TWINS = "tests.patch", "solution.patch", "base.patch", "twins.json"


@dataclass(frozen=True)
class Patched:
    """Patches to the commit of a recipe: ``base`` leads to what the agent gets, ``solution`` and ``tests`` go
    on from there.

    ``hidden_paths`` are the files with hidden tests; what they need of the test code around them comes with
    them (``layout.hidden_tests``). ``removed`` are files of the base that the agent does not get.
    """

    tests: bytes
    solution: bytes
    base: bytes
    hidden_paths: Collection[str]
    removed: Collection[str] = ()
    twins: Twins = NO_TWINS
    origins: Collection[SdistSource | GitSource] = ()

    def content(self, recipe: RepoRecipe, where: str) -> Content:
        """See ``Deferred``."""
        base = _applied(source_tree(recipe), self.base, f"{where}: {BASE_PATCH}")
        after = _applied(base, self.tests, f"{where}: {TESTS_PATCH}")
        missing = sorted(path for path in self.hidden_paths if path not in after)
        if missing:
            raise TaskError(f"{where}: the repository has no {missing[0]}; drop its tests from task.toml")
        hidden = hidden_tests(after, self.hidden_paths)
        if self.removed:
            base = Tree({path: file for path, file in base.items() if path not in self.removed})
        return Content(hidden, self.solution, source=base, twins=self.twins)

    def written(self) -> Mapping[str, bytes]:
        """See ``Deferred``."""
        files = {TESTS_PATCH: self.tests, SOLUTION_PATCH: self.solution}
        if self.base:
            files[BASE_PATCH] = self.base
        if self.twins.tests:
            files[TWINS] = self.twins.as_json()
        return files


def patched(
    tests: bytes,
    solution: bytes,
    base: bytes,
    begin: Iterable[str],
    keep: Iterable[str],
    twins: Twins = NO_TWINS,
) -> Patched:
    """The content that these patches make of a commit; ``begin`` and ``keep`` are the node ids of tests that
    must begin to pass and go on passing. Raises ``ValueError`` if ``tests`` cannot be read."""
    new, old = (frozenset(node.partition("::")[0] for node in nodes) for nodes in (begin, keep))
    hidden = new | old | patched_tests(tests.decode())
    return Patched(tests, solution, base, hidden, removed=() if tests else new, twins=twins)


def patched_tests(patch: str) -> frozenset[str]:
    """The files with tests that ``patch`` writes or changes. Raises ``ValueError`` as ``parse_diff`` does."""
    paths = (file.new for file in parse_diff(patch))
    return frozenset(path for path in paths if path is not None and role(path) == "test")


def _applied(tree: Tree, patch: bytes, where: str) -> Tree:
    try:
        return apply_patch(tree, patch)
    except ValueError as error:
        raise TaskError(f"{where}: {error}; it is made for another commit than the recipe's") from None
