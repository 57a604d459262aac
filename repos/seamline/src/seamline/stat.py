"""How much a patch changes."""

from __future__ import annotations

from typing import Iterable, List, NamedTuple, Sequence

from .errors import OptionError
from .hunks import ADDED, REMOVED
from .unified import FilePatch


class Counts(NamedTuple):
    """The lines that a patch adds to a file and removes from it."""

    name: str
    added: int
    removed: int

    @property
    def total(self) -> int:
        return self.added + self.removed


def count(patches: Iterable[FilePatch]) -> List[Counts]:
    """One line of figures for each file."""
    return [
        Counts(patch.name, _tagged(patch, ADDED), _tagged(patch, REMOVED)) for patch in patches
    ]


def _tagged(patch: FilePatch, tag: str) -> int:
    return sum(line.tag == tag for hunk in patch.hunks for line in hunk.lines)


def render(counts: Sequence[Counts], width: int = 40) -> str:
    """A table with a bar of at most *width* marks for each file, and the sums."""
    if width < 2:
        raise OptionError(f"width must be at least 2: {width}")
    most = max((item.total for item in counts), default=0)
    name_width = max((len(item.name) for item in counts), default=0)
    figure_width = len(str(most))
    lines = [
        f" {item.name:<{name_width}} | {item.total:>{figure_width}} {bar(item, most, width)}".rstrip() + "\n"
        for item in counts
    ]
    return "".join(lines) + _sums(counts)


def bar(counts: Counts, most: int, width: int) -> str:
    """``+`` and ``-`` marks in proportion to the lines.

    One mark stands for one line if the longest bar, of *most* lines, fits into
    *width*.  Otherwise all bars shrink alike: the marks of a file are its lines
    times *width* by *most*, rounded down, but at least one for each sign that
    there is.  The pluses get their share rounded down, the minuses the rest.
    """
    if most <= width:
        return "+" * counts.added + "-" * counts.removed
    signs = (counts.added > 0) + (counts.removed > 0)
    marks = max(signs, counts.total * width // most)
    if signs < 2:
        return ("+" if counts.added else "-") * marks
    pluses = min(max(1, marks * counts.added // counts.total), marks - 1)
    return "+" * pluses + "-" * (marks - pluses)


def _sums(counts: Sequence[Counts]) -> str:
    parts = [_several(len(counts), "file changed", "files changed")]
    added, removed = sum(item.added for item in counts), sum(item.removed for item in counts)
    if added or not removed:
        parts.append(_several(added, "insertion(+)", "insertions(+)"))
    if removed or not added:
        parts.append(_several(removed, "deletion(-)", "deletions(-)"))
    return " " + ", ".join(parts) + "\n"


def _several(number: int, one: str, more: str) -> str:
    return f"{number} {one if number == 1 else more}"
