"""What the machine is, what it has done, and what there is on it. Linux."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import deepgym_envs
from deepgym_envs.errors import SandboxUnavailable
from deepgym_envs.sandbox.engine import LABEL, connect

_PROC = Path("/proc")


def description() -> dict[str, Any]:
    """What figures depend on, for whoever compares them with others."""
    cpu = re.search(r"^model name\s*: (.*)$", _read(_PROC / "cpuinfo"), re.MULTILINE)
    client = connect()
    try:
        engine: dict[str, Any] = client.info()
    finally:
        client.close()
    return {
        "processor": cpu[1] if cpu else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9),
        "linux": ".".join(platform.release().split(".")[:2]),
        "engine": f"Docker {engine['ServerVersion']}, {engine['Driver']}, cgroup v{engine['CgroupVersion']}",
        "python": platform.python_version(),
        "deepgym_envs": deepgym_envs.__version__,
        "load_at_start": round(os.getloadavg()[0], 2),
    }


def busy_seconds() -> float:
    """Processor time that the whole machine has spent, idling and waiting not counted."""
    fields = [int(field) for field in _read(_PROC / "stat").split("\n", 1)[0].split()[1:9]]
    user, nice, system, _idle, _wait, irq, soft, _steal = fields
    return (user + nice + system + irq + soft) / os.sysconf("SC_CLK_TCK")


def container_seconds() -> float | None:
    """Processor time that all containers have spent, those that are gone included; None where nobody says."""
    places = {"cpuacct/docker/cpuacct.usage": 1e-9, "cpu,cpuacct/docker/cpuacct.usage": 1e-9}
    for place, unit in places.items():
        text = _read(Path("/sys/fs/cgroup") / place)
        if text:
            return int(text) * unit
    found = re.search(r"^usage_usec (\d+)", _read(Path("/sys/fs/cgroup/docker/cpu.stat")), re.MULTILINE)
    return int(found[1]) * 1e-6 if found else None


def resident_bytes() -> int:
    """Memory that this process holds at the moment."""
    return int(_read(_PROC / "self" / "statm").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def containers_of(tasks: Iterable[str], *, running: bool = False) -> list[str]:
    """Ids of the containers that hold boxes of these tasks, in any state or only the ``running`` ones."""
    wanted = set(tasks)
    filters = {"label": LABEL} | ({"status": "running"} if running else {})
    return [one["Id"] for one in _containers(filters) if one["Labels"].get(LABEL) in wanted]


def all_containers() -> int:
    """Number of the engine's containers, in any state."""
    return len(_containers({}))


def _containers(filters: dict[str, str]) -> list[dict[str, Any]]:
    """None where no engine runs."""
    try:
        client = connect()
    except SandboxUnavailable:
        return []
    try:
        found: list[dict[str, Any]] = client.api.containers(all=True, filters=filters)
        return found
    finally:
        client.close()


def processes() -> dict[int, tuple[int, str]]:
    """Parent and command line of every process that is no thread of the kernel, zombies included."""
    found: dict[int, tuple[int, str]] = {}
    for folder in _PROC.iterdir():
        if folder.name.isdigit():
            status = _read(folder / "status")
            parent = re.search(r"^PPid:\s*(\d+)", status, re.MULTILINE)
            if (
                parent is not None
                and "\nKthread:\t1" not in status
                and parent[1] != "2"
                and folder.name != "2"
            ):
                command = _read(folder / "cmdline").replace("\0", " ").strip()
                found[int(folder.name)] = int(parent[1]), command
    return found


def below(pid: int) -> list[int]:
    """All processes that descend from ``pid``."""
    everything = processes()
    found = [pid]
    for one in found:
        found += [child for child, (parent, _) in everything.items() if parent == one]
    return found[1:]


def memory_of(pid: int) -> dict[str, int]:
    """Bytes of a process: ``anonymous`` is its own alone, ``pss`` adds its share of mapped files.

    Empty where that may not be read, or the process is gone.
    """
    text = _read(_PROC / str(pid) / "smaps_rollup")
    rows: dict[str, str] = dict(re.findall(r"^(\w+):\s+(\d+) kB$", text, re.MULTILINE))
    if "Pss" not in rows:
        return {}
    anonymous = int(rows.get("Pss_Anon") or rows["Anonymous"])
    return {"anonymous": anonymous << 10, "pss": int(rows["Pss"]) << 10}


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
