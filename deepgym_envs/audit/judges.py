"""The graders that an audit puts cheats before: ours, and the naive ones."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import ExitStack
from typing import Literal, get_args

from deepgym_envs.audit.naive import Judged, NaiveGrader
from deepgym_envs.errors import UsageError
from deepgym_envs.grade import Grader
from deepgym_envs.sandbox import Backend
from deepgym_envs.state import WorkspaceState
from deepgym_envs.task import Task

GraderName = Literal["exit-code", "stdout", "junit", "hardened", "ours"]
GRADERS: tuple[GraderName, ...] = get_args(GraderName)
Judge = Callable[[WorkspaceState], Judged]


def judge_of(task: Task, backend: Backend, name: GraderName, stack: ExitStack) -> Judge:
    """Judges states of ``task`` as the grader of that name does, for one thread, until ``stack`` is closed.

    Each call judges anew: nothing is remembered, and ours draws other twins.

    What it returns raises ``SandboxError`` where a state could not be judged.
    """
    if name != "ours":
        return stack.enter_context(NaiveGrader(task, backend, name)).judge
    grader = stack.enter_context(Grader(task, backend))

    def judge(state: WorkspaceState) -> Judged:
        verdict = grader.again(state, secrets.token_bytes(32))
        return Judged(verdict.reward > 0, verdict.reason)

    return judge


def check_known(grader: str) -> None:
    """Raises ``UsageError`` for what is no grader's name."""
    if grader not in GRADERS:
        raise UsageError(f"no grader {grader!r}; known: {', '.join(GRADERS)}")


def check_isolates(backend: Backend) -> None:
    """Raises ``UsageError`` for a sandbox to which hostile code must not be given."""
    if backend.name == "local":
        raise UsageError("an audit runs hostile code: choose a sandbox that isolates, docker or bwrap")
