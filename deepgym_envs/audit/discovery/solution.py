"""The reference solution, taken apart: pieces that are made one by one, and wrong versions of each."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, islice, pairwise

from deepgym_envs.audit.target import Files
from deepgym_envs.errors import TaskError
from deepgym_envs.grade import Verdict
from deepgym_envs.rewriting import mutants, sample
from deepgym_envs.state import Tree, WorkspaceState
from deepgym_envs.task import Task

MOST_PIECES = 3
_CANDIDATES = 6  # mutants of a piece that are tried, until the hidden tests refuse one
_SEED = 0  # the pieces of a task are the same for whoever trains on it

Grade = Callable[[WorkspaceState], Verdict]


@dataclass(frozen=True)
class Block:
    """Lines of one file: ``lines`` take the place of those from ``start`` to before ``end``, from 0."""

    path: str
    start: int
    end: int
    lines: tuple[bytes, ...]


@dataclass(frozen=True)
class Piece:
    """A part of the solution that is made whole or not at all.

    ``versions`` begin with the right one; those after it are near misses, which the hidden tests refuse even
    where all other pieces are right.
    """

    versions: tuple[tuple[Block, ...], ...]

    @property
    def right(self) -> tuple[Block, ...]:
        """The reference solution's own blocks."""
        return self.versions[0]

    @property
    def size(self) -> int:
        """Lines removed and added."""
        return sum(block.end - block.start + len(block.lines) for block in self.right)


def pieces_of(task: Task, grade: Grade) -> tuple[Piece, ...]:
    """The solution in as many pieces as it has changes, but at most ``MOST_PIECES``.

    Each is needed: what the hidden tests do not miss, such as a comment, goes with a neighbour. ``grade``
    is asked about parts of the solution alone, which nobody has tampered with.

    Raises:
        TaskError: the solution does more than change text, which pieces cannot be made of.
        SandboxError: ``grade`` could not be asked.
    """
    pieces = [Piece(((block,),)) for block in _blocks(task)]
    while len(pieces) > MOST_PIECES:
        sizes = [one.size + other.size for one, other in pairwise(pieces)]
        pieces = _joined(pieces, sizes.index(min(sizes)))
    if not pieces or _state(task, pieces) != task.gold.only(task.may_edit):
        raise TaskError(
            f"{task.id}: its solution does more than change text in files that may be edited, so it cannot "
            "be taken apart; leave the task out"
        )
    pieces = _needed(task, pieces, grade)
    return tuple(_with_near_miss(task, pieces, at, grade) for at in range(len(pieces)))


def written(base: Tree, blocks: Sequence[Block]) -> Files:
    """The files that ``blocks`` change, with all of them in place."""
    files: dict[str, bytes | None] = {}
    for path in dict.fromkeys(block.path for block in blocks):
        lines = _lines(base, path)
        from_the_end = sorted((block for block in blocks if block.path == path), key=lambda one: -one.start)
        for block in from_the_end:
            lines[block.start : block.end] = block.lines
        files[path] = b"".join(lines)
    return files


def _lines(tree: Tree, path: str) -> list[bytes]:
    file = tree.get(path)
    return file.data.splitlines(keepends=True) if file is not None else []


def _blocks(task: Task) -> Iterator[Block]:
    for path, file in task.gold.only(task.may_edit).changes.items():
        old, new = _lines(task.base, path), file.data.splitlines(keepends=True) if file is not None else []
        for tag, start, end, first, last in difflib.SequenceMatcher(None, old, new, False).get_opcodes():
            if tag != "equal":
                yield Block(path, start, end, tuple(new[first:last]))


def _state(task: Task, pieces: Sequence[Piece]) -> WorkspaceState:
    blocks = [block for piece in pieces for block in piece.right]
    return WorkspaceState(task.base).with_files(written(task.base, blocks))


def _joined(pieces: Sequence[Piece], at: int) -> list[Piece]:
    """The pieces with the one at ``at`` and the next as one."""
    both = Piece((pieces[at].right + pieces[at + 1].right,))
    return [*pieces[:at], both, *pieces[at + 2 :]]


def _needed(task: Task, pieces: list[Piece], grade: Grade) -> list[Piece]:
    """The pieces, of which none can be left out."""
    for at in range(len(pieces) if len(pieces) > 1 else 0):
        if grade(_state(task, [*pieces[:at], *pieces[at + 1 :]])).passed:
            return _needed(task, _joined(pieces, max(0, at - 1)), grade)
    return pieces


def _with_near_miss(task: Task, pieces: Sequence[Piece], at: int, grade: Grade) -> Piece:
    """The piece with a mutant of it that the hidden tests refuse, if one is found."""
    piece = pieces[at]
    for version in islice(_mutated(task.base, piece.right), _CANDIDATES):
        others = [*pieces[:at], Piece((version,)), *pieces[at + 1 :]]
        if grade(_state(task, others)).reason == "tests_failed":
            return Piece((piece.right, version))
    return piece


def _mutated(base: Tree, blocks: tuple[Block, ...]) -> Iterator[tuple[Block, ...]]:
    """The blocks with one fault, in the largest of them first."""
    for at, block in sorted(enumerate(blocks), key=lambda item: -len(item[1].lines)):
        for lines in _faulty(base, blocks, block):
            yield (*blocks[:at], replace(block, lines=lines), *blocks[at + 1 :])


def _faulty(base: Tree, blocks: Sequence[Block], block: Block) -> Iterator[tuple[bytes, ...]]:
    """What the lines of ``block`` become by a small fault, other than what the base has there."""
    same_file = sorted((one for one in blocks if one.path == block.path), key=lambda one: one.start)
    grown = [0, *accumulate(len(one.lines) - (one.end - one.start) for one in same_file)]
    first = block.start + grown[same_file.index(block)]
    last = first + len(block.lines)
    try:
        source = (written(base, same_file)[block.path] or b"").decode()
        found = sample(mutants(source, lines=range(first + 1, last + 1)), _CANDIDATES, _SEED)
    except ValueError:
        return  # not Python
    total, before = len(source.encode().splitlines()), _lines(base, block.path)[block.start : block.end]
    for mutant in found:
        new = mutant.source.encode().splitlines(keepends=True)
        lines = new[first : last + len(new) - total]
        if mutant.line > first and mutant.end_line <= last and lines != before:
            yield tuple(lines)
