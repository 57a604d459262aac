"""``deepgym-envs doctor``: say what works on this machine."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from deepgym_envs.cli.choice import JsonOption
from deepgym_envs.cli.exit_status import FINDINGS
from deepgym_envs.cli.screen import STDOUT, complain, print_json, spinner
from deepgym_envs.doctor import Diagnosis, examine

_COLOURS = {"good": "green", "warning": "yellow", "bad": "red"}


def doctor_command(
    smoke: Annotated[
        bool, typer.Option("--smoke", help="Also open a box of each sandbox that works.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Say what works on this machine, and what to do about what does not. Nothing is fetched.

    Exit status: 0 if a sandbox works that isolates, else 1.
    """
    with spinner("looking around") as say:
        diagnosis = examine(smoke=smoke, report=say)
    if json:
        print_json(diagnosis.summary())
    else:
        STDOUT.print(_table(diagnosis))
        STDOUT.print(f"sandboxes that isolate: {', '.join(diagnosis.isolating) or 'none'}")
    if not diagnosis.isolating:
        complain("no sandbox works that isolates; start a Docker engine or install bubblewrap")
        raise typer.Exit(FINDINGS)


def _table(diagnosis: Diagnosis) -> Table:
    table = Table(show_header=False, box=None, pad_edge=False)
    for finding in diagnosis.findings:
        said = f"{finding.found}\n-> {finding.advice}" if finding.advice else finding.found
        table.add_row(Text(finding.mark, _COLOURS[finding.mark]), finding.subject, Text(said))
    return table
