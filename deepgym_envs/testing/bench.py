"""What a check of a sandbox works with: the box, and short words for what is done to it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from deepgym_envs.errors import DeepGymError
from deepgym_envs.sandbox.contract import Command, Completed, Sandbox
from deepgym_envs.state import File, Tree, WorkspaceState

CANARY = "DEEPGYM_CANARY_OF_THE_HOST"

# Everything below the workspace: [path in hex, kind, permissions, SHA-256 of a file's content].
_LISTING = """
import hashlib, json, os, stat, sys
rows = []
for parent, folders, names in os.walk(b"."):
    for name in folders + names:
        place = os.path.join(parent, name)
        found = os.lstat(place)
        kind = stat.S_IFMT(found.st_mode)
        data = open(place, "rb").read() if stat.S_ISREG(found.st_mode) else b""
        what = {stat.S_IFREG: "file", stat.S_IFDIR: "folder"}.get(kind, "other")
        rows.append([place[2:].hex(), what, stat.S_IMODE(found.st_mode), hashlib.sha256(data).hexdigest()])
os.write(3, json.dumps(rows).encode())
"""


class Bench:
    """A box under test, opened on ``base``."""

    def __init__(self, open_box: Callable[[], Sandbox], base: Tree) -> None:
        self.base = base
        self.clean = WorkspaceState(base)
        self.box = open_box()

    def state(self, files: Mapping[str, bytes | File | None]) -> WorkspaceState:
        """The base with ``files`` put into it; None deletes."""
        return WorkspaceState(
            self.base, {path: File(file) if isinstance(file, bytes) else file for path, file in files.items()}
        )

    def restore(self, files: Mapping[str, bytes | File | None]) -> WorkspaceState:
        """Restore the base with ``files`` put into it."""
        state = self.state(files)
        self.box.restore(state)
        return state

    def run(self, *argv: str, seconds: float = 30, stdin: bytes = b"") -> Completed:
        """Run a program, which need not succeed."""
        return self.box.run(Command(argv, seconds, stdin))

    def sh(self, script: str, *arguments: str, seconds: float = 30) -> bytes:
        """Run a shell script that must succeed; its output."""
        return self._good(self.run("sh", "-ec", script, "sh", *arguments, seconds=seconds))

    def python(self, script: str, *arguments: str, seconds: float = 60) -> bytes:
        """Run a Python script that must succeed; its output."""
        return self._good(self.run("python", "-c", script, *arguments, seconds=seconds))

    def _good(self, done: Completed) -> bytes:
        if done.exit_code != 0:
            raise AssertionError(f"a command of the check ended with {done.exit_code}: {done.output!r}")
        return done.output

    def holds(self, state: WorkspaceState) -> None:
        """Assert that a program in the box sees exactly the files of ``state``, contents and modes."""
        done = self.box.run(Command(("python", "-c", _LISTING), 60, report_bytes=32 << 20))
        self._good(done)
        found = {bytes.fromhex(path): tuple(rest) for path, *rest in json.loads(done.report)}
        pointer = found.get(b".git")
        if pointer and pointer[0] == "file":  # a box may add the pointer to its git folder
            del found[b".git"]
        wanted: dict[bytes, tuple[Any, ...]] = {}
        for path, file in state.tree().items():
            raw = os.fsencode(path)
            mode = 0o755 if file.executable else 0o644
            wanted[raw] = ("file", mode, hashlib.sha256(file.data).hexdigest())
            for cut in (index for index, byte in enumerate(raw) if byte == ord("/")):
                wanted[raw[:cut]] = ("folder", 0o755, hashlib.sha256().hexdigest())
        wrong = sorted(path for path in {*found, *wanted} if found.get(path) != wanted.get(path))
        if wrong:
            shown = [f"{path!r}: found {found.get(path)}, not {wanted.get(path)}" for path in wrong[:5]]
            raise AssertionError(f"{len(wrong)} paths are not as restored: {'; '.join(shown)}")

    def captures(self, state: WorkspaceState) -> None:
        """Assert that ``capture`` gives ``state`` and has nothing to drop."""
        captured = self.box.capture()
        if captured.state != state:
            paths = {*captured.state.changes, *state.changes}
            wrong = sorted(path for path in paths if captured.state.get(path) != state.get(path))
            raise AssertionError(f"captured another state than there is; it differs in {wrong[:5]}")
        same(captured.dropped, (), "what was dropped")


def same(found: object, wanted: object, what: str) -> None:
    """Assert that two values are equal."""
    if found != wanted:
        raise AssertionError(f"{what}: found {str(found)[:300]}, not {str(wanted)[:300]}")


def true(fact: bool, what: str) -> None:
    """Assert that something holds."""
    if not fact:
        raise AssertionError(what)


@contextmanager
def fails(kind: type[Exception], what: str) -> Iterator[None]:
    """Assert that the block raises ``kind``, and no other error of this package."""
    try:
        yield
    except kind:
        return
    except DeepGymError as error:
        raise AssertionError(f"{what}: raised {error!r}, not {kind.__name__}") from error
    raise AssertionError(f"{what}: raised nothing, not {kind.__name__}")
