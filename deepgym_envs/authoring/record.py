"""Writes into a task's folder what follows from its author's work: patches, lists of tests, figures."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from deepgym_envs.authoring.twins import find_twins
from deepgym_envs.authoring.workbench import WORK, pack
from deepgym_envs.errors import TaskError
from deepgym_envs.figures import difficulty, measure
from deepgym_envs.grade import TaskRun, TaskRuns
from deepgym_envs.manifest import manifest_text
from deepgym_envs.sandbox import Backend
from deepgym_envs.state import WorkspaceState
from deepgym_envs.task import Figures, HiddenTests, Task, TaskManifest
from deepgym_envs.task_checks import shown
from deepgym_envs.twin import Twins


@dataclass(frozen=True)
class Recorded:
    """What was written: names of patches, the manifest with its lists and difficulty, the figures, and the
    twins of the hidden tests."""

    patches: tuple[str, ...]
    manifest: TaskManifest
    figures: Figures
    twins: Twins


def record(folder: Path, backend: Backend) -> Recorded:
    """Make patches of the workbench, if there is one, run the hidden tests at the base and with the solution,
    and write ``task.toml`` (lists, difficulty), ``figures.json`` and ``twins.json``.

    Raises:
        TaskError: a file is missing or malformed, or a hidden test fails with the solution.
        SandboxError: the tests could not be run.
    """
    folder = folder.absolute()
    patches = pack(folder)
    if (folder / WORK).is_dir() and "solution.patch" not in patches:
        work = folder / WORK
        raise TaskError(f"{work / 'solution'}: is the same as {work / 'base'}; put the problem into the base")
    task = Task.from_folder(folder, folder.parent / "repos", unlisted=True)
    with TaskRuns(task, backend) as runs:
        tests = _lists(task, runs)
        visible = runs.visible(WorkspaceState(task.base))
    figures = measure(task, visible_failing=len(visible.failed) if visible.complete else None)
    manifest = task.manifest.model_copy(update={"tests": tests, "difficulty": difficulty(figures)})
    write_whole(folder / "figures.json", figures.as_json())
    write_whole(folder / "task.toml", manifest_text(manifest).encode())
    twins = find_twins(replace(task, manifest=manifest), backend)
    if twins.tests:
        write_whole(folder / "twins.json", twins.as_json())
    else:
        (folder / "twins.json").unlink(missing_ok=True)
    return Recorded(patches, manifest, figures, twins)


def write_whole(place: Path, data: bytes) -> None:
    """Put ``data`` into the file at ``place``, which keeps its mode and is at no moment half of either.

    Raises:
        OSError: it cannot be written; what was there is there still.
    """
    target = place.resolve()
    scratch = target.with_name(f".{target.name}.new")
    try:
        scratch.write_bytes(data)
        if target.exists():
            shutil.copymode(target, scratch)
        scratch.replace(target)
    finally:
        scratch.unlink(missing_ok=True)


def _lists(task: Task, runs: TaskRuns) -> HiddenTests:
    """What begins to pass and what goes on passing; what the solution's run skips is in neither."""
    solved = runs.hidden(task.gold.only(task.may_edit))
    idle = ("skipped", "xfailed")
    failed = [node for node in solved.not_passed() if solved.outcome(node) not in idle]
    if failed:
        raise TaskError(f"{task.id}: tests/: {_told(solved, failed)}; with the solution each must pass")
    if not solved.report.complete or not solved.report.passed:
        raise TaskError(
            f"{task.id}: tests/: no hidden test passes with the solution; "
            "write tests/test_<name>.py, or implementations where the kind is 'tests'"
        )
    before = runs.hidden(WorkspaceState(task.base))
    passing = [node for node in solved.report.passed if before.outcome(node) == "passed"]
    return HiddenTests(
        fail_to_pass=tuple(node for node in solved.report.passed if node not in passing),
        pass_to_pass=tuple(passing),
    )


def _told(run: TaskRun, failed: Sequence[str]) -> str:
    return shown(f"{node} ({run.why(node) or 'fails'})" for node in failed)
