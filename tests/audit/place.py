"""Where hostile code is tried: the first backend that isolates and works here, and the tiny task."""

from __future__ import annotations

import pytest

from deepgym_envs import Task
from deepgym_envs.errors import SandboxUnavailable
from deepgym_envs.sandbox import Backend, choose_backend
from deepgym_envs.sandbox.bwrap import BwrapBackend

from ..tiny import MakeTiny  # noqa: TID252


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
