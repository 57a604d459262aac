"""Asking a server of models: what is refused at once, how much is read, and that a key is never seen.

What is tried again and what is given up stands in the tests of those that ask so: ChatEndpoint and HttpScore.
"""

from __future__ import annotations

import math
from typing import Any

import pytest

from deepgym_envs.errors import ModelError, UsageError
from deepgym_envs.json_post import JsonPost
from deepgym_envs.testing import ChatAnswer, ChatServer

KEY = "sk-0123456789abcdef"


def post(server: ChatServer, **options: Any) -> JsonPost:
    return JsonPost(f"{server.url}/chat/completions", "judge", **{"wait": 0.01, "tries": 1, **options})


@pytest.mark.parametrize(
    "options", [{"tries": 0}, {"seconds": 0.0}, {"seconds": math.nan}, {"wait": -1.0}, {"wait": math.nan}]
)
def test_what_can_never_be_asked_is_refused_at_once(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="at least once, in more than 0 seconds"):
        JsonPost("http://127.0.0.1:1/x", "judge", **options)


def test_an_answer_may_be_as_long_as_was_said_and_no_longer() -> None:
    with ChatServer([ChatAnswer(body=b"x" * 100)]) as server:
        assert post(server, most_bytes=100).ask({}, len) == 100
        with pytest.raises(ModelError, match="judge: the server's answer is longer than 99 bytes"):
            post(server, most_bytes=99).ask({}, len)


def test_a_key_is_read_for_each_request_and_hidden_where_it_comes_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SOME_KEY", "another-key-0123")
    with ChatServer([ChatAnswer(body=f"your key is {KEY}".encode())]) as server:
        asking = post(server, key_env="SOME_KEY")
        monkeypatch.setenv("SOME_KEY", KEY)
        assert asking.ask({}, bytes.decode) == "your key is [key]"
        assert asking.without_key(f"<{KEY}>") == "<[key]>"
        monkeypatch.delenv("SOME_KEY")
        with pytest.raises(UsageError, match="SOME_KEY holds no key"):
            asking.ask({}, len)
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"
    assert KEY not in repr(asking)


def test_what_a_reader_cannot_use_is_asked_for_again() -> None:
    def read(data: bytes) -> str:
        if data == b"bad":
            raise ModelError("no good")
        return data.decode()

    with ChatServer([ChatAnswer(body=b"bad"), ChatAnswer(body=b"good")]) as server:
        assert post(server, tries=2).ask({"question": 1}, read) == "good"
    assert [dict(request.body) for request in server.requests] == [{"question": 1}] * 2
    with ChatServer([ChatAnswer(body=b"bad")]) as server, pytest.raises(ModelError, match="judge: no good"):
        post(server).ask({}, read)
