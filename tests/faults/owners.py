"""Processes that make boxes and are killed."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deepgym_envs.owner import Owner, owner_in
from deepgym_envs.sandbox.reaper import Belonging, Place
from deepgym_envs.task import Task

BEGIN = """
import pickle, signal, sys, time
from deepgym_envs.owner import this_process
from deepgym_envs.sandbox import Command
from deepgym_envs.sandbox.bwrap import BwrapBackend
from deepgym_envs.sandbox.docker import DockerBackend
from deepgym_envs.sandbox.engine import EngineWatch, connect
from deepgym_envs.sandbox.local import LocalBackend
task = pickle.load(open(sys.argv[1], "rb"))
def ready():
    print(this_process(), flush=True)
    time.sleep(600)
"""


@contextmanager
def owner_of(task: Task, folder: Path, code: str) -> Iterator[tuple[subprocess.Popen[bytes], Owner]]:
    """A process that runs ``code``, which calls ``ready()``; killed at the end, if it was not before."""
    (folder / "task").write_bytes(pickle.dumps(task))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONWARNINGS": "ignore"}
    with subprocess.Popen(
        [sys.executable, "-c", BEGIN + code, str(folder / "task")], stdout=subprocess.PIPE, env=environment
    ) as process:
        try:
            assert process.stdout is not None
            owner = owner_in(process.stdout.readline().decode())
            assert owner is not None
            yield process, owner
        finally:
            process.send_signal(signal.SIGKILL)


def killed(task: Task, folder: Path, code: str) -> Owner:
    """The owner that ran ``code`` up to ``ready()`` and was killed there."""
    with owner_of(task, folder, code) as (_, owner):
        pass
    return owner


def of(owner: Owner, places: list[Place]) -> list[Belonging]:
    """What ``owner`` has in ``places``."""
    return [one for place in places for one in place.belongings() if one.owner == owner]
