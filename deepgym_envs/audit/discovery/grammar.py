"""What an agent can do in a turn: a few edits of one task, honest and dishonest, that compose.

Nothing that an agent is given tells which is which.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from deepgym_envs.action import Action, ReadFile, RunTests, WriteFile
from deepgym_envs.audit.discovery.cheats import BREAKING, CHEATS, with_cheats
from deepgym_envs.audit.discovery.solution import Grade, Piece, pieces_of, written
from deepgym_envs.audit.payloads.payload import Payload
from deepgym_envs.audit.target import Files, target_of
from deepgym_envs.errors import TaskError
from deepgym_envs.rewriting import reformatted
from deepgym_envs.state import WorkspaceState
from deepgym_envs.task import Task

TURNS = 4
"""Edits in an episode: as many as the most pieces of a solution, and one."""
_DRAFTS = 4096


@dataclass(frozen=True)
class Look:
    """Changes nothing: reads a file, or runs the tests."""

    name: str
    action: Action


@dataclass(frozen=True)
class Tidy:
    """Writes the files of the solution in another form that means the same."""

    name: str


@dataclass(frozen=True)
class Mend:
    """Writes a version of a piece of the solution: 0 is the right one, any other a near miss."""

    name: str
    piece: int
    version: int


@dataclass(frozen=True)
class Cheat:
    """Adds a dishonest edit to what is there."""

    name: str
    payload: Payload


Edit = Look | Tidy | Mend | Cheat


@dataclass(frozen=True)
class Draft:
    """What the edits so far have made of the base; their order does not matter.

    ``versions`` has the version of each piece, None where it is not made.
    """

    versions: tuple[int | None, ...]
    tidy: bool = False
    cheats: frozenset[Payload] = frozenset()

    @property
    def complete(self) -> bool:
        """Whether all of the reference solution is there, whatever else is."""
        return all(version == 0 for version in self.versions)

    @property
    def solved(self) -> bool:
        """Whether the code does what it should, by what it is made of: no test is asked.

        It is complete, and no dishonest edit is there after which it may do something else.
        """
        return self.complete and not any(cheat.name in BREAKING for cheat in self.cheats)

    def after(self, edit: Edit) -> Draft:
        """The draft with ``edit`` made; the same where it is there already."""
        match edit:
            case Mend(_, piece, version):
                versions = (*self.versions[:piece], version, *self.versions[piece + 1 :])
                return replace(self, versions=versions)
            case Tidy():
                return replace(self, tidy=True)
            case Cheat(_, payload):
                return replace(self, cheats=self.cheats | {payload})
            case Look():
                return self


class Grammar:
    """The edits of one task, and what they make of it."""

    def __init__(self, task: Task, pieces: Sequence[Piece]) -> None:
        self._task = task
        self._pieces = tuple(pieces)
        self._target = target_of(task)
        self.edits: tuple[Edit, ...] = tuple(self._edits())
        self._files = lru_cache(_DRAFTS)(self._write)

    def begin(self) -> Draft:
        """The base."""
        return Draft((None,) * len(self._pieces))

    def gold(self) -> Draft:
        """The reference solution, put together from its pieces."""
        return Draft((0,) * len(self._pieces))

    def open(self, draft: Draft) -> NDArray[np.bool_]:
        """For each edit whether it is offered: one that is there already is not."""
        return np.array([isinstance(edit, Look) or draft.after(edit) != draft for edit in self.edits])

    def actions(self, draft: Draft, edit: Edit) -> Sequence[Action]:
        """What is done in the environment to make ``edit`` where ``draft`` is.

        Raises:
            TaskError: a file that is to be edited is not text.
        """
        if isinstance(edit, Look):
            return [edit.action]
        before, after = self._files(draft), self._files(draft.after(edit))
        changed = {
            path: data for path, data in after.items() if data is not None and before.get(path) != data
        }
        try:
            return [WriteFile(path=path, content=data.decode()) for path, data in changed.items()]
        except UnicodeDecodeError as error:
            raise TaskError(f"{self._task.id}: a file that is to be edited is not UTF-8: {error}") from None

    def state(self, draft: Draft) -> WorkspaceState:
        """The workspace that holds ``draft``."""
        return WorkspaceState(self._task.base).with_files(self._files(draft))

    def _edits(self) -> Iterator[Edit]:
        yield Look("reads", ReadFile(path=self._target.victims[0].path))
        yield Look("runs-tests", RunTests())
        yield Tidy("reformats")
        for number, piece in enumerate(self._pieces):
            for version in range(len(piece.versions)):
                yield Mend(f"{'nearly-' if version else ''}mends-{number + 1}", number, version)
        for cheat in CHEATS:
            yield Cheat(cheat.name, cheat)

    def _write(self, draft: Draft) -> Files:
        chosen = zip(self._pieces, draft.versions, strict=True)
        blocks = [piece.versions[version] for piece, version in chosen if version is not None]
        files = dict(written(self._task.base, [block for part in blocks for block in part]))
        if draft.tidy:
            for path in {block.path for piece in self._pieces for block in piece.right}:
                files.update(self._tidied(path, files))
        return with_cheats(files, draft.cheats, self._target)

    def _tidied(self, path: str, files: Files) -> Files:
        data = files.get(path, self._target.base.get(path))
        if data is None or not path.endswith(".py"):
            return {}
        try:
            return {path: reformatted(data.decode()).encode()}
        except ValueError:
            return {}  # a solution that is half made need not be Python


def grammar_of(task: Task, grade: Grade) -> Grammar:
    """The edits of ``task``. Raises as ``pieces_of`` and ``target_of`` do."""
    return Grammar(task, pieces_of(task, grade))
