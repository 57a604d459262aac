"""Removes what processes that were killed have left: programs of boxes, containers, folders, control groups.

Everything bears its owner's name (``deepgym_envs.owner``). A thing is removed only if this machine's kernel
says that its owner is dead; where that cannot be known from here, it stays. So two processes may reap at
once, and while others play. What could not be looked at or removed is told, with the reason.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from deepgym_envs.owner import PATTERN, Owner, owned_names, owner_in
from deepgym_envs.paths import cache_dir
from deepgym_envs.sandbox.boxd.folders import DIRECTORY, empty
from deepgym_envs.sandbox.boxd.processes import descendants
from deepgym_envs.sandbox.cgroup import group_folders, remove_group

BelongingKind = Literal["program", "container", "folder", "group"]
_OWNER = re.compile(rb'"owner": "(%s)"' % PATTERN.pattern.encode())
_HOME = re.compile(rb"(?:^|\0)HOME=[^\0]*/deepgym-local-(%s)-" % PATTERN.pattern.encode())
_END_SECONDS = 5.0


@dataclass(frozen=True)
class Belonging:
    """One thing that a process has made.

    ``name`` is a process id, a container's id, or a folder; ``task`` the id of a container's task. ``idle``
    says that its own state shows that nobody has any use for it, whoever the owner is.
    """

    kind: BelongingKind
    name: str
    owner: Owner
    task: str = ""
    idle: bool = False

    @property
    def abandoned(self) -> bool:
        """Whether it may be removed."""
        return self.idle or self.owner.alive is False


class Place(Protocol):
    """Where belongings of one kind are."""

    @property
    def kind(self) -> BelongingKind:
        """The kind."""

    def belongings(self) -> Iterable[Belonging]:
        """All that is there, of whatever owner; raises ``OSError`` where one cannot look."""

    def remove(self, belonging: Belonging) -> bool:
        """Remove one of them; whether it is gone. Raises ``OSError`` where that is refused."""


@dataclass(frozen=True)
class Survey:
    """What was found, and of which kinds one could not look, with the reason."""

    belongings: tuple[Belonging, ...]
    unseen: Mapping[BelongingKind, str]


@dataclass(frozen=True)
class Reaped:
    """What was removed, what is abandoned and could not be, and of which kinds one could not look."""

    removed: tuple[Belonging, ...]
    failed: Mapping[Belonging, str]
    unseen: Mapping[BelongingKind, str]


def survey(places: Sequence[Place]) -> Survey:
    """Look at all that is there, of whatever owner; removes nothing."""
    found: list[Belonging] = []
    unseen: dict[BelongingKind, str] = {}
    for place in places:
        try:
            found += place.belongings()
        except OSError as error:
            unseen[place.kind] = str(error)
    return Survey(tuple(found), unseen)


def reap(places: Sequence[Place]) -> Reaped:
    """Remove what is abandoned; what has an owner that may live stays."""
    removed: list[Belonging] = []
    failed: dict[Belonging, str] = {}
    unseen: dict[BelongingKind, str] = {}
    for place in places:
        seen = survey([place])
        unseen.update(seen.unseen)
        for belonging in (one for one in seen.belongings if one.abandoned):
            try:
                if place.remove(belonging):
                    removed.append(belonging)
                else:
                    failed[belonging] = "it does not go away"
            except OSError as error:
                failed[belonging] = str(error)
    return Reaped(tuple(removed), failed, unseen)


def host_places() -> list[Place]:
    """What boxes without an engine, and builds of whatever kind, leave on this machine."""
    return [Programs(), Groups(), Folders()]


@dataclass(frozen=True)
class Unseen:
    """A place that cannot be looked at, and why; implements ``Place``."""

    kind: BelongingKind
    why: str

    def belongings(self) -> Iterable[Belonging]:
        """Raises ``OSError``."""
        raise OSError(self.why)

    def remove(self, belonging: Belonging) -> bool:
        """Raises ``OSError``."""
        raise OSError(f"{belonging.name}: {self.why}")


class Once:
    """Has something done in the background, the first time that it is asked to."""

    def __init__(self) -> None:
        self._turns = [True]  # a list gives its last element to one thread only

    def begin(self, work: Callable[[], object]) -> None:
        """Let a thread do ``work`` that nobody waits for, and which the end of the program cuts short."""

        def quietly() -> None:
            with contextlib.suppress(Exception):  # whoever opens a box must not suffer from an old one
                work()

        with contextlib.suppress(IndexError):
            self._turns.pop()
            threading.Thread(target=quietly, name="deepgym-reaper", daemon=True).start()


class Programs:
    """Programs of boxes, and what commands in a local box have left running; implements ``Place``."""

    kind: BelongingKind = "program"

    def belongings(self) -> Iterator[Belonging]:
        """See ``Place``."""
        for folder in Path("/proc").iterdir():
            with contextlib.suppress(OSError, ValueError):
                owner = _owner_of(folder) if folder.name.isdecimal() else None
                if owner is not None:
                    yield Belonging(self.kind, folder.name, owner)

    def remove(self, belonging: Belonging) -> bool:
        """Kill it and all that it has started."""
        pid = int(belonging.name)
        end = time.monotonic() + _END_SECONDS
        while time.monotonic() < end:
            try:
                if _owner_of(Path("/proc", belonging.name)) != belonging.owner:
                    return True
            except FileNotFoundError:
                return True
            for one in (*descendants(pid), pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(one, signal.SIGKILL)
            time.sleep(0.01)
        return False


class Groups:
    """Control groups of boxes; implements ``Place``."""

    kind: BelongingKind = "group"

    def belongings(self) -> Iterator[Belonging]:
        """See ``Place``."""
        for folder in group_folders():
            owner = owner_in(folder.name)
            if owner is not None:
                yield Belonging(self.kind, str(folder), owner)

    def remove(self, belonging: Belonging) -> bool:
        """Remove it, with the processes that are still in it."""
        return remove_group(Path(belonging.name), kill=True)


class Folders:
    """Folders of boxes and builds, among this machine's temporary ones and in the cache folder; implements
    ``Place``."""

    kind: BelongingKind = "folder"

    def belongings(self) -> Iterator[Belonging]:
        """See ``Place``; only folders that are ours, so that nobody can have another's removed."""
        name = owned_names()
        temporary, cache = Path(tempfile.gettempdir()), cache_dir()
        for found in (temporary.glob(name), cache.glob(f"*/*{name}"), cache.glob(f"bootstrap/*/{name}")):
            for place in found:
                owner = owner_in(place.name)
                with contextlib.suppress(OSError):
                    if owner is not None and place.lstat().st_uid == os.geteuid():
                        yield Belonging(self.kind, str(place), owner)

    def remove(self, belonging: Belonging) -> bool:
        """Remove it with all that is in it, following no link and entering no mount."""
        place = Path(belonging.name)
        if not place.is_dir() or place.is_symlink():
            place.unlink(missing_ok=True)
            return True
        for mount in _mounts_below(place):
            subprocess.run(["umount", "--lazy", str(mount)], capture_output=True, check=False)
        if _mounts_below(place):
            return False
        empty(os.open(place, DIRECTORY))
        place.rmdir()
        return True


def _owner_of(folder: Path) -> Owner | None:
    """Whose box the process is a part of, if it is one's that this user runs."""
    command = (folder / "cmdline").read_bytes()
    found = _OWNER.search(command) if b"/boxd/__main__.py\0" in command else None
    if found is None:
        with contextlib.suppress(PermissionError):
            found = _HOME.search((folder / "environ").read_bytes())
    if found is None or not _is_ours(folder):
        return None
    return owner_in(found[1].decode())


def _is_ours(folder: Path) -> bool:
    # Of the status and not of the folder, which is root's where a program has made itself unreadable.
    for line in (folder / "status").read_text(errors="replace").splitlines():
        if line.startswith("Uid:"):
            return int(line.split()[1]) == os.geteuid()
    return False


def _mounts_below(folder: Path) -> list[Path]:
    """Mount points in ``folder``, the innermost first."""
    folder = folder.resolve()
    escaped = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    places = [Path(re.sub(r"\\(\d{3})", lambda code: chr(int(code[1], 8)), name)) for name in escaped]
    return sorted((place for place in places if place.is_relative_to(folder)), reverse=True)
