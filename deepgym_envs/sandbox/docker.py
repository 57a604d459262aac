"""Boxes that are containers: no network, read-only root, memory for every writable place, six
capabilities."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import docker
from docker.errors import APIError, DockerException, ImageNotFound, NotFound
from docker.types import LogConfig

from deepgym_envs.errors import SandboxError, SandboxUnavailable
from deepgym_envs.sandbox.box import Box, agent_environment, boxd_config
from deepgym_envs.sandbox.channel import Channel, remaining, send_all
from deepgym_envs.sandbox.contract import Sandbox
from deepgym_envs.sandbox.image import AGENT, task_image
from deepgym_envs.task import Task

# What boxd needs to become the agent, to end its processes, and to mend the files that it leaves.
CAPABILITIES = ("SETUID", "SETGID", "KILL", "CHOWN", "DAC_OVERRIDE", "FOWNER")
# What a command left in the kernel's System V objects would outlive it.
NO_SYSTEM_V = {"kernel.shmmni": "0", "kernel.msgmni": "0", "kernel.sem": "0 0 0 0"}
SCRATCH_MB = 64
LABEL = "deepgym-envs.box"


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
        return self._start(client, self._create(client, self._tag(client, task), task), task)

    def _forget(self, task: Task) -> None:
        with self._lock:
            self._tags.pop(task.digest, None)

    def _create(self, client: docker.DockerClient, tag: str, task: Task) -> str:
        limits = task.limits
        config = boxd_config(
            workspace="/workspace",
            base="/opt/deepgym/base",
            inputs="/inputs",
            scratch=("/tmp", "/dev/shm", "/dev/mqueue"),
            environment=agent_environment("/opt/venv/bin", "/tmp", "/workspace", task.recipe),
            user=(AGENT, AGENT),
            rlimits={},
            disk_bytes=limits.disk_mb << 20,
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
            entrypoint=["/opt/venv/bin/python", "-I", "-S", "-B", "-X", "utf8", "/opt/deepgym/boxd.py"],
            command=[json.dumps(config)],
            user="0:0",
            stdin_open=True,
            network_disabled=True,
            labels={LABEL: task.id},
            host_config=host,
        )
        return str(created["Id"])

    def _start(self, client: docker.DockerClient, container: str, task: Task) -> Box:
        def release() -> None:
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
        return Box(task.base, Channel(stream), release)


def connect() -> docker.DockerClient:
    """A client of the engine that the environment names.

    Raises:
        SandboxUnavailable: none answers; says what to do.
    """
    client = None
    try:
        client = docker.from_env(timeout=120)
        client.ping()
    except (DockerException, OSError) as error:
        if client is not None:
            client.close()
        raise SandboxUnavailable(
            f"no Docker engine answers ({_origin(error)}); start one (`dockerd`, Docker Desktop) "
            "or use --sandbox bwrap"
        ) from None
    return client


def _origin(error: BaseException) -> str:
    """What went wrong first: the SDK wraps it several times."""
    while error.__context__ is not None:
        error = error.__context__
    return str(error)


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
