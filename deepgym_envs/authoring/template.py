"""Writes the folder of a new repository or task."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from string import Template

from deepgym_envs.authoring.workbench import lay_out
from deepgym_envs.errors import UsageError
from deepgym_envs.recipe import PYTEST_PINS, PYTEST_PYTHON, load_recipe
from deepgym_envs.task import Kind

_TEMPLATES = Path(__file__).with_name("templates")
_ENDING = ".template"


def new_repo(folder: Path) -> Path:
    """Write a small repository that works, with its recipe, into ``folder``, whose name it takes; returns it.

    Raises:
        UsageError: the folder is there already, or its name cannot be a package's.
    """
    name = folder.name
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise UsageError(f"{name!r} cannot be the name of a package; use lower-case letters, digits and '_'")
    pins = ", ".join(f'"{pin}"' for pin in PYTEST_PINS)
    _write(_TEMPLATES / "repo", folder, {"name": name, "pins": pins, "python": PYTEST_PYTHON})
    return folder


def new_task(folder: Path, repo: str, *, kind: Kind = "bug", title: str = "What is wrong") -> Path:
    """Write the beginning of a task into ``folder``, with a workbench in it; returns it.

    Its repository is the one called ``repo`` in the folder ``repos`` beside the task, or a bundled one.

    Raises:
        UsageError: the folder is there already, or lies in no suite, or its name is no task's.
        TaskError: there is no such repository.
    """
    folder = folder.absolute()
    suite, name = folder.parent.name, folder.name
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", name) or name == "repos":
        raise UsageError(f"{name!r} cannot be the name of a task; use letters, digits, '-', '_' and '.'")
    if not re.fullmatch(r"[a-z0-9][a-z0-9_.-]*", suite):
        raise UsageError(f"{folder}: write <suite>/<name>, the suite in lower case")
    if '"' in title or "\\" in title or "\n" in title:
        raise UsageError(f"the title {title!r} must be one line without quotes and backslashes")
    recipe = load_recipe(repo, folder.parent / "repos")
    editable = '"tests/**"' if kind == "tests" else f'"{recipe.name}/**"'
    values = {"suite": suite, "name": name, "repo": repo, "kind": kind, "title": title, "editable": editable}
    _write(_TEMPLATES / "task", folder, values)
    (folder / "tests").mkdir()
    lay_out(folder)
    return folder


def _write(template: Path, folder: Path, values: Mapping[str, str]) -> None:
    if folder.exists():
        raise UsageError(f"{folder}: is there already; delete it or choose another name")
    for place in sorted(template.rglob(f"*{_ENDING}")):
        inner = place.relative_to(template).as_posix().removesuffix(_ENDING)
        target = folder / inner.replace("src/package/", f"src/{values['name']}/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(Template(place.read_text(encoding="utf-8")).substitute(values), encoding="utf-8")
