"""Steps are labelled by what can still become of the states that they lead to."""

# ruff: noqa: TID252 - the tests are no package that could be named

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from deepgym_envs import Memory, SandboxError, SweEnv, Task, UsageError, WorkspaceState
from deepgym_envs.action import Action, EditFile, ReadFile, RunCommand, RunTests, Submit
from deepgym_envs.agents import NoopAgent, OracleAgent, ScriptedAgent
from deepgym_envs.errors import BoxLost
from deepgym_envs.rollout import rollout
from deepgym_envs.sandbox import Command, Completed
from deepgym_envs.sandbox.bwrap import BwrapBackend
from deepgym_envs.step_labels import continuation_seed, label_episode, label_trajectory
from deepgym_envs.testing import FakeBackend
from deepgym_envs.trajectory import Trajectory

from ..tiny import MakeTiny, fake, make_tiny, tiny, tiny_tests

FIXTURES = fake, make_tiny, tiny
FILE = "tiny/__init__.py"
MEND = EditFile(path=FILE, old="a - b", new="a + b")
SPOIL = EditFile(path=FILE, old="2 * a", new="3 * a")


class Mender:
    """Mends what can be mended by one edit, now and then: it flips a coin that its seed weighs."""

    name = "mender"

    def __init__(self, chance: float = 1.0) -> None:
        self._chance = chance
        self._left: Iterator[Action] = iter(())
        self.seeds: list[int] = []

    def begin(self, task: Task, seed: int) -> None:
        self.seeds.append(seed)
        lucky = seed / 2**32 < self._chance
        self._left = iter([MEND] if lucky else [])

    def act(self, observation: Mapping[str, Any], info: Mapping[str, Any]) -> Action:
        return next(self._left, Submit())


@pytest.fixture
def env(tiny: Task, fake: FakeBackend) -> Iterator[SweEnv]:
    env = SweEnv(tiny, fake, measure="never")
    yield env
    env.close()


def wanders() -> ScriptedAgent:
    """Looks, spoils what worked, and hands that in."""
    return ScriptedAgent("wanders", [ReadFile(path=FILE), SPOIL, RunTests()])


def test_each_step_has_the_share_of_continuations_that_solve_the_task(env: SweEnv, tiny: Task) -> None:
    done = label_episode(env, wanders(), Mender, seed=0, continuations=2)
    assert (done.start.solved, done.start.judged) == (2, 2)
    assert [one.share for one in done.steps] == [1.0, 0.0, 0.0, 0.0]
    assert [one.label() for one in done.steps] == [True, False, False, False]
    assert [one.judged for one in done.steps] == [2, 2, 2, 1]
    assert [one.final for one in done.steps] == [False, False, False, True]
    assert [one.state for one in done.steps] == [step.state for step in done.trajectory.steps]
    assert done.first_error == 1
    assert done.policy == "mender"


def test_a_solved_episode_has_no_first_error(env: SweEnv) -> None:
    done = label_episode(env, OracleAgent(), OracleAgent, seed=0, continuations=1)
    assert [one.share for one in done.steps] == [1.0, 1.0, 1.0]
    assert (done.first_error, done.trajectory.passed) == (-1, True)


def test_where_the_policy_never_succeeds_no_step_is_blamed(env: SweEnv) -> None:
    done = label_episode(env, wanders(), NoopAgent, seed=0, continuations=1)
    assert (done.start.share, done.first_error) == (0.0, -1)


def test_continuations_differ_by_their_seeds_and_can_be_played_again(env: SweEnv) -> None:
    agents: list[Mender] = []

    def make() -> Mender:
        agents.append(Mender(0.5))
        return agents[-1]

    first, again, beside = (
        label_episode(env, wanders(), make, seed=4, continuations=8, workers=n) for n in (1, 1, 3)
    )
    assert first == again == beside
    assert 0 < first.start.solved < 8
    seeds = agents[0].seeds
    assert sorted(seeds) == sorted({continuation_seed(4, step, n) for step in range(4) for n in range(8)})


def test_a_continuation_has_the_steps_that_were_left(make_tiny: MakeTiny, fake: FakeBackend) -> None:
    env = SweEnv(make_tiny("short", steps=3), fake, measure="never")
    script = ScriptedAgent("dawdles", [ReadFile(path=FILE)] * 3)
    patient = ScriptedAgent("patient", [ReadFile(path=FILE), MEND])
    done = label_episode(env, script, lambda: patient, seed=0, continuations=1)
    env.close()
    assert done.start.solved == 1
    assert [one.solved for one in done.steps] == [1, 0, 0]
    assert done.first_error == 1


def test_no_state_is_judged_twice(tiny: Task, fake: FakeBackend) -> None:
    memory = Memory()
    env = SweEnv(tiny, fake, measure="never", memory=memory)
    label_episode(env, wanders(), Mender, seed=0, continuations=5, workers=2)
    env.close()
    hidden = [one for box in fake.boxes for one in box.commands if "tests/test_hidden.py" in one.files]
    assert len(hidden) == 3  # mended; spoiled; spoiled and mended


def test_the_episode_goes_on_unharmed_beside_its_branches(env: SweEnv, tiny: Task) -> None:
    done = label_episode(env, wanders(), Mender, seed=0, continuations=1)
    alone = rollout(env, wanders(), seed=0)
    assert done.trajectory == alone


def test_masked_continuations_count_for_nothing(tiny: Task) -> None:
    """Where the mended file is graded, the engine goes away."""

    def answer(state: WorkspaceState, command: Command) -> tuple[Completed, WorkspaceState]:
        file = state.get(FILE)
        if file is not None and b"a + b" in file.data and b"2 * a" in file.data:
            raise BoxLost("the engine went away", after_agent_code=False)
        return tiny_tests(state, command)

    env = SweEnv(tiny, FakeBackend(answer), measure="never")
    done = label_episode(env, wanders(), Mender, seed=0, continuations=2)
    env.close()
    start, *steps = done.start, *done.steps
    assert (start.solved, start.judged, start.masked, start.share) == (0, 0, 2, None)
    assert start.interval == (0.0, 1.0)
    assert start.label() is None
    assert [one.share for one in steps] == [None, 0.0, 0.0, 0.0]
    assert (done.complete, done.first_error) == (False, None)


def test_a_masked_episode_cannot_be_labelled(tiny: Task) -> None:
    def answer(state: WorkspaceState, command: Command) -> tuple[Completed, WorkspaceState]:
        raise BoxLost("the engine went away", after_agent_code=False)

    env = SweEnv(tiny, FakeBackend(answer), measure="never")
    with pytest.raises(SandboxError, match=r"cannot be labelled: .*the engine went away"):
        label_episode(env, wanders(), Mender, seed=0)
    env.close()


@pytest.fixture
def recorded(env: SweEnv) -> Trajectory:
    return Trajectory.from_json(rollout(env, wanders(), seed=7, index=2).to_json())


def test_a_recorded_episode_is_labelled_like_one_that_is_played(env: SweEnv, recorded: Trajectory) -> None:
    done = label_trajectory(env, recorded, lambda: Mender(0.5), continuations=4)
    assert done == label_episode(env, wanders(), lambda: Mender(0.5), seed=7, index=2, continuations=4)
    assert done.trajectory.key == recorded.key


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"task_digest": "0" * 64}, "the task is another, or has changed since"),
        ({"task": "made/other"}, "the task is another"),
    ],
)
def test_an_episode_of_another_task_is_refused(
    env: SweEnv, recorded: Trajectory, changes: dict[str, str], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        label_trajectory(env, replace(recorded, **changes), Mender)  # type: ignore[arg-type]


def test_an_episode_that_comes_to_other_states_is_refused(env: SweEnv, recorded: Trajectory) -> None:
    other = replace(recorded.steps[1], state="0" * 64)
    forged = replace(recorded, steps=(recorded.steps[0], other, *recorded.steps[2:]))
    with pytest.raises(UsageError, match="step 1 leads to another state; play it anew"):
        label_trajectory(env, forged, Mender)
    assert recorded.judgement is not None
    forged = replace(recorded, judgement=replace(recorded.judgement, passed=True))
    with pytest.raises(UsageError, match="its end is another"):
        label_trajectory(env, forged, Mender)
    with pytest.raises(UsageError, match="its end is another"):
        label_trajectory(env, replace(recorded, steps=recorded.steps[:2]), Mender)


def test_a_recorded_call_that_is_none_is_refused(env: SweEnv, recorded: Trajectory) -> None:
    forged = replace(recorded, steps=(replace(recorded.steps[0], tool="format_disk"), *recorded.steps[1:]))
    with pytest.raises(UsageError, match="holds a call that is none: there is no tool 'format_disk'"):
        label_trajectory(env, forged, Mender)


def test_a_masked_record_is_refused(env: SweEnv, recorded: Trajectory) -> None:
    with pytest.raises(SandboxError, match="gone"):
        label_trajectory(env, replace(recorded, masked=True, judgement=None, error="gone"), Mender)


def test_an_agent_that_fails_ends_it_and_closes_its_boxes(env: SweEnv) -> None:
    class Fails(Mender):
        def act(self, observation: Mapping[str, Any], info: Mapping[str, Any]) -> Action:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        label_episode(env, wanders(), Fails, seed=0, continuations=3, workers=2)


def test_numbers_below_one_are_refused(env: SweEnv) -> None:
    for continuations, workers in ((0, 1), (1, 0)):
        with pytest.raises(UsageError, match="at least one continuation and one worker"):
            label_episode(env, wanders(), Mender, seed=0, continuations=continuations, workers=workers)


@pytest.mark.bwrap
def test_steps_are_labelled_in_real_boxes(tiny: Task) -> None:
    env = SweEnv(tiny, BwrapBackend(), commands=True, measure="never")
    script = ScriptedAgent("spoils", [RunCommand(command=f"sed -i s/2/3/ {FILE}")])
    try:
        done = label_episode(env, script, OracleAgent, seed=0, continuations=1)
    finally:
        env.close()
    assert [done.start.share, *(one.share for one in done.steps)] == [1.0, 0.0, 0.0]
    assert done.first_error == 0
