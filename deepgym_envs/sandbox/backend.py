"""Chooses where boxes come from."""

from __future__ import annotations

from typing import Literal, Protocol, get_args, runtime_checkable

from deepgym_envs.errors import SandboxError, SandboxUnavailable
from deepgym_envs.sandbox.contract import Sandbox
from deepgym_envs.task import Task

BackendName = Literal["auto", "docker", "bwrap", "local"]


class Backend(Protocol):
    """A kind of sandbox."""

    @property
    def name(self) -> str:
        """What users call it."""

    def problem(self) -> str | None:
        """Why it cannot be used on this machine and what to do about it; None when it can."""

    def prepare(self, task: Task) -> None:
        """Build what boxes of ``task`` share, so that ``open`` is fast; does nothing if that is there
        already.

        Raises:
            SandboxError: it cannot be built.
        """

    def open(self, task: Task) -> Sandbox:
        """Start a box whose workspace is the task's base.

        Raises:
            SandboxError: it cannot be started.
        """


@runtime_checkable
class Placed(Protocol):
    """A backend that can tell what its boxes are made of."""

    def place(self, task: Task) -> str:
        """What identifies the programs in boxes of ``task``: an image, or an environment of the host.

        Raises:
            SandboxError: it cannot be found out.
        """


def place_of(backend: Backend, task: Task) -> str:
    """See ``Placed.place``; empty where the backend does not tell."""
    if not isinstance(backend, Placed):
        return ""
    try:
        return backend.place(task)
    except SandboxError:
        return ""


def choose_backend(wanted: BackendName | Backend) -> Backend:
    """The backend of that name, or ``wanted`` itself; ``auto`` takes the first that works, and never
    ``local``.

    Raises:
        SandboxUnavailable: it cannot be used here; says why and what to do.
    """
    if not isinstance(wanted, str):
        return wanted
    if wanted not in get_args(BackendName):
        raise SandboxUnavailable(f"no sandbox {wanted!r}; there are {', '.join(get_args(BackendName))}")
    problems = []
    for backend in _candidates(wanted):
        problem = backend.problem()
        if problem is None:
            return backend
        problems.append(f"{backend.name}: {problem}")
    raise SandboxUnavailable("; ".join(problems))


def _candidates(wanted: BackendName) -> list[Backend]:
    # Each backend is imported when it is asked for: the Docker SDK alone takes a fifth of a second.
    if wanted == "local":
        from deepgym_envs.sandbox.local import LocalBackend

        return [LocalBackend()]
    found: list[Backend] = []
    if wanted in ("auto", "docker"):
        from deepgym_envs.sandbox.docker import DockerBackend

        found.append(DockerBackend())
    if wanted in ("auto", "bwrap"):
        from deepgym_envs.sandbox.bwrap import BwrapBackend

        found.append(BwrapBackend())
    return found
