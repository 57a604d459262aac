"""What every sandbox promises: six methods, and the frozen data that goes in and out of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Protocol, Self

from deepgym_envs.state import WorkspaceState


@dataclass(frozen=True)
class Command:
    """A program to run in the workspace, as the agent's user.

    ``files`` appear, for this run only, in a fresh folder outside the workspace whose name nobody can guess;
    ``{files}`` in an argument stands for it. With ``report_bytes`` above 0 the program inherits a pipe as
    descriptor 3, of which that many bytes are kept. Limits: ``seconds`` of wall clock, ``output_bytes`` kept
    of standard output and error together (its first and last half, with a mark between).

    ``warm`` allows a box to run ``python -I -B <script> ...`` in a process forked from an interpreter which
    has pytest, and what the recipe names, imported already. Little else differs (docs/sandboxes.md).
    """

    argv: tuple[str, ...]
    seconds: float
    stdin: bytes = b""
    files: Mapping[str, bytes] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    output_bytes: int = 16_000
    report_bytes: int = 0
    warm: bool = False


@dataclass(frozen=True)
class Completed:
    """How a command ended. ``exit_code`` is negative for a signal, None when its time ran out.

    ``warm`` tells that it was started warm; ``why_cold``, why not, of one that was allowed to.
    """

    exit_code: int | None
    output: bytes
    omitted: int
    report: bytes
    report_overflow: bool
    timed_out: bool
    seconds: float
    warm: bool = False
    why_cold: str = ""


@dataclass(frozen=True)
class Query:
    """A look at the workspace: files below ``folder`` that match ``glob``, or their lines that match
    ``pattern``.

    ``glob`` matches the whole path; ``pattern`` is a regular expression, tried on each line of a text file.
    At most ``limit`` files or lines come back.
    """

    folder: str = ""
    glob: str = "**"
    pattern: str | None = None
    context: int = 0
    limit: int = 500
    seconds: float = 10


@dataclass(frozen=True)
class Line:
    """A line of a file, ``number`` from 1; ``match`` is False for one shown as context."""

    path: str
    number: int
    text: str
    match: bool


@dataclass(frozen=True)
class Found:
    """What a query found: files with their sizes in bytes, or lines; ``more`` when the limit cut it short."""

    files: tuple[tuple[str, int], ...] = ()
    lines: tuple[Line, ...] = ()
    more: bool = False


@dataclass(frozen=True)
class Captured:
    """The workspace as a value, and what had to be removed from it.

    ``dropped`` holds (path, reason) of links, devices and huge files, the first hundred of them.
    """

    state: WorkspaceState
    dropped: tuple[tuple[str, str], ...] = ()


class Sandbox(Protocol):
    """A place where an agent's code can run, holding one workspace.

    Between calls no process of the agent is alive and every writable place except the workspace is empty, so
    the workspace's files are the whole of its state. A box is for one thread at a time; ``close`` alone may
    be called from any thread.

    Every method may raise ``BoxLost`` when the box stops answering; the box is then closed for good.
    """

    def restore(self, state: WorkspaceState) -> None:
        """Make the workspace hold exactly ``state``.

        Raises:
            ValueError: ``state`` has another base than this box.
            ActionError: the files do not fit into the workspace's disk.
        """

    def capture(self) -> Captured:
        """The workspace as a value; what cannot be part of one is removed and named."""

    def read(self, path: str, limit: int) -> tuple[bytes, int]:
        """Up to ``limit`` bytes of a file, and its whole size.

        Raises:
            ActionError: nothing there, a folder, not a regular file, behind a link, or outside the workspace.
        """

    def find(self, query: Query) -> Found:
        """List files or search in them.

        Raises:
            ActionError: the folder is outside the workspace, the pattern is not valid or took too long.
        """

    def run(self, command: Command) -> Completed:
        """Run a command; at the return its processes are dead. Limits end in the result, not in errors."""

    def close(self) -> None:
        """Remove the box and all that it holds; calling it again does nothing.

        A call that is running in another thread ends at once with a ``BoxLost`` that is not
        ``after_agent_code``, for the agent did not cause it.
        """


class Closing:
    """Gives a sandbox the ``with`` statement."""

    def close(self) -> None:
        """Overridden by the sandbox."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
