"""``deepgym-envs generate statements``: what is said of tasks, written anew."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Annotated

import typer

from deepgym_envs.audit.attackers import ChatEndpoint
from deepgym_envs.authoring.record import write_whole
from deepgym_envs.cli.backends import chosen_backend
from deepgym_envs.cli.choice import JsonOption, SandboxOption
from deepgym_envs.cli.exit_status import FINDINGS
from deepgym_envs.cli.screen import STDERR, STDOUT, print_json
from deepgym_envs.errors import UsageError
from deepgym_envs.generate import Rejected
from deepgym_envs.generate.run import RECORD
from deepgym_envs.generate.wording import retold, reworded
from deepgym_envs.suite import load_task


def statements_command(
    tasks: Annotated[list[Path], typer.Argument(help="Folders of tasks.", exists=True, file_okay=False)],
    model: Annotated[str | None, typer.Option(help="A model's name.")] = None,
    endpoint: Annotated[str | None, typer.Option(help="Where it is, such as https://host/v1.")] = None,
    key_env: Annotated[str | None, typer.Option(help="The environment variable that holds the key.")] = None,
    sandbox: SandboxOption = "auto",
    as_json: JsonOption = False,
) -> None:
    """Write the statements of tasks anew: from what their tests see or, with --model, in a model's words.

    A model sees a task's tests and its statement, but not its solution; it needs the extra 'llm'. What gives
    tests or solution away is not taken, and the statement stays as it was.

    Exit status: 0 all are written, 1 some stay as they were, 2 unusable arguments, 3 no answer.
    """
    if (model is None) != (endpoint is None):
        raise UsageError("a model needs both: give --model NAME and --endpoint URL")
    backend = None if model else chosen_backend(sandbox, STDERR.print)
    chat = ChatEndpoint(endpoint, model, key_env=key_env) if model and endpoint else None
    written: list[str] = []
    kept: dict[str, str] = {}
    for folder in tasks:
        task = load_task(folder)
        try:
            if chat is not None:
                text = reworded(task, chat)
            else:
                assert backend is not None
                text = retold(task, _problems(folder / RECORD), backend)
        except Rejected as why:
            kept[task.id] = str(why)
        else:
            write_whole(folder / "instruction.md", text.encode())
            written.append(task.id)
    if as_json:
        print_json({"written": written, "kept": kept})
    else:
        STDOUT.print(f"{len(written)} of {len(tasks)} statements are written", highlight=False)
        for name, why_not in kept.items():
            STDOUT.print(f"{name}: stays as it was: {why_not}", highlight=False, markup=False)
    if kept:
        raise typer.Exit(FINDINGS)


def _problems(record: Path) -> Sequence[Collection[str]]:
    """The tests of each problem of a task, where its record knows of several."""
    if not record.is_file():
        return ()
    try:
        found = json.loads(record.read_bytes()).get("problems", ())
        return [[str(node) for node in problem] for problem in found]
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise UsageError(f"{record}: is not the record of a task; move it away") from None
