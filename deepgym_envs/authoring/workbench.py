"""A folder ``work`` in a task, where its states lie as folders that a person can edit, and back to patches.

::

    work/base/       the repository as the agent gets it
    work/solution/   the same, solved
    work/right-<name>/, work/wrong-<name>/   other implementations, for a task of kind ``tests``
"""

from __future__ import annotations

from pathlib import Path

from deepgym_envs.errors import TaskError, UsageError
from deepgym_envs.manifest import read_manifest
from deepgym_envs.patch import apply_patch, make_patch
from deepgym_envs.recipe import load_recipe
from deepgym_envs.source import source_tree
from deepgym_envs.state import File, Tree, WorkspaceState
from deepgym_envs.task import TaskManifest

WORK = "work"


def lay_out(folder: Path) -> Path:
    """Write the task's states below ``folder/work`` and return that; a task without patches begins unchanged.

    Raises:
        UsageError: there is such a folder already.
        TaskError: the task's manifest, its repository or a patch of it is not good.
    """
    work = folder / WORK
    if work.exists():
        raise UsageError(f"{work}: is there already; 'deepgym-envs record' reads it, or delete it")
    source, manifest = _source(folder)
    base = _patched(source, folder / "base.patch")
    states = {"base": base, "solution": _patched(base, folder / "solution.patch")}
    if manifest.kind == "tests":
        states |= {place.stem: _patched(base, place) for place in sorted((folder / "tests").glob("*.patch"))}
    for name, tree in states.items():
        (work / name).mkdir(parents=True)
        tree.write_to(work / name)
    return work


def pack(folder: Path) -> tuple[str, ...]:
    """Write the patches that lead to the states below ``folder/work``; returns their names, if there are any.

    Raises:
        TaskError: the task's manifest or repository is not good, or a state holds what no patch can.
    """
    work = folder / WORK
    if not work.is_dir():
        return ()
    source, manifest = _source(folder)
    if not (work / "base").is_dir():
        raise TaskError(f"{work / 'base'}: there is no such folder; 'deepgym-envs edit' writes it")
    base = _tree(work / "base")
    patches = {"base.patch": _change(source, base)}
    for place in sorted(place for place in work.iterdir() if place.is_dir() and place.name != "base"):
        implementation = place.name.startswith(("right-", "wrong-"))
        if place.name != "solution" and not (implementation and manifest.kind == "tests"):
            raise TaskError(f"{place}: is neither base nor solution; move it out of {WORK}")
        name = f"tests/{place.name}.patch" if implementation else "solution.patch"
        patches[name] = _change(base, _tree(place))
    for name, patch in patches.items():
        if patch:
            (folder / name).write_bytes(patch)
        else:
            (folder / name).unlink(missing_ok=True)
    return tuple(name for name, patch in patches.items() if patch)


def _source(folder: Path) -> tuple[Tree, TaskManifest]:
    manifest = read_manifest(folder / "task.toml", TaskManifest)
    return source_tree(load_recipe(manifest.repo, folder.absolute().parent / "repos")), manifest


def _patched(tree: Tree, patch: Path) -> Tree:
    if not patch.is_file():
        return tree
    try:
        return apply_patch(tree, patch.read_bytes())
    except ValueError as error:
        raise TaskError(f"{patch}: {error}; make it again") from None


def _tree(folder: Path) -> Tree:
    try:
        return Tree.from_folder(folder)
    except ValueError as error:
        raise TaskError(str(error)) from None


def _change(old: Tree, new: Tree) -> bytes:
    changes: dict[str, File | None] = {path: new.get(path) for path in {*old, *new}}
    return make_patch(WorkspaceState(old, changes))
