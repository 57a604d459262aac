"""Boxes that are plain subprocesses. They isolate nothing: the code in them can do whatever its user can."""

from __future__ import annotations

import os
import signal
import tempfile
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from deepgym_envs.errors import SandboxError
from deepgym_envs.owner import own_prefix, this_process
from deepgym_envs.sandbox.box import Box, agent_environment
from deepgym_envs.sandbox.boxd.folders import DIRECTORY, empty
from deepgym_envs.sandbox.channel import Channel
from deepgym_envs.sandbox.contract import Sandbox
from deepgym_envs.sandbox.hostenv import host_environment
from deepgym_envs.sandbox.pipes import ChildProgram
from deepgym_envs.sandbox.program import BOXD, BoxConfig, start_command
from deepgym_envs.sandbox.reaper import Once, host_places, reap
from deepgym_envs.task import Limits, Task

END_SECONDS = 5.0


class UntrustedCodeWarning(UserWarning):
    """A box without isolation was opened; filter this only where all code that will run in it is yours."""


@dataclass
class LocalBackend:
    """Plain subprocesses in a temporary folder, for code that you trust as much as your own.

    There is no isolation from files, network or other processes, and no limit on disk; memory is limited for
    each process, not for all together. ``report`` is told what takes long, such as a build.
    """

    report: Callable[[str], None] | None = None
    _reaping: Once = field(default_factory=Once, init=False, repr=False)

    @property
    def name(self) -> str:
        """``local``."""
        return "local"

    def problem(self) -> str | None:
        """See ``Backend.problem``."""
        return None

    def prepare(self, task: Task) -> None:
        """See ``Backend.prepare``."""
        host_environment(task.recipe, self.report)

    def place(self, task: Task) -> str:
        """See ``Placed.place``: the address of the environment, which is one of content."""
        return f"environment {host_environment(task.recipe, self.report).folder.name}"

    def open(self, task: Task) -> Sandbox:
        """See ``Backend.open``."""
        warnings.warn(
            "a local box isolates nothing: use it only for code that you trust; for an agent's code take "
            '"docker" or "bwrap"',
            UntrustedCodeWarning,
            stacklevel=2,
        )
        self._reaping.begin(lambda: reap(host_places()))
        environment = host_environment(task.recipe, self.report)
        try:
            folder = Path(tempfile.mkdtemp(prefix=own_prefix("local")))
        except OSError as error:
            raise SandboxError(f"no temporary folder for a box of {task.id}: {error}") from None
        try:
            program = _start(task, folder, environment.python)
        except OSError as error:
            _remove(folder)
            raise SandboxError(f"a box of {task.id} could not be started: {error}") from None

        def release() -> None:
            # Hung up on, it kills what it has started and ends; a killed one leaves its group to us.
            program.wait(END_SECONDS)
            with suppress(ProcessLookupError):
                os.killpg(program.pid, signal.SIGKILL)
            program.reap()
            _remove(folder)

        return Box(task.base, Channel(program), release)


def _start(task: Task, folder: Path, programs: Path) -> ChildProgram:
    places = {name: folder / name for name in ("workspace", "base", "inputs", "tmp")}
    for place in places.values():
        place.mkdir()
    task.base.write_to(places["base"])
    scratch, workspace = str(places["tmp"]), str(places["workspace"])
    config = BoxConfig(
        workspace=workspace,
        base=str(places["base"]),
        inputs=str(places["inputs"]),
        scratch=(scratch,),
        environment=agent_environment(str(programs), scratch, workspace, task.recipe),
        rlimits=memory_rlimits(task.limits) | {"FSIZE": task.limits.disk_mb << 20},
        disk_bytes=task.limits.disk_mb << 20,
        preload=task.recipe.test.preload,
        owner=str(this_process()),
    )
    command = start_command(str(programs / "python"), str(BOXD.parent))
    return ChildProgram([*command, config.to_json()], folder)


def memory_rlimits(limits: Limits) -> dict[str, int]:
    """Limits of each process for want of one on all of them: what it writes to, and, wider, what it maps."""
    memory = limits.memory_mb << 20
    return {"DATA": memory, "AS": max(4 << 30, 4 * memory)}


def _remove(folder: Path) -> None:
    with suppress(OSError):
        empty(os.open(folder, DIRECTORY))
        folder.rmdir()
