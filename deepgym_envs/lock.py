"""One builder at a time: a lock between processes that dies with its holder."""

from __future__ import annotations

import fcntl
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

from deepgym_envs.paths import cache_dir


@contextmanager
def exclusive(name: str) -> Iterator[None]:
    """Hold the lock called ``name``; waits while another process or thread on this machine holds it."""
    folder = cache_dir() / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / hashlib.sha256(name.encode()).hexdigest()[:32]).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
