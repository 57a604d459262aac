"""``deepgym-envs export harbor``, and its way back: exchange tasks with Harbor."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from deepgym_envs.cli.board import Board
from deepgym_envs.cli.choice import JsonOption, SuiteOption, TaskOption, chosen_tasks
from deepgym_envs.cli.exit_status import FINDINGS
from deepgym_envs.cli.screen import STDOUT, complain, print_json
from deepgym_envs.errors import TaskError, UsageError
from deepgym_envs.importers import ForeignTask, export_harbor, read_harbor
from deepgym_envs.task_writer import write_task

HARBOR = "harbor"
export_app = typer.Typer(no_args_is_help=True, help="Write tasks in other formats.")
OutOption = Annotated[Path, typer.Option(help="Folder that the tasks go into.", file_okay=False)]


@export_app.command(HARBOR)
def export_command(
    out: OutOption, suite: SuiteOption = None, task: TaskOption = None, json: JsonOption = False
) -> None:
    """Write tasks as Harbor task folders.

    Exit status: 0 all written, 1 a task could not be, 2 unusable arguments.
    """
    tasks = chosen_tasks(suite, task)
    written: list[str] = []
    refused: dict[str, str] = {}
    with Board("tasks", len(tasks)) as board:
        for name, wanted in tasks.items():
            try:
                if isinstance(wanted, TaskError):
                    raise wanted
                written.append(str(export_harbor(wanted, out)))
            except TaskError as error:
                refused[name] = str(error)
            board.advance()
    if json:
        print_json({"tasks": len(tasks), "written": written, "rejected": refused})
    else:
        STDOUT.print(f"{len(written)} of {len(tasks)} tasks written to {out}", markup=False, highlight=False)
    _complain(refused)


def import_harbor(folder: Path, out: Path, *, json: bool) -> None:
    """Read Harbor task folders that this package wrote, and write them as tasks. Nothing in them is run."""
    if not folder.is_dir():
        raise UsageError(f"{folder}: there is no such folder; name a Harbor task or a folder of them")
    places = _candidates(folder)
    if not places:
        raise TaskError(f"{folder}: holds no Harbor task; each is a folder with a task.toml")
    reasons: Counter[str] = Counter()
    refused: dict[str, str] = {}
    bare: list[str] = []
    with Board("tasks", len(places)) as board:
        for place in places:
            try:
                task = read_harbor(place)
                written = write_task(task, out)
                if task.manifest.kind != "tests" and not task.twins.of(task.hidden):
                    bare.append(str(written))
            except TaskError as error:
                reasons["foreign" if isinstance(error, ForeignTask) else "malformed"] += 1
                refused[str(place)] = str(error)
            board.advance()
    accepted = len(places) - len(refused)
    if json:
        found = {
            "candidates": len(places),
            "accepted": accepted,
            "rejected": dict(reasons),
            "details": refused,
            "without_twins": bare,
        }
        print_json(found)
    else:
        said = [f"{accepted} of {len(places)} tasks written to {out}"]
        said += [f"{place} has no twins; 'deepgym-envs record {place}' finds them" for place in bare]
        STDOUT.print("\n".join(said), markup=False, highlight=False, soft_wrap=True)
    _complain(refused)


def _candidates(folder: Path) -> list[Path]:
    if (folder / "task.toml").is_file():
        return [folder]
    return sorted(place for place in folder.iterdir() if (place / "task.toml").is_file())


def _complain(refused: dict[str, str]) -> None:
    for name, why in refused.items():
        complain(why if name in why else f"{name}: {why}")
    if refused:
        raise typer.Exit(FINDINGS)
