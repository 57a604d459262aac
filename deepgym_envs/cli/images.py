"""``deepgym-envs images``: build, list and remove the Docker images that boxes are made of."""

# The Docker SDK takes a fifth of a second to import, so the commands that need it import it.

from __future__ import annotations

from contextlib import closing
from typing import Annotated, Any

import typer
from rich.filesize import decimal
from rich.table import Table

from deepgym_envs.cli.board import Board
from deepgym_envs.cli.choice import JsonOption, SuiteOption, TaskOption, chosen_tasks
from deepgym_envs.cli.exit_status import FINDINGS, NOT_JUDGED
from deepgym_envs.cli.screen import STDOUT, complain, print_json, spinner
from deepgym_envs.content import Content
from deepgym_envs.errors import SandboxError, TaskError
from deepgym_envs.source import is_here
from deepgym_envs.suite import read_suite, suite_names
from deepgym_envs.task import Task

images_app = typer.Typer(no_args_is_help=True, help="Build, list and remove the Docker images of boxes.")


@images_app.command("build")
def build_command(suite: SuiteOption = None, task: TaskOption = None, json: JsonOption = False) -> None:
    """Build the images of tasks that are not here yet, with what they share.

    Exit status: 0 all are here, 1 a task cannot be read, 2 unusable arguments, 3 an image cannot be built.
    """
    from deepgym_envs.sandbox.docker import DockerBackend
    from deepgym_envs.sandbox.engine import connect

    tasks = chosen_tasks(suite, task)
    connect().close()
    built: list[str] = []
    unreadable: dict[str, str] = {}
    failed: dict[str, str] = {}
    with Board("images", len(tasks)) as board:
        backend = DockerBackend(report=board.say)
        for name, wanted in tasks.items():
            try:
                if isinstance(wanted, TaskError):
                    raise wanted
                backend.prepare(wanted)
                built.append(name)
            except TaskError as error:
                unreadable[name] = str(error)
            except SandboxError as error:
                failed[name] = str(error)
            board.advance()
    if json:
        print_json({"tasks": len(tasks), "ready": len(built), "unreadable": unreadable, "failed": failed})
    else:
        STDOUT.print(f"{len(built)} of {len(tasks)} images are here", highlight=False)
    for name, why in {**unreadable, **failed}.items():
        complain(why if name in why else f"{name}: {why}")
    if failed:
        raise typer.Exit(NOT_JUDGED)
    if unreadable:
        raise typer.Exit(FINDINGS)


@images_app.command("list")
def list_command(json: JsonOption = False) -> None:
    """Show the images that this package made, and what each needs on disk for itself."""
    from deepgym_envs.sandbox.engine import connect
    from deepgym_envs.sandbox.image import layers_on_disk, list_images

    with closing(connect()) as client, spinner("asking Docker for the sizes"):
        images, layers = list_images(client), layers_on_disk(client)
    alone = sum(image.size for image in images if image.kind == "task")
    if json:
        rows: list[dict[str, Any]] = [
            {"tag": image.tag, "kind": image.kind, "subject": image.subject, "size": image.size,
             "unique": image.unique} for image in images
        ]  # fmt: skip
        print_json({"images": rows, "layers": layers, "tasks_alone": alone})
        return
    table = Table()
    for heading in ("tag", "kind", "subject"):
        table.add_column(heading, overflow="fold")
    for heading in ("size", "its own"):
        table.add_column(heading, justify="right", no_wrap=True)
    for image in images:
        table.add_row(image.tag, image.kind, image.subject, decimal(image.size), decimal(image.unique))
    STDOUT.print(table)
    STDOUT.print(
        f"{len(images)} images; all layers of the engine have {decimal(layers)}, "
        f"the images of tasks would have {decimal(alone)} if they shared none",
        highlight=False,
    )


@images_app.command("prune")
def prune_command(
    every: Annotated[bool, typer.Option("--all", help="Also those that bundled tasks use.")] = False,
    bases: Annotated[
        bool, typer.Option("--bases", help="Also the Debian bases, which take longest.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say which; remove nothing.")] = False,
    json: JsonOption = False,
) -> None:
    """Remove images that no bundled task uses any more; those of which there is a container stay."""
    from deepgym_envs.sandbox.engine import connect
    from deepgym_envs.sandbox.image import prune_images

    with closing(connect()) as client, spinner("reading the bundled tasks") as say:
        keep = [] if every else _bundled_tasks()
        say("removing images that nobody uses")
        removed = prune_images(client, keep, bases=bases, dry_run=dry_run)
    if json:
        print_json({"dry_run": dry_run, "removed": removed})
    else:
        for tag in removed:
            STDOUT.print(tag, markup=False, highlight=False)
        done = "would be removed" if dry_run else "removed"
        STDOUT.print(f"{len(removed)} images {done}", highlight=False)


def _bundled_tasks() -> list[Task]:
    """Every bundled task that can be read and whose source is here."""
    found = []
    for suite in suite_names():
        for task in read_suite(suite).values():
            if not isinstance(task, Task) or not _is_here(task):
                continue  # nothing can have been built of it
            try:
                if task.base.digest:
                    found.append(task)
            except TaskError:
                continue
    return found


def _is_here(task: Task) -> bool:
    origins = () if isinstance(task.content, Content) else task.content.origins
    return all(map(is_here, (task.recipe.source, *origins)))
