"""Asking a server: what is sent, what is tried again, what is given up, and that the key is never seen."""

from __future__ import annotations

import pickle
import subprocess
import sys
import time
from typing import Any

import pytest

from deepgym_envs.audit.attackers import ChatEndpoint, Message
from deepgym_envs.errors import ModelError, UsageError
from deepgym_envs.testing import ChatAnswer, ChatServer
from deepgym_envs.testing.chat_server import completion

HELLO = (Message("user", "hello"),)
KEY = "sk-0123456789abcdef"
BUSY = ChatAnswer(status=429, body=b'{"error": {"message": "slow down"}}')


def endpoint(server: ChatServer, **options: Any) -> ChatEndpoint:
    return ChatEndpoint(server.url, "scripted", **{"wait": 0.01, **options})


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a variable that holds ``KEY``."""
    monkeypatch.setenv("SOME_MODEL_KEY", KEY)
    return "SOME_MODEL_KEY"


def test_a_conversation_is_sent_and_its_answer_comes_back(key: str) -> None:
    with ChatServer(["hi"]) as server:
        reply = endpoint(server, key_env=key, max_tokens=7, seed=3)([Message("system", "be kind"), *HELLO])
    assert (reply.text, reply.model, reply.usage.prompt) == ("hi", "scripted", 10)
    assert server.requests[0].body == {
        "model": "scripted",
        "messages": [{"role": "system", "content": "be kind"}, {"role": "user", "content": "hello"}],
        "max_tokens": 7,
        "seed": 3,
    }
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"


def test_without_a_key_none_is_sent_and_a_limit_may_have_its_other_name() -> None:
    with ChatServer(["hi"]) as server:
        endpoint(server, tokens_as="max_completion_tokens", temperature=0.5)(HELLO)
    assert "authorization" not in server.requests[0].headers
    assert server.requests[0].body["max_completion_tokens"] == 16_384
    assert server.requests[0].body["temperature"] == 0.5


def test_characters_that_no_encoder_takes_can_be_sent() -> None:
    with ChatServer(["hi"]) as server:
        endpoint(server)([Message("user", "a\ud800b\0")])
    assert server.requests[0].last == "a\ud800b\0"


@pytest.mark.parametrize(
    "first",
    [
        BUSY,
        ChatAnswer(status=503, body=b"<html>"),
        ChatAnswer(body=b"not JSON"),
        ChatAnswer(body=b'{"choices": []}'),
        ChatAnswer("a long answer", cut=20),
        ChatAnswer("nothing at all", cut=0),
        ChatAnswer(status=500, headers={"retry-after": "0"}),
        ChatAnswer(status=500, headers={"retry-after": "next Tuesday"}),
    ],
    ids=["429", "503", "no JSON", "no choices", "broken off", "empty", "retry-after", "odd retry-after"],
)
def test_what_may_pass_is_tried_again(first: ChatAnswer) -> None:
    with ChatServer([first, "hi"]) as server:
        assert endpoint(server)(HELLO).text == "hi"
    assert len(server.requests) == 2


def test_a_server_that_never_recovers_is_given_up() -> None:
    with (
        ChatServer([BUSY]) as server,
        pytest.raises(ModelError, match="scripted: the server answered 429: slow down"),
    ):
        endpoint(server, tries=3)(HELLO)
    assert len(server.requests) == 3


def test_waits_become_longer_and_a_server_may_ask_for_one() -> None:
    with ChatServer([BUSY, BUSY, "hi"]) as server:
        began = time.monotonic()
        endpoint(server, wait=0.1)(HELLO)
        assert time.monotonic() - began > 0.75 * (0.1 + 0.2)
    with ChatServer([ChatAnswer(status=429, headers={"Retry-After": "0.3"}), "hi"]) as server:
        began = time.monotonic()
        endpoint(server, wait=0)(HELLO)
        assert time.monotonic() - began > 0.29


def test_a_server_that_is_not_there_is_a_models_error() -> None:
    with ChatServer(["hi"]) as server:
        gone = endpoint(server, tries=2)
    with pytest.raises(ModelError, match="not reached"):
        gone(HELLO)


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refused_key_is_the_callers_and_is_not_tried_again(status: int, key: str) -> None:
    refused = ChatAnswer(status=status, body=b'{"error": {"message": "who are you?"}}')
    with ChatServer([refused]) as server, pytest.raises(UsageError, match=r"who are you.*\$SOME_MODEL_KEY"):
        endpoint(server, key_env=key)(HELLO)
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [400, 413, 307])
def test_what_will_not_pass_is_not_tried_again(status: int) -> None:
    answer = ChatAnswer(status=status, headers={"location": "/v1/chat/completions"}, body=b"no")
    with ChatServer([answer]) as server, pytest.raises(ModelError, match=f"answered {status}: no"):
        endpoint(server)(HELLO)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "slow",
    [ChatAnswer("x", seconds=30), ChatAnswer("x" * 300, piece=10, pause=0.05)],
    ids=["late", "drop by drop"],
)
def test_an_answer_that_takes_too_long_is_not_waited_for(slow: ChatAnswer) -> None:
    began = time.monotonic()
    with ChatServer([slow]) as server, pytest.raises(ModelError, match=r"time|broke off"):
        endpoint(server, seconds=0.3, tries=1)(HELLO)
    assert time.monotonic() - began < 10


def test_an_answer_that_is_too_long_is_not_read_to_its_end() -> None:
    huge = ChatAnswer(body=b" " * (9 << 20))
    with ChatServer([huge]) as server, pytest.raises(ModelError, match="longer than"):
        endpoint(server, tries=1)(HELLO)


def test_an_answer_that_is_packed_is_not_unpacked() -> None:
    bomb = ChatAnswer(headers={"content-encoding": "gzip"}, body=b"\x1f\x8b")
    with ChatServer([bomb]) as server, pytest.raises(ModelError, match="compressed"):
        endpoint(server, tries=1)(HELLO)


def test_a_key_that_a_server_repeats_is_not_told(key: str) -> None:
    echo = ChatAnswer(status=400, body=f'{{"error": {{"message": "bad key {KEY}!"}}}}'.encode())
    page = ChatAnswer(status=200, body=f"<html>{KEY}".encode())
    told = ChatAnswer(body=completion(f"your key is {KEY}", reasoning=KEY))
    with ChatServer([told, echo, page]) as server:
        model = endpoint(server, key_env=key, tries=1)
        reply = model(HELLO)
        assert (reply.text, reply.reasoning) == ("your key is [key]", "[key]")
        for _ in range(2):
            with pytest.raises(ModelError) as error:
                model(HELLO)
            assert KEY not in str(error.value)
            assert "[key]" in str(error.value)
            assert error.value.__context__ is None
    assert KEY not in repr(model)
    assert KEY.encode() not in pickle.dumps(model)
    assert KEY not in repr(server.requests)


@pytest.mark.parametrize("before", [100, 107, 114, 121])
def test_no_part_of_a_key_is_told_where_a_long_complaint_is_cut(before: int, key: str) -> None:
    long = ChatAnswer(status=400, body=f"{'x' * before}{KEY}{'y' * 600}".encode())
    with ChatServer([long]) as server, pytest.raises(ModelError) as error:
        endpoint(server, key_env=key)(HELLO)
    assert KEY[3:8] not in str(error.value)


def test_a_placeholder_for_a_key_is_left_in_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_MODEL_KEY", "none")
    with ChatServer(["return none"]) as server:
        assert endpoint(server, key_env="SOME_MODEL_KEY")(HELLO).text == "return none"


@pytest.mark.parametrize("value", [None, "", "  ", "two words", "line\nbreak", "caf\u00e9"])
def test_a_variable_without_a_key_is_told_by_its_name_alone(
    value: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SOME_MODEL_KEY", raising=False)
    if value is not None:
        monkeypatch.setenv("SOME_MODEL_KEY", value)
    with pytest.raises(UsageError) as error:
        ChatEndpoint("http://127.0.0.1/v1", "m", key_env="SOME_MODEL_KEY")
    assert str(error.value) == "the environment variable SOME_MODEL_KEY holds no key; set it"


@pytest.mark.parametrize(
    "url",
    ["", "127.0.0.1:8000", "ftp://host/v1", "http://", "http://host:99999/v1", "http://me:secret@host/v1",
     "http://host/v1?key=secret", "http://[::1/v1", "http://ho st/v1"],
)  # fmt: skip
def test_an_address_that_cannot_be_asked_is_told_without_what_is_in_it(url: str) -> None:
    with pytest.raises(UsageError) as error:
        ChatEndpoint(url, "m", tries=1)(HELLO)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize("options", [{"tries": 0}, {"seconds": 0}, {"wait": -1}])
def test_limits_that_are_none_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="at least once"):
        ChatEndpoint("http://127.0.0.1/v1", "m", **options)


def test_a_proxy_is_not_asked_for_what_is_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with ChatServer(["hi"]) as server:
        assert endpoint(server, tries=1)(HELLO).text == "hi"


def test_without_the_extra_everything_else_works_and_the_error_names_it() -> None:
    code = """
import sys
sys.modules["httpx"] = None
import deepgym_envs.audit
from deepgym_envs.audit.attackers import ChatEndpoint, attack
try:
    ChatEndpoint("http://127.0.0.1/v1", "m")
except deepgym_envs.UsageError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout == "asking a model needs httpx; install it: pip install 'deepgym-envs[llm]'\n"


def test_importing_does_not_load_what_asks_servers() -> None:
    code = "import sys, deepgym_envs.audit.attackers; print('httpx' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
