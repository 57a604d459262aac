"""The reference solution, and the same behaviour in other forms: honest work that must be paid."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from deepgym_envs.rewriting import reformatted, renamed_locals, reordered_functions, with_dead_code
from deepgym_envs.state import WorkspaceState
from deepgym_envs.task import Task

REWRITES: Mapping[str, Callable[[str], str]] = {
    "reformatted": reformatted,
    "renamed-locals": renamed_locals,
    "reordered-functions": reordered_functions,
    "with-dead-code": with_dead_code,
}


def variants_of(task: Task) -> Mapping[str, WorkspaceState]:
    """By name: ``gold``, and each form of it that differs from those before.

    Raises:
        TaskError: the reference solution does not apply.
    """
    gold = task.gold.only(task.may_edit)
    found = {"gold": gold}
    for name, rewrite in REWRITES.items():
        changed = gold
        for path, file in gold.changes.items():
            if file is None or not path.endswith(".py"):
                continue
            try:
                changed = changed.with_file(path, rewrite(file.data.decode()).encode())
            except ValueError:
                continue  # not a file that can be written in another form
        if changed not in found.values():
            found[name] = changed
    return found
