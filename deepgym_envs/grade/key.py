"""What a result is remembered under: all that it depends on."""

from __future__ import annotations

import hashlib
import platform
from functools import cache
from pathlib import Path
from typing import TypeAlias

from deepgym_envs.state import WorkspaceState
from deepgym_envs.task import Task

ResultKey: TypeAlias = tuple[str, str, str]
"""Task digest, state digest, what was asked of the state and how."""


def result_key(task: Task, state: WorkspaceState, asked: str, backend: str) -> ResultKey:
    """The key of what was ``asked`` of ``state``; no backend answers for another, nor old code for new.

    How fast a box is (``cpus``, other work on the machine) is not in it. That decides whether time runs out,
    which a memory never writes to its file.
    """
    return task.digest, state.digest, f"{asked} {backend} {_ways()}"


def code_digest() -> str:
    """Of the code that finds results out, with the host's Python: 16 hexadecimal digits."""
    return _ways()


@cache
def _ways() -> str:
    """Changes with the code that finds results out, and with the host's Python, which some boxes run."""
    total = hashlib.sha256(platform.python_version().encode())
    package = Path(__file__).parent.parent
    beside = [
        package / name for name in ("toolbox.py", "plain.py", "oracle_input.py", "oracle_file.py", "twin.py")
    ]
    for path in sorted([*package.glob("grade/*.py"), *package.glob("sandbox/**/*.py"), *beside]):
        data = path.read_bytes()
        total.update(f" {path.name} {len(data)} ".encode() + data)
    return total.hexdigest()[:16]
