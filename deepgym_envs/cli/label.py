"""``deepgym-envs label``: which steps of an episode were good? Found out by playing on from each."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from deepgym_envs.agents import AgentFactory, make_agent
from deepgym_envs.cli.backends import chosen_backend, prepare_all
from deepgym_envs.cli.board import Board
from deepgym_envs.cli.choice import JsonOption, SandboxOption, SuiteOption, TaskOption, chosen_tasks, readable
from deepgym_envs.cli.exit_status import NOT_JUDGED
from deepgym_envs.cli.screen import STDOUT, complain, print_json
from deepgym_envs.env import SweEnv
from deepgym_envs.errors import SandboxError, UsageError
from deepgym_envs.evaluation import MAX_WORKERS, episode_seed
from deepgym_envs.grade import Memory
from deepgym_envs.sandbox import Pool
from deepgym_envs.step_labels import LabelledEpisode, Written, label_episode, label_trajectory, write_labels
from deepgym_envs.step_labels.export import check_format
from deepgym_envs.step_labels.label import check_threshold
from deepgym_envs.store import RunStore
from deepgym_envs.suite import load_task
from deepgym_envs.task import Task
from deepgym_envs.trajectory import Trajectory


def label_command(  # noqa: PLR0913, PLR0917 - a command has as many options as it needs
    out: Annotated[Path, typer.Option(help="File to write; appears whole or not at all.")],
    suite: SuiteOption = None,
    task: TaskOption = None,
    agent: Annotated[str, typer.Option(help="Who plays the episodes: as in eval.")] = "oracle",
    policy: Annotated[
        str | None, typer.Option(help="Who plays on from each state.", show_default="--agent")
    ] = None,
    run: Annotated[
        Path | None, typer.Option(help="Label the episodes of this run instead, as given to eval --out.")
    ] = None,
    continuations: Annotated[
        int, typer.Option("--continuations", "-k", min=1, help="Episodes from each state.")
    ] = 4,
    episodes: Annotated[int, typer.Option("--episodes", "-n", min=1, help="Episodes of each task.")] = 1,
    wanted: Annotated[str, typer.Option("--format", help="trl, prm800k, processbench or parquet.")] = "trl",
    threshold: Annotated[
        float, typer.Option(help="A step is good if a larger share of its continuations succeeds.")
    ] = 0.0,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Continuations at a time.", show_default="processors, at most 8")
    ] = None,
    seed: Annotated[int, typer.Option(help="All episodes' seeds follow from it.")] = 0,
    sandbox: SandboxOption = "auto",
    commands: Annotated[bool, typer.Option("--commands", help="Allow shell commands.")] = False,
    memory: Annotated[Path | None, typer.Option(help="Folder of results that outlive this run.")] = None,
    json: JsonOption = False,
) -> None:
    """Label each step of episodes with the share of continuations from there that solve the task.

    Exit status: 0 done; 2 unusable arguments; 3 nothing could be labelled.
    """
    kind = check_format(wanted)
    _check(threshold, out)
    recorded, commands = _recorded(run, commands)
    tasks = _tasks(suite, task, recorded)
    make, go_on = (make_agent(spec, commands=commands) for spec in (agent, policy or agent))
    for one in tasks:
        go_on().begin(one, 0)
        if run is None:
            make().begin(one, 0)
    with Board("making ready", len(tasks)) as board:
        backend = chosen_backend(sandbox, board.say)
        prepare_all(backend, tasks, board)
    at_a_time = workers or min(len(os.sched_getaffinity(0)), MAX_WORKERS)
    labeller = _Labeller(go_on, continuations, at_a_time)
    found = _Found()
    jobs = [(one, recorded.get(one.id, []) if run else _new(one, seed, episodes)) for one in tasks]
    with (
        Memory(path=memory) as known,
        Pool(backend, size=at_a_time + 1) as pool,
        Board("episodes", sum(len(each) for _, each in jobs)) as board,
    ):
        for one, each in jobs:
            board.say(one.id)
            env = SweEnv(one, pool, commands=commands, measure="never", memory=known)
            try:
                for episode in each:
                    found.take(labeller, env, episode, make)
                    board.advance()
            finally:
                env.close()
    written = write_labels(found.labelled, out, kind, threshold=threshold)
    _tell(found, written, backend.name, out, json)


@dataclass(frozen=True)
class _New:
    """An episode to be played."""

    index: int
    seed: int


@dataclass(frozen=True)
class _Labeller:
    policy: AgentFactory
    continuations: int
    workers: int

    def label(self, env: SweEnv, episode: _New | Trajectory, make: AgentFactory) -> LabelledEpisode:
        if isinstance(episode, Trajectory):
            return label_trajectory(
                env, episode, self.policy, continuations=self.continuations, workers=self.workers
            )
        return label_episode(
            env, make(), self.policy, seed=episode.seed, index=episode.index,
            continuations=self.continuations, workers=self.workers,
        )  # fmt: skip


@dataclass
class _Found:
    labelled: list[LabelledEpisode] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)

    def take(self, labeller: _Labeller, env: SweEnv, episode: _New | Trajectory, make: AgentFactory) -> None:
        """Label one more; one that cannot be labelled leaves the others as they are."""
        try:
            self.labelled.append(labeller.label(env, episode, make))
        except (SandboxError, UsageError) as error:
            self.troubles.append(str(error))

    def summary(self, written: Written) -> dict[str, Any]:
        """As plain JSON values."""
        tried = [one for episode in self.labelled for one in (episode.start, *episode.steps) if not one.final]
        errors = [episode.first_error for episode in self.labelled]
        return {
            "episodes": len(self.labelled) + len(self.troubles),
            "labelled": written.episodes,
            "left_out": written.left_out,
            "steps": sum(len(episode.steps) for episode in self.labelled),
            "first_errors": sum(error is not None and error >= 0 for error in errors),
            "continuations": sum(one.judged for one in tried),
            "solved": sum(one.solved for one in tried),
            "masked": sum(one.masked for one in tried),
            "troubles": self.troubles,
        }


def _check(threshold: float, out: Path) -> None:
    """What would only be found out at the end."""
    try:
        check_threshold(threshold)
    except ValueError as error:
        raise UsageError(f"--{error}") from None
    if out.is_dir() or not os.access(out.parent, os.W_OK):
        raise UsageError(f"--out {out}: no file can be written there; name one in a folder that is there")


def _recorded(run: Path | None, commands: bool) -> tuple[dict[str, list[Trajectory]], bool]:
    """The episodes of a run that were judged, by task, and whether they may use commands."""
    if run is None:
        return {}, commands
    found: dict[str, list[Trajectory]] = {}
    with RunStore.open(run) as store:
        for trajectory in store.trajectories():
            if not trajectory.masked:
                found.setdefault(trajectory.task, []).append(trajectory)
        return found, commands or bool(store.settings.get("commands"))


def _tasks(
    suite: str | None, task: list[str] | None, recorded: dict[str, list[Trajectory]]
) -> Sequence[Task]:
    if suite is None and not task and recorded:
        return [load_task(name) for name in recorded]
    return readable(chosen_tasks(suite, task))


def _new(task: Task, seed: int, episodes: int) -> list[_New]:
    return [_New(index, episode_seed(seed, task.id, index)) for index in range(episodes)]


def _tell(found: _Found, written: Written, sandbox: str, out: Path, json: bool) -> None:
    said = {**found.summary(written), "sandbox": sandbox, "out": str(out)}
    for trouble in found.troubles:
        complain(trouble)
    if json:
        print_json(said)
    else:
        line = (
            f"{said['labelled']} of {said['episodes']} episodes labelled, {said['steps']} steps, "
            f"{said['first_errors']} with a first error; {said['solved']} of {said['continuations']} "
            f"continuations solved, {said['masked']} masked; {out}"
        )
        STDOUT.print(line, markup=False, highlight=False, soft_wrap=True)
    if not written.episodes:
        complain("nothing could be labelled")
        raise typer.Exit(NOT_JUDGED)
