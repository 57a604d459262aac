"""Where the boxes that are measured come from: the one place to change in order to measure other settings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from deepgym_envs.sandbox import Pool, choose_backend

Name = Literal["docker", "bwrap"]


SIZE = 16


@contextmanager
def boxes(name: Name = "docker") -> Iterator[Pool]:
    """Boxes as a trainer would use them: one pool for all environments; at the end nothing of it is left.

    Raises:
        SandboxUnavailable: it cannot be used here.
    """
    with Pool(choose_backend(name), size=SIZE) as pool:
        yield pool
