"""A task whose solution has two parts, and a world of fakes in which it can be cheated on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from deepgym_envs import Task, WorkspaceState
from deepgym_envs.grade import Verdict
from deepgym_envs.sandbox import Command, Completed
from deepgym_envs.task import Limits
from deepgym_envs.testing import FakeBackend, completed, make_task

from ...tiny import HIDDEN, SOLVED, VISIBLE, tiny_tests  # noqa: TID252

MODULE = "tiny/__init__.py"
TWO_BUGS = SOLVED.replace("a + b", "a * b").replace("2 * a", "a")


@pytest.fixture(scope="session")
def two(tmp_path_factory: pytest.TempPathFactory) -> Task:
    """A package of which two functions are wrong; one visible test passes."""
    return make_task(
        tmp_path_factory.mktemp("tasks") / "two",
        source={MODULE: TWO_BUGS, "tests/test_tiny.py": VISIBLE, "pyproject.toml": ""},
        hidden={"test_hidden.py": HIDDEN},
        gold={MODULE: SOLVED},
        fail_to_pass=[f"test_hidden.py::test_{name}" for name in ("add", "negative", "double")],
        editable=["tiny/**"],
        limits=Limits(test_seconds=8, memory_mb=256, pids=64, disk_mb=16),
    )


def judged(task: Task, state: WorkspaceState) -> Verdict:
    """What the hidden tests would say of a state that nobody has tampered with."""
    command = Command(("python",), 1, files={"launcher.py": b"", "tests/test_hidden.py": b""})
    done, _ = tiny_tests(state, command)
    passed = done.exit_code == 0
    return Verdict(float(passed), passed, "passed" if passed else "tests_failed", task.id, state.digest)


def gullible(state: WorkspaceState, command: Command) -> tuple[Completed, WorkspaceState]:
    """Tests that end well wherever ``os._exit`` stands in the module; no cheat is carried out here."""
    module = state.get(MODULE)
    text = module.data.decode() if module is not None else ""
    if "_payload(" in text or "conftest.py" in state.changes:
        return completed(0 if "os._exit(0)" in text else 1), state
    if "launcher.py" not in command.files:
        command = replace(command, files={"launcher.py": b"", "tests/test_hidden.py": b""})
    return tiny_tests(state, command)


@pytest.fixture
def world() -> FakeBackend:
    """A backend of boxes in which ``gullible`` is what happens."""
    return FakeBackend(gullible)
