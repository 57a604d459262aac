"""Episodes as traces: potentials and the verdict come from the trajectory."""

# ruff: noqa: TID252 - the tests are no package that could be named

from __future__ import annotations

from dataclasses import replace

import pytest

from deepgym_envs import SandboxError, SweEnv, Task
from deepgym_envs.action import EditFile, RunTests
from deepgym_envs.agents import OracleAgent, ScriptedAgent
from deepgym_envs.process_reward import TrajectoryVerifier, VerifierSpec
from deepgym_envs.rollout import rollout
from deepgym_envs.testing import FakeBackend
from deepgym_envs.trajectory import Trajectory

from ..episodes import masked
from ..tiny import fake, make_tiny, tiny

FIXTURES = fake, make_tiny, tiny
FILE = "tiny/__init__.py"
BREAK = EditFile(path=FILE, old="2 * a", new="3 * a")
MEND = EditFile(path=FILE, old="3 * a", new="2 * a")


@pytest.fixture
def solved(tiny: Task, fake: FakeBackend) -> Trajectory:
    return _played(tiny, fake, OracleAgent())


@pytest.fixture
def spoiled(tiny: Task, fake: FakeBackend) -> Trajectory:
    """Breaks what worked, sees it, and hands that in."""
    return _played(tiny, fake, ScriptedAgent("spoils", [RunTests(), BREAK, RunTests()]))


def _played(task: Task, backend: FakeBackend, agent: OracleAgent | ScriptedAgent) -> Trajectory:
    env = SweEnv(task, backend, gamma=0.99)
    try:
        return rollout(env, agent, seed=0)
    finally:
        env.close()


def test_process_rewards_of_an_episode_are_those_that_the_environment_paid(
    solved: Trajectory, spoiled: Trajectory
) -> None:
    for episode in (solved, spoiled):
        result = TrajectoryVerifier().verify(episode)
        assert result.process_rewards == pytest.approx([step.reward for step in episode.steps])


def test_a_solved_episode_is_a_success_without_an_error(solved: Trajectory) -> None:
    result = TrajectoryVerifier().verify(solved)
    assert (result.terminal_score, result.success, result.near_miss) == (1.0, True, False)
    assert (result.first_error_index, result.switch_step) == (-1, 3)
    assert result.potentials == pytest.approx([2 / 3, 1.0, 0.0])


def test_the_first_error_of_a_failure_is_where_the_potential_fell(spoiled: Trajectory) -> None:
    result = TrajectoryVerifier().verify(spoiled)
    assert (result.success, result.first_error_index, result.switch_step) == (False, 2, 2)


def test_breaking_and_mending_pays_in_form_orbit_and_nothing_by_default(
    tiny: Task, fake: FakeBackend
) -> None:
    cycle = [BREAK, RunTests(), MEND, RunTests()]
    spec = VerifierSpec(lambda_u=0)
    short, long = (
        _played(tiny, fake, ScriptedAgent("cycles", [RunTests(), *cycle * times])) for times in (1, 4)
    )
    paid = [TrajectoryVerifier(spec).verify(one).process_returns[0] for one in (short, long)]
    assert paid == pytest.approx([-2 / 3, -2 / 3])
    farmed = [TrajectoryVerifier(spec, form="orbit").verify(one).process_returns[0] for one in (short, long)]
    assert farmed[1] > farmed[0] > 0


def test_an_episode_that_was_not_judged_has_no_score() -> None:
    for episode in (masked(), replace(masked(), masked=False, error="")):
        with pytest.raises(SandboxError, match="was not judged"):
            TrajectoryVerifier().verify(episode)


def test_what_scores_follow_from_is_hashed(solved: Trajectory, spoiled: Trajectory) -> None:
    verifier = TrajectoryVerifier()
    assert verifier.state_hash(solved) == verifier.state_hash(replace(solved, agent="another", seconds=9.0))
    assert verifier.state_hash(solved) != verifier.state_hash(spoiled)
    assert verifier.state_hash(solved) != verifier.state_hash(replace(solved, start_potential=0.0))


def test_the_first_error_against_a_good_episode_is_where_the_states_part(
    solved: Trajectory, spoiled: Trajectory
) -> None:
    states = [[step.state for step in one.steps] for one in (solved, spoiled)]
    assert TrajectoryVerifier().locate_first_error(*states) == 0
    assert TrajectoryVerifier().locate_first_error(states[0], states[0]) == -1
    assert TrajectoryVerifier().locate_first_error(states[0], states[0][:2]) == 2
