"""Where the boxes that are measured come from: the one place to change in order to measure other settings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from deepgym_envs.sandbox import Backend, choose_backend

Name = Literal["docker", "bwrap"]


@contextmanager
def boxes(name: Name = "docker") -> Iterator[Backend]:
    """The backend as a trainer would use it; at the end nothing of it is left.

    Raises:
        SandboxUnavailable: it cannot be used here.
    """
    yield choose_backend(name)
