"""Texts as lines, with all that is needed to write them back byte for byte."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, replace
from typing import Dict, Iterable, List, Optional, Tuple

from .errors import DecodingError, EncodingError, OptionError

# Only these end a line.  str.splitlines() knows several more, form feeds among
# them, which belong to the text here.
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def split_lines(text: str) -> List[str]:
    """The lines of *text*, each with its end; joined they are *text* again."""
    return _LINE.findall(text)


def line_end(line: str) -> str:
    """The newline at the end of a line, or an empty string."""
    if line.endswith("\r\n"):
        return "\r\n"
    return line[-1] if line.endswith(("\n", "\r")) else ""


def with_end(line: str, end: str) -> str:
    """The line with another end."""
    return line[:len(line) - len(line_end(line))] + end


def check_encoding(name: str) -> str:
    """The canonical name of a text encoding."""
    try:
        "".encode(name)
        return codecs.lookup(name).name
    except (LookupError, ValueError):
        raise OptionError(f"unknown encoding {name!r}") from None


@dataclass(frozen=True)
class Document:
    """Lines with their ends, and the encoding that they were read in.

    Of all lines only the last may lack an end.
    """

    lines: Tuple[str, ...] = ()
    encoding: str = "utf-8"
    bom: bool = False

    @classmethod
    def from_text(cls, text: str) -> Document:
        return cls(tuple(split_lines(text)))

    @classmethod
    def decode(cls, data: bytes, encoding: str = "utf-8", name: str = "text") -> Document:
        """Read bytes.  A byte order mark outweighs *encoding*."""
        encoding, bom = check_encoding(encoding), b""
        for mark, marked_encoding in _BOMS:
            if data.startswith(mark):
                encoding, bom = marked_encoding, mark
        try:
            text = data[len(bom):].decode(encoding)
        except UnicodeDecodeError as error:
            raise DecodingError(name, encoding, len(bom) + error.start) from None
        return cls(tuple(split_lines(text)), encoding, bool(bom))

    def encode(self, name: str = "text") -> bytes:
        """The bytes that :meth:`decode` reads back to an equal document."""
        try:
            data = self.text.encode(self.encoding)
        except UnicodeEncodeError as error:
            raise EncodingError(name, self.encoding, error.object[error.start]) from None
        return (dict((encoding, mark) for mark, encoding in _BOMS)[self.encoding] if self.bom else b"") + data

    @property
    def text(self) -> str:
        return "".join(self.lines)

    @property
    def newline(self) -> Optional[str]:
        """The prevailing newline: the most frequent, of several the one seen first.

        None if no line has an end.
        """
        counts: Dict[str, int] = {}
        for line in self.lines:
            end = line_end(line)
            if end:
                counts[end] = counts.get(end, 0) + 1
        return max(counts, key=counts.__getitem__) if counts else None

    def relined(self, newline: Optional[str]) -> Document:
        """A copy with *newline* in place of the prevailing one; other ends stay."""
        prevailing = self.newline
        if newline is None or prevailing in (None, newline):
            return self
        return replace(self, lines=tuple(
            with_end(line, newline) if line_end(line) == prevailing else line for line in self.lines
        ))

    def with_lines(self, lines: Iterable[str]) -> Document:
        """A copy with other lines.

        A line without an end that is no longer the last gets the newline that
        prevails in *lines*, or else ``\\n``.
        """
        fresh = replace(self, lines=tuple(lines))
        newline = fresh.newline or "\n"
        closed = [line if line_end(line) else line + newline for line in fresh.lines[:-1]]
        return replace(fresh, lines=(*closed, *fresh.lines[-1:]))
