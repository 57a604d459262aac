"""``deepgym-envs boxes``: what this package's processes have made on this machine, and what the dead left."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import Any

import typer
from rich.table import Table

from deepgym_envs.cli.choice import JsonOption
from deepgym_envs.cli.exit_status import FINDINGS, NOT_JUDGED
from deepgym_envs.cli.screen import STDOUT, complain, print_json, spinner
from deepgym_envs.errors import SandboxUnavailable
from deepgym_envs.sandbox.reaper import Belonging, Place, Unseen, host_places, reap, survey

boxes_app = typer.Typer(no_args_is_help=True, help="Show boxes, and remove those that killed runs left.")
_ALIVE = {True: "alive", False: "dead", None: "unknown"}


@boxes_app.command("list")
def list_command(json: JsonOption = False) -> None:
    """Show containers, programs, folders and control groups of boxes, and whether their owners live.

    Exit status: 0 good, 1 something is abandoned, 3 something could not be looked at.
    """
    with spinner("looking for boxes"), _places() as places:
        seen = survey(places)
    abandoned = [one for one in seen.belongings if one.abandoned]
    if json:
        print_json({"boxes": _rows(seen.belongings), "unseen": dict(seen.unseen)})
    else:
        _show(seen.belongings)
        STDOUT.print(f"{len(seen.belongings)} things, {len(abandoned)} of them abandoned", highlight=False)
    _end(seen.unseen, findings=bool(abandoned))


@boxes_app.command("reap")
def reap_command(json: JsonOption = False) -> None:
    """Remove what processes that were killed have left; what a living one has stays.

    Exit status: 0 good, 1 something abandoned could not be removed, 3 something could not be looked at.
    """
    with spinner("removing what the dead left"), _places() as places:
        done = reap(places)
    failed = {one.name: f"{one.kind} {one.name}: {why}" for one, why in done.failed.items()}
    if json:
        print_json({"removed": _rows(done.removed), "failed": failed, "unseen": dict(done.unseen)})
    else:
        for one in done.removed:
            STDOUT.print(f"{one.kind} {one.name}", markup=False, highlight=False, soft_wrap=True)
        STDOUT.print(f"{len(done.removed)} things removed", highlight=False)
    for why in failed.values():
        complain(why)
    _end(done.unseen, findings=bool(failed))


@contextmanager
def _places() -> Iterator[list[Place]]:
    """Wherever belongings may be."""
    # The Docker SDK takes a fifth of a second to import.
    from deepgym_envs.sandbox.engine import Containers, connect

    try:
        client = connect()
    except SandboxUnavailable as error:
        yield [Unseen("container", str(error)), *host_places()]
        return
    with closing(client):
        yield [Containers(client), *host_places()]


def _end(unseen: Mapping[Any, str], *, findings: bool) -> None:
    for kind, why in unseen.items():
        complain(f"no {kind} was looked at: {why}")
    if unseen:
        raise typer.Exit(NOT_JUDGED)
    if findings:
        raise typer.Exit(FINDINGS)


def _rows(belongings: Sequence[Belonging]) -> list[dict[str, Any]]:
    return [
        {"kind": one.kind, "name": one.name, "task": one.task, "owner": str(one.owner), "pid": one.owner.pid,
         "alive": one.owner.alive, "abandoned": one.abandoned} for one in belongings
    ]  # fmt: skip


def _show(belongings: Sequence[Belonging]) -> None:
    table = Table()
    for heading in ("kind", "name", "pid", "owner", "task"):
        table.add_column(heading, overflow="fold")
    states = [_ALIVE[one.owner.alive] for one in belongings]
    for one, state in zip(belongings, states, strict=True):
        table.add_row(one.kind, one.name, str(one.owner.pid), state, one.task)
    if belongings:
        STDOUT.print(table)
    if "unknown" in states:
        unknown = f"{states.count('unknown')} belong to another machine, boot or PID namespace"
        STDOUT.print(f"{unknown}, from where alone one can tell whether the owner lives", highlight=False)
