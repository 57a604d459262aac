"""The engine is stopped or killed under a run, and comes back: what was being played is masked, and the run goes on."""

# ruff: noqa: TID252 - the tests are no package that could be named

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NoReturn

import pytest

from deepgym_envs import SweEnv, Task
from deepgym_envs.action import ListFiles, RunCommand, Submit, WriteFile
from deepgym_envs.errors import SandboxError
from deepgym_envs.evaluation import evaluate
from deepgym_envs.sandbox import Sandbox
from deepgym_envs.sandbox.docker import DockerBackend, quiet
from deepgym_envs.sandbox.engine import Containers, connect
from deepgym_envs.sandbox.image import task_image
from deepgym_envs.sandbox.reaper import reap
from deepgym_envs.store import RunStore
from deepgym_envs.testing import FakeBackend

from ..tiny import SOLVED, make_tiny, tiny, tiny_tests
from .engine import Engine, engine_problem, short_folder

FIXTURES = make_tiny, tiny
ROOT = Path(__file__).parents[2]
MODULE = "tiny/__init__.py"
SLOW = "import time\ntime.sleep(4)\n" + SOLVED
END = pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL], ids=["stopped", "killed"])
# The Docker SDK drops its socket where there is nobody to connect to.
pytestmark = [
    pytest.mark.alone,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def engine(tiny: Task) -> Iterator[Engine]:
    """An engine that has the tiny task's image."""
    problem = engine_problem()
    if problem is not None:
        give_up(problem)
    client = connect()
    tag = task_image(client, tiny, quiet)
    client.close()
    own = Engine(short_folder())
    try:
        problem = own.start()
        if problem is not None:
            give_up(f"a second engine does not start here: {problem}")
        own.load(tag)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("DOCKER_HOST", own.address)
            yield own
        gc.collect()
    finally:
        own.remove()


def give_up(problem: str) -> NoReturn:
    """Skip, but not where an engine is required, as in CI."""
    if "docker" in os.environ.get("DEEPGYM_TESTS_REQUIRE", ""):
        pytest.fail(problem)
    pytest.skip(problem)


@pytest.fixture
def env(engine: Engine, tiny: Task) -> Iterator[SweEnv]:
    env = SweEnv(tiny, DockerBackend(), commands=True, measure="never")
    yield env
    env.close()
    assert engine.containers() == []


def check_that_it_can_be_played(env: SweEnv) -> None:
    _, info = env.reset(seed=2)
    assert not info["masked"]
    assert env.step(RunCommand(command="echo alive").encode())[0]["output"] == "alive\n[exit code 0]"
    env.step(WriteFile(path=MODULE, content=SOLVED).encode())
    assert env.step(Submit().encode())[4]["passed"]


def bring_back(engine: Engine) -> None:
    problem = engine.start()
    assert problem is None, problem


@pytest.mark.slow
@pytest.mark.docker
@END
def test_in_the_middle_of_a_command(engine: Engine, env: SweEnv, end: signal.Signals) -> None:
    env.reset(seed=1)
    env.step(RunCommand(command="echo x > file").encode())
    stopping = threading.Timer(0.7, engine.stop, [end])
    stopping.start()
    _, reward, terminated, truncated, info = env.step(RunCommand(command="sleep 8").encode())
    stopping.join()
    bring_back(engine)
    assert (reward, terminated, truncated, info["masked"], info["judged"]) == (0.0, False, True, True, False)
    assert "engine" in info["error"]
    check_that_it_can_be_played(env)


@pytest.mark.slow
@pytest.mark.docker
@END
def test_between_two_steps_nothing_is_lost_if_it_is_back_at_the_second(
    engine: Engine, env: SweEnv, end: signal.Signals
) -> None:
    env.reset(seed=1)
    env.step(RunCommand(command="echo x > file").encode())
    engine.stop(end)
    bring_back(engine)
    observation, _, _, truncated, info = env.step(ListFiles().encode())
    assert (truncated, info["masked"]) == (False, False)
    assert "2  file" in observation["output"]
    check_that_it_can_be_played(env)


@pytest.mark.slow
@pytest.mark.docker
@END
def test_while_a_solution_is_judged(engine: Engine, env: SweEnv, end: signal.Signals) -> None:
    env.reset(seed=1)
    env.step(WriteFile(path=MODULE, content=SLOW).encode())
    stopping = threading.Timer(1.5, engine.stop, [end])
    stopping.start()
    _, reward, terminated, truncated, info = env.step(Submit().encode())
    stopping.join()
    bring_back(engine)
    assert (reward, terminated, truncated, info["masked"], info["judged"]) == (0.0, False, True, True, False)
    assert "could not be judged" in info["error"]
    check_that_it_can_be_played(env)


@pytest.mark.slow
@pytest.mark.docker
def test_without_an_engine_the_first_step_is_masked_and_the_next_episode_with_it_works(
    engine: Engine, env: SweEnv
) -> None:
    env.reset(seed=1)
    env.step(RunCommand(command="echo x > file").encode())
    engine.stop(signal.SIGTERM)
    try:
        env.reset(seed=1)
        _, _, _, truncated, info = env.step(ListFiles().encode())
        assert (truncated, info["masked"]) == (True, True)
        assert "no Docker engine answers" in info["error"]
        with pytest.raises(SandboxError, match="no Docker engine answers"):
            env.reset(seed=1)
    finally:
        bring_back(engine)
    check_that_it_can_be_played(env)


@pytest.mark.slow
@pytest.mark.docker
def test_a_run_waits_for_the_engine_and_loses_no_episode(engine: Engine, tiny: Task, tmp_path: Path) -> None:
    folder = tiny.recipe.folder.parents[1] / tiny.id.split("/")[1]
    script = tmp_path / "reads.jsonl"  # a read needs a box, as steps to states that are known do not
    calls = [{"tool": "read_file", "arguments": {"path": MODULE}}] * 20
    calls.append({"tool": "write_file", "arguments": {"path": MODULE, "content": SOLVED}})
    script.write_text("".join(json.dumps(call) + "\n" for call in calls))
    command = [sys.executable, "-m", "deepgym_envs", "eval", "--task", str(folder), "--sandbox", "docker",
               "--agent", f"scripted:{script}", "-n", "300", "--workers", "2", "--out", str(tmp_path / "run"), "--json"]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT, env=environment
    ) as run:
        while run.poll() is None and stored(tmp_path / "run") < 3:
            time.sleep(0.01)
        engine.stop(signal.SIGKILL)
        before = stored(tmp_path / "run")
        time.sleep(5)
        bring_back(engine)
        try:
            said, errors = run.communicate(timeout=240)
        finally:
            run.kill()
    assert run.returncode == 0, errors
    result = json.loads(said)
    assert 3 <= before < 300, "the engine was not stopped in mid-run"
    assert (result["episodes"], result["solved"], result["masked"]) == (300, 300, 0)
    assert stored(tmp_path / "run") == 300
    left, why = left_by_the_reaper()
    assert {state for _, state in left} <= {"dead"}, why
    if left:  # it may list, and not find, what it was removing when it died, until it is started anew
        engine.stop(signal.SIGTERM)
        bring_back(engine)
        left, why = left_by_the_reaper()
    assert left == [], why


def left_by_the_reaper() -> tuple[list[tuple[str, str]], str]:
    """The containers, with their states, that are still there after some time, and what was done about them."""
    said = "nothing"
    end = time.monotonic() + 20
    with closing(connect()) as client:
        while (rows := client.api.containers(all=True)) and time.monotonic() < end:
            said = repr(reap([Containers(client)]))
            time.sleep(0.2)
    return [(row["Id"], row["State"]) for row in rows], said


def stored(out: Path) -> int:
    try:
        with RunStore.open(out) as store:
            return len(store.finished())
    except (OSError, ValueError):
        return 0


class Restarted(FakeBackend):
    """A backend that is gone from its ``first`` box on, until it was looked for ``looks`` times."""

    def __init__(self, looks: float) -> None:
        super().__init__(tiny_tests)
        self.looks = looks
        self.seen = 0

    def problem(self) -> str | None:
        self.seen += 1
        return "it is being restarted" if self.seen <= self.looks else None

    def open(self, task: Task) -> Sandbox:
        if self.seen <= self.looks:
            raise SandboxError("it is being restarted")
        return super().open(task)


@pytest.mark.parametrize("looks", [1, 5])
def test_an_episode_is_played_again_once_the_backend_works(
    tiny: Task, monkeypatch: pytest.MonkeyPatch, looks: int
) -> None:
    monkeypatch.setattr("deepgym_envs.crew._LOOK_SECONDS", 0.01)
    backend = Restarted(looks)
    done = evaluate([tiny], "oracle", episodes=3, workers=1, sandbox=backend)
    assert (done.total.solved, done.total.masked) == (3, 0)
    assert all(box.closed for box in backend.boxes)


def test_a_backend_that_is_gone_for_good_is_waited_for_once_and_the_result_says_why(
    tiny: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deepgym_envs.crew._RECOVERY_SECONDS", 0.3)
    monkeypatch.setattr("deepgym_envs.crew._LOOK_SECONDS", 0.05)
    backend = Restarted(float("inf"))
    done = evaluate([tiny], "oracle", episodes=50, workers=1, sandbox=backend)
    assert backend.seen < 80
    row = done.summary()["per_task"][tiny.id]
    assert (row["masked"], row["troubles"]) == (50, {"it is being restarted": 50})
