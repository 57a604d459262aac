"""A group that hands in equal patches costs one run of the hidden tests, in threads and in processes, in real boxes."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from deepgym_envs import Grader, Memory, Task, make_vec
from deepgym_envs.action import Action, EditFile, RunTests, Submit
from deepgym_envs.sandbox import Backend, Captured, Command, Completed, Found, Query, Sandbox
from deepgym_envs.sandbox.contract import Closing
from deepgym_envs.state import WorkspaceState

from ..tiny import isolating, make_tiny, tiny  # noqa: TID252

FIXTURES = (isolating, make_tiny, tiny)
MEND = EditFile(path="tiny/__init__.py", old="a - b", new="a + b")


class CountingBox(Closing):
    """A box that notes each run of tests in a file; implements ``Sandbox``."""

    def __init__(self, box: Sandbox, notes: Path) -> None:
        self._box = box
        self._notes = notes

    def restore(self, state: WorkspaceState) -> None:
        self._box.restore(state)

    def capture(self) -> Captured:
        return self._box.capture()

    def read(self, path: str, limit: int) -> tuple[bytes, int]:
        return self._box.read(path, limit)

    def find(self, query: Query) -> Found:
        return self._box.find(query)

    def run(self, command: Command) -> Completed:
        hidden = "tests/test_hidden.py" in command.files
        with self._notes.open("a") as file:
            file.write("hidden\n" if hidden else "visible\n")
        return self._box.run(command)

    def close(self) -> None:
        self._box.close()


class CountingBackend:
    """Counts what is run in the boxes of another backend, in whatever process."""

    def __init__(self, backend: Backend, notes: Path) -> None:
        self._backend = backend
        self._notes = notes
        notes.touch()

    @property
    def name(self) -> str:
        return self._backend.name

    def problem(self) -> str | None:
        return self._backend.problem()

    def prepare(self, task: Task) -> None:
        self._backend.prepare(task)

    def open(self, task: Task) -> Sandbox:
        return CountingBox(self._backend.open(task), self._notes)

    def count(self, kind: str) -> int:
        return self._notes.read_text().split().count(kind)


@pytest.mark.slow
def test_threads_grade_equal_patches_once(tiny: Task, isolating: Backend, tmp_path: Path) -> None:
    backend, memory, passed = CountingBackend(isolating, tmp_path / "runs"), Memory(), []

    def judge() -> None:
        with Grader(tiny, backend, memory) as grader:
            passed.append(grader.grade(tiny.gold).passed)

    threads = [threading.Thread(target=judge) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert passed == [True] * 4
    assert backend.count("hidden") == 1


@pytest.mark.slow
def test_processes_grade_equal_patches_once(tiny: Task, isolating: Backend, tmp_path: Path) -> None:
    backend = CountingBackend(isolating, tmp_path / "runs")
    assert tiny.digest
    with Memory(path=tmp_path / "memory") as memory:
        env = make_vec(tiny, 4, sandbox=backend, memory=memory)
        try:
            env.reset(seed=1)
            for action in (MEND, RunTests(), Submit()):
                *_, infos = env.step(batch(action, 4))
            assert infos["passed"].tolist() == [True] * 4
        finally:
            env.close()
    # Of the base one run. Of the mended state each agent has its own, unless one was done before another began;
    # the potential is one of these.
    assert backend.count("hidden") == 1
    assert 1 + 1 <= backend.count("visible") <= 1 + 4


def batch(action: Action, count: int) -> dict[str, object]:
    row = action.encode()
    return {
        name: (value,) * count if isinstance(value, str) else np.stack([value] * count)
        for name, value in row.items()
    }
