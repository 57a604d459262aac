"""Environments that share boxes: branches of an episode, graders beside players, and nothing left at the end."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from deepgym_envs import Memory, SweEnv, Task, make_vec
from deepgym_envs.action import EditFile, ReadFile, RunCommand, RunTests, Submit, WriteFile
from deepgym_envs.evaluation import evaluate
from deepgym_envs.sandbox import Backend, Pool
from deepgym_envs.testing import FakeBackend

from .opening import Opening
from .tiny import BROKEN, SOLVED, MakeTiny, fake, isolating, make_tiny, tiny

FIXTURES = (fake, isolating, make_tiny, tiny)
MODULE = "tiny/__init__.py"
MEND = EditFile(path=MODULE, old="a - b", new="a + b")
TRIES = [SOLVED, BROKEN, "def add(:", SOLVED.replace("2 * a", "3 * a"), BROKEN.replace("2 * a", "a + a")]


@pytest.fixture
def opening(isolating: Backend) -> Opening:
    return Opening(isolating)


def finish(env: SweEnv, number: int) -> list[Any]:
    """Try something, test it and submit; what is seen of it."""
    content = f"{TRIES[number % len(TRIES)]}\n# try {number % 8}\n"
    rows: list[Any] = [env.step(WriteFile(path=MODULE, content=content).encode())]
    rows.append(env.step(RunCommand(command=f"echo {number % 8} > note; ls; cat note").encode()))
    rows.append(env.step(RunTests().encode()))
    rows.append(env.step(Submit().encode()))
    return [str(row) for row in rows]


@pytest.mark.slow
def test_64_branches_over_a_few_boxes_are_like_environments_of_their_own(
    opening: Opening, isolating: Backend, tiny: Task
) -> None:
    with Pool(opening, size=3) as pool:
        root = SweEnv(tiny, pool, commands=True)
        root.reset(seed=1)
        root.step(MEND.encode())
        branches = [root.fork() for _ in range(64)]
        with ThreadPoolExecutor(8) as threads:
            seen = list(threads.map(finish, branches, range(64)))
        assert max(_alive_by_purpose(pool)) <= 3
        assert opening.most <= 6
        assert root.state.changed_paths == (MODULE,)
        for branch in branches:
            branch.close()
    assert opening.alive == 0
    memory = Memory()
    for number in range(8):
        env = SweEnv(tiny, isolating, commands=True, memory=memory)
        env.reset(seed=1)
        env.step(MEND.encode())
        assert finish(env, number) == seen[number]
        env.close()
    alike: dict[tuple[int, int], list[Any]] = {}
    for number, rows in enumerate(seen):
        assert alike.setdefault((number % len(TRIES), number % 8), rows) == rows


def _alive_by_purpose(pool: Pool) -> Sequence[int]:
    purposes = [slot.kind.purpose for slot in pool._stock._shelf.slots]
    return [purposes.count("play"), purposes.count("grade")]


def test_a_fork_opens_no_box(tiny: Task, fake: FakeBackend) -> None:
    env = SweEnv(tiny, fake, measure="never", commands=True)
    env.reset(seed=1)
    env.step(MEND.encode())
    env.step(RunCommand(command="true").encode())
    forks = [env.fork() for _ in range(64)]
    for fork in forks:
        assert "a + b" in fork.step(ReadFile(path=MODULE).encode())[0]["output"]
    env.close()
    for fork in forks:
        assert fork.step(Submit().encode())[4]["passed"]
        fork.close()
    assert len(fake.boxes) <= 2


def test_one_box_to_play_and_one_to_grade_are_enough_for_many(opening: Opening, tiny: Task) -> None:
    with Pool(opening, size=1) as pool:
        memory = Memory()
        envs = [SweEnv(tiny, pool, commands=True, memory=memory) for _ in range(3)]
        for env in envs:
            env.reset(seed=1)
        with ThreadPoolExecutor(3) as threads:
            seen = list(threads.map(finish, envs, range(3)))
        assert ["'passed': True" in rows[-1] for rows in seen] == [True, False, False]
        assert opening.most <= 2
        for env in envs:
            env.close()
    assert opening.alive == 0


def open_things() -> tuple[int, int]:
    """How many descriptors and threads there are."""
    return len(list(Path("/proc/self/fd").iterdir())), threading.active_count()


def test_after_the_last_close_nothing_is_left(opening: Opening, tiny: Task) -> None:
    def play() -> None:
        env = SweEnv(tiny, opening, commands=True)
        env.reset(seed=1)
        env.step(RunCommand(command="echo x > y").encode())
        fork = env.fork()
        env.close()
        assert opening.alive > 0
        fork.step(Submit().encode())
        fork.close()
        assert opening.alive == 0

    play()
    before = open_things()
    for _ in range(3):
        play()
    assert open_things() == before


def test_the_grading_box_is_there_before_anything_is_submitted(tiny: Task, fake: FakeBackend) -> None:
    with Pool(fake) as pool:
        env = SweEnv(tiny, pool, measure="never")
        env.reset(seed=1)
        with pool.grading.open(tiny) as box:  # type: ignore[attr-defined]
            box.capture()
        assert len(fake.boxes) == 2
        env.step(Submit().encode())
        assert len(fake.boxes) == 2
        env.close()
        assert not any(box.closed for box in fake.boxes)


def test_an_evaluation_uses_the_pool_that_it_is_given(make_tiny: MakeTiny, fake: FakeBackend) -> None:
    tasks = [make_tiny(name) for name in ("first", "second", "third")]
    with Pool(fake, size=3) as pool:
        for _ in range(2):
            assert evaluate(tasks, "oracle", episodes=2, workers=2, sandbox=pool).total.solved == 6
        assert not any(box.closed for box in fake.boxes)
        assert len(fake.boxes) <= 6


def test_environments_of_one_thread_share_their_boxes(tiny: Task, fake: FakeBackend) -> None:
    envs = make_vec(tiny, 6, sandbox=fake, vectorization_mode="sync", measure="never")
    envs.reset(seed=1)
    assert sum(not box.closed for box in fake.boxes) <= 2
    envs.close()
    assert all(box.closed for box in fake.boxes)
