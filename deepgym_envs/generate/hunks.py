"""A change in the places where it was made, and the least of them that do what the whole does.

>>> base = Tree({"a.py": File(b"x = 1\\ny = 1\\nz = 1\\nu = 1\\nv = 1\\n")})
>>> both = hunks_of(base, {"a.py": File(b"x = 2\\ny = 1\\nz = 1\\nu = 1\\nv = 2\\n")})
>>> [(hunk.old_start, hunk.old_end, hunk.new_lines) for hunk in both]
[(0, 1, (b'x = 2\\n',)), (4, 5, (b'v = 2\\n',))]
>>> apply_hunks(base, both[1:]).get("a.py").data
b'x = 1\\ny = 1\\nz = 1\\nu = 1\\nv = 2\\n'
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from deepgym_envs.state import File, Tree, WorkspaceState

_APART = 2  # hunks of a file with no more lines between them are one
_MOST_LINES = 4_000  # of what differs in a file; more are compared as one


@dataclass(frozen=True)
class Hunk:
    """Lines ``old_start`` to ``old_end`` (from 0, the end left out) of a file give way to ``new_lines``.

    ``new_lines`` hold their ends; None deletes the file. ``executable`` is the file's mode from then on, None
    leaves it as it is. A new file, a deleted one and a change of the mode are a hunk each.
    """

    path: str
    old_start: int
    old_end: int
    new_lines: tuple[bytes, ...] | None
    executable: bool | None = None


def hunks_of(base: Tree, changes: Mapping[str, File | None]) -> tuple[Hunk, ...]:
    """The hunks that make ``changes`` of ``base``, by path and place.

    Of a file that is not text there is one. Lines end with ``\\n``, ``\\r\\n`` or ``\\r``.
    """
    real = WorkspaceState(base, changes).changes
    return tuple(hunk for path, file in real.items() for hunk in _hunks(path, base.get(path), file))


def apply_hunks(base: Tree, hunks: Collection[Hunk]) -> WorkspaceState:
    """``base`` with these hunks alone, of those that ``hunks_of`` found in a change of it, in any order.

    Raises:
        ValueError: one does not fit the base, or two lie over each other.
    """
    by_path: dict[str, list[Hunk]] = {}
    for hunk in hunks:
        by_path.setdefault(hunk.path, []).append(hunk)
    return WorkspaceState(base, {path: _applied(base.get(path), mine) for path, mine in by_path.items()})


def minimise(
    hunks: Sequence[Hunk], passes: Callable[[tuple[Hunk, ...]], bool], *, most_runs: int
) -> tuple[Hunk, ...]:
    """As few of ``hunks`` as ``passes`` accepts: it would take none of them without any single one.

    ``passes`` is told which hunks to keep, in their order; that it accepts all is taken for granted. It is
    asked ``most_runs`` times at most, and never twice the same: with too few some may be left that are not
    needed. First many are left out at once, then fewer: delta debugging, A. Zeller and R. Hildebrandt,
    "Simplifying and Isolating Failure-Inducing Input", IEEE Transactions on Software Engineering 28 (2002).
    """
    kept = tuple(hunks)
    refused: set[tuple[Hunk, ...]] = set()
    size = max(1, len(kept) // 2)
    at = 0
    while kept:
        fewer = kept[:at] + kept[at + size :]
        if fewer and fewer not in refused:
            if most_runs <= 0:
                break
            most_runs -= 1
            if passes(fewer):
                kept, at = fewer, 0
                size = max(1, min(size, len(kept) // 2))
                continue
            refused.add(fewer)
        at += size
        if at >= len(kept):
            if size == 1:
                break
            size, at = size // 2, 0
    return kept


def _hunks(path: str, old: File | None, new: File | None) -> Iterator[Hunk]:
    if new is None:
        yield Hunk(path, 0, len(_lines(old)), None)
    elif old is None:
        yield Hunk(path, 0, 0, _lines(new), new.executable)
    else:
        if old.executable != new.executable:
            yield Hunk(path, 0, 0, (), new.executable)
        before, after = _lines(old), _lines(new)
        for first, last, since, to in _places(before, after):
            yield Hunk(path, first, last, after[since:to])


def _lines(file: File | None) -> tuple[bytes, ...]:
    """The lines of a file; one where it is not text."""
    if file is None or not file.data:
        return ()
    return (file.data,) if b"\0" in file.data else tuple(file.data.splitlines(keepends=True))


def _places(before: Sequence[bytes], after: Sequence[bytes]) -> Iterator[tuple[int, int, int, int]]:
    """Where two files differ: first and last line of the one, and those of the other."""
    shortest = min(len(before), len(after))
    head = next((at for at in range(shortest) if before[at] != after[at]), shortest)
    most = shortest - head
    tail = next((at for at in range(most) if before[-1 - at] != after[-1 - at]), most)
    old, new = before[head : len(before) - tail], after[head : len(after) - tail]
    if not old and not new:
        return
    if max(len(old), len(new)) > _MOST_LINES:
        yield head, head + len(old), head, head + len(new)
        return
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    changed = [place[1:] for place in matcher.get_opcodes() if place[0] != "equal"]
    first, last, since, to = changed[0]
    for start, end, begin, stop in changed[1:]:
        if start - last > _APART:
            yield head + first, head + last, head + since, head + to
            first, since = start, begin
        last, to = end, stop
    yield head + first, head + last, head + since, head + to


def _applied(old: File | None, hunks: Sequence[Hunk]) -> File | None:
    lines = _lines(old)
    executable = old.executable if old else False
    done: list[bytes] = []
    at = 0
    for hunk in sorted(hunks, key=lambda each: (each.old_start, each.old_end)):
        if not at <= hunk.old_start <= hunk.old_end <= len(lines):
            raise ValueError(f"{hunk.path}: lines {hunk.old_start} to {hunk.old_end} cannot be changed")
        if hunk.new_lines is None:
            if len(hunks) > 1 or old is None:
                raise ValueError(f"{hunk.path}: is deleted, and changed as well or not there")
            return None
        done += [*lines[at : hunk.old_start], *hunk.new_lines]
        at = hunk.old_end
        executable = executable if hunk.executable is None else hunk.executable
    return File(b"".join([*done, *lines[at:]]), executable)
