"""``deepgym-envs generate``: make tasks of packages and repositories."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from deepgym_envs.cli.backends import chosen_backend
from deepgym_envs.cli.board import Board
from deepgym_envs.cli.choice import JsonOption, SandboxOption
from deepgym_envs.cli.exit_status import FINDINGS
from deepgym_envs.cli.screen import STDOUT, print_json
from deepgym_envs.cli.statements import statements_command
from deepgym_envs.errors import UnknownTask
from deepgym_envs.generate import Candidate, Funnel, Refusal, Rejected
from deepgym_envs.generate.bugs import seeded_bugs
from deepgym_envs.generate.environment import make_recipe
from deepgym_envs.generate.history import history
from deepgym_envs.generate.releases import Pair, pairs_of_releases, released_fixes
from deepgym_envs.generate.run import Mill, Source
from deepgym_envs.generate.undoing import undone_fixes
from deepgym_envs.package_index import releases
from deepgym_envs.recipe import RepoRecipe, SdistSource, load_recipe
from deepgym_envs.sandbox import Backend
from deepgym_envs.source import release_tree
from deepgym_envs.text import clean

generate_app = typer.Typer(no_args_is_help=True, help="Make tasks of real packages and repositories.")
generate_app.command("statements")(statements_command)
Names = Annotated[list[str], typer.Argument(help="Packages, as 'name' or 'name==version'.")]
OutOption = Annotated[Path, typer.Option(help="Folder of the suite that the tasks go into.", file_okay=False)]
ReposOption = Annotated[
    Path | None, typer.Option(help="Folder of the recipes.", show_default="OUT/repos", file_okay=False)
]
CountOption = Annotated[int, typer.Option(min=1, max=1000, help="Candidates for each release.")]
RepeatsOption = Annotated[int, typer.Option(min=1, max=1000, help="Runs of each validation.")]
WorkersOption = Annotated[int | None, typer.Option(min=1, show_default="processors, at most 8")]
SeedOption = Annotated[int, typer.Option(help="Decides what is drawn by chance.")]


@generate_app.command("bugs")
def bugs_command(  # noqa: PLR0913, PLR0917 - every option is written out
    names: Names,
    out: OutOption,
    repos: ReposOption = None,
    count: CountOption = 5,
    undo: Annotated[int, typer.Option(min=0, max=1000, help="Pairs of older releases.")] = 0,
    repeats: RepeatsOption = 5,
    workers: WorkersOption = None,
    seed: SeedOption = 0,
    sandbox: SandboxOption = "auto",
    json: JsonOption = False,
) -> None:
    """Put bugs into releases of packages, which their own tests notice.

    With --undo also those that the package had once: what was mended in older releases is turned back.

    Exit status: 0 some tasks were made, 1 none, 2 unusable arguments, 3 the machine failed.
    """
    with Board("sources", len(names)) as board:
        backend = chosen_backend(sandbox, board.say)

        def source(name: str) -> Source:
            def candidates() -> Iterator[Candidate]:
                release = _release(name)
                recipe = _recipe(release, repos or out / "repos")
                yield from seeded_bugs(release, recipe, backend, count=count, seed=seed)

            return Source(f"bugs {name}", candidates)

        def undone(name: str, pair: Pair) -> Source:
            def candidates() -> Iterator[Candidate | Refusal]:
                release = _release(name)
                recipe = _recipe(release, repos or out / "repos")
                yield from undone_fixes(pair, release, recipe, backend, count=count, seed=seed)

            return Source(f"undone {name} {pair.before.version} {pair.after.version}", candidates)

        sources = [source(name) for name in names]
        if undo:
            sources += [undone(each, pair) for each in names for pair in _pairs(each, undo + 1, board)[1:]]
        funnel = _mill(out, repos, backend, repeats, seed, board).run(sources, _workers(workers))
    _report(funnel, json=json)


@generate_app.command("releases")
def releases_command(  # noqa: PLR0913, PLR0917 - every option is written out
    names: Names,
    out: OutOption,
    repos: ReposOption = None,
    pairs: Annotated[int, typer.Option(min=1, max=1000, help="Pairs of releases, the newest first.")] = 3,
    count: CountOption = 5,
    repeats: RepeatsOption = 5,
    workers: WorkersOption = None,
    seed: SeedOption = 0,
    sandbox: SandboxOption = "auto",
    json: JsonOption = False,
) -> None:
    """Take what a package's authors mended between two releases, one problem at a time.

    Exit status: 0 some tasks were made, 1 none, 2 unusable arguments, 3 the machine failed.
    """
    with Board("sources", len(names)) as board:
        backend = chosen_backend(sandbox, board.say)

        def source(name: str, pair: Pair, newest: SdistSource) -> Source:
            def candidates() -> Iterator[Candidate | Refusal]:
                recipe = _recipe(newest, repos or out / "repos")
                yield from released_fixes(pair, recipe, backend, count=count, seed=seed)

            return Source(f"releases {name} {pair.before.version} {pair.after.version}", candidates)

        sources = []
        for name in names:
            found = _pairs(name, pairs, board)
            sources += [source(name, pair, newest=found[0].after) for pair in found]
        funnel = _mill(out, repos, backend, repeats, seed, board).run(sources, _workers(workers))
    _report(funnel, json=json)


@generate_app.command("history")
def history_command(  # noqa: PLR0913, PLR0917 - every option is written out
    repositories: Annotated[list[str], typer.Argument(help="Git repositories, as addresses or folders.")],
    out: OutOption,
    repos: ReposOption = None,
    rev: Annotated[str, typer.Option(help="The newest commit that is looked at.")] = "HEAD",
    commits: Annotated[int, typer.Option(min=1, help="Commits that are looked at.")] = 10_000,
    count: Annotated[int, typer.Option(min=1, max=10_000, help="Candidates of each repository.")] = 20,
    repeats: RepeatsOption = 5,
    workers: WorkersOption = None,
    seed: SeedOption = 0,
    sandbox: SandboxOption = "auto",
    json: JsonOption = False,
) -> None:
    """Take commits of a repository that change source and tests, the newest first.

    Exit status: 0 some tasks were made, 1 none, 2 unusable arguments, 3 the machine failed.
    """
    with Board("sources", len(repositories)) as board:
        backend = chosen_backend(sandbox, board.say)

        def source(repository: str) -> Source:
            def candidates() -> Iterator[Candidate | Refusal]:
                left = count
                for each in history(repository, backend, rev=rev, most_commits=commits):
                    yield each
                    left -= isinstance(each, Candidate)
                    if not left:
                        return

            return Source(f"history {repository}", candidates)

        mill = _mill(out, repos, backend, repeats, seed, board)
        funnel = mill.run([source(each) for each in repositories], _workers(workers))
    _report(funnel, json=json)


def _pairs(name: str, count: int, board: Board) -> Sequence[Pair]:
    board.say(f"asking for the releases of {name}")
    return pairs_of_releases(name.partition("==")[0], count)


def _mill(out: Path, repos: Path | None, backend: Backend, repeats: int, seed: int, board: Board) -> Mill:
    return Mill(out.absolute().name, backend, out, repos, repeats, seed, board.say)


def _workers(wanted: int | None) -> int:
    return wanted or min(8, os.cpu_count() or 1)


@cache
def _release(name: str) -> SdistSource:
    """The release that is meant, the newest if no version is named."""
    package, _, version = name.partition("==")
    found = [each for each in releases(package) if each.sha256 and version in ("", each.version)]
    if not found:
        raise Rejected("no_release", f"the index has no source release {version} of {package}")
    newest = found[-1]
    return SdistSource(kind="sdist", name=package, version=newest.version, sha256=newest.sha256)


def _recipe(release: SdistSource, repos: Path) -> RepoRecipe:
    """The recipe that tasks of the package have already, or a new one."""
    try:
        return load_recipe(release.name, repos)
    except UnknownTask:
        return make_recipe(release_tree(release), release)


def _report(funnel: Funnel, *, json: bool) -> None:
    if json:
        print_json(funnel.plain())
    else:
        table = Table("became of candidates", "number")
        table.add_row("tasks", str(len(funnel.accepted)))
        for code, number in funnel.rejected.items():
            table.add_row(f"[red]{code}[/]", str(number))
        STDOUT.print(table)
        for name, (code, said) in funnel.reasons.items():
            STDOUT.print(f"{escape(name)}: {code}: {escape(clean(said)[:300])}", highlight=False)
    if not funnel.accepted:
        raise typer.Exit(FINDINGS)
