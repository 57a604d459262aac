"""``deepgym-envs import``: tasks out of Harbor folders or of the rows of a data set."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from deepgym_envs.cli.choice import JsonOption
from deepgym_envs.cli.exit_status import FINDINGS
from deepgym_envs.cli.harbor import HARBOR, import_harbor
from deepgym_envs.cli.screen import STDOUT, complain, print_json, spinner
from deepgym_envs.errors import UsageError
from deepgym_envs.importers import FORMATS, REASONS, Settings, Tally, import_rows, write_tasks
from deepgym_envs.importers.conversion import GITHUB
from deepgym_envs.importers.formats import AUTO

_SHOWN = 20


def import_command(  # noqa: PLR0913, PLR0917 - a command has as many options as it needs
    format: Annotated[  # noqa: A002 - what users call it
        str, typer.Argument(help=f"{HARBOR}, {AUTO}, or a data set's: {', '.join(FORMATS)}.")
    ],
    source: Annotated[
        str,
        typer.Argument(help="A .json, .jsonl or .parquet file, a folder, or owner/name[:split]."),
    ],
    out: Annotated[Path | None, typer.Option(help="Folder that the tasks go into.", file_okay=False)] = None,
    repositories: Annotated[
        str | None, typer.Option(help="URL or folder of the repositories.", show_default=GITHUB)
    ] = None,
    images: Annotated[
        bool, typer.Option("--images/--no-images", help="Keep the image that a row without pins names.")
    ] = True,
    limit: Annotated[int | None, typer.Option(help="Read so many rows.", min=1)] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Keep tasks that are there, and go on.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing, only count.")] = False,
    json: JsonOption = False,
) -> None:
    """Read tasks from Harbor folders that this package wrote, or from rows of a data set, and write them as
    task folders. Nothing of theirs is executed.

    Exit status: 0 all accepted, 1 some were rejected, 2 unusable arguments.
    """
    if (out is None) != dry_run:
        raise UsageError("give either --out FOLDER or --dry-run")
    if format == HARBOR:
        given = {"--repositories": repositories, "--limit": limit, "--resume": resume, "--dry-run": dry_run,
                 "--no-images": not images}  # fmt: skip
        useless = [name for name, value in given.items() if value]
        if out is None or useless:
            raise UsageError(f"{', '.join(useless)}: of no use with Harbor folders; leave it out")
        import_harbor(Path(source), out, json=json)
        return
    settings = Settings(repositories or GITHUB, images=images)
    tally = Tally()
    with spinner(f"reading {source}") as say:
        for tally in write_tasks(import_rows(source, format, settings, limit=limit), out, resume=resume):
            if tally.candidates % 100 == 0:
                say(f"{tally.candidates} rows read, {tally.accepted} accepted")
    if not tally.candidates:
        raise UsageError(f"{source}: holds no rows")
    _tell(tally, out, json=json)
    if tally.rejected:
        raise typer.Exit(FINDINGS)


def _tell(tally: Tally, out: Path | None, *, json: bool) -> None:
    if json:
        print_json(
            {
                "candidates": tally.candidates,
                "accepted": tally.accepted,
                "there_already": tally.there,
                "rejected": dict(tally.rejected),
                "tests_left_out": dict(tally.left_out),
                "formats": dict(tally.tasks),
                "details": tally.details,
            }
        )
        return
    table = Table("", "rows", "")
    table.add_row("read", str(tally.candidates), "")
    for code, count in tally.rejected.most_common():
        table.add_row(f"- {code}", str(count), REASONS[code])
    where = "that would be written" if out is None else f"written to {escape(str(out))}"
    table.add_row("accepted", str(tally.accepted), f"{where}, {tally.there} were there already")
    for code, count in tally.left_out.most_common():
        table.add_row("", "", f"{count} tests that should go on passing were left out: {code}")
    STDOUT.print(table, markup=False, highlight=False)
    for place, why in list(tally.details.items())[:_SHOWN]:
        complain(f"{place}: {why}")
