"""Boxes that are containers: no network, read-only root, memory for every writable place, six
capabilities."""

from __future__ import annotations

import json
import select
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import docker
from docker.errors import APIError, DockerException, ImageNotFound, NotFound
from docker.types import LogConfig

from deepgym_envs.errors import SandboxError, SandboxUnavailable
from deepgym_envs.owner import owner_in, this_process
from deepgym_envs.sandbox.box import Box, agent_environment
from deepgym_envs.sandbox.channel import Channel, remaining, send_all
from deepgym_envs.sandbox.contract import Sandbox
from deepgym_envs.sandbox.image import AGENT, task_image
from deepgym_envs.sandbox.program import BoxConfig, start_command
from deepgym_envs.sandbox.reaper import Belonging, Once, host_places, reap
from deepgym_envs.task import Task

# What boxd needs to become the agent, to end its processes, and to mend the files that it leaves.
CAPABILITIES = ("SETUID", "SETGID", "KILL", "CHOWN", "DAC_OVERRIDE", "FOWNER")
# What a command left in the kernel's System V objects would outlive it.
NO_SYSTEM_V = {"kernel.shmmni": "0", "kernel.msgmni": "0", "kernel.sem": "0 0 0 0"}
SCRATCH_MB = 64
LABEL = "deepgym-envs.box"
OWNER_LABEL = "deepgym-envs.owner"
ANSWER_SECONDS = 20.0
IDLE_SECONDS = 24 * 3600  # a container is started right after it was created, or never


def quiet(message: str) -> None:
    """Reports progress to nobody."""


@dataclass
class DockerBackend:
    """Containers of a Docker engine.

    ``runtime`` names another container runtime of the engine, such as ``runsc``; ``cpus`` bounds each box.
    ``report`` is told what takes long, such as a build.
    """

    runtime: str | None = None
    cpus: float = 1.0
    report: Callable[[str], None] = quiet
    _tags: dict[str, str] = field(default_factory=dict, init=False, repr=False)
    _sysctls: dict[str, str] = field(default_factory=lambda: dict(NO_SYSTEM_V), init=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)
    _reaping: Once = field(default_factory=Once, init=False, repr=False)

    def __reduce__(self) -> tuple[type[DockerBackend], tuple[str | None, float]]:
        return DockerBackend, (self.runtime, self.cpus)

    @property
    def name(self) -> str:
        """``docker``."""
        return "docker"

    def problem(self) -> str | None:
        """See ``Backend.problem``."""
        try:
            client = connect()
        except SandboxUnavailable as error:
            return str(error)
        client.close()
        return None

    def prepare(self, task: Task) -> None:
        """See ``Backend.prepare``."""
        client = connect()
        try:
            self._tag(client, task)
        finally:
            client.close()

    def open(self, task: Task) -> Sandbox:
        """See ``Backend.open``."""
        client = connect()
        self._reaping.begin(_reap_all)
        try:
            try:
                return self._started(client, task)
            except ImageNotFound:  # somebody removed it in the meantime
                self._forget(task)
            except APIError as error:  # an engine that is not root's may not set them
                refused = "sysctl" in str(error) or "/proc/sys/" in str(error)
                if not self._sysctls or not refused:
                    raise
                self._sysctls = {}
            return self._started(client, task)
        except (APIError, OSError) as error:
            client.close()
            raise SandboxError(f"a container for {task.id} could not be started: {error}") from None
        except BaseException:
            client.close()
            raise

    def _tag(self, client: docker.DockerClient, task: Task) -> str:
        with self._lock:
            if task.digest not in self._tags:
                self._tags[task.digest] = task_image(client, task, self.report)
            return self._tags[task.digest]

    def _started(self, client: docker.DockerClient, task: Task) -> Box:
        tag = self._tag(client, task)
        watch = EngineWatch(client)
        try:
            return self._start(client, watch, self._create(client, tag, task), task)
        except BaseException:
            watch.close()
            raise

    def _forget(self, task: Task) -> None:
        with self._lock:
            self._tags.pop(task.digest, None)

    def _create(self, client: docker.DockerClient, tag: str, task: Task) -> str:
        limits = task.limits
        config = BoxConfig(
            workspace="/workspace",
            base="/opt/deepgym/base",
            inputs="/inputs",
            scratch=("/tmp", "/dev/shm", "/dev/mqueue"),
            environment=agent_environment("/opt/venv/bin", "/tmp", "/workspace", task.recipe),
            user=(AGENT, AGENT),
            disk_bytes=limits.disk_mb << 20,
            preload=task.recipe.test.preload,
        )
        memory = (limits.memory_mb + limits.disk_mb) << 20
        host = client.api.create_host_config(
            network_mode="none",
            read_only=True,
            cap_drop=["ALL"],
            cap_add=list(CAPABILITIES),
            security_opt=["no-new-privileges"],
            pids_limit=limits.pids,
            mem_limit=memory,
            memswap_limit=memory,
            nano_cpus=int(self.cpus * 1e9),
            auto_remove=True,
            init=False,
            ipc_mode="private",
            shm_size=16 << 20,
            sysctls=self._sysctls,
            log_config=LogConfig(type="none"),
            runtime=self.runtime,
            tmpfs={
                "/workspace": f"rw,nosuid,nodev,exec,mode=755,uid={AGENT},gid={AGENT},"
                f"size={limits.disk_mb}m,nr_inodes=50k",
                "/tmp": f"rw,nosuid,nodev,exec,mode=1777,size={SCRATCH_MB}m,nr_inodes=50k",
                "/inputs": f"rw,nosuid,nodev,noexec,mode=711,size={SCRATCH_MB}m,nr_inodes=10k",
            },
        )
        created = client.api.create_container(
            tag,
            entrypoint=start_command("/opt/venv/bin/python"),
            command=[config.to_json()],
            user="0:0",
            stdin_open=True,
            network_disabled=True,
            labels={LABEL: task.id, OWNER_LABEL: str(this_process())},
            stop_signal="SIGKILL",  # it keeps nothing for which an engine that ends should wait
            host_config=host,
        )
        return str(created["Id"])

    def _start(self, client: docker.DockerClient, watch: EngineWatch, container: str, task: Task) -> Box:
        def release() -> None:
            watch.close()
            try:
                client.api.remove_container(container, force=True)
            except (NotFound, APIError, OSError):
                pass  # it removes itself once its input is closed; this call only hastens that
            finally:
                client.close()

        try:
            stream = AttachedStream(client.api.attach_socket(
                container, params={"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
            ))  # fmt: skip
            client.api.start(container)
        except BaseException:
            release()
            raise
        return Box(task.base, Channel(stream), release, watch.outage)


class Containers:
    """Boxes that are containers of the engine that ``client`` speaks to; implements ``Place``."""

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
                yield Belonging("container", row["Id"], owner, row["Labels"].get(LABEL, ""), idle)

    def remove(self, belonging: Belonging) -> bool:
        """See ``Place``."""
        try:
            self._client.api.remove_container(belonging.name, force=True, v=True)
        except NotFound:
            pass
        except DockerException as error:
            raise OSError(f"the engine does not remove a container: {error}") from None
        return True


def _reap_all() -> None:
    client = connect()
    try:
        reap([Containers(client), *host_places()])
    finally:
        client.close()


def connect(seconds: float = 120) -> docker.DockerClient:
    """A client of the engine that the environment names, which waits ``seconds`` for each answer.

    Raises:
        SandboxUnavailable: none answers; says what to do.
    """
    client = None
    before = sys.exception()
    try:
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
