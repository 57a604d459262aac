"""The exceptions of seamline.

Everything the library raises on purpose derives from :class:`SeamlineError`.
The program turns each of them into one line on standard error and exit status 2.
"""

from __future__ import annotations

from typing import Sequence


class SeamlineError(Exception):
    """Base class of every error raised by this package."""


class OptionError(SeamlineError):
    """An option or an argument is out of its range."""


class UsageError(OptionError):
    """The command line makes no sense."""


class UnknownRuleError(OptionError):
    """A folding rule that nobody has registered."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(f"unknown rule {name!r} (known: {', '.join(known)})")
        self.name = name


class DocumentError(SeamlineError):
    """A file cannot be turned into text, or text into a file; ``name`` says which."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(f"{name}: {message}")
        self.name = name


class DecodingError(DocumentError):
    """Bytes that are no text in the expected encoding; ``offset`` counts bytes from 0."""

    def __init__(self, name: str, encoding: str, offset: int) -> None:
        super().__init__(name, f"not {encoding} at byte {offset}")
        self.encoding = encoding
        self.offset = offset


class EncodingError(DocumentError):
    """Text that an encoding has no bytes for."""

    def __init__(self, name: str, encoding: str, character: str) -> None:
        super().__init__(name, f"{encoding} has no {character!r}")
        self.encoding = encoding
        self.character = character


class TextFormatError(SeamlineError):
    """Text that does not follow its format; ``line`` counts from 1."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(f"line {line}: {message}")
        self.line = line


class PatchFormatError(TextFormatError):
    """A patch that cannot be read."""


class MarkerError(TextFormatError):
    """Conflict markers that are out of order or incomplete."""
