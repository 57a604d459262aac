"""``deepgym-envs new``, ``edit`` and ``record``: for those who write tasks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, get_args

import typer

from deepgym_envs.authoring import Recorded, lay_out, new_repo, new_task, record
from deepgym_envs.cli.backends import chosen_backend
from deepgym_envs.cli.board import Board
from deepgym_envs.cli.choice import JsonOption, SandboxOption
from deepgym_envs.cli.screen import STDOUT, print_json
from deepgym_envs.errors import UsageError
from deepgym_envs.task import Kind

new_app = typer.Typer(no_args_is_help=True, help="Write the folder of a new repository or task.")
TaskFolder = Annotated[Path, typer.Argument(help="The task's folder.")]


@new_app.command("repo")
def new_repo_command(
    folder: Annotated[Path, typer.Argument(help="Such as my-suite/repos/adder; its name is the package's.")],
    json: JsonOption = False,
) -> None:
    """Write a small repository that works, with its recipe."""
    new_repo(folder)
    _say(json, {"written": str(folder)}, f"wrote {folder}; make a library of {folder / 'src'}")


@new_app.command("task")
def new_task_command(
    folder: Annotated[Path, typer.Argument(help="Such as my-suite/add-is-wrong.")],
    repo: Annotated[str, typer.Option(help="Name of the repository: beside the task, or bundled.")],
    kind: Annotated[str, typer.Option(help=", ".join(get_args(Kind)) + ".")] = "bug",
    title: Annotated[str, typer.Option(help="One line.")] = "What is wrong",
    json: JsonOption = False,
) -> None:
    """Write the beginning of a task: instruction, manifest, and a workbench with the repository in it."""
    chosen: Kind | None = next((known for known in get_args(Kind) if known == kind), None)
    if chosen is None:
        raise UsageError(f"no kind {kind!r}; known: {', '.join(get_args(Kind))}")
    new_task(folder, repo, kind=chosen, title=title)
    work = folder / "work"
    advice = f"put the problem into {work / 'base'} and its solution into {work / 'solution'}"
    _say(json, {"written": str(folder)}, f"wrote {folder}; {advice}")


def edit_command(folder: TaskFolder, json: JsonOption = False) -> None:
    """Lay a task's states out below its folder work, to edit them."""
    work = lay_out(folder)
    _say(json, {"written": str(work)}, f"wrote {work}; 'deepgym-envs record {folder}' makes patches of it")


def record_command(folder: TaskFolder, sandbox: SandboxOption = "auto", json: JsonOption = False) -> None:
    """Make patches of the folder work, list the hidden tests by running them, and measure the task."""
    with Board("record", 1) as board:
        backend = chosen_backend(sandbox, board.say)
        done = record(folder, backend)
        board.advance()
    _say(json, _summary(done), _text(folder, done))


def _summary(done: Recorded) -> dict[str, Any]:
    tests = done.manifest.tests
    return {
        "patches": list(done.patches),
        "fail_to_pass": list(tests.fail_to_pass),
        "pass_to_pass": list(tests.pass_to_pass),
        "difficulty": done.manifest.difficulty,
        "figures": done.figures.model_dump(),
        "twins": [each.test for each in done.twins.tests],
    }


def _text(folder: Path, done: Recorded) -> str:
    tests = done.manifest.tests
    twins = ["twins.json"] if done.twins.tests else []
    lines = [
        f"wrote {folder}: {', '.join([*done.patches, 'task.toml', 'figures.json', *twins])}",
        f"to pass {len(tests.fail_to_pass)}, to keep {len(tests.pass_to_pass)}, {done.manifest.difficulty}",
        f"tests that have twins: {len(done.twins.tests)}",
    ]
    return "\n".join(lines)


def _say(as_json: bool, summary: dict[str, Any], text: str) -> None:
    if as_json:
        print_json(summary)
    else:
        STDOUT.print(text, highlight=False, soft_wrap=True, markup=False)
