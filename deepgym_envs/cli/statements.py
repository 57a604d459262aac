"""``deepgym-envs generate statements``: what a template said of tasks, in a model's words."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from deepgym_envs.audit.attackers import ChatEndpoint
from deepgym_envs.authoring.record import write_whole
from deepgym_envs.cli.choice import JsonOption
from deepgym_envs.cli.exit_status import FINDINGS
from deepgym_envs.cli.screen import STDOUT, print_json
from deepgym_envs.generate import Rejected
from deepgym_envs.generate.wording import reworded
from deepgym_envs.suite import load_task


def statements_command(
    tasks: Annotated[list[Path], typer.Argument(help="Folders of tasks.", exists=True, file_okay=False)],
    model: Annotated[str, typer.Option(help="The model's name.")],
    endpoint: Annotated[str, typer.Option(help="Where it is, such as https://host/v1.")],
    key_env: Annotated[str | None, typer.Option(help="The environment variable that holds the key.")] = None,
    json: JsonOption = False,
) -> None:
    """Have a model write the statements of tasks; needs the extra 'llm'.

    It sees a task's tests, but not its solution. What gives either away is not taken, and the statement stays
    as it was.

    Exit status: 0 all are written, 1 some stay as they were, 2 unusable arguments, 3 no answer.
    """
    chat = ChatEndpoint(endpoint, model, key_env=key_env)
    written: list[str] = []
    kept: dict[str, str] = {}
    for folder in tasks:
        task = load_task(folder)
        try:
            text = reworded(task, chat)
        except Rejected as why:
            kept[task.id] = str(why)
        else:
            write_whole(folder / "instruction.md", text.encode())
            written.append(task.id)
    if json:
        print_json({"written": written, "kept": kept})
    else:
        STDOUT.print(f"{len(written)} of {len(tasks)} statements are written", highlight=False)
        for name, why_not in kept.items():
            STDOUT.print(f"{name}: stays as it was: {why_not}", highlight=False, markup=False)
    if kept:
        raise typer.Exit(FINDINGS)
