"""Every honest solution of a starter task passes, whatever its shape, and every tempting wrong one fails."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from deepgym_envs.grade import Grader
from deepgym_envs.patch import state_from_patch
from deepgym_envs.sandbox import choose_backend
from deepgym_envs.suite import load_task, task_ids
from deepgym_envs.task import Task

# Tests that run beside each other (pytest-xdist) need no more than one box each.
WORKERS = 1 if "PYTEST_XDIST_WORKER" in os.environ else 2
SOLUTIONS = Path(__file__).parent / "solutions"


@pytest.mark.docker
@pytest.mark.slow
@pytest.mark.parametrize("task_id", task_ids("starter"))
def test_right_solutions_pass_and_wrong_ones_fail(task_id: str) -> None:
    task = load_task(task_id)
    patches = sorted((SOLUTIONS / task_id.removeprefix("starter/")).glob("*.patch"))
    wrong = [path for path in patches if path.name.startswith("wrong-")]
    right = [path for path in patches if path.name.startswith("right-")]
    assert len(right) >= 2, "keep at least two solutions that differ in shape from the reference"
    assert len(wrong) >= 3, "keep at least three tempting wrong solutions"
    with ThreadPoolExecutor(WORKERS) as pool:
        graded = pool.map(_passed, [task] * WORKERS, [patches[start::WORKERS] for start in range(WORKERS)])
    verdicts = {name: passed for some in graded for name, passed in some.items()}
    assert verdicts == {path.stem: path in right for path in patches}


def _passed(task: Task, patches: Sequence[Path]) -> dict[str, bool]:
    with Grader(task, choose_backend("docker")) as grader:
        return {
            path.stem: grader.grade(state_from_patch(task.base, path.read_bytes())).passed for path in patches
        }
