"""``deepgym-envs generate statements``: what is said of tasks, written anew."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

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

BY_HAND = "by hand"


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
    tests or solution away is not taken, and the statement stays as it was; so does one written by hand.

    Exit status: 0 all are written, 1 some stay as they were, 2 unusable arguments, 3 no answer.
    """
    if (model is None) != (endpoint is None):
        raise UsageError("a model needs both: give --model NAME and --endpoint URL")
    backend = None if model else chosen_backend(sandbox, STDERR.print)
    chat = ChatEndpoint(endpoint, model, key_env=key_env) if model and endpoint else None
    written: list[str] = []
    kept: dict[str, str] = {}
    for folder in tasks:
        task, record = load_task(folder), _record(folder / RECORD)
        if record.get("statement") == BY_HAND:
            kept[task.id] = f"written by hand; without 'statement' in its {RECORD} it is made anew"
            continue
        try:
            if chat is not None:
                text = reworded(task, chat)
            else:
                assert backend is not None
                text = retold(task, _problems(record, folder), backend)
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


def _record(path: Path) -> Mapping[str, Any]:
    """What is known of how a task was found, if it was found by a command."""
    if not path.is_file():
        return {}
    try:
        return dict(json.loads(path.read_bytes()))
    except (ValueError, TypeError, RecursionError):
        raise _spoilt(path.parent) from None


def _problems(record: Mapping[str, Any], folder: Path) -> Sequence[Collection[str]]:
    """The tests of each problem of a task, where its ``record`` knows of several."""
    try:
        return [[str(node) for node in problem] for problem in record.get("problems", ())]
    except TypeError:
        raise _spoilt(folder) from None


def _spoilt(folder: Path) -> UsageError:
    return UsageError(f"{folder / RECORD}: is not the record of a task; move it away")
