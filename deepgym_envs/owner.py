"""Whose is this? The name of the process that made a thing, kept on everything that could outlive it.

The name goes into a container's label, a folder's name, a control group's name and the arguments of a box's
program, so that what a killed process has left can be told from what a living one needs. It survives the
reuse of process ids and tells machines, boots and PID namespaces apart.

A box belongs to the process that opened it, not to what that forks.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

PATTERN = re.compile(r"[0-9a-f]{16}\.[0-9]{1,20}\.[0-9]{1,10}\.[0-9]{1,20}")
# What bears an owner's name: control groups are made for a box; all others are folders.
Purpose = Literal[
    "base", "benchmark", "bootstrap", "box", "build", "clone", "commit", "doctor", "git", "local", "patch",
    "sdist", "task", "wheels",
]  # fmt: skip
_NOWHERE = "0" * 16


@dataclass(frozen=True)
class Owner:
    """A process: ``boot`` of its machine, inode of its PID ``namespace``, ``pid`` in there, and when it
    ``started``, in clock ticks since that boot.

    ``boot`` is a digest of the boot's id, the machine's id and the host's name, because virtual machines that
    were resumed from one snapshot have the first in common.
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
        boot = Path("/proc/sys/kernel/random/boot_id").read_bytes()
        namespace = Path("/proc/self/ns/pid").stat().st_ino
    except OSError:
        return Owner(_NOWHERE, 0, pid, 0)
    return Owner(_boot(boot, _machine(), os.uname().nodename), namespace, pid, _stat(pid)[1])


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


def own_prefix(purpose: Purpose) -> str:
    """How the name of a thing made for ``purpose`` begins that is of no use once this process has ended."""
    return f"deepgym-{purpose}-{this_process()}-"


def owned_names(purpose: Purpose | Literal["*"] = "*") -> str:
    """A glob for the names that begin so, whoever the owner is."""
    return f"deepgym-{purpose}-*"


def scratch_folder(
    purpose: Purpose, folder: Path | None = None, *, before: str = ""
) -> tempfile.TemporaryDirectory[str]:
    """A temporary folder, by default where those of this machine are, that bears its owner's name.

    ``before`` is what the name begins with, which is for the cache folder alone.
    """
    return tempfile.TemporaryDirectory(
        prefix=before + own_prefix(purpose), dir=folder, ignore_cleanup_errors=True
    )


def _machine() -> bytes:
    """The id that the machine was installed with; empty where there is none."""
    with suppress(OSError):
        return Path("/etc/machine-id").read_bytes()
    return b""


def _boot(boot: bytes, machine: bytes, host: str) -> str:
    return hashlib.sha256(b"%s\0%s\0%s" % (boot.strip(), machine.strip(), os.fsencode(host))).hexdigest()[:16]


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
