"""Implementations that judge a task of kind ``tests``, in other words: the same behaviour, another source."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from deepgym_envs.audit.rewrites import REWRITES
from deepgym_envs.patch import make_patch
from deepgym_envs.state import WorkspaceState
from deepgym_envs.task import BASE_IMPLEMENTATION, HiddenTests, Task


def rewritten(task: Task) -> Task:
    """``task``, judged by implementations in which every file of Python outside of what may be edited is
    written in another way; the base is one of them under the name ``right-base``.

    A suite that goes by behaviour notices nothing; one that knows their source does.
    """
    hidden = {}
    for name, state in task.implementations.items():
        if name in task.expected:
            changed = _in_other_words(task, state)
            hidden[f"{_named(name)}.patch"] = make_patch(changed)
    tests = task.manifest.tests
    listed = HiddenTests(
        fail_to_pass=tuple(map(_named, tests.fail_to_pass)),
        pass_to_pass=tuple(map(_named, tests.pass_to_pass)),
    )
    return replace(
        task,
        content=replace(task.files, hidden=hidden),
        manifest=task.manifest.model_copy(update={"tests": listed}),
    )


def _named(name: str) -> str:
    return "right-base" if name == BASE_IMPLEMENTATION else name


def _in_other_words(task: Task, state: WorkspaceState) -> WorkspaceState:
    for path, file in state.tree().items():
        if path.endswith(".py") and not task.may_edit(path):
            state = state.with_file(path, _rewritten(file.data))
    return state


@lru_cache(maxsize=512)  # implementations have most of their files in common
def _rewritten(source: bytes) -> bytes:
    for rewrite in REWRITES.values():
        try:
            source = rewrite(source.decode()).encode()
        except ValueError:
            continue  # not a file that can be written in this way
    return source
