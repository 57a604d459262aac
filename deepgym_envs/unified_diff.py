"""Git-style diffs as text: which files they touch, in which lines; turned round; made of two texts.

Nothing is applied here (``deepgym_envs.patch`` does that), so it takes no process and no tree.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import takewhile

from deepgym_envs.state import check_path

_HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@(.*)")
_ESCAPE = re.compile(rb'\\([0-7]{3}|[abtnvfr"\\])')
_ESCAPED = {b"a": b"\a", b"b": b"\b", b"t": b"\t", b"n": b"\n", b"v": b"\v", b"f": b"\f", b"r": b"\r"}
_REGULAR = ("100644", "100755", "100664")
_MOST_BINARY = 16 << 20
_MOST_COMPARED = 2_000  # lines; comparing takes up to their square
_CONTEXT = 3
_Opcode = tuple[str, int, int, int, int]  # of difflib
_NO_END = "\\ No newline at end of file"


@dataclass(frozen=True)
class Hunk:
    """A run of lines: each begins with ``" "``, ``-``, ``+``, or with ``\\`` where no line end follows.

    ``old`` and ``new`` are where it begins (line, from 1) and how many lines it has there; ``section`` is
    what stands behind the second ``@@``.
    """

    old: tuple[int, int]
    new: tuple[int, int]
    section: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class FileDiff:
    """What happens to one file: ``old`` is its path before, None where it is created; ``new`` its path after,
    None where it is deleted."""

    old: str | None
    new: str | None
    hunks: tuple[Hunk, ...] = ()
    binary: bool = False
    mode_only: bool = False

    @property
    def path(self) -> str:
        """Where the file lies after the change, or lay before it was deleted."""
        return self.new or self.old or ""


def parse_diff(text: str) -> tuple[FileDiff, ...]:
    r"""The files of a git-style diff (``a/`` and ``b/`` before the paths), in order.

    Raises:
        ValueError: a hunk is cut off, a path leads outside or is missing, or a file is a link, a submodule,
            or binary and not there whole.

    >>> [found] = parse_diff("--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-x = 1\n+x = 2\n")
    >>> found.path, found.hunks[0].lines
    ('x.py', ('-x = 1', '+x = 2'))
    """
    lines = text.split("\n")
    found = []
    start = 0
    while start < len(lines):
        if lines[start].startswith("diff --git ") or _begins_bare(lines, start):
            file, start = _file(lines, start)
            found.append(file)
        else:
            start += 1
    return tuple(found)


def reverse_diff(text: str) -> str:
    r"""The diff that undoes ``text``, which may only change files that are there before and after.

    Raises:
        ValueError: it does more than that, or cannot be read.

    >>> reverse_diff("--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-x = 1\n+x = 2\n").splitlines()[-2:]
    ['+x = 1', '-x = 2']
    """
    turned = {"+": "-", "-": "+"}
    said = []
    for file in parse_diff(text):
        if file.old != file.new or file.binary or file.mode_only:
            raise ValueError(f"{file.path}: is not merely changed, so the diff cannot be turned round")
        hunks = []
        for hunk in file.hunks:
            lines = tuple(turned.get(line[:1], line[:1]) + line[1:] for line in hunk.lines)
            hunks.append(Hunk(hunk.new, hunk.old, hunk.section, lines))
        said.append(_text(FileDiff(file.old, file.new, tuple(hunks))))
    return "".join(said)


def diff_of(path: str, old: str | None, new: str | None) -> str:
    r"""The change of the file at ``path`` from one text to another; None where there is no file.

    >>> print(diff_of("x.py", None, "x = 1\n"), end="")
    diff --git a/x.py b/x.py
    new file mode 100644
    --- /dev/null
    +++ b/x.py
    @@ -0,0 +1,1 @@
    +x = 1
    """
    check_path(path)
    if old == new:
        return ""
    before, after = _lines(old or ""), _lines(new or "")
    lead = _alike(before, after)
    tail = min(_alike(before[::-1], after[::-1]), len(before) - lead, len(after) - lead)
    first, last = max(0, lead - _CONTEXT), max(0, tail - _CONTEXT)
    left, right = before[first : len(before) - last], after[first : len(after) - last]
    groups: Iterable[list[_Opcode]]
    if max(len(left), len(right)) <= _MOST_COMPARED:
        groups = difflib.SequenceMatcher(None, left, right).get_grouped_opcodes(_CONTEXT)
    else:
        start, ends = lead - first, (len(left) - tail + last, len(right) - tail + last)
        groups = [[
            ("equal", 0, start, 0, start),
            ("replace", start, ends[0], start, ends[1]),
            ("equal", ends[0], len(left), ends[1], len(right)),
        ]]  # fmt: skip
    hunks = tuple(_hunk(left, right, group, first) for group in groups)
    return _text(FileDiff(None if old is None else path, None if new is None else path, hunks))


def _alike(one: list[str], other: list[str]) -> int:
    """How many lines at the begin are the same."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _begins_bare(lines: list[str], start: int) -> bool:
    return lines[start].startswith("--- ") and start + 1 < len(lines) and lines[start + 1].startswith("+++ ")


@dataclass
class _Heading:
    """What stands above the hunks of one file."""

    old: str | None = None
    new: str | None = None
    created: bool = False
    deleted: bool = False
    binary: bool = False
    mode_only: bool = False

    def read(self, line: str) -> None:
        head, _, rest = line.partition(" ")
        if line.startswith(("new file mode ", "deleted file mode ", "new mode ", "old mode ")):
            _check_mode(line)
            self.created |= line.startswith("new file")
            self.deleted |= head == "deleted"
            self.mode_only |= line.startswith("new mode")
        elif line.startswith(("rename from ", "copy from ")):
            self.old = _path(rest.removeprefix("from "), prefix="")
        elif line.startswith(("rename to ", "copy to ")):
            self.new = _path(rest.removeprefix("to "), prefix="")
        elif line == "GIT binary patch":
            self.binary = True
        elif line.startswith("Binary files ") or (self.binary and head in ("literal", "delta")):
            _check_binary(line)


def _file(lines: list[str], start: int) -> tuple[FileDiff, int]:
    """One file's part, and the line behind it."""
    heading = _Heading()
    hunks: list[Hunk] = []
    number = start
    if lines[number].startswith("diff --git "):
        heading.old = heading.new = _in_both(lines[number])
        number += 1
    while number < len(lines):
        line = lines[number]
        if line.startswith("@@ "):
            hunk, number = _read_hunk(lines, number)
            hunks.append(hunk)
            continue
        bare = _begins_bare(lines, number)
        if line.startswith("diff --git ") or (hunks and bare):
            break
        if bare:
            heading.old, heading.new = _path(line[4:], "a/"), _path(lines[number + 1][4:], "b/")
        else:
            heading.read(line)
        number += 1 + bare
    old, new = None if heading.created else heading.old, None if heading.deleted else heading.new
    if old is None and new is None:
        raise ValueError("a file without a path")
    return FileDiff(old, new, tuple(hunks), heading.binary, heading.mode_only), number


def _check_binary(line: str) -> None:
    """Refuse what does not hold the bytes, or may become far more of them than are written."""
    kind, _, size = line.partition(" ")
    if kind != "literal" or not size.isdigit() or int(size[:12]) > _MOST_BINARY:
        raise ValueError(f"{line[:80]!r}: write a binary file whole, with at most {_MOST_BINARY >> 20} MiB")


def _in_both(line: str) -> str | None:
    """The path of ``diff --git a/x b/x`` where both are the same; others are told further on."""
    rest = line.removeprefix("diff --git ").rstrip("\r")
    half = len(rest) // 2
    old, new = _unquoted(rest[:half]), _unquoted(rest[half + 1 :])
    # Of a file that comes or goes, ``git diff --no-index`` writes the prefix of one side twice.
    if {old[:2], new[:2]} <= {"a/", "b/"} and old[2:] == new[2:]:
        return check_path(old[2:])
    return None


def _path(said: str, prefix: str) -> str | None:
    said = said.partition("\t")[0].rstrip("\r")
    if said == "/dev/null":
        return None
    said = _unquoted(said)
    if not said.startswith(prefix):
        raise ValueError(f"{said[:80]!r} does not begin with {prefix!r}, as git writes it")
    return check_path(said.removeprefix(prefix))


def _unquoted(said: str) -> str:
    if said.startswith('"') and said.endswith('"') and len(said) > 1:
        return os.fsdecode(_ESCAPE.sub(_unescaped, said[1:-1].encode("utf-8", "surrogateescape")))
    return said


def _unescaped(match: re.Match[bytes]) -> bytes:
    said = match[1]
    return bytes([int(said, 8) & 255]) if len(said) == 3 else _ESCAPED.get(said, said)


def _check_mode(line: str) -> None:
    mode = line.rsplit(" ", 1)[1].strip()
    if mode not in _REGULAR:
        raise ValueError(f"mode {mode[:10]!r} is of a link or a submodule, which no workspace holds")


def _read_hunk(lines: list[str], start: int) -> tuple[Hunk, int]:
    match = _HUNK.match(lines[start])
    if match is None:
        raise ValueError(f"not a hunk: {lines[start][:80]!r}")
    old, new = ((int(match[at][:9]), int((match[at + 1] or "1")[:9])) for at in (1, 3))
    left, right = old[1], new[1]
    number = start + 1
    while (left > 0 or right > 0) and number < len(lines):
        sign = lines[number][:1] or " "
        if sign not in " +-\\" or (number == len(lines) - 1 and not lines[number]):
            break
        left -= sign in " -"
        right -= sign in " +"
        number += 1
    if left or right:
        raise ValueError(f"the hunk {match[0].partition('@@')[2].partition('@@')[0].strip()} is cut off")
    while number < len(lines) and lines[number].startswith("\\"):
        number += 1
    body = tuple(line or " " for line in lines[start + 1 : number])
    return Hunk(old, new, match[5].removeprefix(" ").rstrip(), body), number


def _text(file: FileDiff) -> str:
    path = file.path
    lines = [f"diff --git {_quoted(f'a/{path}')} {_quoted(f'b/{path}')}"]
    if file.old is None:
        lines.append("new file mode 100644")
    if file.new is None:
        lines.append("deleted file mode 100644")
    if file.hunks:
        lines += [
            f"--- {_quoted(f'a/{path}') if file.old else '/dev/null'}",
            f"+++ {_quoted(f'b/{path}') if file.new else '/dev/null'}",
        ]
    for hunk in file.hunks:
        old, new = (f"{first},{count}" for first, count in (hunk.old, hunk.new))
        lines += [f"@@ -{old} +{new} @@ {hunk.section}".rstrip(), *hunk.lines]
    return "\n".join(lines) + "\n"


def _quoted(path: str) -> str:
    raw = os.fsencode(path)
    if re.fullmatch(rb"[ !#-\[\]-~]+", raw):
        return path
    plain = (chr(byte) if 32 <= byte < 127 and byte not in b'"\\' else f"\\{byte:03o}" for byte in raw)
    return f'"{"".join(plain)}"'


def _lines(text: str) -> list[str]:
    """The lines, each with its end."""
    return [line for line in re.split(r"(?<=\n)", text) if line]


def _hunk(before: list[str], after: list[str], group: list[_Opcode], offset: int) -> Hunk:
    """The hunk of one group of changes; ``offset`` is how many lines stand before both texts."""
    said: list[str] = []
    for kind, first, last, start, end in group:
        if kind == "equal":
            said += _signed(" ", before[first:last])
        else:
            said += [*_signed("-", before[first:last]), *_signed("+", after[start:end])]
    old = _range(offset + group[0][1], offset + group[-1][2])
    return Hunk(old, _range(offset + group[0][3], offset + group[-1][4]), "", tuple(said))


def _signed(sign: str, lines: list[str]) -> Iterator[str]:
    for line in lines:
        if line.endswith("\n"):
            yield sign + line[:-1]
        else:
            yield from (sign + line, _NO_END)


def _range(start: int, end: int) -> tuple[int, int]:
    """As a diff counts: from 1, and the line before where there is none."""
    return (start + 1 if end > start else start, end - start)
