"""Where hostile code is tried: the first backend that isolates and works here, and the tiny task."""

from __future__ import annotations

from dataclasses import replace

import pytest

from deepgym_envs import Task
from deepgym_envs.errors import SandboxUnavailable
from deepgym_envs.sandbox import Backend, choose_backend
from deepgym_envs.sandbox.bwrap import BwrapBackend
from deepgym_envs.task import HiddenTests
from deepgym_envs.twin import Change, Place, TestTwins, Twins, file_digest

from ..tiny import MakeTiny  # noqa: TID252

PAIRS = 20


@pytest.fixture(scope="session")
def somewhere() -> Backend:
    """Bubblewrap if it works, whose boxes are quick to open, or else Docker."""
    if BwrapBackend().problem() is None:
        return BwrapBackend()
    try:
        return choose_backend("auto")
    except SandboxUnavailable as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def prey(make_tiny: MakeTiny) -> Task:
    """The tiny task with little time and room."""
    return make_tiny("prey", test_seconds=8, pids=64, memory_mb=256)


@pytest.fixture(scope="session")
def guarded(prey: Task) -> Task:
    """The same with so many tests that have twins that no guess comes through: 2**-20."""
    sums = [(7 * number % 30, 11 * number % 17 + 1) for number in range(PAIRS)]
    lines = [
        "from tiny import add",
        *(f"def test_{a}_{b}():\n    assert add({a}, {b}) == {a + b}" for a, b in sums),
    ]
    source = "\n".join(lines).encode()
    tests = [
        TestTwins(
            test=f"test_hidden.py::test_{a}_{b}",
            cases=("",),
            changes=tuple(
                Change(at=_place(lines, number), wrong=str(a + b + step), fails={0: ""}) for step in (-1, 1)
            ),
        )
        for number, (a, b) in enumerate(sums)
    ]
    listed = HiddenTests(fail_to_pass=tuple(each.test for each in tests))
    return replace(
        prey,
        content=replace(
            prey.files,
            hidden={"test_hidden.py": source},
            twins=Twins(files={"test_hidden.py": file_digest(source)}, tests=tuple(tests)),
        ),
        manifest=prey.manifest.model_copy(update={"tests": listed}),
    )


def _place(lines: list[str], number: int) -> Place:
    text = lines[number + 1].splitlines()[1]
    line = 2 * number + 3
    return line, text.rindex(" ") + 1, line, len(text)
