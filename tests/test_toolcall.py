"""JSON text of a tool call is understood in every usual shape, and refused in words otherwise."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepgym_envs import ActionError
from deepgym_envs.action import ReadFile, RunTests
from deepgym_envs.toolcall import from_text

READ = ReadFile(path="a.py", start=2)
ARGUMENTS = {"path": "a.py", "start": 2}


@pytest.mark.parametrize(
    "call",
    [
        {"name": "read_file", "arguments": ARGUMENTS},
        {"name": "read_file", "arguments": json.dumps(ARGUMENTS)},
        [{"name": "read_file", "arguments": ARGUMENTS}],
        {"type": "tool_use", "id": "1", "name": "read_file", "input": ARGUMENTS},
        {
            "id": "1",
            "type": "function",
            "function": {"name": "read_file", "arguments": json.dumps(ARGUMENTS)},
        },
    ],
)
def test_every_usual_shape_is_understood(call: Any) -> None:
    assert from_text(json.dumps(call)) == READ


def test_arguments_may_be_left_out() -> None:
    assert from_text('{"name": "run_tests"}') == RunTests()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not JSON"),
        ("I will read the file.", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("\ud800", "not JSON"),
        ("1" * 10_000, "not JSON"),
        ("null", "not a tool call"),
        ("[]", "0 tool calls"),
        ('[{"name": "submit"}, {"name": "submit"}]', "2 tool calls"),
        ("[[]]", "not a tool call"),
        ('{"tool": "submit"}', "not a tool call"),
        ('{"name": null}', "no tool of type NoneType"),
        ('{"name": {"a": 1}}', "no tool of type dict"),
        ('{"name": "rm"}', "no tool 'rm'"),
        ('{"name": "read_file", "arguments": 3}', "must be a JSON object"),
        ('{"name": "read_file", "arguments": "{"}', "not JSON"),
        ('{"name": "read_file", "arguments": {"path": "a", "lines": 3}}', "lines: Extra inputs"),
    ],
)
def test_what_is_no_tool_call_is_refused_with_the_reason(text: str, words: str) -> None:
    with pytest.raises(ActionError, match=words):
        from_text(text)


@given(st.text() | st.recursive(st.none() | st.text() | st.integers(), st.lists).map(json.dumps))
def test_any_text_is_refused_or_understood(text: str) -> None:
    with pytest.raises(ActionError):
        from_text(text)
