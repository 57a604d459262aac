"""What comes out of a box is its word: it can be wrong, but it can do no harm."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepgym_envs.errors import BoxLost
from deepgym_envs.sandbox.channel import Channel, remaining


class Script:
    """A stream on which the box says ``said``, in pieces of ``piece`` bytes, and then hangs up, or falls silent."""

    def __init__(
        self, said: bytes = b"", *, piece: int = 1 << 20, silent: bool = False, words: str = ""
    ) -> None:
        self.said, self.piece, self.silent, self.words = said, piece, silent, words
        self.heard = b""
        self.closed = False

    def send(self, data: bytes, deadline: float) -> None:
        self.heard += data

    def receive(self, size: int, deadline: float) -> bytes:
        if not self.said and self.silent:
            time.sleep(remaining(deadline))
            raise TimeoutError
        piece, self.said = self.said[: min(size, self.piece)], self.said[min(size, self.piece) :]
        return piece

    def last_words(self) -> str:
        return self.words

    def hang_up(self) -> None:
        """Nobody waits here in another thread."""

    def close(self) -> None:
        self.closed = True


def frame(header: object, body: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(4, "big") + len(body).to_bytes(4, "big") + text + body


def ask(stream: Script, seconds: float = 5) -> tuple[dict[str, Any], list[bytes]]:
    return Channel(stream).call({"op": "test"}, [b"in"], seconds=seconds)


def test_a_request_goes_out_as_one_frame() -> None:
    stream = Script(frame({"ok": True, "blobs": []}))
    ask(stream)
    assert stream.heard == frame({"op": "test", "blobs": [2]}, b"in")


@pytest.mark.parametrize("piece", [1, 3, 1000])
def test_an_answer_comes_back_in_whatever_pieces(piece: int) -> None:
    stream = Script(frame({"ok": True, "blobs": [1, 0, 3]}, b"abcd"), piece=piece)
    assert ask(stream) == ({"ok": True}, [b"a", b"", b"bcd"])


@pytest.mark.parametrize(
    "said",
    [
        frame(b"not json"),
        frame(b""),
        frame(b"\xff\xfe"),
        frame(b"[" * 100_000),
        frame(b"1" * 10_000),
        frame([]),
        frame(["blobs"]),
        frame("blobs"),
        frame(None),
        frame(3),
        frame({}),
        frame({"blobs": None}),
        frame({"blobs": 3}),
        frame({"blobs": {"1": 1}}, b"x"),
        frame({"blobs": [2]}, b"x"),
        frame({"blobs": []}, b"x"),
        frame({"blobs": [2, -1]}, b"x"),
        frame({"blobs": [True]}, b"x"),
        frame({"blobs": [1.0]}, b"x"),
        frame({"blobs": ["1"]}, b"x"),
        frame({"blobs": [[1]]}, b"x"),
    ],
)
def test_an_answer_of_a_form_that_it_never_has_loses_the_box(said: bytes) -> None:
    with pytest.raises(BoxLost, match="'test' in a form that it never has"):
        ask(Script(said))


@pytest.mark.parametrize("head", [b"\xff" * 8, b"\xff" * 4 + b"\0" * 4, b"\0\0\0\1" + b"\xff" * 4])
def test_huge_lengths_are_refused_before_anything_is_kept(head: bytes) -> None:
    stream = Script(head + b"x" * 1000)
    with pytest.raises(BoxLost, match=r"a frame of [0-9]+ bytes, which no request asks for"):
        ask(stream)
    assert len(stream.said) == 1000


@pytest.mark.parametrize("cut", [0, 1, 7, 8, 9, 20])
def test_a_box_that_hangs_up_is_lost_and_its_last_words_are_told(cut: int) -> None:
    said = frame({"ok": True, "blobs": [4]}, b"abcd")[:cut]
    with pytest.raises(BoxLost, match="broke at 'test': Killed"):
        ask(Script(said, words="Killed"))
    with pytest.raises(BoxLost, match="broke at 'test': it hung up"):
        ask(Script(said))


@pytest.mark.parametrize("said", [b"", b"\0", frame({"blobs": [4]}, b"abcd")[:-1]])
def test_a_box_that_falls_silent_is_lost_in_time(said: bytes) -> None:
    began = time.monotonic()
    with pytest.raises(BoxLost, match="did not answer 'test' within"):
        ask(Script(said, silent=True), seconds=0.1)
    assert time.monotonic() - began < 2


def test_a_box_that_answers_one_byte_at_a_time_does_not_get_more_time() -> None:
    class Slow(Script):
        def receive(self, size: int, deadline: float) -> bytes:
            remaining(deadline)
            time.sleep(0.02)
            return super().receive(1, deadline)

    began = time.monotonic()
    with pytest.raises(BoxLost, match="did not answer"):
        ask(Slow(frame({"blobs": []}, b"") * 10), seconds=0.15)
    assert time.monotonic() - began < 2


@given(st.binary(max_size=200))
def test_random_bytes_never_raise_anything_but_box_lost(said: bytes) -> None:
    with pytest.raises(BoxLost):
        ask(Script(said))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["blobs", "ok", "x"]), inner, max_size=3)
    ),
)


@given(json_values, st.binary(max_size=10))
def test_random_answers_are_taken_apart_or_lose_the_box(header: object, body: bytes) -> None:
    try:
        answer, blobs = ask(Script(frame(header, body)))
    except BoxLost:
        return
    assert isinstance(answer, dict)
    assert b"".join(blobs) == body


def test_closing_hangs_up() -> None:
    stream = Script()
    Channel(stream).close()
    assert stream.closed


class Waiting(Script):
    """Says nothing until it is hung up on, and notes what is done to it in order."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[str] = []
        self.waiting, self.woken = threading.Event(), threading.Event()

    def receive(self, size: int, deadline: float) -> bytes:
        self.waiting.set()
        assert self.woken.wait(20)
        time.sleep(0.1)
        self.events.append("left")
        raise ConnectionAbortedError("it was hung up on")

    def hang_up(self) -> None:
        self.events.append("hung up")
        self.woken.set()

    def close(self) -> None:
        self.events.append("closed")


def test_closed_from_another_thread_a_call_ends_before_its_descriptors_are_let_go() -> None:
    stream, errors = Waiting(), []
    channel = Channel(stream)

    def call() -> None:
        try:
            channel.call({"op": "test"}, seconds=20)
        except BoxLost as error:
            errors.append(str(error))

    calling = threading.Thread(target=call)
    calling.start()
    assert stream.waiting.wait(20)
    channel.close()
    channel.close()
    calling.join(20)
    assert stream.events == ["hung up", "left", "closed"]
    assert errors == ["the connection to a box broke at 'test': it was hung up on"]
    with pytest.raises(BoxLost, match="is closed"):
        channel.call({"op": "test"}, seconds=20)
