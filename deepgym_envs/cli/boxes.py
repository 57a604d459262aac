"""``deepgym-envs boxes``: what this package's processes have made on this machine, and what the dead left."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer
from rich.table import Table

from deepgym_envs.cli.choice import JsonOption
from deepgym_envs.cli.screen import STDOUT, print_json, spinner
from deepgym_envs.errors import SandboxUnavailable
from deepgym_envs.sandbox.reaper import Belonging, Place, host_places, reap

boxes_app = typer.Typer(no_args_is_help=True, help="Show boxes, and remove those that killed runs left.")


@boxes_app.command("list")
def list_command(json: JsonOption = False) -> None:
    """Show containers, programs, folders and control groups of boxes, and whether their owners live."""
    with spinner("looking for boxes"), _places() as places:
        found = [belonging for place in places for belonging in place.belongings()]
    if json:
        print_json({"boxes": [_row(belonging) for belonging in found]})
        return
    table = Table()
    for heading in ("kind", "name", "owner", "state", "task"):
        table.add_column(heading, overflow="fold")
    for belonging in found:
        row = _row(belonging)
        table.add_row(row["kind"], row["name"], str(row["pid"]), row["owner"], row["about"])
    if found:
        STDOUT.print(table, width=None if STDOUT.is_terminal else 130)
    abandoned = sum(belonging.abandoned for belonging in found)
    STDOUT.print(f"{len(found)} things, {abandoned} of them abandoned", highlight=False)


@boxes_app.command("reap")
def reap_command(json: JsonOption = False) -> None:
    """Remove what processes that were killed have left; what a living one has stays."""
    with spinner("removing what the dead left"), _places() as places:
        removed = reap(places)
    if json:
        print_json({"removed": [_row(belonging) for belonging in removed]})
        return
    for belonging in removed:
        STDOUT.print(f"{belonging.kind} {belonging.name}", markup=False, highlight=False, soft_wrap=True)
    STDOUT.print(f"{len(removed)} things removed", highlight=False)


@contextmanager
def _places() -> Iterator[list[Place]]:
    """Wherever belongings may be; without an engine, those of this machine alone."""
    # The Docker SDK takes a fifth of a second to import.
    from deepgym_envs.sandbox.docker import Containers, connect

    try:
        client = connect()
    except SandboxUnavailable:
        yield host_places()
        return
    try:
        yield [Containers(client), *host_places()]
    finally:
        client.close()


def _row(belonging: Belonging) -> dict[str, Any]:
    alive = belonging.owner.alive
    return {
        "kind": belonging.kind,
        "name": belonging.name,
        "pid": belonging.owner.pid,
        "owner": "not known from here" if alive is None else "alive" if alive else "dead",
        "abandoned": belonging.abandoned,
        "about": belonging.about,
    }
