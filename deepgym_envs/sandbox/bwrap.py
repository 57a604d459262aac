"""Boxes made by bubblewrap: namespaces without a daemon and without root.

The box's root holds the least that Python needs, read-only: /usr, the environment, the task's base. Every
writable place is memory of bounded size. There is no network, no capability, and nothing of the host's homes,
/etc, /var, /run or devices. A rootless box has one user only, so each command runs in process, mount, IPC and
user namespaces of its own: the agent's code cannot name, and hence not trace, signal or limit, the box's own
program.

What it can do: see the names of the folders that lead to the host's Python, and read below /usr what the
host's user can read there.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from deepgym_envs.errors import ImageError, SandboxError, SandboxUnavailable
from deepgym_envs.lock import exclusive
from deepgym_envs.owner import scratch_folder, this_process
from deepgym_envs.paths import cache_dir
from deepgym_envs.sandbox.box import Box, agent_environment
from deepgym_envs.sandbox.cgroup import Group, make_group
from deepgym_envs.sandbox.channel import Channel
from deepgym_envs.sandbox.contract import Command, Sandbox
from deepgym_envs.sandbox.hostenv import HostEnvironment, HostPython, host_environment, own_python
from deepgym_envs.sandbox.local import memory_rlimits
from deepgym_envs.sandbox.pipes import ChildProgram
from deepgym_envs.sandbox.program import BOXD, NURSERY, BoxConfig, start_command
from deepgym_envs.sandbox.reaper import Once, host_places, reap
from deepgym_envs.state import Tree
from deepgym_envs.task import Limits, Task

END_SECONDS = 5.0
SCRATCH_MB, SHARED_MEMORY_MB = 64, 16
_TMPFS = {"/workspace": "50k", "/tmp": "50k", "/inputs": "10k", "/dev/shm": "10k"}  # inodes
_USERS = b"agent:x:1000:1000::/tmp:/bin/sh\nnobody:x:65534:65534::/nonexistent:/usr/sbin/nologin\n"
_GROUPS = b"agent:x:1000:\nnogroup:x:65534:\n"
_HOSTS = b"127.0.0.1 localhost box\n"


@dataclass
class BwrapBackend:
    """Boxes of bubblewrap.

    ``cpus`` bounds each box where control groups can be made; where they cannot, memory is limited for each
    process, not for all together. ``report`` is told what takes long, such as a build.
    """

    cpus: float = 1.0
    report: Callable[[str], None] | None = None
    _bases: set[str] = field(default_factory=set, init=False, repr=False)
    _reaping: Once = field(default_factory=Once, init=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def __reduce__(self) -> tuple[type[BwrapBackend], tuple[float]]:
        return BwrapBackend, (self.cpus,)

    @property
    def name(self) -> str:
        """``bwrap``."""
        return "bwrap"

    def problem(self) -> str | None:
        """See ``Backend.problem``; tries a real box."""
        try:
            with _trial() as box:
                done = box.run(Command(("true",), seconds=10))
        except SandboxUnavailable as error:
            return str(error)
        except SandboxError as error:
            return f"a trial box could not be started: {error}; {_advice(str(error))}"
        if done.exit_code != 0:
            said = done.output.decode(errors="replace").strip()
            return f"a trial box could not run a command: {said}; {_advice(said)}"
        return None

    def limits_missing(self) -> tuple[str, ...]:
        """Which of memory, pids and cpu no control group can limit here for a box as a whole."""
        group = make_group(memory_bytes=1 << 28, processes=64, cpus=self.cpus)
        group.remove()
        return tuple(sorted({"memory", "pids", "cpu"} - group.controllers))

    def prepare(self, task: Task) -> None:
        """See ``Backend.prepare``."""
        host_environment(task.recipe, self.report)
        self._base(task)

    def place(self, task: Task) -> str:
        """See ``Placed.place``: the address of the environment, which is one of content."""
        return f"environment {host_environment(task.recipe, self.report).folder.name}"

    def open(self, task: Task) -> Sandbox:
        """See ``Backend.open``."""
        self._reaping.begin(lambda: reap(host_places()))
        environment = host_environment(task.recipe, self.report)
        base = self._base(task)
        group = make_group(
            memory_bytes=(task.limits.memory_mb + task.limits.disk_mb) << 20,
            processes=task.limits.pids,
            cpus=self.cpus,
        )
        try:
            return _open(task, base, environment, group)
        except BaseException:
            group.remove()
            raise

    def _base(self, task: Task) -> Path:
        folder = cache_dir() / "bases" / task.base.digest
        with self._lock:
            if folder.name not in self._bases:
                _write_base(folder, task.base)
                self._bases.add(folder.name)
        return folder


def _open(task: Task, base: Path, environment: HostEnvironment, group: Group) -> Box:
    mounts = ["--ro-bind", str(environment.folder), "/opt/venv", "--ro-bind", str(base), "/opt/deepgym/base"]
    variables = agent_environment("/opt/venv/bin", "/tmp", "/workspace", task.recipe)
    config = _config(task.limits, variables, group, task.recipe.test.preload)
    return _start(task.base, task.limits, mounts, environment.base, "/opt/venv/bin/python", config, group)


def _trial() -> Box:
    mounts = ["--dir", "/opt/deepgym/base"]
    python, limits, group = own_python(), Limits(), Group()
    config = _config(limits, {"PATH": "/usr/bin:/bin"}, group, None)
    return _start(Tree({}), limits, mounts, python, str(python.executable), config, group)


def _config(
    limits: Limits, variables: dict[str, str], group: Group, preload: tuple[str, ...] | None
) -> BoxConfig:
    """What the box's program is told."""
    rlimits = {"NPROC": limits.pids} | ({} if "memory" in group.controllers else memory_rlimits(limits))
    return BoxConfig(
        workspace="/workspace",
        base="/opt/deepgym/base",
        inputs="/inputs",
        scratch=("/tmp", "/dev/shm"),
        environment=variables,
        rlimits=rlimits,
        disk_bytes=limits.disk_mb << 20,
        namespaces=True,
        preload=preload,
        tmpfs={place: f"nr_inodes={inodes}" for place, inodes in _TMPFS.items()},
        owner=str(this_process()),
    )


def _start(
    base: Tree,
    limits: Limits,
    mounts: list[str],
    python: HostPython,
    program: str,
    config: BoxConfig,
    group: Group,
) -> Box:
    """A box whose program runs by ``program``, which ``python`` is the base of."""
    etc = {"passwd": _USERS, "group": _GROUPS, "hosts": _HOSTS}
    files = {f"/etc/{name}": _in_memory(data) for name, data in etc.items()}
    end, tell = os.pipe()
    told = os.fdopen(end, "rb", buffering=0)
    try:
        command = [_bwrap(), "--info-fd", str(tell), *_isolation(), *_system(python), *mounts]
        for place, descriptor in files.items():
            command += ["--perms", "0644", "--ro-bind-data", str(descriptor), place]
        command += [*_writable(limits), "--", *start_command(program), config.to_json()]
        running = ChildProgram(group.command(command), Path("/"), (tell, *files.values()))
    except BaseException as error:
        told.close()
        if isinstance(error, OSError):
            raise SandboxError(f"bubblewrap could not be started: {error}") from None
        raise
    finally:
        for descriptor in (tell, *files.values()):
            os.close(descriptor)

    def release() -> None:
        # Hung up on, process 1 of the box ends, and all others with it.
        if not running.wait(END_SECONDS):
            with suppress(OSError, ValueError, KeyError):
                os.kill(json.loads(told.read(4096))["child-pid"], signal.SIGKILL)
            with suppress(OSError):
                os.kill(running.pid, signal.SIGKILL)
        told.close()
        running.reap()
        group.remove()

    return Box(base, Channel(running), release)


def _bwrap() -> str:
    found = shutil.which("bwrap")
    if found is None:
        raise SandboxUnavailable(
            "bubblewrap is not installed; apt install bubblewrap, or dnf install bubblewrap"
        )
    return found


def _isolation() -> list[str]:
    # No --die-with-parent: to the kernel the parent is the thread that opened the box, and pools open boxes
    # in threads that end. The box's program ends when its standard input does, which covers the death of the
    # whole process. It is root of its user namespace, to give each command namespaces of its own.
    options = ["--unshare-all", "--as-pid-1", "--new-session", "--clearenv", "--hostname", "box"]
    options += ["--uid", "0", "--gid", "0"]
    return [*options, "--cap-drop", "ALL", "--cap-add", "CAP_SYS_ADMIN", "--cap-add", "CAP_SETFCAP"]


def _system(python: HostPython) -> list[str]:
    """The least of the host that Python and the usual programs need."""
    options = ["--ro-bind", "/usr", "/usr"]
    for name in ("bin", "sbin", "lib", "lib32", "lib64", "libx32"):
        place = Path("/", name)
        if place.is_symlink():
            options += ["--symlink", str(place.readlink()), str(place)]
        elif place.is_dir():
            options += ["--ro-bind", str(place), str(place)]
    bound = [Path("/usr")]
    for needed in (python.prefix, python.executable):
        if not any(needed.is_relative_to(place) for place in bound):
            options += ["--ro-bind", str(needed), str(needed)]
            bound.append(needed)
    for place in map(Path, ("/etc/ld.so.cache", "/etc/alternatives")):
        options += ["--ro-bind-try", str(place), str(place)]
    for program in (BOXD, NURSERY):
        options += ["--ro-bind", str(program), f"/opt/deepgym/{program.name}"]
    return options


def _writable(limits: Limits) -> list[str]:
    """Memory for what may be written, of bounded size; then all else becomes read-only."""
    sizes = {
        "/workspace": limits.disk_mb,
        "/tmp": SCRATCH_MB,
        "/inputs": SCRATCH_MB,
        "/dev/shm": SHARED_MEMORY_MB,
    }
    options = ["--proc", "/proc", "--dev", "/dev"]
    for place, megabytes in sizes.items():
        mode = "0755" if place == "/workspace" else "1777"
        options += ["--perms", mode, "--size", str(megabytes << 20), "--tmpfs", place]
    return [*options, "--remount-ro", "/dev", "--remount-ro", "/"]


def _in_memory(data: bytes) -> int:
    """A descriptor from which ``data`` can be read."""
    descriptor = os.memfd_create("deepgym")
    os.write(descriptor, data)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def _write_base(folder: Path, base: Tree) -> None:
    """Write ``base`` to ``folder`` so that it appears there whole, or check what is there and mend it."""
    with exclusive(f"base {folder.name}"):
        if folder.is_dir() and _holds(folder, base):
            return
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            for stale in (*folder.parent.glob(f"{folder.name}.new-*"), folder):
                shutil.rmtree(stale, ignore_errors=True)
            with scratch_folder("base", folder.parent, before=f"{folder.name}.new-") as scratch:
                new = Path(scratch, "base")
                new.mkdir()
                base.write_to(new)
                new.rename(folder)
        except OSError as error:
            raise ImageError(
                f"the base of a task could not be written to {folder.parent}: {error}; "
                "make room there or set DEEPGYM_CACHE to another folder"
            ) from None


def _holds(folder: Path, base: Tree) -> bool:
    entries = sum(not place.is_dir() or place.is_symlink() for place in folder.rglob("*"))
    try:
        return entries == len(base) and Tree.from_folder(folder) == base
    except (OSError, ValueError):
        return False


def _advice(said: str) -> str:
    if "No space left" in said:
        return "user namespaces are used up or switched off: as root, sysctl user.max_user_namespaces=15000"
    if "ermission" in said or "not permitted" in said:
        return (
            "user namespaces are forbidden here: as root, sysctl kernel.unprivileged_userns_clone=1 or, on "
            "Ubuntu, sysctl kernel.apparmor_restrict_unprivileged_userns=0; or use --sandbox docker"
        )
    return "use --sandbox docker"
