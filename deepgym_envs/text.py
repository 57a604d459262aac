"""Makes bytes that a program printed fit to be read: by a model, by a person's terminal, and the same each time."""

from __future__ import annotations

import re
import unicodedata

_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # control sequences
    r"|\x1b[\]PX^_].*?(?:\x1b\\|\x07|\x9c|$)"  # strings: titles, links, device control
    r"|\x1b[ -/]*[0-~]"
    r"|\x9b[0-?]*[ -/]*[@-~]",
    re.DOTALL,
)
_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{6,16}\b")


def clean(data: bytes | str) -> str:
    """Text without terminal escapes, control characters, or characters that reorder or hide what follows.

    >>> clean(b"\\x1b[31mred\\x1b[0m\\r\\nnext\\xff")
    'red\\nnext\\ufffd'
    """
    text = data.decode("utf-8", "replace") if isinstance(data, bytes) else data
    text = _ESCAPES.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
    if text.isascii() and text.isprintable():
        return text
    return "".join(char for char in text if char in "\n\t" or _may_stay(char))


def _may_stay(char: str) -> bool:
    # Cc: controls. Cf: bidi overrides, tags, zero-width. Cs: lone surrogates, which no encoder takes.
    return unicodedata.category(char) not in ("Cc", "Cf", "Cs")


def without_addresses(text: str) -> str:
    """The text with memory addresses blotted out, which differ from run to run."""
    return _ADDRESS.sub("0x…", text)


def shorten(text: str, limit: int) -> str:
    """At most ``limit`` characters: the first and the last half, with a mark between that says how many are missing."""
    if len(text) <= limit:
        return text
    half = max(0, limit - 60) // 2
    return f"{text[:half]}\n[... {len(text) - 2 * half} characters omitted ...]\n{text[len(text) - half :]}"
