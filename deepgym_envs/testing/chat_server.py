"""A server on this machine that speaks OpenAI's chat completions and says what it was told to say."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

_PATH = "/v1/chat/completions"


@dataclass(frozen=True)
class ChatAnswer:
    """One answer of a ``ChatServer``.

    ``body`` is sent as it is; without one it is a completion whose content is ``text``. The server waits
    ``seconds`` before it answers, sends the body in pieces of ``piece`` bytes with ``pause`` seconds between
    them, and hangs up after ``cut`` bytes of it.
    """

    text: str = ""
    status: int = 200
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    piece: int = 1 << 16
    pause: float = 0.0
    cut: int | None = None


@dataclass(frozen=True)
class ChatRequest:
    """What a client sent: the JSON of its body, and its headers with names in lower case."""

    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(repr=False)

    @property
    def last(self) -> str:
        """The content of the last message."""
        return str(self.body["messages"][-1]["content"])


class ChatServer:
    """Gives ``answers``, one for each request, and the last of them to all that follow.

    ``requests`` lists what was asked. It listens on the loopback while it is a context::

        with ChatServer(["hello"]) as server:
            model = ChatEndpoint(server.url, "scripted")
            assert model([Message("user", "hi")]).text == "hello"

    Raises:
        ValueError: there is no answer.
    """

    def __init__(self, answers: Sequence[str | ChatAnswer]) -> None:
        if not answers:
            raise ValueError("a chat server needs an answer to give")
        self.requests: list[ChatRequest] = []
        self._answers = [ChatAnswer(each) if isinstance(each, str) else each for each in answers]
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._server: ThreadingHTTPServer | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """The base URL, with its ``/v1``. Raises ``ValueError`` outside of the context."""
        if self._server is None:
            raise ValueError("the chat server does not listen: enter its context")
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def __enter__(self) -> Self:
        self._ended.clear()
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        assert self._thread is not None
        self._ended.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()  # waits for requests that are being answered
        self._server = None

    def _next(self, request: ChatRequest) -> ChatAnswer:
        with self._lock:
            self.requests.append(request)
            return self._answers[min(len(self.requests), len(self._answers)) - 1]


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    block_on_close = True

    def __init__(self, owner: ChatServer) -> None:
        self.owner = owner
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 60

    def do_POST(self) -> None:
        data = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            request = ChatRequest(json.loads(data), headers)
        except ValueError:
            self._send(ChatAnswer(status=400, body=b'{"error": {"message": "not JSON"}}'))
            return
        if self.path != _PATH:
            self._send(ChatAnswer(status=404, body=b'{"error": {"message": "no such path"}}'))
            return
        answer = self.server.owner._next(request)
        if not self._ended(answer.seconds):
            self._send(answer)

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - the name is http.server's
        """Nothing is printed."""

    def _send(self, answer: ChatAnswer) -> None:
        body = answer.body if answer.body is not None else completion(answer.text)
        try:
            self.send_response(answer.status)
            for name, value in {"content-type": "application/json", **answer.headers}.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            for start in range(0, len(body[: answer.cut]), answer.piece):
                self.wfile.write(body[: answer.cut][start : start + answer.piece])
                if self._ended(answer.pause):
                    return
        except OSError:
            pass  # the client has left

    def _ended(self, seconds: float) -> bool:
        """Waits so long, unless the server is closed."""
        return self.server.owner._ended.wait(seconds) if seconds else False


def completion(text: str, **message: Any) -> bytes:
    """The body of an answer whose first choice says ``text``, with further fields of its message."""
    return json.dumps(
        {
            "id": "scripted",
            "object": "chat.completion",
            "model": "scripted",
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": text, **message},
                    "finish_reason": "stop",
                }
            ],
            "usage": {
                "prompt_tokens": 10,
                "completion_tokens": len(text) // 4,
                "total_tokens": 10 + len(text) // 4,
            },
        }
    ).encode("ascii")
