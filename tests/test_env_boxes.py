"""The environment on real boxes: Gymnasium's checks, equal episodes, forks, boxes broken on purpose."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import gymnasium as gym
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.wrappers import RecordEpisodeStatistics, TimeLimit

from deepgym_envs import Memory, SweEnv, Task
from deepgym_envs.action import EditFile, ListFiles, ReadFile, RunCommand, RunTests, Search, Submit, WriteFile
from deepgym_envs.sandbox import Backend

from .tiny import TrustedLocalBackend, backend, make_tiny, tiny

FIXTURES = (backend, make_tiny, tiny)
ID = "deepgym_envs/SWE-v0"
MODULE = "tiny/__init__.py"
MEND = EditFile(path=MODULE, old="a - b", new="a + b")
EPISODE = [
    ListFiles(),
    ReadFile(path=MODULE),
    ReadFile(path="none"),
    Search(pattern="def", context=1),
    RunTests(),
    RunTests(tests=("tests/test_tiny.py::test_none",)),
    RunCommand(
        command="no-such-program; git status --short; python -c 'print(len); import tiny; print(tiny.add)'"
    ),
    WriteFile(path=MODULE, content="def add(:"),
    RunTests(),
    WriteFile(
        path=MODULE, content="def add(a, b):\n    return a + b\n\n\ndef double(a):\n    return 2 * a\n"
    ),
    RunTests(),
    Submit(confidence=0.5),
]


@pytest.fixture
def made(backend: Backend, tiny: Task) -> Iterator[gym.Env[Any, Any]]:
    env = gym.make(ID, task=tiny, sandbox=backend, commands=True, memory=Memory())
    yield env
    env.close()


def test_gymnasium_finds_nothing_to_complain_of(made: gym.Env[Any, Any]) -> None:
    with warnings.catch_warnings():
        # The checker says that an environment with a spec should be given unwrapped, which it is.
        warnings.filterwarnings("ignore", message=".*is different from the unwrapped version.*")
        check_env(made.unwrapped)
    assert made.unwrapped.spec is not None


def test_two_real_episodes_with_the_same_actions_are_equal(backend: Backend, tiny: Task) -> None:
    env = SweEnv(tiny, backend, commands=True, measure="every_step")
    seen = []
    for _ in range(2):
        rows: list[Any] = [env.reset(seed=5)]
        rows += [env.step(action.encode()) for action in EPISODE]
        seen.append(str(rows))
        last = rows[-1]
    assert seen[0] == seen[1]
    assert last[4]["passed"]
    assert last[1:4] == (0.0, True, False)
    env.close()


def test_usual_wrappers_work(made: gym.Env[Any, Any]) -> None:
    env = RecordEpisodeStatistics(TimeLimit(made, 2))
    env.reset(seed=1)
    env.step(MEND.encode())
    *_, truncated, info = env.step(RunTests().encode())
    assert truncated
    assert info["episode"]["r"] == pytest.approx(1 / 3)
    assert info["episode"]["l"] == 2


def test_a_fork_shares_nothing_with_its_origin(backend: Backend, tiny: Task) -> None:
    env = SweEnv(tiny, backend, commands=True)
    env.reset(seed=1)
    env.step(MEND.encode())
    kept = env.snapshot()
    fork = env.fork()
    fork.step(RunCommand(command="rm -r tiny; echo x > y").encode())
    assert fork.state.changed_paths == (MODULE, "y")
    assert "a + b" in env.step(RunCommand(command=f"cat {MODULE}; ls").encode())[0]["output"]
    fork.restore(kept)
    assert "a + b" in fork.step(RunCommand(command=f"cat {MODULE}").encode())[0]["output"]
    assert fork.step(Submit().encode())[4]["passed"]
    fork.close()
    env.close()
    env.close()


def test_a_tiny_time_budget_stops_even_a_command(backend: Backend, make_tiny: Any) -> None:
    env = SweEnv(make_tiny("hurried", seconds=0.5), backend, commands=True, measure="never")
    env.reset(seed=1)
    observation, *_ = env.step(RunCommand(command="sleep 60").encode())
    assert "stopped after" in observation["output"]
    *_, terminated, truncated, info = env.step(ListFiles().encode())
    assert (terminated, truncated, info["judged"]) == (False, True, True)
    env.close()


def test_code_that_kills_its_own_box_learns_of_it_and_is_not_masked(tiny: Task) -> None:
    """Only a local box can be killed by what runs in it."""
    env = SweEnv(tiny, TrustedLocalBackend(), commands=True)
    env.reset(seed=1)
    env.step(MEND.encode())
    observation, reward, terminated, truncated, info = env.step(
        RunCommand(command="kill -9 $PPID; sleep 5").encode()
    )
    assert "the sandbox broke down while this ran" in observation["output"]
    assert (reward, terminated, truncated, info["masked"]) == (0.0, False, False, False)
    assert env.step(Submit().encode())[4]["passed"]
    env.close()


def test_code_that_kills_the_graders_box_fails(tiny: Task) -> None:
    env = SweEnv(tiny, TrustedLocalBackend(), measure="never")
    env.reset(seed=1)
    env.step(WriteFile(path=MODULE, content="import os\nos.kill(os.getppid(), 9)\n").encode())
    *_, info = env.step(Submit().encode())
    assert (info["passed"], info["reason"], info["masked"]) == (False, "box_lost", False)
    env.close()
