"""Every script of a starter task solves it: the direct one, and the one that is wrong first and recovers."""

from __future__ import annotations

import pytest

from deepgym_envs import SweEnv
from deepgym_envs.agents import make_agent, own_script
from deepgym_envs.rollout import rollout
from deepgym_envs.sandbox import choose_backend
from deepgym_envs.suite import load_task, task_ids


@pytest.mark.docker
@pytest.mark.slow
@pytest.mark.parametrize("task_id", task_ids("starter"))
def test_the_scripts_of_a_task_solve_it(task_id: str) -> None:
    task = load_task(task_id)
    env = SweEnv(task, choose_backend("docker"), measure="never")
    try:
        direct, wander = (
            rollout(env, make_agent(f"scripted:{name}")(), seed=0) for name in ("direct", "wander")
        )
    finally:
        env.close()
    assert (direct.passed, wander.passed) == (True, True)
    assert len(direct.steps) < len(wander.steps)


@pytest.mark.parametrize("task_id", task_ids("starter"))
def test_a_script_does_what_people_do(task_id: str) -> None:
    task = load_task(task_id)
    direct = [action.tool for action in own_script(task, "direct")]
    assert {"run_tests", "submit"} <= set(direct)
    assert set(direct) & {"list_files", "read_file", "search"}
    assert direct[-1] == "submit"
    wander = [action.tool for action in own_script(task, "wander")]
    assert wander.count("run_tests") >= 2
    assert wander[-1] == "submit"
