"""Whose is this? The name of the process that made a thing, kept on everything that could outlive it.

The name goes into a container's label, a folder's name, a control group's name and the arguments of a box's
program, so that what a killed process has left can be told from what a living one needs. It survives the
reuse of process ids and tells machines, boots and PID namespaces apart.

A box belongs to the process that opened it, not to what that forks.
"""

from __future__ import annotations

import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

PATTERN = re.compile(r"[0-9a-f]{16}\.[0-9]{1,20}\.[0-9]{1,10}\.[0-9]{1,20}")
_NOWHERE = "0" * 16


@dataclass(frozen=True)
class Owner:
    """A process: ``boot`` of its machine, inode of its PID ``namespace``, ``pid`` in there, and when it
    ``started``, in clock ticks since that boot.
    """

    boot: str
    namespace: int
    pid: int
    started: int

    def __str__(self) -> str:
        """The name: lower-case hexadecimal digits and dots, which every place for names takes."""
        return f"{self.boot}.{self.namespace}.{self.pid}.{self.started}"

    @property
    def alive(self) -> bool | None:
        """Whether it lives; None where that cannot be known from here: another machine, boot or namespace."""
        here = this_process()
        if here.boot == _NOWHERE or (self.boot, self.namespace) != (here.boot, here.namespace):
            return None
        try:
            os.kill(self.pid, 0)
        except (ProcessLookupError, OverflowError):
            return False
        except PermissionError:
            pass  # another user's, who may not let us look at it
        state, started = _stat(self.pid)
        if state == "":
            return None
        return started == self.started and (state not in "ZXx" or _threads(self.pid) > 1)


def this_process() -> Owner:
    """The process that asks; one of which nothing can be known where there is no ``/proc``."""
    pid = os.getpid()
    try:
        if str(Path("/proc/self").readlink()) != str(pid):  # it shows another PID namespace
            return Owner(_NOWHERE, 0, pid, 0)
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip().replace("-", "")[:16]
        namespace = Path("/proc/self/ns/pid").stat().st_ino
    except OSError:
        return Owner(_NOWHERE, 0, pid, 0)
    return Owner(boot, namespace, pid, _stat(pid)[1])


def owner_in(text: str) -> Owner | None:
    """The first owner whose name is in ``text``; the numbers are what somebody wrote there.

    >>> owner_in("deepgym-local-00112233aabbccdd.4026531836.812.90210-x1").pid
    812
    >>> owner_in("deepgym-812-x1") is None
    True
    """
    found = PATTERN.search(text)
    if found is None:
        return None
    boot, namespace, pid, started = found[0].split(".")
    return Owner(boot, int(namespace), int(pid), int(started))


def own_prefix(purpose: str) -> str:
    """How the name of a folder for ``purpose`` begins that is of no use once this process has ended."""
    return f"deepgym-{purpose}-{this_process()}-"


def scratch_folder(purpose: str, folder: Path | None = None) -> tempfile.TemporaryDirectory[str]:
    """A temporary folder, by default where those of this machine are, that bears its owner's name."""
    return tempfile.TemporaryDirectory(prefix=own_prefix(purpose), dir=folder, ignore_cleanup_errors=True)


def _stat(pid: int) -> tuple[str, int]:
    """State and start of a process, ("", 0) if they cannot be read."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        return fields[0].decode(), int(fields[19])
    except (OSError, IndexError, ValueError):
        return "", 0


def _threads(pid: int) -> int:
    try:
        return sum(1 for _ in Path(f"/proc/{pid}/task").iterdir())
    except OSError:
        return 0
