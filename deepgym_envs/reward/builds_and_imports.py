"""The share of the modules that compile and can be imported."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from deepgym_envs.grade import Grader
from deepgym_envs.sandbox import Command
from deepgym_envs.state import WorkspaceState
from deepgym_envs.strict_json import parse_json
from deepgym_envs.task import Task

_CHILD = Path(__file__).with_name("import_child.py")
_REPORT_BYTES = 1 << 20
# Whoever imports these runs them.
_PROGRAMS = ("__main__.py", "setup.py")


class BuildsAndImports:
    """Share of the editable Python files that compile and, in a clean box, can be imported.

    A file that is not part of a package, nor in one of the recipe's import folders, need only compile, as
    ``__main__.py`` and ``setup.py``. Files that are not there are not counted. All are tried in one process,
    in the order of their paths; the share is 0 where that does not come to its end in the time for a run of
    tests. It costs a command for each new state, and is remembered.

    What the box says is a claim: code under test can forge it, to no gain in the return.

    Raises:
        SandboxError: it could not be measured, for a reason that the code under test cannot have caused.
    """

    key: ClassVar[str] = "builds_and_imports 1"

    def __call__(self, grader: Grader, state: WorkspaceState) -> float:
        try:
            files = grader.judged_part(state).tree()
        except ValueError:  # a file is also a folder, so no box can hold it
            return 0.0
        paths = [path for path in sorted(files) if path.endswith(".py") and grader.task.may_edit(path)]
        if not paths:
            return 0.0
        done = grader.run(state, _command(grader.task, paths, set(files)))
        if done is None or done.timed_out or done.exit_code != 0 or done.report_overflow:
            return 0.0
        return len(_good(done.report, len(paths))) / len(paths)


builds_and_imports = BuildsAndImports()


def _command(task: Task, paths: Sequence[str], files: set[str]) -> Command:
    folders = task.recipe.install.pythonpath
    found = [_module(path, folders, files) for path in paths]
    modules = [{"path": path, "name": name} for path, (_, name) in zip(paths, found, strict=True)]
    roots = list(dict.fromkeys([*folders, *(root for root, name in found if name)]))
    return Command(
        argv=("python", "-I", "-B", "{files}/import_child.py"),
        seconds=task.limits.test_seconds,
        stdin=json.dumps({"modules": modules, "roots": roots}).encode(),
        files={"import_child.py": _CHILD.read_bytes()},
        output_bytes=task.limits.output_bytes,
        report_bytes=_REPORT_BYTES,
        warm=True,
    )


def _module(path: str, roots: Sequence[str], files: set[str]) -> tuple[str, str]:
    """The folder from which a file is imported, and its name there; no name if it cannot be imported."""
    folders = path.split("/")[:-1]
    found = [root for root in roots if root == "." or path.startswith(f"{root}/")]
    if found:
        root = max(found, key=len)
    else:
        depth = len(folders)
        while depth and "/".join([*folders[:depth], "__init__.py"]) in files:
            depth -= 1
        if depth == len(folders):
            return ".", ""
        root = "/".join(folders[:depth]) or "."
    parts = path.removeprefix("" if root == "." else f"{root}/").removesuffix(".py").split("/")
    if parts[-1] == "__init__":
        parts.pop()
    name = ".".join(parts)
    importable = bool(parts) and all(part.isidentifier() for part in parts)
    return root, name if importable and not path.endswith(_PROGRAMS) else ""


def _good(report: bytes, count: int) -> set[int]:
    """The numbers below ``count`` that a box named; none, where what it said is anything else."""
    try:
        said = parse_json(report)
    except ValueError:
        return set()
    match said:
        case {"good": list(good), **rest} if not rest and all(
            type(number) is int and 0 <= number < count for number in good
        ):
            return set(good)
    return set()
