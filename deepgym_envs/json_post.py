"""Posts JSON to a server and reads its answer, which may be anything; the only file that needs ``httpx``."""

from __future__ import annotations

import ipaddress
import json
import os
import random
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from urllib.parse import urlsplit

from deepgym_envs.errors import ModelError, UsageError
from deepgym_envs.text import one_line

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")
_MOST_BYTES = 8 << 20
_LONGEST_WAIT = 60.0
_HOST = re.compile(r"[\w.-]+(:\d+)?|\[[\da-fA-F:.]+\](:\d+)?")
_AGAIN = (408, 409, 425, 429)
# What is shorter is no secret ("none", "EMPTY"), and may well be part of a reply.
_SECRET_CHARS = 8


@dataclass(frozen=True)
class JsonPost:
    """Asks the model ``model`` by POST requests to ``url``.

    Args:
        model: what the model is called in errors.
        key_env: the environment variable that holds the key, if one is needed. It is read for each request
            and kept nowhere; where a server repeats it, ``[key]`` stands in its place.
        seconds: for one request; a server that is silent at its end may take as long again.
        tries: how often a request is made in all where the server is busy (408, 409, 425, 429), fails (5xx,
            an answer that cannot be read) or cannot be reached.
        wait: seconds before the second try; twice as many before each further one, at most 60, or as many as
            the server asks for (``Retry-After``).
        most_bytes: that an answer may have.

    A server on this machine is asked directly, any other through the proxy that the environment names.
    Redirects are not followed.

    Raises:
        UsageError: ``httpx`` is not installed, an argument is no good, or the variable holds no key.
    """

    url: str
    model: str
    key_env: str | None = None
    seconds: float = 600.0
    tries: int = 4
    wait: float = 1.0
    most_bytes: int = _MOST_BYTES

    def __post_init__(self) -> None:
        _httpx()
        try:
            parts = urlsplit(self.url)
            good = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
        except ValueError:
            good = False
        if not good or parts.query or parts.fragment or not _HOST.fullmatch(parts.netloc):
            raise UsageError("the URL of a model is http(s)://host[:port]/path, without a key in it")
        if self.tries < 1 or not self.seconds > 0 or not self.wait >= 0:
            raise UsageError("a model is asked at least once, in more than 0 seconds")
        self._key()

    def ask(self, question: Mapping[str, Any], read: Callable[[bytes], T]) -> T:
        """What ``read`` makes of the answer to ``question``; it raises ``ModelError`` where it can make
        nothing of it.

        Raises:
            UsageError: the variable holds no key, or the server refuses it, the address or the model (401,
                403, 404).
            ModelError: no answer, for any other reason.
        """
        key = self._key()
        data = json.dumps(question).encode("ascii")
        number = 1
        while True:
            said = self._asked(data, key, read)
            if isinstance(said, _Answer):
                return said.value
            if not said.again or number == self.tries:
                # Raised where no exception is being handled: one of httpx's would carry the key along.
                raise (UsageError if said.misused else ModelError)(f"{self.model}: {said.why}")
            pause = self.wait * 2 ** (number - 1) * random.uniform(0.75, 1.25)
            time.sleep(min(_LONGEST_WAIT, pause if said.wait is None else said.wait))
            number += 1

    def without_key(self, text: str) -> str:
        """The text with ``[key]`` where the key stood."""
        return _scrubbed(text, self._key())

    def _key(self) -> str:
        if self.key_env is None:
            return ""
        key = os.environ.get(self.key_env, "").strip()
        if not key or not (key.isascii() and key.isprintable()) or " " in key:
            raise UsageError(f"the environment variable {self.key_env} holds no key; set it")
        return key

    def _asked(self, question: bytes, key: str, read: Callable[[bytes], T]) -> _Answer[T] | _Failure:
        """One request; never raises."""
        httpx = _httpx()
        try:
            status, headers, data = self._posted(question, key)
        except httpx.HTTPError as error:
            why = _told(str(error) or type(error).__name__, key)
            return _Failure(f"the server was not reached or broke off: {why}")
        except _Unread as error:
            return _Failure(str(error))
        except (httpx.InvalidURL, ValueError, OSError, ImportError) as error:  # of a proxy or a certificate
            return _Failure(f"no request can be made: {_told(str(error), key)}", again=False, misused=True)
        data = _scrubbed(data.decode("utf-8", "surrogateescape"), key).encode("utf-8", "surrogateescape")
        if status == 200:
            try:
                return _Answer(read(data))
            except ModelError as error:
                return _Failure(_scrubbed(str(error), key))
        why = f"the server answered {status}: {_scrubbed(complaint(data), key)}"
        if status in (401, 403, 404):
            place = f"${self.key_env}" if self.key_env else "whether a key is needed"
            why += f"; check the URL, the model's name and {place}"
            return _Failure(why, again=False, misused=True)
        return _Failure(why, again=status in _AGAIN or status >= 500, wait=_asked_for(headers))

    def _posted(self, question: bytes, key: str) -> tuple[int, Mapping[str, str], bytes]:
        httpx = _httpx()
        deadline = time.monotonic() + self.seconds
        headers = {"content-type": "application/json", "accept-encoding": "identity"}
        if key:
            headers["authorization"] = f"Bearer {key}"
        limits = httpx.Timeout(self.seconds, connect=min(30.0, self.seconds))
        with (
            httpx.Client(timeout=limits, trust_env=not self._is_here(), follow_redirects=False) as client,
            client.stream("POST", self.url, content=question, headers=headers) as response,
        ):
            return response.status_code, response.headers, _body(response, deadline, self.most_bytes)

    def _is_here(self) -> bool:
        host = urlsplit(self.url).hostname or ""
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return host == "localhost"


def complaint(data: bytes) -> str:
    """What a server says is wrong, for a person: the ``message`` of an ``error``, or the bytes themselves."""
    try:
        body = json.loads(data)
    except (ValueError, RecursionError):
        body = None
    match body:
        case {"error": {"message": str(text)}} | {"error": str(text)} | {"message": str(text)}:
            return one_line(text)
    return one_line(data)


@dataclass(frozen=True)
class _Answer(Generic[T]):
    """What was made of an answer."""

    value: T


@dataclass(frozen=True)
class _Failure:
    """Why there is no answer, whether to try again, and after how many seconds if the server said so."""

    why: str
    again: bool = True
    wait: float | None = None
    misused: bool = False


class _Unread(Exception):
    """An answer that was not read to its end."""


def _body(response: httpx.Response, deadline: float, most_bytes: int) -> bytes:
    if response.headers.get("content-encoding", "identity") != "identity":
        raise _Unread("the server's answer is compressed, which was not asked for")
    data = bytearray()
    for part in response.iter_raw():
        data += part
        if len(data) > most_bytes:
            raise _Unread(f"the server's answer is longer than {most_bytes} bytes")
        if time.monotonic() > deadline:
            raise _Unread("the server's answer did not end in time")
    return bytes(data)


def _asked_for(headers: Mapping[str, str]) -> float | None:
    try:
        return max(0.0, min(_LONGEST_WAIT, float(headers.get("retry-after", ""))))
    except ValueError:
        return None


def _scrubbed(text: str, key: str) -> str:
    return text.replace(key, "[key]") if len(key) >= _SECRET_CHARS else text


def _told(text: str, key: str) -> str:
    """One line without the key, which neither the cut nor what is cleaned away may hide or bring about."""
    return _scrubbed(one_line(_scrubbed(text, key)), key)


def _httpx() -> Any:
    try:
        import httpx
    except ImportError:
        raise UsageError("asking a model needs httpx; install it: pip install 'deepgym-envs[llm]'") from None
    return httpx
