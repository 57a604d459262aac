"""``deepgym-envs verify``: are the rewards that a run has stored those that were signed?"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from random import SystemRandom
from typing import Annotated

import typer

from deepgym_envs.cli.backends import chosen_backend
from deepgym_envs.cli.choice import JsonOption, KeyOption, SuiteOption, TaskOption, chosen_tasks
from deepgym_envs.cli.exit_status import FINDINGS
from deepgym_envs.cli.screen import STDOUT, print_json, spinner
from deepgym_envs.errors import TaskError, UnknownTask
from deepgym_envs.signing_key import signing_key
from deepgym_envs.store import RunStore
from deepgym_envs.suite import load_task
from deepgym_envs.task import Task
from deepgym_envs.verification import Complaint, regrade_some, verify


def verify_command(
    run: Annotated[Path, typer.Argument(help="Folder of a run, as given to eval --out.")],
    regrade: Annotated[int, typer.Option(min=0, help="Episodes to grade again, drawn at random.")] = 0,
    key: KeyOption = None,
    suite: SuiteOption = None,
    task: TaskOption = None,
    sandbox: Annotated[
        str | None, typer.Option(help="Where to grade again.", show_default="the run's")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Check the signed record of each stored reward, without a box; grade some again, if asked to.

    Exit status: 0 all good; 1 a reward is bad, unsigned, or differs when graded again; 2 unusable arguments;
    3 something could not be judged.
    """
    secret = signing_key(key, make=False)
    given = chosen_tasks(suite, task) if suite is not None or task else {}

    @cache
    def load(name: str) -> Task:
        try:
            found = given[name] if name in given else load_task(name)
        except UnknownTask as error:
            raise UnknownTask(f"{error}; name its folder with --task") from None
        if isinstance(found, TaskError):
            raise found
        return found

    with spinner("checking records") as say, RunStore.open(run) as store:
        done = verify(store.rows(), load, secret)
        regraded = 0
        differing: tuple[Complaint, ...] = ()
        if regrade and done.good:
            backend = chosen_backend(sandbox or str(store.settings["sandbox"]), say)
            say("grading again")
            regraded, differing = regrade_some(done.good, load, backend, count=regrade, chance=SystemRandom())
    if json:
        print_json({
            "episodes": done.episodes,
            "good": len(done.good),
            "bad": [complaint.plain() for complaint in done.bad],
            "unsigned": done.unsigned,
            "masked": done.masked,
            "regraded": regraded,
            "differing": [complaint.plain() for complaint in differing],
        })  # fmt: skip
    else:
        counts = f"{len(done.good)} good, {len(done.bad)} bad, {done.unsigned} unsigned, {done.masked} masked"
        lines = [*map(_line, done.bad), *map(_line, differing)]
        lines.append(f"{done.episodes} episodes: {counts}; {regraded} graded again, {len(differing)} differ")
        STDOUT.print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)
    if done.bad or done.unsigned or differing:
        raise typer.Exit(FINDINGS)


def _line(complaint: Complaint) -> str:
    name, agent, index, seed = complaint.episode
    return f"{name} {agent} {index} (seed {seed}): {complaint.why}"
