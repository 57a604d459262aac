"""Actions survive their encodings, and whatever an agent sends instead of one ends in an ActionError."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepgym_envs import ActionError
from deepgym_envs.action import (
    MAX_LINE_NUMBER,
    MAX_TEXT,
    TOOLS,
    Action,
    EditFile,
    ListFiles,
    ReadFile,
    RunCommand,
    RunTests,
    Search,
    Submit,
    WriteFile,
    anthropic_tools,
    decode,
    from_tool_call,
    openai_tools,
    tools,
)
from deepgym_envs.spaces import action_space

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
PATH = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
LINE = st.integers(0, MAX_LINE_NUMBER)
TEST_NAME = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n"), min_size=1).filter(
    lambda name: name.strip(" \t\r") != ""
)
ACTIONS: st.SearchStrategy[Action] = st.one_of(
    st.builds(ReadFile, path=PATH, start=LINE, end=LINE),
    st.builds(ListFiles, path=PATH, glob=PATH),
    st.builds(Search, pattern=TEXT.filter(bool), path=PATH, glob=PATH, context=st.integers(0, 20)),
    st.builds(EditFile, path=PATH, old=TEXT.filter(bool), new=TEXT),
    st.builds(WriteFile, path=PATH, content=TEXT),
    st.builds(RunTests, tests=st.lists(TEST_NAME, max_size=5).map(tuple)),
    st.builds(Submit, confidence=st.none() | st.floats(0, 1, width=32)),
    st.builds(RunCommand, command=TEXT.filter(bool)),
)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
SCALARS = st.one_of(
    st.sampled_from(
        [np.int64(3), np.float32("nan"), np.array([1, 2]), np.array([]), np.bool_(True), np.str_("x")]
    ),
    st.binary(max_size=5),
    st.integers(min_value=10**30, max_value=10**40),
    st.text(st.characters(categories=["Cs", "Lu"]), max_size=5),
    st.builds(object),
)
NAMES = [model.tool for model in TOOLS]
FIELDS = sorted({name for model in TOOLS for name in model.model_fields})


@given(ACTIONS)
def test_an_action_survives_the_action_space(action: Action) -> None:
    flat = action.encode()
    assert action_space(commands=True).contains(flat)
    assert decode(flat) == action


@given(ACTIONS)
def test_an_action_survives_a_tool_call(action: Action) -> None:
    arguments = action.arguments()
    assert from_tool_call(action.tool, arguments) == action
    assert from_tool_call(action.tool, json.dumps(arguments)) == action


@given(st.integers(0, 2**32 - 1))
def test_samples_of_the_action_space_are_understood_or_refused(seed: int) -> None:
    space = action_space(commands=True)
    space.seed(seed)
    _understood_or_refused(space.sample())


def _understood_or_refused(flat: Any) -> None:
    try:
        action = decode(flat)
    except ActionError:
        return
    assert decode(action.encode()) == action


@given(st.dictionaries(st.sampled_from(FIELDS), JSON | SCALARS), st.sampled_from(NAMES) | JSON | SCALARS)
def test_junk_in_a_dict_is_understood_or_refused(fields: dict[str, Any], tool: Any) -> None:
    _understood_or_refused({**fields, "tool": tool})


@given(JSON | SCALARS)
def test_what_is_no_dict_is_refused(junk: Any) -> None:
    if not isinstance(junk, Mapping):
        with pytest.raises(ActionError):
            decode(junk)


@given(st.sampled_from(NAMES) | JSON, JSON | st.text() | st.dictionaries(st.sampled_from(FIELDS), JSON))
def test_junk_in_a_tool_call_is_understood_or_refused(name: Any, arguments: Any) -> None:
    with suppress(ActionError):
        from_tool_call(name, arguments)


def _deep() -> list[Any]:
    deep: list[Any] = []
    for _ in range(50_000):
        deep = [deep]
    return deep


@pytest.mark.parametrize(
    "flat",
    [
        {},
        {"tool": None},
        {"tool": True},
        {"tool": -1},
        {"tool": 8},
        {"tool": 10**5000},
        {"tool": 1.5},
        {"tool": "rm"},
        {"tool": "x" * 1_000_000},
        {"tool": _deep()},
        {"tool": "read_file"},
        {"tool": "read_file", "path": None},
        {"tool": "read_file", "path": _deep()},
        {"tool": "read_file", "path": "\ud800"},
        {"tool": "read_file", "path": "x" * 1025},
        {"tool": "read_file", "path": "a", "start": -1},
        {"tool": "read_file", "path": "a", "start": 10**5000},
        {"tool": "read_file", "path": "a", "end": 1.5},
        {"tool": "read_file", "path": "a", "end": float("inf")},
        {"tool": "write_file", "path": "a", "content": "x" * (MAX_TEXT + 1)},
        {"tool": "edit_file", "path": "a", "old": "", "new": "x"},
        {"tool": "edit_file", "path": "a", "old": "\udfff", "new": "x"},
        {"tool": "search", "pattern": ""},
        {"tool": "run_tests", "tests": ["a\nb"]},
        {"tool": "run_tests", "tests": [" "]},
        {"tool": "run_tests", "tests": "a\n" * 201},
        {"tool": "submit", "confidence": float("nan")},
        {"tool": "submit", "confidence": np.array(np.nan, np.float32)},
        {"tool": "submit", "confidence": 1.01},
        {"tool": "submit", "confidence": -1.5},
        {"tool": "run_command", "command": ""},
    ],
    ids=lambda flat: str({key: type(value).__name__ for key, value in flat.items()}),
)
def test_a_bad_action_is_refused_in_a_few_words(flat: dict[str, Any]) -> None:
    with pytest.raises(ActionError) as caught:
        decode(flat)
    assert 0 < len(str(caught.value)) < 600


@pytest.mark.parametrize(
    "arguments",
    ["nonsense", "[]", "null", "1" * 10_000, "[" * 100_000, '{"path": 1}', '{"path": "a", "extra": 1}',
     '{"path": "a", "\\ud800": 1}', "\ud800", b'{"path": "a"}', None, {1: 2}, {"path": "a", "x" * 10**6: 1}],
    ids=lambda value: str(value)[:20].encode("ascii", "replace").decode(),
)  # fmt: skip
def test_bad_arguments_are_refused_in_a_few_words(arguments: Any) -> None:
    with pytest.raises(ActionError) as caught:
        from_tool_call("read_file", arguments)
    assert 0 < len(str(caught.value)) < 600


def test_numpy_scalars_are_as_good_as_numbers() -> None:
    flat = {"tool": np.array(0), "path": np.str_("a"), "start": np.int32(2), "end": np.array([3])}
    assert decode(flat) == ReadFile(path="a", start=2, end=3)


def test_a_missing_confidence_is_a_negative_one() -> None:
    assert Submit().encode()["confidence"] == -1
    assert decode({"tool": "submit", "confidence": np.float32(-0.5)}) == Submit()


def test_commands_are_there_only_where_they_are_allowed() -> None:
    flat = RunCommand(command="ls").encode()
    with pytest.raises(ActionError, match="no tool number 7"):
        decode(flat, commands=False)
    with pytest.raises(ActionError, match="no tool 'run_command'"):
        from_tool_call("run_command", {"command": "ls"}, commands=False)
    assert not action_space(commands=False).contains(flat)
    assert [model.tool for model in tools()] == NAMES[:-1]


def test_an_empty_text_of_arguments_means_none() -> None:
    assert from_tool_call("run_tests", "") == RunTests()


def _check_schema(schema: Mapping[str, Any]) -> None:
    """As much of JSON Schema as the tools need: known words with values of their kind."""
    words: dict[str, type] = dict.fromkeys(("minLength", "maxLength", "minimum", "maximum", "maxItems"), int)
    words |= {"type": str, "description": str, "pattern": str, "default": object, "items": dict}
    words |= {"anyOf": list, "properties": dict, "required": list, "additionalProperties": bool}
    for word, value in schema.items():
        assert isinstance(value, words[word]), word
    assert schema.get("type", "string") in ("object", "string", "integer", "number", "array", "null")
    assert set(schema.get("required", ())) <= set(schema.get("properties", ()))
    inner = [*schema.get("properties", {}).values(), *schema.get("anyOf", ())]
    for part in [*inner, schema["items"]] if "items" in schema else inner:
        _check_schema(part)


@pytest.mark.parametrize("commands", [False, True])
def test_tool_schemas_have_the_shapes_of_both_vendors(commands: bool) -> None:
    theirs = [tool["function"] for tool in openai_tools(commands=commands) if tool["type"] == "function"]
    for model, one, other in zip(
        tools(commands=commands), anthropic_tools(commands=commands), theirs, strict=True
    ):
        assert one == {
            "name": model.tool,
            "description": model.description,
            "input_schema": one["input_schema"],
        }
        assert other == {
            "name": model.tool,
            "description": model.description,
            "parameters": one["input_schema"],
        }
        assert json.loads(json.dumps(one)) == one
        assert one["input_schema"]["type"] == "object"
        assert one["input_schema"]["additionalProperties"] is False
        _check_schema(one["input_schema"])


@given(ACTIONS)
def test_required_fields_of_a_schema_are_all_that_a_tool_call_needs(action: Action) -> None:
    schema = next(
        tool["input_schema"] for tool in anthropic_tools(commands=True) if tool["name"] == action.tool
    )
    required = schema.get("required", [])
    given_ = {name: value for name, value in action.arguments().items() if name in required}
    assert isinstance(from_tool_call(action.tool, given_), type(action))
    for name in required:
        with pytest.raises(ActionError, match=f"{name}: Field required"):
            from_tool_call(action.tool, {key: value for key, value in given_.items() if key != name})
