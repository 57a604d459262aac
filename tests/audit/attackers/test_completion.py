"""What a server answers: a reply, or an error that says what it was; never anything else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepgym_envs.audit.attackers import Reply, Usage
from deepgym_envs.audit.attackers.completion import reply_of
from deepgym_envs.errors import ModelError
from deepgym_envs.json_post import complaint
from deepgym_envs.text import clean

KEYS = ["choices", "message", "content", "usage", "error", "model", "text", "refusal", "prompt_tokens"]
_plain: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=12,
)


def body(**message: Any) -> bytes:
    return json.dumps({"choices": [{"message": message, "finish_reason": "stop"}]}).encode()


@pytest.mark.parametrize(
    ("message", "reply"),
    [
        ({"content": "hello"}, Reply("hello")),
        ({"content": [{"type": "text", "text": "a"}, {"type": "image"}, 3, {"text": "b"}]}, Reply("ab")),
        ({"content": None, "tool_calls": [{"function": {"name": "x"}}]}, Reply("")),
        ({"content": None, "refusal": "I will not."}, Reply("", refusal="I will not.")),
        ({"content": "x", "reasoning_content": "hm"}, Reply("x", reasoning="hm")),
        ({"content": "x", "reasoning": "hm"}, Reply("x", reasoning="hm")),
        ({"content": {"odd": 1}}, Reply("")),
        ({}, Reply("")),
    ],
)
def test_content_of_every_form_becomes_text(message: dict[str, Any], reply: Reply) -> None:
    assert reply_of(body(**message)) == reply


def test_tokens_the_limit_and_the_name_are_told() -> None:
    data = {
        "model": "m-2",
        "choices": [{"message": {"content": "x"}, "finish_reason": "length"}, {"message": {"content": "y"}}],
        "usage": {"prompt_tokens": 12, "completion_tokens": 3},
    }
    reply = reply_of(json.dumps(data).encode())
    assert (reply.model, reply.cut_off, reply.usage) == ("m-2", True, Usage(12, 3))


@pytest.mark.parametrize(
    "usage", [None, 3, [], {"prompt_tokens": -1}, {"prompt_tokens": True}, {"prompt_tokens": "9"}]
)
def test_tokens_that_are_no_numbers_count_nothing(usage: Any) -> None:
    data = {"choices": [{"message": {"content": "x"}}], "usage": usage}
    assert reply_of(json.dumps(data).encode()).usage == Usage()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"<html>Bad gateway</html>", "is not JSON: <html>Bad gateway</html>"),
        (b"", "is not JSON: nothing"),
        (b"\xff\xfe\x00", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b'{"choices": []}', "is no completion"),
        (b'{"choices": [{}]}', "is no completion"),
        (b'{"choices": [{"message": "x"}]}', "is no completion"),
        (b'{"error": {"message": "out of\\u001b[31m memory\\n"}}', "is no completion: out of memory"),
        (b"[]", "is no completion"),
    ],
)
def test_what_is_no_completion_is_an_error_that_shows_it(data: bytes, said: str) -> None:
    with pytest.raises(ModelError) as error:
        reply_of(data)
    assert said in str(error.value)
    assert len(str(error.value)) < 500


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b'{"error": "no model"}', "no model"),
        (b'{"message": "no"}', "no"),
        (b"teapot", "teapot"),
        (b"", "nothing"),
    ],
)
def test_a_servers_complaint_is_found(data: bytes, said: str) -> None:
    assert complaint(data) == said


@given(st.binary(max_size=60) | _plain.map(lambda value: json.dumps(value).encode()))
def test_whatever_comes_is_a_reply_or_a_models_error(data: bytes) -> None:
    said = None
    try:
        assert isinstance(reply_of(data).text, str)
    except ModelError as error:
        said = str(error)
    assert said is None or said == clean(said)
