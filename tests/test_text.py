"""What leaves ``clean`` can harm no reader, and what leaves ``shorten`` fits."""

from __future__ import annotations

import re
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepgym_envs.text import clean, shorten, steady

HOSTILE = st.text(
    st.sampled_from(
        "\x1b[]PX^_31m;\x07\x9b\x9c\\a\n\r\t\u202e\u200b\u2028\ufe0f\U000e0041\U000e0141\ud800 é"
    ),
    max_size=60,
)


@given(st.binary() | st.text() | HOSTILE)
def test_nothing_that_hides_reorders_or_moves_is_left(data: bytes | str) -> None:
    text = clean(data)
    hiding = ("Cc", "Cf", "Cs", "Zl", "Zp")
    assert not [char for char in text if unicodedata.category(char) in hiding and char not in "\n\t"]
    assert not re.search("[\u115f\u3164\ufe00-\ufe0f\U000e0000-\U000e0fff]", text)
    text.encode()  # raises for what no file can hold
    assert clean(text) == text


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"\x1b[31mred\x1b[0m", "red"),
        (b"\x1b]0;title\x07shown", "shown"),
        (b"\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        (b"10%\r20%\r\n", "10%\n20%\n"),
        (b"a\x08b\x00c", "abc"),
        ("ab\u202ecd\u2066\U000e0041", "abcd"),
        ("FAILED \x1b]8;; hidden for ever", "FAILED 8;; hidden for ever"),
        ("\x9b31mC1", "C1"),
        (b"\xff\xfe", "\ufffd\ufffd"),
        ("FAILED\u2028passed\x85", "FAILED\npassed\n"),
        ("a\U000e0061\U000e0101\ufe00\u3164\uffa0b", "ab"),
    ],
)
def test_clean_keeps_the_words(data: bytes | str, text: str) -> None:
    assert clean(data) == text


@pytest.mark.parametrize("piece", ["\x1b]", "\x1bP", "\x1b[", "\x1b", "\x9b", "\x1b]x", "\x1b[;"])
def test_clean_takes_time_in_proportion(piece: str) -> None:
    began = time.monotonic()
    clean(piece * (1_000_000 // len(piece)))
    assert time.monotonic() - began < 10


@given(st.text(), st.integers(60, 200))
def test_shorten_fits_and_keeps_both_ends(text: str, limit: int) -> None:
    long = text * 10
    short = shorten(long, limit)
    assert len(short) <= limit
    if len(long) <= limit:
        assert short == long
    else:
        half = (limit - 60) // 2
        assert short.startswith(long[:half])
        assert short.endswith(long[len(long) - half :])
        assert f"{len(long) - 2 * half} characters omitted" in short


def test_steady_blots_out_what_differs_from_run_to_run() -> None:
    one = "<f at 0x7f3a5c001d90> in 0.12s (0:01:02) /inputs/0123456789abcdef/command.sh: 1: x: not found"
    other = "<f at 0x55aa5c001d90> in 3.45s /inputs/fedcba9876543210/command.sh: 1: x: not found"
    assert steady(one) == steady(other) == "<f at 0x…> in …s /inputs/…/command.sh: 1: x: not found"


def test_steady_leaves_the_rest_alone() -> None:
    text = "0x10 is 16; in 3 s; /inputs/x/; in 1.5 steps"
    assert steady(text) == text
