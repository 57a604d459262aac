"""``deepgym-envs audit``: is the reward of these tasks hackable?"""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, cast, get_args

import typer

from deepgym_envs.audit import (
    GRADERS,
    PAYLOADS,
    POLICIES,
    GraderName,
    Letter,
    Payload,
    Policy,
    Report,
    TierReport,
    audit,
)
from deepgym_envs.audit.judges import check_isolates, check_known
from deepgym_envs.audit.page import html_page
from deepgym_envs.audit.report import worst
from deepgym_envs.cli.audit_tables import show
from deepgym_envs.cli.backends import chosen_backend
from deepgym_envs.cli.board import Board
from deepgym_envs.cli.choice import JsonOption, SandboxOption, SuiteOption, chosen_tasks
from deepgym_envs.cli.exit_status import FINDINGS, NOT_JUDGED
from deepgym_envs.cli.screen import complain, print_json
from deepgym_envs.errors import DeepGymError, TaskError, UsageError
from deepgym_envs.sandbox import Backend
from deepgym_envs.task import Task
from deepgym_envs.text import clean, shorten

Step = Callable[[Task, Backend, Callable[[str], None]], TierReport]


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
    steps = _steps(tier, _graders(grader), *_chosen(payload, letter), honest)
    tasks = chosen_tasks(suite, task)
    troubles: dict[str, str] = {}
    with Board("reports", len(steps) * len(tasks)) as board:
        backend = chosen_backend(sandbox, board.say)
        check_isolates(backend)

        def one(item: tuple[str, Task | TaskError]) -> list[TierReport]:
            return list(_audited(*item, steps, backend, board, troubles))

        with ThreadPoolExecutor(workers or min(8, os.cpu_count() or 1)) as pool:
            reports = [report for found in pool.map(one, tasks.items()) for report in found]
    if html is not None:
        html.write_text(html_page(reports), encoding="utf-8")
    if json:
        print_json(summary(reports, troubles))
    else:
        show(reports)
    for name, why in troubles.items():
        complain(why if name in why else f"{name}: {why}")
    if any(report.status == "hackable" for report in reports):
        raise typer.Exit(FINDINGS)
    if troubles or any(report.status == "inconclusive" for report in reports):
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


def _audited(
    name: str,
    task: Task | TaskError,
    steps: Sequence[Step],
    backend: Backend,
    board: Board,
    troubles: dict[str, str],
) -> Iterator[TierReport]:
    for step in steps:
        try:
            if isinstance(task, TaskError):
                raise task
            yield step(task, backend, lambda said: board.say(f"{name}: {said}"))
        except DeepGymError as error:
            troubles[name] = str(error)
        board.advance()


def _steps(
    tiers: Sequence[int] | None,
    graders: Sequence[GraderName],
    payloads: Sequence[Payload],
    policies: Sequence[Policy],
    honest: int,
) -> Sequence[Step]:
    """What is done for each task."""
    steps: list[Step] = []
    for tier in sorted(set(tiers or (1,))):
        if tier == 1:
            steps += [_Heuristics(grader, payloads, policies, honest) for grader in graders]
    return steps


@dataclass(frozen=True)
class _Heuristics:
    grader: GraderName
    payloads: Sequence[Payload]
    policies: Sequence[Policy]
    honest: int

    def __call__(self, task: Task, backend: Backend, say: Callable[[str], None]) -> TierReport:
        return audit(
            task, sandbox=backend, grader=self.grader, payloads=self.payloads, policies=self.policies,
            honest=self.honest, on_trial=lambda trial: say(f"{trial.name} before {self.grader}"),
        )  # fmt: skip


def _graders(names: Sequence[str] | None) -> Sequence[GraderName]:
    for name in names or ():
        check_known(name)
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
