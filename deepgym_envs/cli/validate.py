"""``deepgym-envs validate``: are these tasks fit to be trained on?"""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from deepgym_envs.cli.backends import chosen_backend
from deepgym_envs.cli.board import Board
from deepgym_envs.cli.choice import (
    JsonOption,
    SampleOption,
    SandboxOption,
    SuiteOption,
    TaskOption,
    chosen_tasks,
    sampled,
)
from deepgym_envs.cli.exit_status import FINDINGS, NOT_JUDGED
from deepgym_envs.cli.screen import STDOUT, print_json
from deepgym_envs.errors import TaskError
from deepgym_envs.sandbox import Backend
from deepgym_envs.task import Task
from deepgym_envs.task_checks import Finding
from deepgym_envs.text import clean
from deepgym_envs.validation import TaskValidation, validate


def validate_command(
    suite: SuiteOption = None,
    task: TaskOption = None,
    repeats: Annotated[
        int, typer.Option(min=1, max=1000, help="Runs of the hidden tests, without and with the solution.")
    ] = 5,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Tasks at a time.", show_default="processors, at most 8")
    ] = None,
    sample: SampleOption = None,
    seed: Annotated[int, typer.Option(help="Decides the order of the tests in each run.")] = 0,
    sandbox: SandboxOption = "auto",
    json: JsonOption = False,
) -> None:
    """Check tasks: their files, and their hidden tests without and with the reference solution.

    Exit status: 0 all clean, 1 something was found, 2 unusable arguments, 3 something could not be judged.
    """
    tasks = sampled(chosen_tasks(suite, task), sample, seed)
    at_a_time = workers or min(8, os.cpu_count() or 1)
    with Board("tasks", len(tasks)) as board:
        backend = chosen_backend(sandbox, board.say)

        def one(item: tuple[str, Task | TaskError]) -> TaskValidation:
            done = _validated(*item, backend=backend, repeats=repeats, seed=seed)
            board.advance()
            return done

        with ThreadPoolExecutor(at_a_time) as pool:
            done = list(pool.map(one, tasks.items()))
    if json:
        print_json(summary(done, backend.name))
    else:
        _show(done)
    if any(result.reasons for result in done):
        raise typer.Exit(FINDINGS)
    if any(result.not_judged for result in done):
        raise typer.Exit(NOT_JUDGED)


def _validated(
    name: str, task: Task | TaskError, *, backend: Backend, repeats: int, seed: int
) -> TaskValidation:
    if isinstance(task, TaskError):
        return TaskValidation(name, (Finding("unreadable", str(task)),))
    return validate(task, backend=backend, repeats=repeats, seed=seed)


def summary(done: list[TaskValidation], sandbox: str) -> dict[str, Any]:
    """What ``--json`` prints."""
    return {
        "tasks": len(done),
        "clean": sum(result.clean for result in done),
        "rejected": {result.task: _plain(result.reasons) for result in done if result.reasons},
        "warnings": {result.task: _plain(result.warnings) for result in done if result.warnings},
        "not_judged": {result.task: result.not_judged for result in done if result.not_judged},
        "figures": {result.task: dict(result.figures) for result in done},
        "sandbox": sandbox,
    }


def _plain(findings: tuple[Finding, ...]) -> list[Mapping[str, str]]:
    return [{"code": finding.code, "message": finding.message} for finding in findings]


def _show(done: list[TaskValidation]) -> None:
    table = Table()
    table.add_column("task", no_wrap=True)
    for heading in ("to pass", "to keep", "seconds"):
        table.add_column(heading, justify="right")
    table.add_column("result")
    for result in done:
        seconds = result.figures.get("median_seconds")
        numbers = [f"{result.figures.get(key, 0):.0f}" for key in ("fail_to_pass", "pass_to_pass")]
        table.add_row(
            escape(result.task), *numbers, "-" if seconds is None else f"{seconds:.2f}", _result(result)
        )
    STDOUT.print(table)
    for result in done:
        lines = [f"  [red]{finding.code}[/]: {_plain_text(finding.message)}" for finding in result.reasons]
        lines += [
            f"  [yellow]{finding.code}[/] (warning): {_plain_text(finding.message)}"
            for finding in result.warnings
        ]
        if result.not_judged:
            lines.append(f"  [magenta]could not be judged[/]: {_plain_text(result.not_judged)}")
        if lines:
            STDOUT.print("\n".join([escape(result.task), *lines]), highlight=False, soft_wrap=True)
    STDOUT.print(f"{sum(result.clean for result in done)} of {len(done)} clean", highlight=False)


def _result(result: TaskValidation) -> str:
    if result.reasons:
        return "[red]rejected[/]"
    if result.not_judged:
        return "[magenta]not judged[/]"
    return "[green]clean[/]"


def _plain_text(message: str) -> str:
    return escape(clean(message)).replace("\n", "\n    ")
