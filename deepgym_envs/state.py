"""Workspaces as values: a tree of files, and a state that is a tree plus what has changed.

Nothing here touches a box. Reset, snapshot, fork, replay, grading, shaping and caching all mean "put this
value into a clean box", and two episodes that reach the same files have the same digest.

>>> base = Tree({"a.py": File(b"x = 1\\n"), "b.py": File(b"y = 1\\n")})
>>> state = WorkspaceState(base).with_file("a.py", b"x = 2\\n")
>>> state.changed_paths
('a.py',)
>>> state.with_file("a.py", b"x = 1\\n").digest == WorkspaceState(base).digest
True
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from types import MappingProxyType

MAX_PATH_BYTES = 1024
MAX_DEPTH = 64

_NEVER_STATE = frozenset(
    {".git", "__pycache__", ".pytest_cache", ".hypothesis", ".mypy_cache", ".ruff_cache"}
)
_NEVER_STATE_SUFFIXES = (".pyc", ".pyo")


@lru_cache(maxsize=4096)  # rows of data sets name the same few files thousands of times
def check_path(path: str) -> str:
    """Return ``path`` if it names a place inside a workspace, in its one canonical spelling.

    Canonical means relative, ``/`` between the parts, no ``.`` or ``..`` part, no NUL. Bytes that are not
    UTF-8 stand in it as Python's surrogate escapes.

    Raises:
        ValueError: it does not; the message says why.
    """
    if not path or path.startswith("/"):
        raise ValueError(f"{path!r} is not a path relative to the workspace")
    try:
        raw = os.fsencode(path)
    except UnicodeEncodeError:
        raise ValueError(f"{path!r} cannot be written as a file name") from None
    if b"\0" in raw:
        raise ValueError(f"{path!r} contains a NUL byte")
    parts = raw.split(b"/")
    if len(raw) > MAX_PATH_BYTES or len(parts) > MAX_DEPTH or any(len(part) > 255 for part in parts):
        raise ValueError(f"a path of {len(raw)} bytes and {len(parts)} levels is too long")
    if any(part in (b"", b".", b"..") for part in parts):
        raise ValueError(f"{path!r} has an empty, '.' or '..' part")
    return path


def is_state_path(path: str) -> bool:
    """Whether a file there belongs to a workspace's value; version control and caches do not."""
    return not (path.endswith(_NEVER_STATE_SUFFIXES) or _NEVER_STATE.intersection(path.split("/")))


def glob_pattern(glob: str) -> re.Pattern[str]:
    """The regular expression for whole paths that a glob means: ``*`` and ``?`` stay in a folder, ``**`` does
    not.

    >>> [bool(glob_pattern("a/**/*.py").fullmatch(path)) for path in ("a/x.py", "a/b/c/x.py", "b/x.py")]
    [True, True, False]
    """
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", glob)
    meaning = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return re.compile("".join(meaning.get(part, re.escape(part)) for part in parts), re.DOTALL)


@dataclass(frozen=True, slots=True)
class File:
    """One regular file: its bytes and whether it may be executed."""

    data: bytes
    executable: bool = False
    _digest: bytes = field(default=b"", init=False, repr=False, compare=False)

    @property
    def digest(self) -> bytes:
        """SHA-256 of the content and mode, 32 bytes."""
        if not self._digest:
            total = hashlib.sha256(b"x" if self.executable else b"-")
            total.update(self.data)
            object.__setattr__(self, "_digest", total.digest())
        return self._digest


class Tree(Mapping[str, File]):
    """An immutable set of regular files by path, with a digest of the whole."""

    __slots__ = ("__dict__", "_files")

    def __init__(self, files: Mapping[str, File]) -> None:
        """Keep ``files``; raises ``ValueError`` on a path outside, or on a file that is also a folder."""
        self._files = MappingProxyType({check_path(path): files[path] for path in sorted(files)})
        for path in self._files:
            for cut in (index for index, char in enumerate(path) if char == "/"):
                if path[:cut] in self._files:
                    raise ValueError(f"{path[:cut]!r} is both a file and a folder")

    def __getitem__(self, path: str) -> File:
        return self._files[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)

    def __hash__(self) -> int:
        return hash(self.digest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Tree) and self.digest == other.digest

    def __reduce__(self) -> tuple[type[Tree], tuple[dict[str, File]]]:
        return Tree, (dict(self._files),)

    def __repr__(self) -> str:
        return f"Tree({len(self)} files, {self.digest[:12]})"

    @cached_property
    def digest(self) -> str:
        """SHA-256 over all paths, modes and contents, as 64 hexadecimal digits."""
        total = hashlib.sha256(b"tree 1\n")
        for path, file in self._files.items():
            raw = os.fsencode(path)
            total.update(len(raw).to_bytes(4, "big") + raw + file.digest)
        return total.hexdigest()

    @classmethod
    def from_folder(cls, folder: Path) -> Tree:
        """Read every state file below ``folder``.

        Raises:
            ValueError: something below it is neither a regular file nor a folder; links are refused, because
                a wheel cannot hold them and a value must not point outside itself.
            OSError: it is not there, or something below it cannot be read.
        """
        files: dict[str, File] = {}
        for parent, folders, names in os.walk(folder, onerror=_stop):
            folders[:] = sorted(name for name in folders if is_state_path(name))
            for name in (*folders, *names):
                place = Path(parent, name)
                path = place.relative_to(folder).as_posix()
                mode = place.lstat().st_mode
                if stat.S_ISREG(mode) and is_state_path(path):
                    files[path] = File(place.read_bytes(), bool(mode & stat.S_IXUSR))
                elif not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
                    raise ValueError(f"{place}: only regular files and folders can be part of a workspace")
        return cls(files)

    def write_to(self, folder: Path) -> None:
        """Write the files below ``folder``, which must exist and should be empty."""
        for path, file in self._files.items():
            place = folder / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(file.data)
            place.chmod(0o755 if file.executable else 0o644)


def _stop(error: OSError) -> None:
    raise error


@dataclass(frozen=True, eq=False)
class WorkspaceState:
    """What a workspace holds: a base tree, and the files that differ from it.

    ``changes`` maps a path to its new file, or to None where it is deleted. Changes that change nothing are
    dropped on construction, so equal workspaces are equal values however they came about; so are changes of
    caches and version control, which no box keeps.
    """

    base: Tree
    changes: Mapping[str, File | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        real = {
            check_path(path): self.changes[path]
            for path in sorted(self.changes)
            if self.changes[path] != self.base.get(path) and is_state_path(path)
        }
        object.__setattr__(self, "changes", MappingProxyType(real))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, WorkspaceState) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __reduce__(self) -> tuple[type[WorkspaceState], tuple[Tree, dict[str, File | None]]]:
        return WorkspaceState, (self.base, dict(self.changes))

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the base's digest and every change, as 64 hexadecimal digits."""
        total = hashlib.sha256(b"state 1\n" + self.base.digest.encode())
        for path, file in self.changes.items():
            raw = os.fsencode(path)
            total.update(len(raw).to_bytes(4, "big") + raw + (file.digest if file else b"\0" * 32))
        return total.hexdigest()

    @property
    def changed_paths(self) -> tuple[str, ...]:
        """Paths that differ from the base, sorted."""
        return tuple(self.changes)

    @property
    def changed_bytes(self) -> int:
        """Size of all changed files together, in bytes."""
        return sum(len(file.data) for file in self.changes.values() if file)

    def get(self, path: str) -> File | None:
        """The file at ``path``, or None where there is none."""
        return self.changes[path] if path in self.changes else self.base.get(path)

    def with_file(self, path: str, data: bytes | None, *, executable: bool | None = None) -> WorkspaceState:
        """The state with ``data`` at ``path``, or with nothing there if None; keeps the mode if not given."""
        if data is None:
            return WorkspaceState(self.base, {**self.changes, path: None})
        old = self.get(path)
        mode = executable if executable is not None else bool(old and old.executable)
        return WorkspaceState(self.base, {**self.changes, path: File(data, mode)})

    def with_files(self, files: Mapping[str, bytes | None]) -> WorkspaceState:
        """The state in which every path of ``files`` holds the bytes given there (None deletes)."""
        changes = dict(self.changes)
        for path, data in files.items():
            old = self.get(path)
            changes[path] = None if data is None else File(data, bool(old and old.executable))
        return WorkspaceState(self.base, changes)

    def only(self, keep: Callable[[str], bool]) -> WorkspaceState:
        """The state with those changes alone whose path ``keep`` accepts."""
        kept = {path: file for path, file in self.changes.items() if keep(path)}
        return WorkspaceState(self.base, kept) if len(kept) < len(self.changes) else self

    def tree(self) -> Tree:
        """All files of the state as a tree; raises ``ValueError`` where a file is also a folder."""
        files: dict[str, File] = dict(self.base)
        for path, file in self.changes.items():
            if file is None:
                files.pop(path, None)
            else:
                files[path] = file
        return Tree(files)
