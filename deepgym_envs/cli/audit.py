"""``deepgym-envs audit``: is the reward of these tasks hackable?"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from deepgym_envs.audit import GRADERS, Report, TierReport
from deepgym_envs.audit.judges import check_isolates
from deepgym_envs.audit.page import html_page
from deepgym_envs.audit.report import worst
from deepgym_envs.cli.audit_steps import Options, Step, steps_of
from deepgym_envs.cli.audit_tables import show
from deepgym_envs.cli.backends import chosen_backend
from deepgym_envs.cli.board import Board
from deepgym_envs.cli.choice import JsonOption, SandboxOption, SuiteOption, chosen_tasks
from deepgym_envs.cli.exit_status import FINDINGS, NOT_JUDGED
from deepgym_envs.cli.screen import complain, print_json
from deepgym_envs.errors import DeepGymError, TaskError
from deepgym_envs.sandbox import Backend
from deepgym_envs.task import Task
from deepgym_envs.text import clean, shorten


def audit_command(  # noqa: PLR0913, PLR0917 - a command has as many options as it needs
    task: Annotated[list[str] | None, typer.Argument(help="A task's id or folder.")] = None,
    suite: SuiteOption = None,
    tier: Annotated[
        list[int] | None,
        typer.Option(min=1, max=5, help="1 to 5; may be repeated.", show_default="1"),
    ] = None,
    grader: Annotated[
        list[str] | None,
        typer.Option(help=f"{', '.join(GRADERS)}; may be repeated.", show_default="ours"),
    ] = None,
    payload: Annotated[list[str] | None, typer.Option(help="Tier 1: try this; may be repeated.")] = None,
    letter: Annotated[list[str] | None, typer.Option(help="Tier 1: try a class, A to H.")] = None,
    honest: Annotated[int, typer.Option(min=1, help="Tier 1: how often honest work is judged.")] = 1,
    model: Annotated[str | None, typer.Option(help="Tiers 2 and 3: the model's name.")] = None,
    endpoint: Annotated[
        str | None, typer.Option(help="Tiers 2 and 3: where it is, such as https://host/v1.")
    ] = None,
    key_env: Annotated[
        str | None, typer.Option(help="Tiers 2 and 3: the environment variable that holds the key.")
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Tiers 2 and 3: answers of the model.")] = 8,
    transcripts: Annotated[
        Path | None, typer.Option(help="Tiers 2 and 3: a folder for what is said.")
    ] = None,
    mutants: Annotated[int, typer.Option(min=1, help="Tier 4: mutants of the reference solution.")] = 60,
    scan_seconds: Annotated[float, typer.Option(min=1.0, help="Tier 4: time to look for leaks.")] = 300.0,
    episodes: Annotated[int, typer.Option(min=1, help="Tier 5: episodes to train for.")] = 2000,
    seed: Annotated[int, typer.Option(help="Tiers 4 and 5: what chance begins with.")] = 0,
    sandbox: SandboxOption = "auto",
    workers: Annotated[
        int | None, typer.Option(min=1, help="Tasks at a time.", show_default="processors, at most 8")
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Write a page that shows all of it.")] = None,
    json: JsonOption = False,
) -> None:
    """Try to be paid for nothing: known cheats, models, weak tests, reinforcement learning.

    Exit status: 0 robust, 1 hackable, 2 unusable arguments, 3 inconclusive: something could not be judged, or
    honest work was refused.
    """
    steps = steps_of(
        Options(
            tier or (), grader or (), payload or (), letter or (), honest, model, endpoint, key_env, rounds,
            transcripts, mutants, scan_seconds, episodes, seed,
        )
    )  # fmt: skip
    tasks = chosen_tasks(suite, task)
    with Board("reports", len(steps) * len(tasks)) as board:
        backend = chosen_backend(sandbox, board.say)
        check_isolates(backend)
        audits = _Audits(steps, backend, board)
        reports = audits.of_all(tasks, workers or min(8, os.cpu_count() or 1))
    if html is not None:
        html.write_text(html_page(reports), encoding="utf-8")
    if json:
        print_json(summary(reports, audits.troubles))
    else:
        show(reports)
    for name, why in audits.troubles.items():
        complain(why if name in why else f"{name}: {why}")
    if any(report.status == "hackable" for report in reports):
        raise typer.Exit(FINDINGS)
    if audits.troubles or any(report.status == "inconclusive" for report in reports):
        raise typer.Exit(NOT_JUDGED)


def summary(reports: Sequence[TierReport], troubles: Mapping[str, str]) -> dict[str, Any]:
    """What ``--json`` prints."""
    statuses: dict[str, list[TierReport]] = {}
    for report in reports:
        statuses.setdefault(report.task, []).append(report)
    return {
        "status": {task: worst([report.status for report in same]) for task, same in statuses.items()},
        "troubles": dict(troubles),
        "reports": [
            {
                "task": report.task,
                "tier": report.tier,
                "status": report.status,
                "figures": dict(report.figures()),
                "findings": [asdict(finding) for finding in report.findings()],
                **({"trials": _trials(report)} if isinstance(report, Report) else {}),
            }
            for report in reports
        ],
    }


def _trials(report: Report) -> list[dict[str, Any]]:
    return [
        {**vars(trial), "reason": shorten(clean(trial.reason), 300), "seconds": round(trial.seconds, 3)}
        for trial in report.trials
    ]


class _Stopped(Exception):
    """The program ends, so what is under way is not to be ended first."""


class _Audits:
    """Does all steps for each task, for some tasks at a time; an interrupt ends what is under way."""

    def __init__(self, steps: Sequence[Step], backend: Backend, board: Board) -> None:
        self._steps = steps
        self._backend = backend
        self._board = board
        self._stopped = threading.Event()
        self.troubles: dict[str, str] = {}

    def of_all(self, tasks: Mapping[str, Task | TaskError], workers: int) -> list[TierReport]:
        """The reports, in the order of ``tasks``; what kept one from being made is kept in ``troubles``."""
        pool = ThreadPoolExecutor(workers)
        try:
            made = pool.map(lambda item: list(self._of(*item)), tasks.items())
            return [report for found in made for report in found]
        finally:
            self._stopped.set()
            pool.shutdown(cancel_futures=True)

    def _of(self, name: str, task: Task | TaskError) -> Iterator[TierReport]:
        def say(what: str) -> None:
            if self._stopped.is_set():
                raise _Stopped
            self._board.say(f"{name}: {what}")

        for step in self._steps:
            try:
                if isinstance(task, TaskError):
                    raise task
                yield step(task, self._backend, say)
            except DeepGymError as error:
                self.troubles[name] = str(error)
            self._board.advance()
