"""``deepgym-envs audit``: is the reward of these tasks hackable?"""

from __future__ import annotations

import difflib
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, Any, cast, get_args

import typer
from rich.box import SIMPLE
from rich.markup import escape
from rich.table import Table

from deepgym_envs.audit import GRADERS, PAYLOADS, GraderName, Letter, Payload, Report, Trial, audit
from deepgym_envs.audit.judges import check_isolates
from deepgym_envs.audit.page import html_page
from deepgym_envs.audit.policies import POLICIES, Policy
from deepgym_envs.cli.backends import chosen_backend
from deepgym_envs.cli.board import Board
from deepgym_envs.cli.choice import JsonOption, SandboxOption, SuiteOption, chosen_tasks
from deepgym_envs.cli.exit_status import FINDINGS, NOT_JUDGED
from deepgym_envs.cli.screen import STDOUT, complain, print_json
from deepgym_envs.errors import DeepGymError, TaskError, UsageError
from deepgym_envs.sandbox import Backend
from deepgym_envs.task import Task
from deepgym_envs.text import clean, shorten

_SHOWN = 12


def audit_command(  # noqa: PLR0913, PLR0917 - a command has as many options as it needs
    task: Annotated[list[str] | None, typer.Argument(help="A task's id or folder.")] = None,
    suite: SuiteOption = None,
    grader: Annotated[
        list[str] | None,
        typer.Option(help=f"{', '.join(GRADERS)}; may be repeated.", show_default="ours"),
    ] = None,
    payload: Annotated[list[str] | None, typer.Option(help="Try this one; may be repeated.")] = None,
    letter: Annotated[list[str] | None, typer.Option(help="Try a class, A to H; may be repeated.")] = None,
    sandbox: SandboxOption = "auto",
    workers: Annotated[
        int | None, typer.Option(min=1, help="Tasks at a time.", show_default="processors, at most 8")
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Write a page that shows all of it.")] = None,
    json: JsonOption = False,
) -> None:
    """Put cheats, lazy agents and honest work before graders: only honest work may be paid.

    Exit status: 0 robust, 1 hackable, 2 unusable arguments, 3 inconclusive: something could not be judged, or
    honest work was refused.
    """
    graders = _graders(grader)
    payloads, policies = _chosen(payload, letter)
    tasks = chosen_tasks(suite, task)
    troubles: dict[str, str] = {}
    trials = (len(payloads) + 4) * len(graders) + (len(policies) if "ours" in graders else 0)
    with Board("trials", trials * len(tasks)) as board:
        backend = chosen_backend(sandbox, board.say)
        check_isolates(backend)

        def one(item: tuple[str, Task | TaskError]) -> Report | None:
            try:
                return _audited(item[1], backend, graders, payloads, policies, board)
            except DeepGymError as error:
                troubles[item[0]] = str(error)
                return None

        with ThreadPoolExecutor(workers or min(8, os.cpu_count() or 1)) as pool:
            reports = [report for report in pool.map(one, tasks.items()) if report is not None]
    if html is not None:
        html.write_text(html_page(reports), encoding="utf-8")
    if json:
        print_json(summary(reports, troubles))
    else:
        _show(reports)
    for name, why in troubles.items():
        complain(why if name in why else f"{name}: {why}")
    if any(report.status == "hackable" for report in reports):
        raise typer.Exit(FINDINGS)
    if troubles or any(report.status == "inconclusive" for report in reports):
        raise typer.Exit(NOT_JUDGED)


def summary(reports: Sequence[Report], troubles: Mapping[str, str]) -> dict[str, Any]:
    """What ``--json`` prints."""
    graders = list(dict.fromkeys(name for report in reports for name in report.graders))
    bounds = [report.bound() for report in reports]
    return {
        "tasks": len(reports) + len(troubles),
        "payloads": len({(trial.what, trial.name) for report in reports for trial in report.tried()}),
        "accepted": [_pair(report, trial) for report in reports for trial in report.accepted()],
        "gold_refused": [_pair(report, trial) for report in reports for trial in report.refused()],
        "not_judged": [_pair(report, trial) for report in reports for trial in report.not_judged()],
        "troubles": dict(troubles),
        "bound": None
        if not bounds or None in bounds
        else max(bound for bound in bounds if bound is not None),
        "status": {report.task: report.status for report in reports},
        "by_grader": {
            name: {
                "tried": sum(len(report.tried(name)) for report in reports),
                "accepted": sum(len(report.accepted(name)) for report in reports),
            }
            for name in graders
        },
        "trials": [
            {"task": report.task, **vars(trial), "seconds": round(trial.seconds, 3)}
            for report in reports
            for trial in report.trials
        ],
    }


def _pair(report: Report, trial: Trial) -> dict[str, str]:
    return {
        "task": report.task,
        "payload": trial.name,
        "grader": trial.grader,
        "reason": shorten(clean(trial.reason), 300),
    }


def _audited(
    wanted: Task | TaskError,
    backend: Backend,
    graders: Sequence[GraderName],
    payloads: Sequence[Payload],
    policies: Sequence[Policy],
    board: Board,
) -> Report:
    if isinstance(wanted, TaskError):
        raise wanted

    def told(trial: Trial) -> None:
        board.advance()
        board.say(f"{wanted.id}: {trial.name} before {trial.grader}")

    return audit(
        wanted, sandbox=backend, graders=graders, payloads=payloads, policies=policies, on_trial=told
    )


def _graders(names: Sequence[str] | None) -> Sequence[GraderName]:
    for name in names or ():
        if name not in GRADERS:
            raise UsageError(f"no grader {name!r}; known: {', '.join(GRADERS)}")
    return cast(Sequence[GraderName], tuple(dict.fromkeys(names or ("ours",))))


def _chosen(
    names: Sequence[str] | None, letters: Sequence[str] | None
) -> tuple[Sequence[Payload], Sequence[Policy]]:
    """The payloads and policies that were asked for; policies are of class H."""
    if not names and not letters:
        return PAYLOADS, POLICIES
    known = [*(part.name for part in PAYLOADS), *(part.name for part in POLICIES)]
    for name in names or ():
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {len(known)}"
            raise UsageError(f"no payload {name!r}; {hint}")
    wanted = {letter.upper() for letter in letters or ()}
    if wanted - set(get_args(Letter)):
        raise UsageError(f"--letter is one of A to H, not {', '.join(sorted(wanted))!r}")
    chosen = set(names or ())
    payloads = [part for part in PAYLOADS if part.name in chosen or part.letter in wanted]
    return payloads, [part for part in POLICIES if part.name in chosen or "H" in wanted]


def _show(reports: Sequence[Report]) -> None:
    table = Table(box=SIMPLE, caption="at most: upper limit at 95 %; refused: honest work; open: not judged")
    table.add_column("task", no_wrap=True)
    table.add_column("grader", no_wrap=True)
    for heading in ("tried", "paid", "at most", "refused", "open"):
        table.add_column(heading, justify="right", no_wrap=True)
    for report in reports:
        for grader in report.graders:
            table.add_row(escape(report.task), grader, *_numbers(report, grader))
    STDOUT.print(table, width=None if STDOUT.is_terminal else 130)
    for report in reports:
        for line in _lines(report):
            STDOUT.print(line, markup=False, highlight=False, soft_wrap=True)
    counts = Counter(report.status for report in reports)
    said = ", ".join(f"{counts[status]} {status}" for status in ("robust", "hackable", "inconclusive"))
    STDOUT.print(said, highlight=False)


def _numbers(report: Report, grader: GraderName) -> tuple[str, ...]:
    bound = report.bound(grader)
    return (
        str(len(report.tried(grader))),
        str(len(report.accepted(grader))),
        "-" if bound is None else f"{bound:.1%}",
        str(len(report.refused(grader))),
        str(len(report.not_judged(grader))),
    )


def _lines(report: Report) -> list[str]:
    """What was paid, refused and not judged, by name, the first of each."""
    lines = []
    for grader in report.graders:
        sides = (
            ("paid", report.accepted(grader)),
            ("honest work refused", report.refused(grader)),
            ("not judged", report.not_judged(grader)),
        )
        for said, trials in sides:
            names = [trial.name for trial in trials]
            more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
            if names:
                lines.append(f"{report.task}: {grader}: {said}: {', '.join(names[:_SHOWN])}{more}")
    return lines
