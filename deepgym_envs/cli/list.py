"""``deepgym-envs list``: what is in a suite, and how hard it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from deepgym_envs.cli.choice import JsonOption, SuiteOption, TaskOption, chosen_tasks
from deepgym_envs.cli.exit_status import FINDINGS
from deepgym_envs.cli.screen import STDOUT, complain, print_json
from deepgym_envs.errors import TaskError
from deepgym_envs.task import Figures, Task

_NUMBERS = ("files", "functions", "lines", "distance", "visible", "calls")
_HEADINGS = ("task", "kind", "difficulty", *_NUMBERS, "tests")
_NARROW = (0, 1, 2, 3, 5)  # what fits into a terminal: also files and lines


def list_command(
    suite: SuiteOption = None,
    task: TaskOption = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print a Markdown table.")] = False,
    json: JsonOption = False,
) -> None:
    """List tasks with their figures; runs nothing.

    Exit status: 0 good, 1 some task cannot be read.
    """
    found = chosen_tasks(suite, task)
    tasks = [one for one in found.values() if isinstance(one, Task)]
    unreadable = [str(one) for one in found.values() if isinstance(one, TaskError)]
    if json:
        print_json({"tasks": len(tasks), "listed": {one.id: _summary(one) for one in tasks}})
    elif markdown:
        STDOUT.print(markdown_table(tasks), highlight=False, soft_wrap=True, markup=False)
    else:
        _show(tasks)
    for problem in unreadable:
        complain(problem)
    if unreadable:
        raise typer.Exit(FINDINGS)


def markdown_table(tasks: Sequence[Task]) -> str:
    """The figures of ``tasks`` as a Markdown table."""
    rows = [_HEADINGS, ["---"] * len(_HEADINGS), *(_row(task) for task in tasks)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows)


def _summary(task: Task) -> dict[str, Any]:
    manifest = task.manifest
    return {
        "title": manifest.title,
        "repo": manifest.repo,
        "kind": manifest.kind,
        "difficulty": manifest.difficulty,
        "fail_to_pass": len(manifest.tests.fail_to_pass),
        "pass_to_pass": len(manifest.tests.pass_to_pass),
        "figures": None if task.figures is None else task.figures.model_dump(),
    }


def _row(task: Task) -> list[str]:
    manifest, measured = task.manifest, task.figures
    numbers = measured.model_dump() if measured is not None else dict.fromkeys(Figures.model_fields)
    names = ("files", "functions", "lines", "distance", "visible_failing", "tool_calls")
    cells = ["-" if numbers[name] is None else str(numbers[name]) for name in names]
    tests = f"{len(manifest.tests.fail_to_pass)} + {len(manifest.tests.pass_to_pass)}"
    return [task.id.partition("/")[2], manifest.kind, manifest.difficulty, *cells, tests]


def _show(tasks: Sequence[Task]) -> None:
    table = Table(box=None, pad_edge=False)
    for column in _NARROW:
        number = _HEADINGS[column] in _NUMBERS
        table.add_column(_HEADINGS[column], no_wrap=True, justify="right" if number else "left")
    for task in tasks:
        row = _row(task)
        table.add_row(*(escape(row[column]) for column in _NARROW))
    STDOUT.print(table)
    STDOUT.print(f"{len(tasks)} tasks", highlight=False)
