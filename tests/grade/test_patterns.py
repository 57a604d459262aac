"""Whatever text hostile code answers with, matching it ends, and so does the process that it is matched in."""

from __future__ import annotations

import os
import resource
import signal
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepgym_envs.errors import SandboxError
from deepgym_envs.grade.patterns import MATCHED_CHARS, Patterns

CATASTROPHIC, HOSTILE = r"(a+)+b", "a" * 5_000


def pid_of(patterns: Patterns) -> int:
    assert patterns._matching is not None
    return patterns._matching.pid


@pytest.mark.parametrize(
    ("pattern", "text", "found", "covered"),
    [
        ("b+", "abba", True, False),
        ("[ab]+", "abba", True, True),
        ("", "", True, True),
        (r"(\w+)-\1", "x-x", True, True),
        ("^.$", "\U0001f389", True, True),
        (r"\n", "a\nb", True, False),
        ("\ud800", "\ud800", True, True),
    ],
)
def test_it_matches_as_the_standard_library_does(pattern: str, text: str, found: bool, covered: bool) -> None:
    with Patterns() as patterns:
        assert (patterns.finds(pattern, text), patterns.covers(pattern, text)) == (found, covered)


def test_an_expression_without_end_matches_nothing_and_uses_up_the_time_of_all() -> None:
    began, before = time.process_time(), resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    with Patterns(cpu_seconds=1) as patterns:
        assert patterns.covers("a+", "aaa")
        assert not patterns.covers(CATASTROPHIC, HOSTILE)
        assert not patterns.covers("a+", "aaa")
    assert time.process_time() - began < 1, "this process was kept busy"
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before < 3


def test_a_text_that_is_too_long_matches_nothing() -> None:
    with Patterns() as patterns:
        assert patterns.covers("a*", "a" * MATCHED_CHARS)
        assert not patterns.covers("a*", "a" * (MATCHED_CHARS + 1))


def test_nothing_is_left_of_it() -> None:
    with Patterns() as patterns:
        patterns.finds("a", "a")
        pid = pid_of(patterns)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    patterns.close()


def test_that_somebody_kills_it_says_nothing_about_the_answer() -> None:
    with Patterns() as patterns:
        patterns.finds("a", "a")
        os.kill(pid_of(patterns), signal.SIGKILL)
        with pytest.raises(SandboxError, match="was killed"):
            patterns.finds("a", "a")


@settings(max_examples=20)
@given(st.lists(st.text(), max_size=5))
def test_any_texts_are_answered_in_step(texts: list[str]) -> None:
    with Patterns() as patterns:
        assert [patterns.covers("(?s:x.*)", text) for text in texts] == [text[:1] == "x" for text in texts]
