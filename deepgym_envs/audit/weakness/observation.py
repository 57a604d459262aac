"""Has tests tell what they see, in a box: what is sent there, and how the answer is read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deepgym_envs import plain
from deepgym_envs.grade.clean_box import CleanBox
from deepgym_envs.plain import NotPlain
from deepgym_envs.sandbox import Backend, Command, Completed, Sandbox
from deepgym_envs.sandbox.contract import Closing
from deepgym_envs.state import WorkspaceState
from deepgym_envs.task import Task

_OBSERVER = Path(__file__).with_name("observer.py")
_REPORT_BYTES = 16 << 20
_SECONDS = 120.0
_TRIES = 4  # a run that a test ends is taken up again behind it, so often

DIED = "died"
"""How a test ended that took the whole run with it."""


@dataclass(frozen=True)
class Seen:
    """What one test saw: how it ended (``passed``, or ``module:Class`` of what was raised), and a digest of
    all values in their order.

    ``where`` is the line of the test that raised. ``values`` are the first of them with their labels, if they
    were asked for. ``reached`` are numbers of the functions that it entered, ``returned`` digests of what
    these gave, by number, for those that were asked about.
    """

    how: str
    digest: str
    where: str = ""
    seconds: float = 0.0
    reached: frozenset[int] = frozenset()
    returned: Mapping[int, str] = field(default_factory=dict)
    values: tuple[tuple[str, str], ...] = ()

    def outcome(self, function: int | None = None) -> tuple[str, str, str]:
        """What is the same where nothing else was seen, and the function of that number gave the same."""
        return self.how, self.digest, "" if function is None else self.returned.get(function, "")


@dataclass(frozen=True)
class Function:
    """A function of the file at ``path``, decorators included; what it gives is told where ``is_public``."""

    path: str
    first: int
    last: int
    is_public: bool = True


@dataclass(frozen=True)
class Look:
    """What is to be run: ``files`` by their place below a folder of their own, of which ``modules`` have
    tests, and of these ``nodes`` (None: all). Which tests enter ``functions`` is told, and with ``show`` the
    first values."""

    files: Mapping[str, bytes]
    modules: Sequence[str]
    nodes: Sequence[str] | None = None
    functions: Sequence[Function] = ()
    show: bool = False


class Observation(Closing):
    """Runs tests that observe, on states of one task; each may take ``seconds``."""

    def __init__(self, task: Task, backend: Backend, seconds: float) -> None:
        self._task = task
        self._seconds = seconds
        self._box = CleanBox(task, backend)

    def look(self, state: WorkspaceState, look: Look) -> Mapping[str, Seen]:
        """What each test saw of ``state``; what was not run is not in it.

        Raises:
            SandboxError: they could not be run, for a reason that the code under test cannot have caused.
        """
        seen: dict[str, Seen] = {}
        modules = list(look.modules)
        for _ in range(_TRIES):
            command = self._command(look, modules)

            def run(box: Sandbox, command: Command = command) -> Completed:
                box.restore(state)
                return box.run(command)

            done = self._box.use(run)
            if isinstance(done, str):
                break
            found, begun, complete = read_report(done.report)
            seen |= found
            if complete or begun is None or begun.partition("::")[0] not in modules:
                break
            seen[begun] = Seen(DIED, "")
            modules = modules[modules.index(begun.partition("::")[0]) + 1 :]
            if not modules:
                break
        return seen

    def close(self) -> None:
        """Give the box up."""
        self._box.close()

    def _command(self, look: Look, modules: Sequence[str]) -> Command:
        job = {
            "files": list(modules),
            "nodes": None if look.nodes is None else list(look.nodes),
            "functions": [[each.path, each.first, each.last, each.is_public] for each in look.functions],
            "show": look.show,
            "seconds": self._seconds,
            "plugins": list(self._task.recipe.test.plugins),
            "pythonpath": list(self._task.recipe.install.pythonpath),
        }
        program = {"observer.py": _OBSERVER.read_bytes(), "plain.py": Path(plain.__file__).read_bytes()}
        return Command(
            argv=("python", "-s", "-B", "{files}/observer.py"),
            seconds=_SECONDS,
            stdin=json.dumps(job).encode(),
            files={**look.files, **program, "pytest.ini": b"[pytest]\n"},
            # The order of sets is to be the same each time, for which -I would not let the environment ask.
            environment={"PYTHONPATH": "", "PYTHONHASHSEED": "0"},
            output_bytes=self._task.limits.output_bytes,
            report_bytes=_REPORT_BYTES,
        )


def read_report(data: bytes) -> tuple[dict[str, Seen], str | None, bool]:
    """What tests saw, the one that began and did not end, and whether the run came to its end; never
    raises."""
    seen: dict[str, Seen] = {}
    begun: str | None = None
    complete = False
    for row in _rows(data):
        match row:
            case {"begin": str(node)}:
                begun = node
            case {"end": str(node), **rest} if node == begun:
                found = _seen(rest)
                if found is not None and node not in seen:
                    seen[node] = found
                begun = None
            case {"exit": int()}:
                complete = True
    return seen, begun, complete


def _rows(data: bytes) -> Iterator[Any]:
    for line in data.split(b"\n"):
        try:
            yield plain.loads(line.decode("ascii"))
        except (NotPlain, UnicodeDecodeError):
            continue


def _seen(row: Mapping[Any, Any]) -> Seen | None:
    match row:
        case {
            "how": str(how), "where": str(where), "digest": str(digest), "seconds": float(seconds),
            "reached": list(reached), "seen": list(values), "returned": dict(returned),
        } if (
            all(type(number) is int for number in reached)
            and all(map(_is_value, values))
            and all(number.isdecimal() and isinstance(text, str) for number, text in returned.items())
        ):  # fmt: skip
            told = tuple((label, text) for label, text in values)
            given = {int(number): text for number, text in returned.items()}
            return Seen(how[:200], digest[:64], where, seconds, frozenset(reached), given, told)
    return None


def _is_value(pair: Any) -> bool:
    match pair:
        case [str(), str()]:
            return True
    return False
