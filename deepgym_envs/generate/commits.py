"""The main line of a git repository, read from a bare clone in the cache as data."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from deepgym_envs.errors import UsageError
from deepgym_envs.generate.candidate import Rejected
from deepgym_envs.git_library import git_library
from deepgym_envs.lock import exclusive
from deepgym_envs.recipe import GitSource
from deepgym_envs.source import bare_clone
from deepgym_envs.state import File
from deepgym_envs.text import one_line

MOST_BYTES = 1 << 20  # of a file
MOST_ENTRIES = 1_000  # of a commit; what comes after them is not kept
_CHUNK = 1 << 16
_COMMIT = re.compile(rb"\n?commit ([0-9a-f]{40}) (\d+) ((?:[0-9a-f]{40} ?)*)")
_ENTRY = re.compile(rb"\n?:(\d{6}) (\d{6}) ([0-9a-f]{40}) ([0-9a-f]{40}) [A-Z]\d*")
_NONE = "0" * 40
_FILES = ("000000", "100644", "100664", "100755")


@dataclass(frozen=True)
class Entry:
    """A file that a commit changes: its modes, and the names of its content before and after; empty where
    there is none."""

    old_mode: str
    new_mode: str
    old: str
    new: str

    @property
    def plain(self) -> bool:
        """Whether it is a regular file, as far as it is there."""
        return self.old_mode in _FILES and self.new_mode in _FILES

    @property
    def executable(self) -> bool:
        """Whether it could be executed before."""
        return self.old_mode == "100755"


@dataclass
class Commit:
    """A commit, made at ``when``, and what differs in it from its first parent, by path; a file that was
    renamed is one that is gone and one that is new. ``cut_off``: there is more than ``MOST_ENTRIES``."""

    sha: str
    when: datetime
    parents: tuple[str, ...]
    entries: dict[str, Entry] = field(default_factory=dict)
    cut_off: bool = False


class Commits:
    """The commits of the repository at ``url``, which is cloned or brought up to date first.

    Raises:
        UsageError: it cannot be cloned, or its clone is shallow.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        with _complaining(url), exclusive(url):
            self._repo = git_library().Repo(bare_clone(url))
            git = self._repo.git
            shallow = git.rev_parse("--is-shallow-repository") == "true"
            git.fetch("--force", *(["--unshallow"] if shallow else []), "origin", "+refs/*:refs/*")
            if git.rev_parse("--is-shallow-repository") == "true":
                what = "is a shallow clone, which lacks what came before"
                raise UsageError(f"{url}: {what}; run 'git fetch --unshallow' in it")

    def find(self, rev: str) -> str:
        """The commit that is meant by a branch, a tag or the beginning of a name. Raises ``UsageError``."""
        if "\0" in rev:
            raise UsageError(f"{rev!r}: no commit is called so")
        status, found, _ = self._repo.git.rev_parse(
            "--verify", "--quiet", "--end-of-options", f"{rev}^{{commit}}",
            with_extended_output=True, with_exceptions=False,
        )  # fmt: skip
        if status != 0 or not found:
            raise UsageError(f"{self.url}: has no commit {rev!r}; name a branch, a tag or a commit of it")
        return str(found)

    def first(self, start: str) -> str:
        """The oldest commit of the main line up to ``start``."""
        with _complaining(self.url):
            return str(self._repo.git.rev_list("--first-parent", "--max-parents=0", start)).splitlines()[-1]

    def newest_first(self, start: str, most: int) -> Iterator[Commit]:
        """The main line up to ``start``, at most that many commits; read as it is asked for."""
        process = self._repo.git.log(
            "--first-parent", "-m", "--raw", "-z", "--no-renames", "--no-abbrev", "--no-color",
            "--no-show-signature", "--no-notes", f"--max-count={most}", "--format=commit %H %ct %P", start,
            as_process=True,
        )  # fmt: skip
        try:
            yield from _commits(_tokens(process.stdout))
            with _complaining(self.url):
                process.wait()
        finally:
            process.stdout.close()
            process.terminate()

    def close(self) -> None:
        """End the programs that read it."""
        self._repo.close()

    def source(self, sha: str) -> GitSource:
        """Where all files of a commit are to be had."""
        return GitSource(kind="git", url=self.url, commit=sha)

    def file(self, blob: str, *, executable: bool) -> File:
        """The content of that name. Raises ``Rejected`` if it is too large to be looked at."""
        name = bytes.fromhex(blob)
        if self._repo.odb.info(name).size > MOST_BYTES:
            raise Rejected("too_large", f"it changes a file of more than {MOST_BYTES >> 20} MiB")
        return File(self._repo.odb.stream(name).read(), executable)


@contextmanager
def _complaining(url: str) -> Iterator[None]:
    """Where git fails, its last words are the user's to read."""
    try:
        yield
    except git_library().exc.GitError as error:
        said = str(error).strip().splitlines()[-1:]
        raise UsageError(f"{url}: git could not read it: {one_line(' '.join(said))}") from None


def _tokens(stream: Any) -> Iterator[bytes]:
    """What stands between NUL bytes."""
    rest = b""
    while chunk := stream.read(_CHUNK):
        *whole, rest = (rest + chunk).split(b"\0")
        yield from whole
    if rest:
        yield rest


def _time(seconds: int) -> datetime:
    """A time as git has it; the latest there is for what no calendar holds."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.max.replace(tzinfo=UTC)


def _commits(tokens: Iterator[bytes]) -> Iterator[Commit]:
    commit: Commit | None = None
    for token in tokens:
        head, entry = _COMMIT.fullmatch(token), _ENTRY.fullmatch(token)
        if head:
            if commit is not None:
                yield commit
            commit = Commit(head[1].decode(), _time(int(head[2])), tuple(head[3].decode().split()))
        elif entry and commit is not None:
            path = os.fsdecode(next(tokens, b""))
            was, mode, old, new = (part.decode() for part in entry.groups())
            if len(commit.entries) < MOST_ENTRIES:
                commit.entries[path] = Entry(was, mode, old.replace(_NONE, ""), new.replace(_NONE, ""))
            else:
                commit.cut_off = True
        elif token.strip():
            raise UsageError(f"git tells its log in words that are not understood: {one_line(token)}")
    if commit is not None:
        yield commit
