"""Boxes that are containers: no network, read-only root, memory for every writable place, six
capabilities."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field

import docker
from docker.errors import APIError, ImageNotFound
from docker.types import LogConfig

from deepgym_envs.errors import SandboxError, SandboxUnavailable
from deepgym_envs.owner import this_process
from deepgym_envs.sandbox.box import Box, agent_environment
from deepgym_envs.sandbox.channel import Channel
from deepgym_envs.sandbox.contract import Sandbox
from deepgym_envs.sandbox.engine import LABEL, OWNER_LABEL, AttachedStream, Containers, EngineWatch, connect
from deepgym_envs.sandbox.image import AGENT, task_image
from deepgym_envs.sandbox.program import BoxConfig, start_command
from deepgym_envs.sandbox.reaper import Once, host_places, reap
from deepgym_envs.task import Task

# What boxd needs to become the agent, to end its processes, and to mend the files that it leaves.
CAPABILITIES = ("SETUID", "SETGID", "KILL", "CHOWN", "DAC_OVERRIDE", "FOWNER")
# What a command left in the kernel's System V objects would outlive it.
NO_SYSTEM_V = {"kernel.shmmni": "0", "kernel.msgmni": "0", "kernel.sem": "0 0 0 0"}
SCRATCH_MB = 64


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
    _places: dict[str, str] = field(default_factory=dict, init=False, repr=False)
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
            connect().close()
        except SandboxUnavailable as error:
            return str(error)
        return None

    def prepare(self, task: Task) -> None:
        """See ``Backend.prepare``."""
        with closing(connect()) as client:
            self._tag(client, task)

    def place(self, task: Task) -> str:
        """See ``Placed.place``: the image's tag and id."""
        if task.digest not in self._places:
            try:
                with closing(connect()) as client:
                    tag = self._tag(client, task)
                    self._places[task.digest] = f"{tag} {client.api.inspect_image(tag)['Id']}"
            except (APIError, OSError) as error:
                raise SandboxError(f"the image of {task.id} cannot be looked at: {error}") from None
        return self._places[task.digest]

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
            self._places.pop(task.digest, None)

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
                # That a file of the base was read must not last.
                "/workspace": f"rw,nosuid,nodev,exec,noatime,mode=755,uid={AGENT},gid={AGENT},"
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
            except (APIError, OSError):
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


def _reap_all() -> None:
    with closing(connect()) as client:
        reap([Containers(client), *host_places()])
