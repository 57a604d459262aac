"""The program inside a box, seen from outside: its files, how it is started, and what it is told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deepgym_envs.sandbox.channel import MAX_BODY

BOXD = Path(__file__).with_name("boxd")
NURSERY = Path(__file__).with_name("nursery.py")
IDLE_SECONDS = 30.0
CAPTURE_FILES = 10_000
CAPTURE_FILE_BYTES = 8 << 20
CAPTURE_NAME_BYTES = 4 << 20  # escaped in JSON six times as many, which a header can hold


@dataclass(frozen=True)
class BoxConfig:
    """What a box's program is told at its start; places are named as it sees them.

    ``inputs`` is the folder for a command's own files and ``scratch`` the others that are emptied after it.
    ``user`` is the agent's (uid, gid) if not the program's own; ``namespaces`` says that each command gets
    some of its own. ``rlimits`` are those of each process, by their names in ``resource`` without
    ``RLIMIT_``. Of ``disk_bytes`` as many are captured as a frame can hold. ``preload`` names modules that
    warm commands find imported beside pytest; with None, every command is cold. ``tmpfs`` has further mount
    options by mount point. After ``idle_seconds`` without a request the box gives up memory. ``owner`` is
    whose the box is, for the reaper.
    """

    workspace: str
    base: str
    inputs: str
    scratch: tuple[str, ...]
    environment: Mapping[str, str]
    disk_bytes: int
    user: tuple[int, int] | None = None
    namespaces: bool = False
    rlimits: Mapping[str, int] = field(default_factory=dict)
    preload: tuple[str, ...] | None = None
    tmpfs: Mapping[str, str] = field(default_factory=dict)
    idle_seconds: float = IDLE_SECONDS
    owner: str = ""

    def to_json(self) -> str:
        """The form that the program reads, as its only argument."""
        return json.dumps({
            "workspace": self.workspace,
            "base": self.base,
            "inputs": self.inputs,
            "scratch": self.scratch,
            "environment": dict(self.environment),
            "user": self.user,
            "namespaces": self.namespaces,
            "rlimits": {"CORE": 0, "NOFILE": 1024, **self.rlimits},
            "preload": self.preload,
            "tmpfs": dict(self.tmpfs),
            "idle_seconds": self.idle_seconds,
            "owner": self.owner,
            "capture": {
                "files": CAPTURE_FILES,
                "file_bytes": CAPTURE_FILE_BYTES,
                "name_bytes": CAPTURE_NAME_BYTES,
                "bytes": min(self.disk_bytes, MAX_BODY),
            },
        })  # fmt: skip


def start_command(python: str, home: str = "/opt/deepgym") -> list[str]:
    """What starts the program whose files lie in ``home``, but for its configuration.

    Its first file is named, not its folder: to run a folder, Python would import ten modules more.
    """
    return [python, "-I", "-S", "-B", "-X", "utf8", f"{home}/{BOXD.name}/__main__.py"]


def program_files() -> dict[str, bytes]:
    """Every file that the program needs, by its place below the program's home."""
    sources = [*sorted(BOXD.glob("*.py")), NURSERY]
    return {place.relative_to(BOXD.parent).as_posix(): place.read_bytes() for place in sources}
