"""Can an agent read the answer somewhere? Lines of the solution and of what is hidden, looked for in its box.

A program in a fresh box of the agent's kind, run as the agent's user, reads all that this user can read. It
is told the lines that it looks for: no agent's code runs in that box, and it is closed afterwards. What it
cannot find: text that was reworded, encrypted, or written otherwise than in UTF-8.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from deepgym_envs import plain
from deepgym_envs.audit.weakness.leak_scan import ROWS, plain_line
from deepgym_envs.audit.weakness.mutants import changed_sources
from deepgym_envs.plain import NotPlain
from deepgym_envs.sandbox import Backend, Command
from deepgym_envs.state import Tree, WorkspaceState
from deepgym_envs.task import BASE_IMPLEMENTATION, Task
from deepgym_envs.task_checks import LEAK_CHARS, added_lines
from deepgym_envs.text import clean

_PROGRAM = Path(__file__).with_name("leak_scan.py")
_REPORT_BYTES = 8 << 20
_SPARE_SECONDS = 30.0
_SAID_CHARS = 300
# So many characters of lines that the base does not have are no chance: where a secret has less, half of it.
_FEWEST_CHARS, _ENOUGH_CHARS = 40, 80
_FEWEST_LINES = 3


@dataclass(frozen=True)
class Secret:
    """Lines that no agent should see: of the ``solution``, or of the hidden ``tests``.

    ``known`` are those that a module of the base has too, moved code and idioms: they tell little.
    """

    name: str
    lines: tuple[str, ...]
    known: frozenset[str]

    def is_told_by(self, found: Sequence[str]) -> bool:
        """Whether some of the lines are too many, or too long, to be met by chance: half of them, or a text
        that the base does not have."""
        whole = sum(len(line) for line in self.lines)
        fresh = sum(len(line) for line in found if line not in self.known)
        enough = max(_FEWEST_CHARS, min(_ENOUGH_CHARS, whole / 2))
        return fresh >= enough or len(found) >= max(_FEWEST_LINES, len(self.lines) / 2)


@dataclass(frozen=True)
class Leak:
    """A ``place`` where the agent can read a ``secret``, and the lines that are there; none where functions
    of the solution are there compiled."""

    place: str
    secret: str
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class LeakScan:
    """What was looked through, and what was found.

    ``wanted`` lines were looked for in ``files`` files and ``size`` bytes. ``unread`` are places that could
    not be looked into; ``problem`` says why the scan did not come to its end.
    """

    wanted: int
    leaks: tuple[Leak, ...] = ()
    files: int = 0
    size: int = 0
    unread: tuple[str, ...] = ()
    problem: str = ""


def scan_for_leaks(task: Task, backend: Backend, seconds: float, *, system: bool = True) -> LeakScan:
    """Look for the task's secrets in all that can be read in a box of its agent's, for so long.

    Without ``system`` only where tasks differ: the workspace, what is installed for it, what processes know,
    and where programs leave files.

    Raises:
        SandboxError: there is no box to look into.
        TaskError: a patch of the task does not apply.
    """
    secrets = secrets_of(task)
    lines = list(dict.fromkeys(line for secret in secrets for line in secret.lines))
    changed = list(changed_sources(task))
    job = {
        "lines": lines,
        "new": [new for _, _, new in changed],
        "old": [old for _, old, _ in changed],
        "seconds": seconds,
        "system": system,
    }
    command = Command(
        argv=("python", "-I", "-B", "{files}/leak_scan.py"),
        seconds=seconds + _SPARE_SECONDS,
        stdin=json.dumps(job).encode(),
        files={"leak_scan.py": _PROGRAM.read_bytes()},
        report_bytes=_REPORT_BYTES,
    )
    box = backend.open(task)
    try:
        done = box.run(command)
    finally:
        box.close()
    said = done.output.decode("utf-8", "replace").strip()
    return read_scan(done.report, lines, secrets, clean(said)[-_SAID_CHARS:])


def secrets_of(task: Task) -> tuple[Secret, ...]:
    """What is looked for: lines that are long enough to be told from others."""
    known = frozenset(
        line
        for path, file in task.base.items()
        if path.endswith(".py")
        for line in map(_as_seen, file.data.decode("utf-8", "replace").splitlines())
    )
    return tuple(
        Secret(name, tuple(telling), known & telling.keys())
        for name, found in (("solution", added_lines(task.gold)), ("tests", _hidden_lines(task)))
        if (telling := {line: None for line in map(_as_seen, found) if len(line) >= LEAK_CHARS})
    )


def _hidden_lines(task: Task) -> Iterator[str]:
    for name, state in task.implementations.items():
        if name != BASE_IMPLEMENTATION:
            yield from added_lines(state)
    hidden = {path: data for path, data in task.hidden.items() if not path.endswith(".patch")}
    # As if they were added to a repository that has nothing else.
    yield from added_lines(WorkspaceState(Tree({})).with_files(hidden))


def _as_seen(line: str) -> str:
    return plain_line(line.encode("utf-8", "replace")).decode()


def read_scan(data: bytes, lines: Sequence[str], secrets: Sequence[Secret], said: str = "") -> LeakScan:
    """What the program reported of ``lines``, with what it ``said``; never raises."""
    found: dict[str, set[str]] = {}
    compiled: set[str] = set()
    end = LeakScan(len(lines), problem=f"the scan did not come to its end: {said or 'no output'}")
    for row in _rows(data):
        match row:
            case {"place": str(place), "lines": list(numbers), "compiled": int(count)} if all(
                type(number) is int and 0 <= number < len(lines) for number in numbers
            ):
                place = clean(place)
                found.setdefault(place, set()).update(lines[number] for number in numbers)
                compiled |= {place} if count else set()
            case {
                "end": int(), "files": int(files), "bytes": int(size), "unread": list(unread),
                "late": bool(late),
            } if all(isinstance(place, str) for place in unread):  # fmt: skip
                problem = "time was up before all was read" if late else ""
                end = LeakScan(len(lines), (), files, size, tuple(map(clean, unread)), problem)
    leaks = [leak for place, mine in found.items() for leak in _leaks_at(place, mine, secrets)]
    leaks += [Leak(place, "solution") for place in found if place in compiled]
    return replace(end, leaks=tuple(leaks))


def _leaks_at(place: str, found: set[str], secrets: Sequence[Secret]) -> Iterator[Leak]:
    for secret in secrets:
        mine = tuple(line for line in secret.lines if line in found)
        if secret.is_told_by(mine):
            yield Leak(place, secret.name, mine)


def _rows(data: bytes) -> Iterator[Mapping[Any, Any]]:
    for line in data.split(b"\n", 10 * ROWS):
        try:
            yield plain.loads(line.decode("ascii"))
        except (NotPlain, UnicodeDecodeError):
            continue
