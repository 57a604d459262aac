"""The environment's rules, on boxes in memory: budgets, rewards, snapshots, infrastructure that fails."""

from __future__ import annotations

import json
import math
import pickle
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepgym_envs import Memory, SandboxError, SweEnv, Task, UnknownTask, WorkspaceState
from deepgym_envs.action import (
    Action,
    EditFile,
    ListFiles,
    ReadFile,
    RunCommand,
    RunTests,
    Search,
    Submit,
    WriteFile,
)
from deepgym_envs.env import Measure
from deepgym_envs.errors import BoxLost
from deepgym_envs.grade import Grader
from deepgym_envs.sandbox import Command, Completed, Sandbox
from deepgym_envs.testing import FakeBackend, FakeSandbox, completed
from deepgym_envs.text import clean

from .tiny import BROKEN, MakeTiny, fake, make_tiny, tiny, tiny_tests

FIXTURES = (fake, make_tiny, tiny)
MODULE = "tiny/__init__.py"
MEND = EditFile(path=MODULE, old="a - b", new="a + b")
ACTIONS: list[Action] = [
    MEND,
    EditFile(path=MODULE, old="a + b", new="a - b"),
    WriteFile(path=MODULE, content="def add(:"),
    WriteFile(path=MODULE, content=BROKEN),
    WriteFile(path="tests/test_tiny.py", content="def test_add():\n    pass\n"),
    ReadFile(path=MODULE),
    ReadFile(path="none"),
    ListFiles(),
    Search(pattern="add"),
    RunTests(),
]


def play(env: SweEnv, *actions: Action, seed: int = 1) -> list[tuple[Any, float, bool, bool, dict[str, Any]]]:
    env.reset(seed=seed)
    return [env.step(action.encode()) for action in actions]


def plain(value: Any) -> Any:
    """A value that can be compared: arrays as lists."""
    if isinstance(value, Mapping):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value


def test_an_episode_that_solves_the_task(tiny: Task, fake: FakeBackend) -> None:
    env = SweEnv(tiny, fake)
    edited, tested, submitted = play(env, MEND, RunTests(), Submit(confidence=0.9))
    assert edited[1:4] == (0.0, False, False)
    assert tested[1] == pytest.approx(1 / 3)
    assert tested[0]["tests"].tolist() == [3, 0]
    assert submitted[1:4] == (0.0, True, False)
    info = submitted[4]
    assert info["reward_terms"] == {"shaping": -1.0, "terminal": 1.0}
    assert (info["judged"], info["passed"], info["reason"], info["potential"]) == (True, True, "passed", 0.0)
    assert (info["changed_files"], info["confidence"]) == ((MODULE,), pytest.approx(0.9))
    assert env.verdict is not None
    assert env.verdict.passed
    env.close()


def test_an_episode_that_does_nothing_fails(tiny: Task, fake: FakeBackend) -> None:
    env = SweEnv(tiny, fake)
    *_, (_, reward, terminated, _, info) = play(env, Submit())
    assert reward == pytest.approx(-2 / 3)
    assert (terminated, info["passed"], info["reason"]) == (True, False, "tests_failed")
    env.close()


@pytest.mark.parametrize("measure", ["run_tests", "every_step", "never"])
def test_info_has_the_same_keys_always_and_observations_fit(
    tiny: Task, fake: FakeBackend, measure: Measure
) -> None:
    env = SweEnv(tiny, fake, measure=measure, commands=True)
    observation, first = env.reset(seed=1)
    assert observation in env.observation_space
    for action in [*ACTIONS, RunCommand(command="ls"), Submit()]:
        observation, reward, _, _, info = env.step(action.encode())
        assert observation in env.observation_space
        assert info.keys() == first.keys()
        assert {key: type(value) for key, value in info.items()} == {
            key: type(value) for key, value in first.items()
        }
        assert sum(info["reward_terms"].values()) == reward
    env.close()


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    actions=st.lists(st.sampled_from(ACTIONS), max_size=8),
    gamma=st.sampled_from([1.0, 0.99, 0.5]),
    measure=st.sampled_from(["run_tests", "every_step"]),
    ending=st.sampled_from(["submit", "steps", "seconds"]),
)
def test_discounted_shaping_sums_to_minus_the_first_potential(
    make_tiny: MakeTiny,
    shared: dict[str, Task],
    fake: FakeBackend,
    actions: list[Action],
    gamma: float,
    measure: Measure,
    ending: str,
) -> None:
    env = SweEnv(shared["steps" if ending == "steps" else "submit"], fake, gamma=gamma, measure=measure)
    _, info = env.reset(seed=1)
    first, total, over, terminated = info["potential"], 0.0, False, False
    endings: dict[str, list[Action]] = {
        "submit": [Submit()],
        "steps": [ReadFile(path="none")] * 8,
        "seconds": [ListFiles()],
    }
    for number, action in enumerate([*actions, *endings[ending]]):
        if ending == "seconds" and number == len(actions):
            env._deadline = -math.inf
        _, reward, terminated, truncated, info = env.step(action.encode())
        assert reward == sum(info["reward_terms"].values())
        total += gamma**number * info["reward_terms"]["shaping"]
        over = terminated or truncated
        if over:
            break
    assert over
    assert terminated == (ending == "submit")
    assert info["judged"]
    assert info["potential"] == 0.0
    assert total == pytest.approx(-first)
    env.close()


@pytest.fixture(scope="module")
def shared(make_tiny: MakeTiny) -> dict[str, Task]:
    return {"submit": make_tiny("long"), "steps": make_tiny("short", steps=8)}


def test_two_episodes_with_the_same_actions_are_equal(tiny: Task, fake: FakeBackend) -> None:
    one, other = SweEnv(tiny, fake, measure="every_step"), SweEnv(tiny, fake, measure="every_step")
    first = plain(play(one, *ACTIONS, Submit(), seed=3))
    assert plain(play(other, *ACTIONS, Submit(), seed=3)) == first
    assert plain(play(one, *ACTIONS, Submit(), seed=3)) == first
    one.close()
    other.close()


def test_the_step_budget_ends_the_episode_with_a_verdict(make_tiny: MakeTiny, fake: FakeBackend) -> None:
    env = SweEnv(make_tiny("two-steps", steps=2), fake)
    first, last = play(env, MEND, ReadFile(path="none"))
    assert first[0]["steps_left"] == 1
    assert last[2:4] == (False, True)
    assert last[0]["steps_left"] == 0
    assert last[0]["ok"] == 0
    assert last[4]["passed"]
    with pytest.raises(ResetNeeded):
        env.step(ListFiles().encode())
    env.reset()
    env.step(ListFiles().encode())
    env.close()


def test_the_time_budget_ends_the_episode_with_a_verdict(make_tiny: MakeTiny, fake: FakeBackend) -> None:
    env = SweEnv(make_tiny("no-time", seconds=1e-9), fake)
    ((observation, reward, terminated, truncated, info),) = play(env, MEND)
    assert (terminated, truncated, info["judged"], info["reason"]) == (False, True, True, "tests_failed")
    assert reward == pytest.approx(-2 / 3)
    assert "time" in observation["output"]
    assert info["changed_files"] == ()
    env.close()


def test_a_step_needs_an_episode(tiny: Task, fake: FakeBackend) -> None:
    env = SweEnv(tiny, fake)
    with pytest.raises(ResetNeeded):
        env.step(ListFiles().encode())
    play(env, Submit())
    with pytest.raises(ResetNeeded):
        env.step(ListFiles().encode())
    env.close()
    env.close()
    with pytest.raises(ResetNeeded):
        env.step(ListFiles().encode())


@pytest.mark.parametrize(
    "junk",
    [{}, {"tool": None}, None, 3, "text", b"x", [1], {"tool": 99}, {"tool": "submit", "confidence": "x"}],
)
def test_whatever_an_agent_sends_is_an_observation(tiny: Task, fake: FakeBackend, junk: Any) -> None:
    env = SweEnv(tiny, fake, measure="never")
    env.reset(seed=1)
    observation, reward, terminated, truncated, info = env.step(junk)
    assert (observation["ok"], reward, terminated, truncated) == (0, 0.0, False, False)
    assert observation["output"] == info["error"] != ""
    assert info["tool"] == ""
    env.close()


def test_unknown_options_tasks_and_settings_are_refused(tiny: Task, fake: FakeBackend) -> None:
    env = SweEnv(tiny, fake)
    with pytest.raises(ValueError, match="unknown options \\['seed'\\]; there is 'task'"):
        env.reset(options={"seed": 1})
    with pytest.raises(UnknownTask, match="did you mean 'starter/tallybook-rename-subtree'"):
        env.reset(options={"task": "starter/tallybook-rename-subtre"})
    assert env.task is tiny
    env.close()
    for settings_ in (
        {"gamma": 0.0},
        {"gamma": 1.1},
        {"gamma": math.nan},
        {"measure": "x"},
        {"render_mode": "human"},
    ):
        with pytest.raises(ValueError, match="must be"):
            SweEnv(tiny, fake, **settings_)


def test_reset_may_change_the_task(tiny: Task, make_tiny: MakeTiny, fake: FakeBackend) -> None:
    env = SweEnv(tiny, fake)
    env.reset(seed=1)
    spaces = env.action_space, env.observation_space
    other = make_tiny("other", steps=3)
    observation, info = env.reset(options={"task": other})
    assert (info["task"], observation["steps_left"], env.task) == ("made/other", 3, other)
    assert (env.action_space, env.observation_space) == spaces
    assert env.reset()[1]["task"] == "made/other"
    assert env.reset(options={"task": tiny})[1]["task"] == tiny.id
    env.close()


def test_a_potential_is_measured_once_for_a_state_and_never_by_reading(tiny: Task) -> None:
    runs: list[str] = []

    def counted(state: WorkspaceState, command: Command) -> tuple[Completed, WorkspaceState]:
        runs.append("hidden" if "tests/test_hidden.py" in command.files else "visible")
        return tiny_tests(state, command)

    memory = Memory()
    env = SweEnv(tiny, FakeBackend(counted), measure="every_step", memory=memory)
    env.reset(seed=1)
    assert runs == ["visible"]
    reading: list[Action] = [ReadFile(path=MODULE), ListFiles(), Search(pattern="x"), ReadFile(path="none")]
    for action in reading:
        env.step(action.encode())
    assert runs == ["visible"]
    for action in (MEND, EditFile(path=MODULE, old="a + b", new="a - b"), MEND):
        env.step(action.encode())
    assert runs == ["visible"] * 2
    env.step(Submit().encode())
    env.reset()
    play(env, MEND, Submit())
    assert runs == ["visible"] * 2 + ["hidden"]
    assert len(memory) == 3
    env.close()


class CountingRuns(FakeBackend):
    """A fake that lists what is run in its boxes: the number of the box, and which tests."""

    def __init__(self) -> None:
        super().__init__()
        self.runs: list[tuple[int, str]] = []

    def open(self, task: Task) -> Sandbox:
        number = len(self.boxes)

        def answer(state: WorkspaceState, command: Command) -> tuple[Completed, WorkspaceState]:
            self.runs.append((number, "hidden" if "tests/test_hidden.py" in command.files else "visible"))
            return tiny_tests(state, command)

        box = FakeSandbox(task.base, answer)
        self.boxes.append(box)
        return box


def test_a_run_of_the_tests_is_shown_and_paid_at_once(tiny: Task) -> None:
    backend, memory = CountingRuns(), Memory()
    env, other = (SweEnv(tiny, backend, memory=memory) for _ in range(2))
    play(env, MEND)
    grading = backend.runs[0][0]
    assert len(backend.runs) == 1  # at reset, of the base
    *_, info = env.step(RunTests().encode())
    assert info["potential"] == 1.0
    assert [which for _, which in backend.runs] == ["visible"] * 2
    assert backend.runs[1][0] != grading
    assert play(other, MEND, RunTests())[-1][1] == pytest.approx(1 / 3)
    assert len(backend.runs) == 2  # neither the base nor the state again
    env.close()
    other.close()


def test_a_run_of_tests_that_the_agent_changed_is_shown_and_not_paid(make_tiny: MakeTiny) -> None:
    backend, weaker = (
        CountingRuns(),
        WriteFile(path="tests/test_tiny.py", content="def test_a():\n    pass\n"),
    )
    env = SweEnv(make_tiny("weak", editable=("tiny/**", "tests/**")), backend)
    play(env, WriteFile(path=MODULE, content="def add(a, b): return 0"), weaker)
    observation, *_, info = env.step(RunTests().encode())
    assert observation["tests"].tolist() == [1, 0]
    assert info["potential"] == 0.0
    assert len(backend.runs) == 3
    assert backend.runs[2][0] == backend.runs[0][0] != backend.runs[1][0]
    env.close()


def test_nothing_that_a_grading_said_comes_back_to_the_agent(tiny: Task) -> None:
    def leaking(state: WorkspaceState, command: Command) -> tuple[Completed, WorkspaceState]:
        done, after = tiny_tests(state, command)
        if "tests/test_hidden.py" not in command.files:
            return done, after
        return replace(done, output=b"canary", report=done.report.replace(b'""', b'"canary"')), after

    env = SweEnv(tiny, FakeBackend(leaking), commands=True)
    again = EditFile(path=MODULE, old="a + b", new="a * b")
    steps = play(env, MEND, RunTests(), RunCommand(command="ls"), again, Submit())
    assert steps[-1][4]["reason"] == "tests_failed"
    seen = "".join(repr(observation) for observation, *_ in steps)
    assert not [word for word in ("canary", "test_hidden", "test_negative") if word in seen]
    assert "canary" not in repr(steps[-1][4])
    env.close()


HOSTILE = "a\x1b[2Jb\x1b]0;t\x07c\x9b1md\u202ee\u200bf\U000e0041g\u2028h\ufe00i\rk"


def test_no_observation_holds_what_moves_hides_or_reorders(tiny: Task) -> None:
    path = f"tiny/{HOSTILE}.py"

    def answer(state: WorkspaceState, command: Command) -> tuple[Completed, WorkspaceState]:
        if "launcher.py" in command.files:
            row = {"test": HOSTILE, "outcome": "failed", "detail": HOSTILE}
            rows = [{**row, "when": "call"}, {"broken": HOSTILE, "detail": HOSTILE}]
            report = "".join(json.dumps(row) + "\n" for row in rows)
            return completed(1, output=HOSTILE.encode(), report=report.encode()), state
        return completed(output=HOSTILE.encode()), state.with_file(path, HOSTILE.encode())

    env = SweEnv(tiny, FakeBackend(answer), commands=True, measure="never")
    found = play(
        env, RunCommand(command="x"), ListFiles(), Search(pattern="a", context=1), ReadFile(path=path),
        EditFile(path=path, old=HOSTILE, new=""), EditFile(path=path, old="a zzz", new="b"),
        WriteFile(path=path, content=HOSTILE), ReadFile(path=f"{path}x"), ReadFile(path=f"{path}/x"),
        ListFiles(path=f"{path}/x"), Search(pattern=HOSTILE), RunTests(), RunTests(tests=(f"-{HOSTILE}",)),
    )  # fmt: skip
    for observation, *_ in found:
        said = observation["output"]
        assert said == clean(said)
        assert said
    env.close()


@pytest.mark.parametrize("number", [-0.1, 1.1, math.nan, math.inf])
def test_a_potential_out_of_range_is_refused_before_anything_is_paid(
    tiny: Task, fake: FakeBackend, number: float
) -> None:
    def wrong(grader: Grader, state: WorkspaceState) -> float:
        return number

    env = SweEnv(tiny, fake, potential=wrong)
    with pytest.raises(ValueError, match=r"must be in \[0, 1\]"):
        env.reset(seed=1)
    env.close()


def test_a_snapshot_carries_the_whole_episode(tiny: Task, fake: FakeBackend) -> None:
    env = SweEnv(tiny, fake)
    play(env, MEND, RunTests())
    env.np_random.random()
    kept = pickle.loads(pickle.dumps(env.snapshot()))
    number = env.np_random.random()
    after = plain(env.step(Submit().encode()))
    env.restore(kept)
    assert env.state.changed_paths == (MODULE,)
    assert env.np_random.random() == number
    observation, _, _, _, info = env.step(ReadFile(path=MODULE).encode())
    assert (info["step"], info["potential"], observation["tests"].tolist()) == (3, 1.0, [3, 0])
    assert "a + b" in observation["output"]
    env.restore(kept)
    assert plain(env.step(Submit().encode())) == after
    ended = env.snapshot()
    env.reset()
    env.restore(ended)
    with pytest.raises(ResetNeeded):
        env.step(ListFiles().encode())
    env.close()


def test_a_snapshot_of_another_task_is_refused(tiny: Task, make_tiny: MakeTiny, fake: FakeBackend) -> None:
    env, other = SweEnv(tiny, fake), SweEnv(make_tiny("same-base"), fake)
    env.reset(seed=1)
    other.reset(seed=1)
    assert env.state == other.state
    with pytest.raises(ValueError, match="belongs to made/same-base"):
        env.restore(other.snapshot())
    env.close()
    other.close()


def test_a_fork_goes_its_own_way(tiny: Task, fake: FakeBackend) -> None:
    env = SweEnv(tiny, fake, render_mode="ansi")
    play(env, ListFiles())
    fork = env.fork()
    assert fork.render() == env.render()
    assert fork.np_random.random() == env.np_random.random()
    fork.step(MEND.encode())
    assert env.state.changed_paths == ()
    assert fork.step(Submit().encode())[4]["passed"]
    assert not env.step(Submit().encode())[4]["passed"]
    fork.close()
    env.close()


def test_render_shows_the_last_step(tiny: Task, fake: FakeBackend) -> None:
    env = SweEnv(tiny, fake, render_mode="ansi")
    play(env, MEND)
    assert env.render() == f"made/one step 1/40 phi 0.667 changed {MODULE}\nedited {MODULE} at line 2"
    env.close()
    silent = SweEnv(tiny, fake)
    assert silent.render() is None


Die = Callable[[Command], BoxLost | None]


class Failing(FakeBackend):
    """A backend whose boxes are lost at a command that ``die`` names; it may be ``gone`` altogether."""

    def __init__(self, die: Die) -> None:
        super().__init__(self._answer_or_die)
        self.die: Die = die
        self.gone: str | None = None

    def _answer_or_die(self, state: WorkspaceState, command: Command) -> tuple[Completed, WorkspaceState]:
        error = self.die(command)
        if error is not None:
            raise error
        return tiny_tests(state, command)

    def problem(self) -> str | None:
        return self.gone

    def open(self, task: Task) -> Sandbox:
        if self.gone is not None:
            raise SandboxError(self.gone)
        return super().open(task)


def at_commands(agent_ran: bool) -> Die:
    def die(command: Command) -> BoxLost | None:
        return BoxLost("lost", after_agent_code=agent_ran) if "command.sh" in command.files else None

    return die


def test_infrastructure_that_fails_masks_the_sample_and_the_next_reset_works(tiny: Task) -> None:
    backend = Failing(at_commands(agent_ran=False))
    env = SweEnv(tiny, backend, commands=True)
    _, first = env.reset(seed=1)
    observation, reward, terminated, truncated, info = env.step(RunCommand(command="x").encode())
    assert (reward, terminated, truncated, info["masked"], info["judged"]) == (0.0, False, True, True, False)
    assert info.keys() == first.keys()
    assert info["reward_terms"] == {"shaping": 0.0, "terminal": 0.0}
    assert info["error"] == "lost"
    assert observation in env.observation_space
    with pytest.raises(ResetNeeded):
        env.step(ListFiles().encode())
    assert not env.reset()[1]["masked"]
    assert env.step(Submit().encode())[4]["judged"]
    env.close()
    assert all(box.closed for box in backend.boxes)


def test_an_engine_that_goes_away_masks_even_after_agent_code(tiny: Task) -> None:
    backend = Failing(at_commands(agent_ran=True))
    env = SweEnv(tiny, backend, commands=True)
    env.reset(seed=1)
    backend.gone = "the engine is gone"
    assert env.step(RunCommand(command="x").encode())[4]["masked"]
    with pytest.raises(SandboxError, match="the engine is gone"):
        env.reset()
    backend.gone = None
    env.reset()
    assert env.step(Submit().encode())[4]["judged"]
    env.close()


def test_a_box_that_the_agents_code_broke_is_replaced_and_the_agent_is_told(tiny: Task) -> None:
    backend = Failing(at_commands(agent_ran=True))
    env = SweEnv(tiny, backend, commands=True)
    _, lost = play(env, MEND, RunCommand(command="x"))
    observation, reward, terminated, truncated, info = lost
    assert (observation["ok"], reward, terminated, truncated, info["masked"]) == (0, 0.0, False, False, False)
    assert "the workspace is as it was before" in observation["output"]
    assert info["tool"] == "run_command"
    assert "a + b" in env.step(ReadFile(path=MODULE).encode())[0]["output"]
    assert env.step(Submit().encode())[4]["passed"]
    env.close()
    assert all(box.closed for box in backend.boxes)


def test_a_grader_whose_box_the_code_broke_says_so(tiny: Task) -> None:
    def at_hidden(command: Command) -> BoxLost | None:
        return BoxLost("lost", after_agent_code=True) if "tests/test_hidden.py" in command.files else None

    backend = Failing(at_hidden)
    env = SweEnv(tiny, backend)
    *_, (_, _, terminated, _, info) = play(env, MEND, Submit())
    assert (terminated, info["passed"], info["reason"], info["masked"]) == (True, False, "box_lost", False)
    env.close()


def test_closed_from_another_thread_a_step_ends_masked_and_the_next_reset_works(tiny: Task) -> None:
    running, let_go = threading.Event(), threading.Event()

    def answer(state: WorkspaceState, command: Command) -> tuple[Completed, WorkspaceState]:
        if "command.sh" in command.files:
            running.set()
            assert let_go.wait(20)
        return tiny_tests(state, command)

    backend = FakeBackend(answer)
    env = SweEnv(tiny, backend, commands=True)
    env.reset(seed=1)

    def close() -> None:
        assert running.wait(20)
        env.close()
        let_go.set()

    closing = threading.Thread(target=close)
    closing.start()
    *_, reward, terminated, truncated, info = env.step(RunCommand(command="x").encode())
    closing.join(20)
    assert (reward, terminated, truncated, info["masked"]) == (0.0, False, True, True)
    assert info["error"] == "the box is closed"
    assert all(box.closed for box in backend.boxes)
    env.reset()
    env.step(MEND.encode())
    assert env.step(Submit().encode())[4]["passed"]
    env.close()
