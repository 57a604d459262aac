"""Control groups: limits on memory, processes and processor time of a whole box, where we may set them.

A group is made only where that is ours to do: at the root of a hierarchy, or where a group was handed over to
our user. A group that a service manager or job scheduler made for this process stays as it is.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from deepgym_envs.owner import own_prefix, owned_names

_PERIOD = 100_000  # microseconds
_TRIES, _PAUSE = 1000, 0.005  # killed processes with much memory take a while to end on a busy machine


@dataclass(frozen=True)
class Group:
    """Folders of one group, one for each hierarchy that it lies in, and the controllers that limit it."""

    folders: tuple[Path, ...] = ()
    controllers: frozenset[str] = frozenset()

    def command(self, command: list[str]) -> list[str]:
        """``command`` so that it enters the group before it does anything else."""
        if not self.folders:
            return command
        enter = (
            'while [ "$1" != -- ]; do echo 0 > "$1/cgroup.procs" || exit 125; shift; done; shift; exec "$@"'
        )
        return ["/bin/sh", "-c", enter, "sh", *map(str, self.folders), "--", *command]

    def remove(self) -> None:
        """Remove the group, whose processes have ended or are about to."""
        for folder in self.folders:
            remove_group(folder)


def make_group(*, memory_bytes: int, processes: int, cpus: float) -> Group:
    """A new group with as many of these limits as can be set here; possibly none of them."""
    name = f"{own_prefix('box')}{secrets.token_hex(4)}"
    folders: list[Path] = []
    controllers: set[str] = set()
    for parent, offered in _parents().items():
        limits = _settings(
            offered, memory_bytes, processes, cpus, v2=(parent / "cgroup.controllers").exists()
        )
        folder = parent / name
        done: set[str] = set()
        with contextlib.suppress(OSError):
            folder.mkdir()
            folders.append(folder)
            for controller, files in limits.items():
                with contextlib.suppress(OSError):
                    for file, value in files.items():
                        (folder / file).write_text(value)
                    done.add(controller)
        controllers |= done
    return Group(tuple(folders), frozenset(controllers))


def group_folders() -> Iterator[Path]:
    """Every folder of a box's group that lies where this process would make one."""
    for parent in _parents():
        yield from parent.glob(owned_names("box"))


def remove_group(folder: Path, *, kill: bool = False) -> bool:
    """Remove one folder of a group once it is empty; whether it is gone within five seconds.

    With ``kill`` the processes in it are killed first.
    """
    for _ in range(_TRIES):
        try:
            if kill:
                _kill_all(folder)
            folder.rmdir()
        except FileNotFoundError:
            return True
        except OSError:
            time.sleep(_PAUSE)
        else:
            return True
    return False


def _kill_all(folder: Path) -> None:
    for line in (folder / "cgroup.procs").read_text().split():
        if line != "0":  # which a process of another PID namespace is called
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(line), signal.SIGKILL)


def _settings(
    offered: frozenset[str], memory_bytes: int, processes: int, cpus: float, *, v2: bool
) -> dict[str, dict[str, str]]:
    quota = str(int(cpus * _PERIOD))
    known = {
        "memory": {"memory.max": str(memory_bytes), "memory.swap.max": "0"}
        if v2
        else {"memory.limit_in_bytes": str(memory_bytes)},
        "pids": {"pids.max": str(processes)},
        "cpu": {"cpu.max": f"{quota} {_PERIOD}"}
        if v2
        else {"cpu.cfs_period_us": str(_PERIOD), "cpu.cfs_quota_us": quota},
    }
    return {name: files for name, files in known.items() if name in offered}


def _parents() -> Mapping[Path, frozenset[str]]:
    """Folders in which we may make a group, and the controllers that each offers."""
    found: dict[Path, frozenset[str]] = {}
    try:
        own = [line.split(":", 2)[1:] for line in Path("/proc/self/cgroup").read_text().splitlines()]
        mounts = _mounts()
    except OSError:
        return found
    for names, path in own:
        offered = frozenset(names.split(",")) & {"memory", "pids", "cpu"}
        mounted = mounts.get(names)
        if mounted is None or (names and not offered):
            continue
        place = mounted / path.strip("/")
        if not names:
            # In version 2 only the root may hold both processes and groups with limits.
            place = place if path == "/" else place.parent
            offered = _enabled(place)
        if offered and _is_ours(place, root=path == "/"):
            found[place] = found.get(place, frozenset()) | offered
    return found


def _is_ours(place: Path, *, root: bool) -> bool:
    try:
        owner = place.stat().st_uid
    except OSError:
        return False
    return os.access(place / "cgroup.procs", os.W_OK) and (root or 0 != owner == os.geteuid())


def _enabled(place: Path) -> frozenset[str]:
    try:
        return frozenset((place / "cgroup.subtree_control").read_text().split()) & {"memory", "pids", "cpu"}
    except OSError:
        return frozenset()


def _mounts() -> dict[str, Path]:
    """Mount points by their controllers, spelled as in /proc/self/cgroup; "" is version 2."""
    found: dict[str, Path] = {}
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        before, _, after = line.partition(" - ")
        kind, _, options = after.split(" ", 2)
        _, _, _, root, place, *_ = before.split()
        if kind == "cgroup2" and root == "/":
            found.setdefault("", Path(place))
        elif kind == "cgroup" and root == "/":
            found.setdefault(
                ",".join(name for name in options.split(",") if name not in ("rw", "xattr")), Path(place)
            )
    return found
