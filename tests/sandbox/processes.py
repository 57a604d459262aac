"""Looks at this machine's processes."""

from __future__ import annotations

import secrets
import time
from pathlib import Path


def tagged(name: str) -> str:
    """A word that stands in the command line of no other process."""
    return f"deepgym-test-{name}-{secrets.token_hex(6)}"


def gone(mark: str, seconds: float = 2) -> bool:
    """Whether, within ``seconds``, no process but an owner's has ``mark`` in its command line."""
    end = time.monotonic() + seconds
    while any(mark in line and "import" not in line for line in command_lines().values()):
        if time.monotonic() >= end:
            return False
        time.sleep(0.01)
    return True


def ended(pid: int, seconds: float = 2) -> bool:
    """Whether process ``pid`` is gone within ``seconds``."""
    end = time.monotonic() + seconds
    while Path(f"/proc/{pid}").exists():
        if time.monotonic() >= end:
            return False
        time.sleep(0.01)
    return True


def boxd_below(pid: int) -> int:
    """The only boxd among the descendants of ``pid``; what it has forked does not count."""
    lines = command_lines()
    parents = {other: parent_of(other) for other in lines}
    found = []
    for other, line in lines.items():
        above: int | None = other
        while above not in (None, 0, pid):
            above = parents.get(above)
        if above == pid and "boxd/__main__.py" in line and "bwrap" not in line.split("\0")[0]:
            found.append(other)
    first = [other for other in found if parents[other] not in found]
    assert len(first) == 1, found
    return first[0]


def parent_of(pid: int) -> int | None:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return None


def command_lines() -> dict[int, str]:
    found = {}
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found[int(place.parent.name)] = place.read_bytes().decode(errors="replace")
        except OSError:
            continue
    return found
