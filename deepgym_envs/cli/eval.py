"""``deepgym-envs eval``: let an agent play tasks, and count what it solves."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, cast, get_args

import typer
from rich.box import SIMPLE
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from deepgym_envs.agents import make_agent
from deepgym_envs.cli.backends import chosen_backend, prepare_all
from deepgym_envs.cli.board import Board
from deepgym_envs.cli.choice import (
    JsonOption,
    KeyOption,
    SampleOption,
    SandboxOption,
    SuiteOption,
    TaskOption,
    chosen_tasks,
    readable,
    sampled,
)
from deepgym_envs.cli.exit_status import FINDINGS, INTERRUPTED, NOT_JUDGED
from deepgym_envs.cli.screen import STDERR, STDOUT, complain, print_json
from deepgym_envs.env import Measure
from deepgym_envs.errors import UsageError
from deepgym_envs.evaluation import Evaluation, Tally, evaluate
from deepgym_envs.grade import Memory
from deepgym_envs.signing_key import signing_key
from deepgym_envs.trajectory import Trajectory


def eval_command(  # noqa: PLR0913, PLR0917 - a command has as many options as it needs
    suite: SuiteOption = None,
    task: TaskOption = None,
    agent: Annotated[str, typer.Option(help="oracle, noop, random or scripted:<file>.")] = "oracle",
    episodes: Annotated[int, typer.Option("--episodes", "-n", min=1, help="Episodes of each task.")] = 1,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Episodes at a time.", show_default="processors, at most 8")
    ] = None,
    sample: SampleOption = None,
    seed: Annotated[int, typer.Option(help="All episodes' seeds follow from it.")] = 0,
    sandbox: SandboxOption = "auto",
    commands: Annotated[bool, typer.Option("--commands", help="Allow shell commands.")] = False,
    measure: Annotated[
        str, typer.Option(help="When to measure shaping rewards: never, run_tests or every_step.")
    ] = "never",
    out: Annotated[Path | None, typer.Option(help="Folder that keeps every episode.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out.")] = False,
    memory: Annotated[Path | None, typer.Option(help="Folder of results that outlive this run.")] = None,
    key: KeyOption = None,
    recheck: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Share of results to find out twice.")
    ] = 0.05,
    json: JsonOption = False,
) -> None:
    """Let an agent play tasks and count what it solves.

    Exit status: 0 done, whatever was solved; 1 a task is flaky; 2 unusable arguments; 3 nothing could be
    judged.
    """
    if resume and out is None:
        raise UsageError("--resume needs --out, the folder of the run to go on with")
    if key is not None and out is None:
        raise UsageError("--key needs --out: only what is kept is signed")
    measured = _measure(measure)
    make_agent(agent, commands=commands)
    tasks = readable(sampled(chosen_tasks(suite, task), sample, seed))
    secret = signing_key(key) if key is not None else None
    known = Memory(path=memory, recheck=recheck)
    with Board("making ready", len(tasks)) as board:
        backend = chosen_backend(sandbox, board.say)
        prepare_all(backend, tasks, board)
    scores = _Scores(len(tasks) * episodes)
    try:
        with known, scores.bar:
            done = evaluate(
                tasks, agent, episodes=episodes, workers=workers, seed=seed, sandbox=backend,
                commands=commands, measure=measured, out=out, resume=resume, memory=known, key=secret,
                on_episode=scores.count,
            )  # fmt: skip
    except KeyboardInterrupt:
        kept = f"; what was finished is in {out}, go on with --resume" if out else ""
        complain(f"stopped{kept}")
        raise typer.Exit(INTERRUPTED) from None
    if json:
        print_json(done.summary())
    else:
        STDOUT.print(_table(done))
        STDOUT.print(
            f"{done.seconds:.1f} s, sandbox {done.sandbox}, agent {done.agent}", markup=False, highlight=False
        )
        if done.flaky:
            STDOUT.print(_flaky(done), markup=False, highlight=False, soft_wrap=True)
    if done.total.judged == 0:
        complain(f"nothing could be judged: {scores.trouble}")
        raise typer.Exit(NOT_JUDGED)
    if done.total.masked:
        masked = f"{done.total.masked} of {done.total.episodes} episodes are masked"
        complain(f"{masked}; the last trouble was: {scores.trouble}")
    if done.flaky:
        raise typer.Exit(FINDINGS)


def _flaky(done: Evaluation) -> str:
    """What is to be said of the tasks that are not steady, a line for each."""
    lines = []
    for task, flakes in done.flaky.items():
        tests = dict.fromkeys(test for flake in flakes for test in flake.tests)
        said = ", ".join([*tests][:3]) + (f" and {len(tests) - 3} more" if len(tests) > 3 else "")
        lines.append(f"flaky: {task}: {said or f'{flakes[0].first}, then {flakes[0].other}'}")
    return "\n".join(lines)


def _measure(wanted: str) -> Measure:
    if wanted not in get_args(Measure):
        raise UsageError(f"--measure is one of {', '.join(get_args(Measure))}, not {wanted!r}")
    return cast(Measure, wanted)


class _Scores:
    """Shows how far a run is."""

    def __init__(self, episodes: int) -> None:
        self.trouble = ""
        self._counts = {"solved": 0, "failed": 0, "masked": 0}
        self.bar = Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
            TextColumn("left"), TimeRemainingColumn(), console=STDERR,
        )  # fmt: skip
        self._line = self.bar.add_task(self._words(), total=episodes)

    def count(self, trajectory: Trajectory) -> None:
        """Take note of an episode."""
        self._counts["masked" if trajectory.masked else "solved" if trajectory.passed else "failed"] += 1
        self.trouble = trajectory.error or self.trouble
        self.bar.update(self._line, advance=1, description=self._words())

    def _words(self) -> str:
        return " ".join(f"{count} {name}" for name, count in self._counts.items())


def _table(done: Evaluation) -> Table:
    table = Table(box=SIMPLE, caption="masked episodes count for nothing; 95 %: Wilson's interval of pass@1")
    table.add_column("kind", no_wrap=True)
    for name in ("tasks", "episodes", "solved", "pass@1", "95 %", "masked"):
        table.add_column(name, justify="right", no_wrap=True)
    for kind, tally in done.by_kind.items():
        table.add_row(*_row(kind, tally))
    table.add_section()
    table.add_row(*_row("total", done.total), style="bold")
    return table


def _row(name: str, tally: Tally) -> tuple[str, ...]:
    low, high = tally.interval
    share = "-" if tally.pass_at_1 is None else f"{tally.pass_at_1:.3f}"
    interval = f"{low:.2f}-{high:.2f}"
    return name, str(tally.tasks), str(tally.episodes), str(tally.solved), share, interval, str(tally.masked)
