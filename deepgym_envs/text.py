"""Makes what a program printed fit to be read: by a model, by a person's terminal, and the same each time."""

from __future__ import annotations

import re
import unicodedata

_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # control sequences
    # Strings: titles, links, device control. One without an end hides nothing but its own two first
    # characters, and each try stops at the next escape, so that time stays linear.
    r"|\x1b[\]PX^_][^\x1b\x07\x9c]*(?:\x1b\\|\x07|\x9c)"
    r"|\x1b[ -/]*[0-~]"
    r"|\x9b[0-?]*[ -/]*[@-~]",
)
# What Unicode tells a display to leave out, of letters and marks; in them any text can be hidden.
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2065\u3164\ufe00-\ufe0f\uffa0\ufff0-\ufff8"
    "\U000e0000-\U000e0fff]"
)
_LINE_ENDS = re.compile("\r\n|[\r\x85\u2028\u2029]")
_LINE_CHARS = 300
_VARYING = (
    (re.compile(r"\b0x[0-9a-fA-F]{6,16}\b"), "0x…"),
    (re.compile(r"\bin \d+\.\d\ds( \(\d+:\d\d:\d\d\))?"), "in …s"),
    (re.compile(r"/inputs/[0-9a-f]{16}/"), "/inputs/…/"),
)


def clean(data: bytes | str) -> str:
    """Text without terminal escapes, control characters, or characters that reorder, hide or are not shown.

    >>> clean(b"\\x1b[31mred\\x1b[0m\\r\\nnext\\xff")
    'red\\nnext\\ufffd'
    """
    text = data.decode("utf-8", "replace") if isinstance(data, bytes) else data
    text = _LINE_ENDS.sub("\n", _ESCAPES.sub("", text))
    if text.isascii() and text.isprintable():
        return text
    return "".join(char for char in _INVISIBLE.sub("", text) if char in "\n\t" or _may_stay(char))


def _may_stay(char: str) -> bool:
    # Cc: controls. Cf: bidi overrides, tags, zero-width. Cs: lone surrogates, which no encoder takes.
    return unicodedata.category(char) not in ("Cc", "Cf", "Cs")


def steady(text: str) -> str:
    """The text without what differs from run to run: addresses, pytest's durations, one run's folders.

    >>> steady("<object at 0x7f3a5c001d90>: 1 passed in 0.03s")
    '<object at 0x…>: 1 passed in …s'
    """
    for pattern, instead in _VARYING:
        text = pattern.sub(instead, text)
    return text


def shorten(text: str, limit: int) -> str:
    """At most ``limit`` (60 or more) characters: the first and last half, and how many are missing."""
    if len(text) <= limit:
        return text
    half = max(0, limit - 60) // 2
    return f"{text[:half]}\n[... {len(text) - 2 * half} characters omitted ...]\n{text[len(text) - half :]}"


def one_line(text: str | bytes) -> str:
    """The begin and end of ``text``, in one line that is fit to be printed; ``nothing`` if it is empty.

    >>> one_line("  out of\\n\\x1b[31mmemory ")
    'out of memory'
    """
    line = " ".join(clean(text[: 20 * _LINE_CHARS]).split())
    return shorten(line, _LINE_CHARS).replace("\n", " ") or "nothing"
