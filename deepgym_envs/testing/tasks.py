"""Makes small, real tasks: for the tests of whatever handles tasks."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from deepgym_envs.patch import make_patch
from deepgym_envs.recipe import PYTEST_PINS, PYTEST_PYTHON
from deepgym_envs.state import File, Tree, WorkspaceState
from deepgym_envs.task import Difficulty, Kind, Limits, Task


def make_recipe(  # noqa: PLR0913 - every option is written out
    folder: Path,
    *,
    source: Mapping[str, str | bytes | File],
    pip: Sequence[str] = PYTEST_PINS,
    apt: Sequence[str] = (),
    commands: Sequence[Sequence[str]] = (),
    pythonpath: Sequence[str] = (".",),
    test_paths: Sequence[str] = ("tests",),
    plugins: Sequence[str] = (),
    python: str = PYTEST_PYTHON,
) -> None:
    """Write a repository's recipe and bundled source into ``folder``, after which it is named."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "src").mkdir()
    _tree(source).write_to(folder / "src")
    lines = [
        f"name = {_toml(folder.name)}",
        'summary = "Made for a test."',
        'license = "Apache-2.0"',
        f"python = {_toml(python)}",
        '[source]\nkind = "bundled"',
        f"[needs]\npip = {_toml(list(pip))}\napt = {_toml(list(apt))}",
        f"[install]\npythonpath = {_toml(list(pythonpath))}",
        f"commands = {_toml([list(line) for line in commands])}",
        f"[test]\npaths = {_toml(list(test_paths))}\nplugins = {_toml(list(plugins))}",
    ]
    (folder / "recipe.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")


def make_task(  # noqa: PLR0913 - every option is written out
    folder: Path,
    *,
    source: Mapping[str, str | bytes | File],
    hidden: Mapping[str, str] | None = None,
    implementations: Mapping[str, Mapping[str, str | bytes]] | None = None,
    gold: Mapping[str, str | bytes | File | None],
    fail_to_pass: Sequence[str],
    pass_to_pass: Sequence[str] = (),
    editable: Sequence[str] | None = None,
    instruction: str = "# Something is wrong\n\nMend it.\n",
    repo: str = "tiny",
    suite: str = "made",
    scripts: Mapping[str, str] | None = None,
    kind: Kind = "bug",
    difficulty: Difficulty = "easy",
    tags: Sequence[str] = (),
    limits: Limits | None = None,
    pip: Sequence[str] = PYTEST_PINS,
    apt: Sequence[str] = (),
    commands: Sequence[Sequence[str]] = (),
    pythonpath: Sequence[str] = (".",),
    test_paths: Sequence[str] = ("tests",),
    plugins: Sequence[str] = (),
    python: str = PYTEST_PYTHON,
) -> Task:
    """Write a task into ``folder`` and read it back; its recipe goes to ``repos/<repo>`` beside it.

    ``load_task(folder)`` and ``load_suite(folder.parent)`` find it there. A recipe that is there already is
    kept.

    Args:
        folder: where the task goes; its name is the task's.
        source: the repository as the agent gets it: path to content.
        hidden: the hidden tests: path below ``tests/`` to content.
        gold: the files that solve the task; None deletes one.
        implementations: of a task of kind ``tests``: a name such as ``wrong-sign`` to the files that differ
            from ``source``.
        scripts: the task's own scripts: name to tool calls, a JSON object a line.
        fail_to_pass: node ids of the hidden tests that must begin to pass.
        pass_to_pass: node ids of those that must go on passing.
        editable: patterns of what a solution may change; by default the folders that ``gold`` changes.

    Raises:
        TaskError: the task that was described is not a valid one.
    """
    recipe = folder.parent / "repos" / repo
    if not recipe.is_dir():
        make_recipe(recipe, source=source, pip=pip, apt=apt, commands=commands, pythonpath=pythonpath,
                    test_paths=test_paths, plugins=plugins, python=python)  # fmt: skip
    base = _tree(source)
    solved = WorkspaceState(
        base, {path: None if data is None else _file(data) for path, data in gold.items()}
    )
    if editable is None:
        editable = sorted({f"{path.split('/')[0]}/**" if "/" in path else path for path in gold})
    (folder / "tests").mkdir(parents=True)
    _tree(hidden or {}).write_to(folder / "tests")
    for name, files in (implementations or {}).items():
        changed = WorkspaceState(base).with_files(
            {path: _file(content).data for path, content in files.items()}
        )
        (folder / "tests" / f"{name}.patch").write_bytes(make_patch(changed))
    for name, text in (scripts or {}).items():
        (folder / "scripts").mkdir(exist_ok=True)
        (folder / "scripts" / f"{name}.jsonl").write_text(text, encoding="utf-8")
    (folder / "instruction.md").write_text(instruction, encoding="utf-8")
    (folder / "solution.patch").write_bytes(make_patch(solved))
    lines = [
        f"id = {_toml(f'{suite}/{folder.name}')}",
        f"repo = {_toml(repo)}",
        'title = "Something is wrong"',
        f"kind = {_toml(kind)}",
        f"difficulty = {_toml(difficulty)}",
        f"editable = {_toml(list(editable))}",
        f"tags = {_toml(list(tags))}",
        f"[tests]\nfail_to_pass = {_toml(list(fail_to_pass))}\npass_to_pass = {_toml(list(pass_to_pass))}",
        "[limits]",
        *(f"{key} = {_toml(value)}" for key, value in (limits or Limits()).model_dump().items()),
    ]
    (folder / "task.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return Task.from_folder(folder, folder.parent / "repos")


def _toml(value: object) -> str:
    # Strings, numbers and lists are written alike in JSON and TOML, except for characters outside the BMP.
    return json.dumps(value, ensure_ascii=False)


def _file(content: str | bytes | File) -> File:
    if isinstance(content, File):
        return content
    return File(content.encode() if isinstance(content, str) else content)


def _tree(files: Mapping[str, str | bytes | File]) -> Tree:
    return Tree({path: _file(content) for path, content in files.items()})
