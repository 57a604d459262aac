"""Framed requests to the program inside a box, over any byte stream."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Sequence
from typing import Any, Protocol

from deepgym_envs.errors import BoxLost

MAX_HEADER = 32 << 20
MAX_BODY = 256 << 20


class Stream(Protocol):
    """A connection to a box: bytes out, bytes in, and what its program said when it died."""

    def send(self, data: bytes, deadline: float) -> None:
        """Send all of ``data`` before ``deadline`` (of ``time.monotonic``); raises ``OSError``."""

    def receive(self, size: int, deadline: float) -> bytes:
        """One to ``size`` bytes, none at the end; raises ``OSError``, also at the deadline."""

    def last_words(self) -> str:
        """What the program wrote to its standard error, for a complaint."""

    def hang_up(self) -> None:
        """Make what another thread sends or receives end at once with ``OSError`` or with no bytes."""

    def close(self) -> None:
        """Hang up and let go of the descriptors, which nobody is using."""


class Channel:
    """One request, one answer. What comes back is a box's word: capped in size and checked in form.

    ``close`` may come from another thread than the call that it ends. The descriptors are let go by whoever
    is the last to use them: the number of a closed one may at once be that of another file.
    """

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        # Reentrant, for a signal's handler may close what its own thread was about to use.
        self._lock = threading.RLock()
        self._calling = self._closed = False

    def call(
        self, request: dict[str, Any], blobs: Sequence[bytes] = (), *, seconds: float
    ) -> tuple[dict[str, Any], list[bytes]]:
        """Send ``request`` and wait at most ``seconds`` for its answer.

        Raises:
            BoxLost: no answer, or not one that the protocol allows, or the channel was closed.
        """
        with self._lock:
            if self._closed:
                raise BoxLost("the connection to a box is closed")
            self._calling = True
        try:
            return self._exchange(request, blobs, seconds)
        finally:
            with self._lock:
                self._calling = False
                if self._closed:
                    self._stream.close()

    def close(self) -> None:
        """Hang up; the program inside ends by itself, and so does a call that waits for it."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            if self._calling:
                self._stream.hang_up()
            else:
                self._stream.close()

    def _exchange(
        self, request: dict[str, Any], blobs: Sequence[bytes], seconds: float
    ) -> tuple[dict[str, Any], list[bytes]]:
        deadline = time.monotonic() + seconds
        header = json.dumps({**request, "blobs": [len(blob) for blob in blobs]}).encode()
        body = b"".join(blobs)
        try:
            lengths = len(header).to_bytes(4, "big") + len(body).to_bytes(4, "big")
            self._stream.send(lengths + header + body, deadline)
            head = self._exactly(8, deadline)
            header_size, body_size = int.from_bytes(head[:4], "big"), int.from_bytes(head[4:], "big")
            if header_size > MAX_HEADER or body_size > MAX_BODY:
                raise BoxLost(
                    f"a box sent a frame of {header_size + body_size} bytes, which no request asks for"
                )
            answer = json.loads(self._exactly(header_size, deadline))
            return answer, _cut(self._exactly(body_size, deadline), answer.pop("blobs"))
        except TimeoutError:
            raise BoxLost(f"a box did not answer {request['op']!r} within {seconds:.0f} s") from None
        except OSError as error:
            words = self._stream.last_words()
            raise BoxLost(f"the connection to a box broke at {request['op']!r}: {words or error}") from None
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise BoxLost(
                f"a box answered {request['op']!r} in a form that it never has: {error!r}"
            ) from None

    def _exactly(self, size: int, deadline: float) -> bytes:
        data = bytearray()
        while len(data) < size:
            chunk = self._stream.receive(size - len(data), deadline)
            if not chunk:
                raise ConnectionResetError("it hung up")
            data += chunk
        return bytes(data)


def _cut(body: bytes, sizes: list[int]) -> list[bytes]:
    if any(type(size) is not int or size < 0 for size in sizes) or sum(sizes) != len(body):
        raise ValueError("its pieces do not add up")
    blobs, start = [], 0
    for size in sizes:
        blobs.append(body[start : start + size])
        start += size
    return blobs


def send_all(connection: socket.socket, data: bytes, deadline: float) -> None:
    """Send ``data`` before ``deadline``; raises ``OSError``, which a ``TimeoutError`` is."""
    connection.settimeout(remaining(deadline))
    connection.sendall(data)


def remaining(deadline: float) -> float:
    """Seconds until ``deadline``, of ``time.monotonic``; raises ``TimeoutError`` when it has passed."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
