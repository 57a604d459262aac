"""A Docker engine: how to reach it, whether it was away, what is said to a container, and which are ours."""

from __future__ import annotations

import json
import os
import select
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import docker
from docker.errors import DockerException, NotFound

from deepgym_envs.errors import SandboxUnavailable
from deepgym_envs.owner import owner_in
from deepgym_envs.sandbox.channel import remaining, send_all
from deepgym_envs.sandbox.reaper import Belonging, BelongingKind

_SOCKET = "unix:///var/run/docker.sock"  # where the SDK looks if the environment does not say
LABEL = "deepgym-envs.box"
OWNER_LABEL = "deepgym-envs.owner"
ANSWER_SECONDS = 20.0
IDLE_SECONDS = 24 * 3600  # a container is started right after it was created, or never


def connect(seconds: float = 120) -> docker.DockerClient:
    """A client of the engine that the environment names, which waits ``seconds`` for each answer.

    Raises:
        SandboxUnavailable: none answers; says what to do.
    """
    client = None
    before = sys.exception()
    try:
        _try_socket(seconds)
        client = docker.from_env(timeout=seconds)
        client.ping()
    except (DockerException, OSError) as error:
        if client is not None:
            client.close()
        raise SandboxUnavailable(
            f"no Docker engine answers ({_origin(error, before)}); start one (`dockerd`, Docker Desktop) "
            "or use --sandbox bwrap"
        ) from None
    return client


def _try_socket(seconds: float) -> None:
    """Raises ``OSError`` if nobody listens: of a connection that fails the SDK leaves the socket open."""
    scheme, _, path = os.environ.get("DOCKER_HOST", _SOCKET).partition("://")
    if scheme == "unix":
        with socket.socket(socket.AF_UNIX) as attempt:
            attempt.settimeout(seconds)
            attempt.connect(path)


def _origin(error: BaseException, before: BaseException | None) -> str:
    """What went wrong first after ``before``: the SDK wraps it several times."""
    while error.__context__ is not None and error.__context__ is not before:
        error = error.__context__
    return str(error)


class EngineWatch:
    """Tells an engine that was stopped, even one that is back, from a box that came to its end inside.

    It holds a connection on which nothing is said for as long as the engine lives.
    """

    def __init__(self, client: docker.DockerClient) -> None:
        """Open the connection; raises ``OSError`` or an error of the SDK's."""
        nothing = {"filters": json.dumps({"type": ["daemon"], "event": ["none"]})}
        self._answer = client.api.get(
            f"{client.api.base_url}/events", params=nothing, stream=True, timeout=client.api.timeout
        )
        self._poll = select.poll()
        self._poll.register(self._answer.raw.fileno(), select.POLLRDHUP)

    def outage(self) -> str:
        """What is wrong with the engine, or was since this was made; empty if nothing is."""
        if self._poll.poll(0):
            return "the Docker engine was stopped while the box was open"
        try:
            connect(ANSWER_SECONDS).close()
        except SandboxUnavailable as error:
            return str(error)
        return ""

    def close(self) -> None:
        """Hang up."""
        self._answer.close()


class AttachedStream:
    """A container's standard streams over one socket; eight bytes before each piece say whose it is."""

    def __init__(self, attached: Any) -> None:
        self._attached = attached
        self._socket: socket.socket = getattr(attached, "_sock", attached)
        self._raw = bytearray()
        self._output = bytearray()
        self._errors = bytearray()

    def send(self, data: bytes, deadline: float) -> None:
        """See ``Stream.send``."""
        send_all(self._socket, data, deadline)

    def receive(self, size: int, deadline: float) -> bytes:
        """See ``Stream.receive``."""
        while not self._output:
            self._socket.settimeout(remaining(deadline))
            data = self._socket.recv(1 << 17)
            if not data:
                return b""
            self._raw += data
            self._split()
        piece = bytes(self._output[:size])
        del self._output[:size]
        return piece

    def _split(self) -> None:
        start = 0
        while len(self._raw) - start >= 8:
            size = int.from_bytes(self._raw[start + 4 : start + 8], "big")
            if len(self._raw) - start - 8 < size:
                break
            target = self._errors if self._raw[start] == 2 else self._output
            target += self._raw[start + 8 : start + 8 + size]
            start += 8 + size
        del self._raw[:start]
        del self._errors[:-4000]

    def last_words(self) -> str:
        """See ``Stream.last_words``."""
        return " / ".join(self._errors.decode(errors="replace").strip().splitlines()[-3:])

    def hang_up(self) -> None:
        """See ``Stream.hang_up``."""
        with suppress(OSError):  # it is broken already
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """See ``Stream.close``."""
        self._socket.close()
        self._attached.close()


class Containers:
    """Boxes that are containers of the engine that ``client`` speaks to; implements ``Place``."""

    kind: BelongingKind = "container"

    def __init__(self, client: docker.DockerClient) -> None:
        self._client = client

    def belongings(self) -> Iterator[Belonging]:
        """See ``Place``."""
        try:
            found = self._client.api.containers(all=True, filters={"label": OWNER_LABEL})
        except DockerException as error:
            raise OSError(f"the engine does not list its containers: {error}") from None
        for row in found:
            owner = owner_in(row["Labels"][OWNER_LABEL])
            if owner is not None:
                unused = row["State"] in ("created", "exited", "dead")
                idle = unused and time.time() - row["Created"] > IDLE_SECONDS
                yield Belonging(self.kind, row["Id"], owner, row["Labels"].get(LABEL, ""), idle)

    def remove(self, belonging: Belonging) -> bool:
        """See ``Place``."""
        try:
            self._client.api.remove_container(belonging.name, force=True, v=True)
        except NotFound:
            pass
        except DockerException as error:
            raise OSError(f"the engine does not remove a container: {error}") from None
        return True
