"""Many episodes: how they are spread, counted, kept and stopped."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from deepgym_envs import Memory, SandboxError, SandboxUnavailable, Task, WorkspaceState
from deepgym_envs.errors import BoxLost, TaskError, UsageError
from deepgym_envs.evaluation import Tally, episode_seed, evaluate
from deepgym_envs.sandbox import Backend, Command, Completed, Sandbox
from deepgym_envs.statistics import wilson
from deepgym_envs.store import RunStore
from deepgym_envs.testing import FakeBackend, make_task
from deepgym_envs.trajectory import Trajectory

from .tiny import MakeTiny, backend, fake, make_tiny, tiny, tiny_tests

FIXTURES = backend, fake, make_tiny, tiny


@pytest.fixture(scope="session")
def three(make_tiny: MakeTiny) -> list[Task]:
    return [make_tiny("first"), make_tiny("second", steps=12), make_tiny("third", steps=14)]


def test_the_oracle_solves_everything_in_every_sandbox(tiny: Task, backend: Backend) -> None:
    done = evaluate([tiny], "oracle", episodes=2, workers=2, sandbox=backend)
    assert (done.total, done.sandbox, done.agent) == (Tally(1, 2, 2, 0), backend.name, "oracle")
    assert done.total.pass_at_1 == 1.0
    assert done.rows[0].reasons == {"passed": 2}


@pytest.mark.parametrize("workers", [1, 2, 5, 20])
def test_episodes_do_not_depend_on_the_number_of_workers(
    three: list[Task], fake: FakeBackend, workers: int
) -> None:
    alone: list[Trajectory] = []
    evaluate(three, "random", episodes=4, workers=1, seed=5, sandbox=fake, on_episode=alone.append)
    seen: list[Trajectory] = []
    done = evaluate(
        three, "random", episodes=4, workers=workers, seed=5, sandbox=fake, on_episode=seen.append
    )
    assert sorted(seen, key=lambda one: one.key) == sorted(alone, key=lambda one: one.key)
    assert len({one.seed for one in seen}) == 12
    assert [row.task for row in done.rows] == [task.id for task in three]
    assert all(row.episodes == 4 for row in done.rows)


def test_a_worker_stays_on_its_task_and_uses_its_boxes_again(three: list[Task], fake: FakeBackend) -> None:
    evaluate(three, "oracle", episodes=10, workers=1, sandbox=fake)
    assert len(fake.boxes) == 6  # for each task one to work in and one to judge in


def test_workers_share_a_task_where_there_is_no_other(tiny: Task) -> None:
    meeting, names = threading.Barrier(3, timeout=20), set()

    def answer(state: WorkspaceState, command: Command) -> tuple[Completed, WorkspaceState]:
        name = threading.current_thread().name
        if name not in names:
            names.add(name)
            meeting.wait()
        return tiny_tests(state, command)

    evaluate([tiny], "oracle", episodes=6, workers=3, sandbox=FakeBackend(answer))
    assert len(names) == 3


def test_what_is_known_of_a_state_is_known_to_all_workers(tiny: Task, fake: FakeBackend) -> None:
    evaluate([tiny], "noop", episodes=20, workers=2, sandbox=fake)
    assert sum(len(box.commands) for box in fake.boxes) <= 2


def test_a_memory_that_is_given_is_used_and_stays_open(tiny: Task, fake: FakeBackend, tmp_path: Path) -> None:
    with Memory(path=tmp_path) as memory:
        evaluate([tiny], "noop", episodes=2, sandbox=fake, memory=memory)
        evaluate([tiny], "noop", episodes=2, sandbox=fake, memory=memory)
        assert len(memory) == 1
    with Memory(path=tmp_path) as memory:
        done = evaluate([tiny], "noop", sandbox=fake, memory=memory)
    assert sum(len(box.commands) for box in fake.boxes) == 1
    assert done.flaky == {}


def test_a_task_that_is_not_steady_is_reported_and_not_paid(tiny: Task) -> None:
    runs: list[str] = []

    def answer(state: WorkspaceState, command: Command) -> tuple[Completed, WorkspaceState]:
        runs.extend(["hidden"] if "tests/test_hidden.py" in command.files else [])
        done, _ = tiny_tests(state if len(runs) % 2 else WorkspaceState(tiny.base), command)
        return done, state

    memory = Memory(recheck=1.0)
    memory.keep(("another task", "s", "verdict"), 0.0)
    memory.keep(("another task", "s", "verdict"), 1.0)
    done = evaluate([tiny], "oracle", episodes=3, workers=1, sandbox=FakeBackend(answer), memory=memory)
    assert done.total.solved == 0
    assert [flake.tests for flake in done.flaky[tiny.id]] == [
        ("test_hidden.py::test_add", "test_hidden.py::test_negative")
    ]
    assert done.summary()["flaky"].keys() == {tiny.id}


class Unsteady(FakeBackend):
    """Cannot open a box the first ``failures`` times."""

    def __init__(self, failures: int) -> None:
        super().__init__(tiny_tests)
        self.failures = failures

    def open(self, task: Task) -> Sandbox:
        if self.failures:
            self.failures -= 1
            raise SandboxError("no box today")
        return super().open(task)


@pytest.mark.parametrize(("failures", "masked"), [(1, 0), (2, 1), (3, 1), (4, 2), (100, 5)])
def test_a_masked_episode_is_played_once_more(tiny: Task, failures: int, masked: int) -> None:
    seen: list[Trajectory] = []
    done = evaluate(
        [tiny], "oracle", episodes=5, workers=1, sandbox=Unsteady(failures), on_episode=seen.append
    )
    assert (done.total.masked, done.total.solved, done.total.failed) == (masked, 5 - masked, 0)
    assert done.masked_share == masked / 5
    assert done.total.pass_at_1 == (1.0 if masked < 5 else None)
    assert {one.error for one in seen if one.masked} <= {"no box today"}
    summary = done.summary()
    assert summary["episodes"] == summary["solved"] + summary["failed"] + summary["masked"] == 5


def test_what_is_stored_is_not_played_again(three: list[Task], fake: FakeBackend, tmp_path: Path) -> None:
    first = evaluate(three, "random", episodes=2, sandbox=fake, out=tmp_path / "run")
    boxes = len(fake.boxes)
    seen: list[Trajectory] = []
    again = evaluate(
        three, "random", episodes=2, sandbox=fake, out=tmp_path / "run", resume=True, on_episode=seen.append
    )
    assert len(fake.boxes) == boxes
    assert again.rows == first.rows
    assert len(seen) == 6
    more = evaluate(three, "random", episodes=3, sandbox=fake, out=tmp_path / "run", resume=True)
    assert more.total.episodes == 9
    with RunStore.open(tmp_path / "run") as store:
        kept = list(store.trajectories())
    assert [(one.task, one.index) for one in kept] == [
        (task.id, index) for task in three for index in range(3)
    ]
    assert {(one.task, one.index, one.seed) for one in kept} == {
        (task.id, index, episode_seed(0, task.id, index)) for task in three for index in range(3)
    }


def test_masked_episodes_are_played_again_on_resume(tiny: Task, tmp_path: Path) -> None:
    done = evaluate([tiny], "oracle", episodes=3, sandbox=Unsteady(99), out=tmp_path)
    assert done.total.masked == 3
    done = evaluate([tiny], "oracle", episodes=3, sandbox=Unsteady(0), out=tmp_path, resume=True)
    assert done.total == Tally(1, 3, 3, 0)


def test_a_resume_with_other_settings_is_refused(
    three: list[Task], fake: FakeBackend, tmp_path: Path
) -> None:
    evaluate(three, "noop", sandbox=fake, out=tmp_path)
    with pytest.raises(ValueError, match="go on with --resume"):
        evaluate(three, "noop", sandbox=fake, out=tmp_path)
    with pytest.raises(ValueError, match="seed was 0 and is now 1"):
        evaluate(three, "noop", seed=1, sandbox=fake, out=tmp_path, resume=True)
    with pytest.raises(ValueError, match='agent was "noop" and is now "oracle"'):
        evaluate(three, "oracle", sandbox=fake, out=tmp_path, resume=True)
    with pytest.raises(ValueError, match="tasks differ"):
        evaluate(three[:1], "noop", sandbox=fake, out=tmp_path, resume=True)


def test_a_resume_with_another_script_is_refused(tiny: Task, fake: FakeBackend, tmp_path: Path) -> None:
    script = b'{"tool": "run_tests"}\n'
    task = replace(tiny, scripts={"direct": script, "wander": script})
    evaluate([task], "scripted", sandbox=fake, out=tmp_path / "run")
    longer = replace(task, scripts={"direct": script, "wander": script * 2})
    done = evaluate([longer], "scripted", episodes=2, sandbox=fake, out=tmp_path / "run", resume=True)
    assert done.total.episodes == 2
    changed = replace(task, scripts={"direct": script * 2, "wander": script})
    with pytest.raises(UsageError, match=r"scripts differ \(made/one\); give the same ones"):
        evaluate([changed], "scripted", sandbox=fake, out=tmp_path / "run", resume=True)


def test_scripts_that_nobody_plays_are_no_setting(tiny: Task, fake: FakeBackend, tmp_path: Path) -> None:
    evaluate([tiny], "noop", sandbox=fake, out=tmp_path)
    changed = replace(tiny, scripts={"direct": b'{"tool": "run_tests"}\n'})
    assert evaluate([changed], "noop", sandbox=fake, out=tmp_path, resume=True).total.episodes == 1


def test_unusable_arguments_are_refused_before_anything_is_opened(
    three: list[Task], fake: FakeBackend, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="at least one"):
        evaluate(three, "noop", episodes=0, sandbox=fake)
    with pytest.raises(ValueError, match="at least one"):
        evaluate(three, "noop", workers=0, sandbox=fake)
    with pytest.raises(ValueError, match="resume needs out"):
        evaluate(three, "noop", resume=True, sandbox=fake)
    with pytest.raises(ValueError, match="two tasks with the id"):
        evaluate([three[0], three[0]], "noop", sandbox=fake)
    with pytest.raises(ValueError, match="did you mean 'oracle'"):
        evaluate(three, "oracl", sandbox=fake)
    odd = make_task(
        tmp_path / "odd",
        source={"pkg/a.py": "", "pkg/b.py": "b"},
        gold={"pkg/b.py": None},
        hidden={"test_x.py": ""},
        fail_to_pass=["test_x.py::test_x"],
    )
    with pytest.raises(TaskError, match="the oracle cannot play"):
        evaluate([*three, odd], "oracle", sandbox=fake)
    with pytest.raises(SandboxUnavailable):
        evaluate(three, "noop", sandbox="none")  # type: ignore[arg-type]
    assert fake.boxes == []


def test_no_tasks_give_an_empty_evaluation(fake: FakeBackend) -> None:
    done = evaluate([], "noop", sandbox=fake)
    assert done.total == Tally(0, 0, 0, 0)
    assert done.summary()["pass_at_1"] is None
    assert done.masked_share == 0.0


class Rude(BaseException):
    """What nobody foresaw."""


@pytest.mark.parametrize("error", [Rude("out of order"), ValueError("a bug"), KeyError("x")])
def test_a_worker_that_fails_ends_the_run_and_closes_its_boxes(
    tiny: Task, tmp_path: Path, error: BaseException
) -> None:
    runs = []

    def answer(state: WorkspaceState, command: Command) -> tuple[Completed, WorkspaceState]:
        runs.append(command)
        if len(runs) > 5:
            raise error
        return tiny_tests(state, command)

    where = FakeBackend(answer)
    with pytest.raises(RuntimeError, match="a worker failed") as failed:
        evaluate([tiny], "random", episodes=500, workers=3, sandbox=where, out=tmp_path)
    assert failed.value.__cause__ is error
    assert all(box.closed for box in where.boxes)
    assert [thread for thread in threading.enumerate() if thread.name.startswith("deepgym-")] == []
    with RunStore.open(tmp_path) as store:
        assert not any(one.masked for one in store.trajectories())


def test_a_full_disk_ends_the_run_with_its_own_error(tiny: Task, fake: FakeBackend, tmp_path: Path) -> None:
    def remove(trajectory: Trajectory) -> None:
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="the disk is full"):
        evaluate([tiny], "noop", episodes=50, workers=2, sandbox=fake, on_episode=remove)


def test_an_interruption_stops_workers_closes_boxes_and_keeps_what_was_stored(
    three: list[Task], fake: FakeBackend, tmp_path: Path
) -> None:
    def stop(trajectory: Trajectory) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluate(three, "random", episodes=100, workers=3, sandbox=fake, out=tmp_path, on_episode=stop)
    assert all(box.closed for box in fake.boxes)
    with RunStore.open(tmp_path) as store:
        kept = list(store.trajectories())
    assert 1 <= len(kept) < 300
    assert not any(one.masked for one in kept)
    done = evaluate(three, "random", episodes=3, sandbox=fake, out=tmp_path, resume=True)
    assert done.total.episodes == 9


def test_a_worker_that_hangs_does_not_keep_an_interrupted_run(
    three: list[Task], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deepgym_envs.crew._STOP_SECONDS", 0.2)
    meeting, let_go = threading.Barrier(2, timeout=20), threading.Event()

    def answer(state: WorkspaceState, command: Command) -> tuple[Completed, WorkspaceState]:
        if meeting.wait() == 0:  # one of the two workers hangs
            let_go.wait(60)
            raise BoxLost("closed")
        return tiny_tests(state, command)

    def stop(trajectory: Trajectory) -> None:
        raise KeyboardInterrupt

    where = FakeBackend(answer)
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        evaluate(three[:2], "noop", workers=2, sandbox=where, on_episode=stop)
    assert time.monotonic() - started < 20
    let_go.set()
    for thread in threading.enumerate():
        if thread.name.startswith("deepgym-"):
            thread.join(20)
    assert all(box.closed for box in where.boxes)


@pytest.mark.slow
@pytest.mark.docker
def test_a_killed_run_goes_on_where_it_was(make_tiny: MakeTiny, backend: Backend, tmp_path: Path) -> None:
    if backend.name != "docker":
        pytest.skip("one backend is enough")
    task = make_tiny("killed")
    task_folder = next(iter(task.recipe.folder.parents[1].glob("killed")))
    code = textwrap.dedent("""
        import sys
        from pathlib import Path
        from deepgym_envs import load_task
        from deepgym_envs.evaluation import evaluate
        evaluate([load_task(sys.argv[1])], "oracle", episodes=40, workers=2, sandbox="docker",
                 out=Path(sys.argv[2]), resume=True, on_episode=lambda one: print(one.index, flush=True))
    """)
    command = [sys.executable, "-c", code, str(task_folder), str(tmp_path / "run")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1]) as run:
        assert run.stdout is not None
        said = [int(run.stdout.readline()) for _ in range(3)]
        run.send_signal(signal.SIGKILL)
        said += [int(line) for line in run.stdout.read().split("\n")[:-1]]
    with RunStore.open(tmp_path / "run") as store:
        kept = {one.index for one in store.trajectories()}
    assert kept >= set(said)
    assert len(kept) < 40
    done = evaluate(
        [task], "oracle", episodes=40, workers=2, sandbox=backend, out=tmp_path / "run", resume=True
    )
    assert done.total == Tally(1, 40, 40, 0)
    with RunStore.open(tmp_path / "run") as store:
        assert [one.index for one in store.trajectories()] == list(range(40))


def test_kinds_are_counted_apart(fake: FakeBackend, tmp_path: Path, tiny: Task) -> None:
    other = make_task(
        tmp_path / "other",
        source={"tiny/__init__.py": "x = 1\n"},
        gold={"tiny/__init__.py": "x = 2\n"},
        hidden={"test_hidden.py": ""},
        fail_to_pass=["test_hidden.py::test_add"],
        kind="feature",
        repo="other",
    )
    done = evaluate([tiny, other], "oracle", episodes=2, sandbox=fake)
    assert done.by_kind == {"bug": Tally(1, 2, 2, 0), "feature": Tally(1, 2, 0, 0)}
    summary = done.summary()
    assert summary["by_kind"]["feature"]["pass_at_1"] == 0.0
    assert summary["per_task"][other.id]["kind"] == "feature"
    assert (summary["tasks"], summary["episodes"], summary["solved"], summary["failed"]) == (2, 4, 2, 2)


def test_seeds_are_spread() -> None:
    seeds = {episode_seed(seed, task, index) for seed in range(3) for task in "ab" for index in range(50)}
    assert len(seeds) == 300
    assert all(0 <= seed < 2**32 for seed in seeds)


# Computed once with another program: Brown, Cai and DasGupta's formula in 50 digits.
@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [(0, 10, 0.0, 0.27753), (1, 10, 0.01788, 0.40415), (5, 10, 0.23659, 0.76341), (10, 10, 0.72247, 1.0)],
)
def test_wilson(successes: int, trials: int, low: float, high: float) -> None:
    assert wilson(successes, trials) == pytest.approx((low, high), abs=1e-5)


@pytest.mark.parametrize(("successes", "trials"), [(-1, 3), (4, 3), (1, 0)])
def test_wilson_refuses_what_cannot_be(successes: int, trials: int) -> None:
    with pytest.raises(ValueError, match="not possible"):
        wilson(successes, trials)
