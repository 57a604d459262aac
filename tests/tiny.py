"""One tiny task, and every place where it can be played, as fixtures for the tests that import them.

A module names those that it imports in a tuple, which tells linters that they are used.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterator, Mapping

import pytest

from deepgym_envs import Task, WorkspaceState
from deepgym_envs.sandbox import Backend, Command, Completed, Sandbox
from deepgym_envs.sandbox.local import LocalBackend, UntrustedCodeWarning
from deepgym_envs.task import Limits
from deepgym_envs.testing import FakeBackend, completed, make_task
from deepgym_envs.twin import Change, TestTwins, Twins, file_digest

BROKEN = "def add(a, b):\n    return a - b\n\n\ndef double(a):\n    return 2 * a\n"
SOLVED = BROKEN.replace("a - b", "a + b")
VISIBLE = """\
from tiny import add, double


def test_add_zero():
    assert add(3, 0) == 3


def test_add():
    assert add(3, 2) == 5


def test_double():
    assert double(3) == 6
"""
HIDDEN = """\
from tiny import add, double


def test_add():
    assert add(30, 2) == 32


def test_negative():
    assert add(-1, 2) == 1


def test_double():
    assert double(30) == 60
"""

TINY_TWINS = Twins(
    files={"test_hidden.py": file_digest(HIDDEN.encode())},
    tests=tuple(
        TestTwins(
            test=f"test_hidden.py::{name}",
            cases=("",),
            changes=tuple(Change(at=at, wrong=wrong, fails={0: ""}) for wrong in values),
        )
        for name, at, values in (
            ("test_add", (5, 25, 5, 27), ("31", "60")),
            ("test_negative", (9, 25, 9, 26), ("2", "32")),
            ("test_double", (13, 25, 13, 27), ("59", "61")),
        )
    ),
)
"""What a recording of the tiny task finds of twins, or nearly so."""

MakeTiny = Callable[..., Task]


class TrustedLocalBackend(LocalBackend):
    """The local backend for code that is ours: without the warning, which is an error in these tests."""

    def open(self, task: Task) -> Sandbox:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UntrustedCodeWarning)
            return super().open(task)


@pytest.fixture(scope="session")
def make_tiny(tmp_path_factory: pytest.TempPathFactory) -> MakeTiny:
    """Makes the tiny task with the limits given; tasks of one base share their image."""

    def make(name: str = "one", editable: tuple[str, ...] = ("tiny/**",), **limits: float) -> Task:
        return make_task(
            tmp_path_factory.mktemp("tasks") / name,
            source={"tiny/__init__.py": BROKEN, "tests/test_tiny.py": VISIBLE, "pyproject.toml": ""},
            hidden={"test_hidden.py": HIDDEN},
            gold={"tiny/__init__.py": SOLVED},
            fail_to_pass=["test_hidden.py::test_add", "test_hidden.py::test_negative"],
            pass_to_pass=["test_hidden.py::test_double"],
            editable=editable,
            limits=Limits.model_validate(
                {"test_seconds": 20, "command_seconds": 10, "disk_mb": 16, **limits}
            ),
        )

    return make


@pytest.fixture(scope="session")
def tiny(make_tiny: MakeTiny) -> Task:
    """A package whose ``add`` subtracts; two of its three visible tests pass."""
    return make_tiny()


@pytest.fixture(
    scope="session",
    params=[
        pytest.param("docker", marks=pytest.mark.docker),
        pytest.param("bwrap", marks=pytest.mark.bwrap),
        "local",
    ],
)
def backend(request: pytest.FixtureRequest) -> Backend:
    """Every kind of sandbox that works on this machine."""
    return _backend(request.param)


@pytest.fixture(
    scope="session",
    params=[
        pytest.param("docker", marks=pytest.mark.docker),
        pytest.param("bwrap", marks=pytest.mark.bwrap),
    ],
)
def isolating(request: pytest.FixtureRequest) -> Backend:
    """Every kind of sandbox to which hostile code may be given."""
    return _backend(request.param)


@pytest.fixture
def fake() -> Iterator[FakeBackend]:
    """A backend of fakes in which the tiny task's tests have the outcomes that they would really have."""
    backend = FakeBackend(tiny_tests)
    yield backend
    assert all(box.closed for box in backend.boxes), "a test left a box open"


def _backend(name: str) -> Backend:
    if name == "local":
        return TrustedLocalBackend()
    if name == "docker":
        from deepgym_envs.sandbox.docker import DockerBackend as Chosen  # noqa: PLC0415
    else:
        from deepgym_envs.sandbox.bwrap import BwrapBackend as Chosen  # type: ignore[assignment]  # noqa: PLC0415
    backend: Backend = Chosen()
    problem = backend.problem()
    if problem is not None:
        pytest.skip(problem)
    return backend


def tiny_tests(state: WorkspaceState, command: Command) -> tuple[Completed, WorkspaceState]:
    """What the launcher would report of the tiny task in ``state``; other commands do nothing."""
    if "launcher.py" not in command.files:
        return completed(), state
    hidden = "tests/test_hidden.py" in command.files
    file = state.get("tests/test_tiny.py")
    tests = HIDDEN if hidden else file.data.decode() if file else ""
    module = state.get("tiny/__init__.py")
    rows = _rows(
        "test_hidden.py" if hidden else "tests/test_tiny.py", tests, module.data.decode() if module else ""
    )
    report = "".join(json.dumps(row) + "\n" for row in rows).encode()
    return completed(
        0 if all(row.get("outcome", "passed") == "passed" for row in rows) else 1, report=report
    ), state


def _rows(file: str, tests: str, code: str) -> list[Mapping[str, object]]:
    names: dict[str, object] = {}
    rows: list[Mapping[str, object]] = []
    try:
        exec(code, names)
        exec(tests.replace("from tiny import add, double\n", ""), names)
    except Exception:
        return [{"broken": file, "detail": "broken"}, {"exit": 2, "collected": 0}]
    for name in [name for name in names if name.startswith("test_")]:
        try:
            names[name]()  # type: ignore[operator]
            outcome = "passed"
        except Exception:
            outcome = "failed"
        for when in ("setup", "call", "teardown"):
            result = outcome if when == "call" else "passed"
            rows.append({"test": f"{file}::{name}", "when": when, "outcome": result, "detail": ""})
    return [*rows, {"exit": 0, "collected": len(rows) // 3}]
