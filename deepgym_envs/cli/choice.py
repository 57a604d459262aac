"""The tasks that a command was asked for, readable or not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Annotated

import typer

from deepgym_envs.errors import TaskError, UnknownTask, UsageError
from deepgym_envs.suite import load_task, read_suite
from deepgym_envs.task import Task

DEFAULT_SUITE = "starter"
SuiteOption = Annotated[
    str | None, typer.Option(help="A suite's name or a folder of tasks.", show_default=DEFAULT_SUITE)
]
TaskOption = Annotated[list[str] | None, typer.Option(help="A task's id or folder; may be repeated.")]
SampleOption = Annotated[
    int | None, typer.Option(min=1, help="So many of the tasks, drawn by --seed.", show_default="all")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
KeyOption = Annotated[
    Path | None, typer.Option(help="File of the key that signs.", show_default="the host's own")
]
SandboxOption = Annotated[str, typer.Option(help="auto, docker, bwrap or local (trusted code only).")]


def chosen_tasks(suite: str | None, tasks: Sequence[str] | None) -> Mapping[str, Task | TaskError]:
    """By id, each task or why it cannot be read.

    Raises:
        UsageError: both a suite and tasks are given.
        UnknownTask: there is no suite or task of that name.
        TaskError: the suite's folder holds no task.
    """
    if suite is not None and tasks:
        raise UsageError("give --suite or --task, not both")
    if not tasks:
        return read_suite(suite or DEFAULT_SUITE)
    found: dict[str, Task | TaskError] = {}
    for name in tasks:
        try:
            task = load_task(name)
        except UnknownTask:
            raise
        except TaskError as error:
            found[name] = error
        else:
            found[task.id] = task
    return found


def sampled(
    tasks: Mapping[str, Task | TaskError], count: int | None, seed: int
) -> Mapping[str, Task | TaskError]:
    """``count`` of ``tasks`` in their order, the same for the same ``seed``; all for None or where there are
    less."""
    if count is None or count >= len(tasks):
        return tasks
    drawn = set(Random(f"sample {seed}").sample(sorted(tasks), count))
    return {name: task for name, task in tasks.items() if name in drawn}


def readable(tasks: Mapping[str, Task | TaskError]) -> Sequence[Task]:
    """The tasks, if all of them can be read.

    Raises:
        TaskError: the first that cannot.
    """
    for task in tasks.values():
        if isinstance(task, TaskError):
            raise task
    return [task for task in tasks.values() if isinstance(task, Task)]
