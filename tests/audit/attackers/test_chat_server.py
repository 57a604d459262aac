"""The scripted server that ships for tests: it says what it was told to, and leaves nothing behind."""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request

import pytest

from deepgym_envs.testing import ChatAnswer, ChatServer


def asked(
    url: str, data: bytes = b'{"messages": [{"role": "user", "content": "x"}]}', path: str = ""
) -> bytes:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"{url}/chat/completions{path}", data, timeout=10) as response:
        return bytes(response.read())


def test_each_request_gets_the_next_answer_and_the_last_is_repeated() -> None:
    with ChatServer(["one", ChatAnswer("two")]) as server:
        said = [json.loads(asked(server.url))["choices"][0]["message"]["content"] for _ in range(3)]
    assert said == ["one", "two", "two"]
    assert [request.last for request in server.requests] == ["x"] * 3


@pytest.mark.parametrize(("data", "path", "status"), [(b"not JSON", "", 400), (b"{}", "/more", 404)])
def test_what_is_no_request_for_a_completion_is_refused(data: bytes, path: str, status: int) -> None:
    with ChatServer(["one"]) as server, pytest.raises(urllib.error.HTTPError) as error:
        asked(server.url, data, path)
    error.value.close()
    assert error.value.code == status
    assert not server.requests


def _left_alone(url: str) -> None:
    with pytest.raises(OSError, match=r".*"):
        asked(url)


def test_a_server_that_is_left_ends_at_once_and_leaves_no_thread() -> None:
    before = threading.active_count()
    with ChatServer([ChatAnswer("late", seconds=60)]) as server:
        client = threading.Thread(target=_left_alone, args=(server.url,))
        client.start()
        while not server.requests:
            time.sleep(0.01)
        began = time.monotonic()
    client.join(10)
    assert time.monotonic() - began < 5
    assert threading.active_count() == before


def test_a_server_can_be_entered_again() -> None:
    server = ChatServer(["one"])
    for _ in range(2):
        with server:
            assert b"one" in asked(server.url)
    with pytest.raises(ValueError, match="enter its context"):
        _ = server.url


def test_a_server_without_an_answer_is_refused() -> None:
    with pytest.raises(ValueError, match="needs an answer"):
        ChatServer([])
