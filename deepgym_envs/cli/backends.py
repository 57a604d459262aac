"""The sandbox that a command was told to use."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from typing import Protocol, cast, get_args, runtime_checkable

from deepgym_envs.cli.board import Board
from deepgym_envs.cli.screen import complain
from deepgym_envs.errors import SandboxError, UsageError
from deepgym_envs.sandbox import Backend, BackendName, choose_backend
from deepgym_envs.task import Task


@runtime_checkable
class _Reports(Protocol):
    report: Callable[[str], None] | None


def chosen_backend(name: str, report: Callable[[str], None]) -> Backend:
    """The backend called ``name``; ``report`` is told what takes long, such as a build.

    Raises:
        UsageError: there is no backend of that name.
        SandboxUnavailable: it cannot be used here; says what to do.
    """
    known = get_args(BackendName)
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        raise UsageError(
            f"no sandbox {name!r}; {f'did you mean {near[0]!r}?' if near else 'known: ' + ', '.join(known)}"
        )
    backend = choose_backend(cast(BackendName, name))
    if isinstance(backend, _Reports):
        backend.report = report
    return backend


def prepare_all(backend: Backend, tasks: Sequence[Task], board: Board) -> None:
    """Build what is missing. What cannot be built masks its own episodes and no others."""
    for task in tasks:
        try:
            backend.prepare(task)
        except SandboxError as error:
            complain(f"{task.id} cannot be played: {error}")
        board.advance()
