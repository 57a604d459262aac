"""The container that one would have without this package: of the same image, driven by the engine alone."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from deepgym_envs import Task
from deepgym_envs.sandbox.engine import connect
from deepgym_envs.sandbox.image import task_image

CLI, SDK = "docker exec, command line", "docker exec, Python SDK"
RUN = "docker run and rm"
BASE = "/opt/deepgym/base"
# Should this process be killed, they still end and remove themselves.
_SLEEP = ["--rm", "--network", "none", "--entrypoint", "sleep"]
_AS_LONG = "3h"


class Beside:
    """A running container of the task's image, whose ``/workspace`` holds the task's base."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._client: Any = connect()
        self.image = task_image(self._client, task, lambda said: print(said, file=sys.stderr))
        self.container = _docker("run", "-d", *_SLEEP, self.image, _AS_LONG)
        try:
            self.by_command("sh", "-c", f"cp -a {BASE}/. /workspace")
        except BaseException:
            self.close()
            raise

    def by_command(self, *argv: str) -> str:
        """Run a program in the container's workspace by the command line; what it printed."""
        return _docker("exec", "-w", "/workspace", self.container, *argv)

    def by_sdk(self, *argv: str) -> bytes:
        """Run a program in the container's workspace by the Python SDK; what it printed."""
        made = self._client.api.exec_create(self.container, list(argv), workdir="/workspace")
        output: bytes = self._client.api.exec_start(made["Id"])
        if self._client.api.exec_inspect(made["Id"])["ExitCode"] != 0:
            raise RuntimeError(f"{argv} failed: {output!r}")
        return output

    def run_and_remove(self, *argv: str) -> None:
        """What a fresh container for each episode costs; with ``argv``, a program is run in it too."""
        container = _docker("run", "-d", *_SLEEP, self.image, _AS_LONG)
        try:
            if argv:
                _docker("exec", container, *argv)
        finally:
            _docker("rm", "-f", container)

    def branch(self) -> None:
        """A second container in the state of this one, and its removal."""
        image = _docker("commit", self.container)
        container = ""
        try:
            container = _docker("run", "-d", *_SLEEP, image, _AS_LONG)
        finally:
            if container:
                _docker("rm", "-f", container)
            _docker("rmi", image)

    def another(self) -> Beside:
        """A second one of the same image."""
        return Beside(self._task)

    def copy_in(self, place: str, folder: str) -> None:
        """Copy a folder of the host into the container."""
        _docker("cp", folder, f"{self.container}:{place}")

    def close(self) -> None:
        """Remove the container."""
        _docker("rm", "-f", self.container)
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _docker(*arguments: str) -> str:
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"docker {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout.strip()


def pytest_command(task: Task, arguments: Sequence[str] = ()) -> list[str]:
    """How one would run the repository's tests by hand; ``arguments`` in place of its test paths."""
    places = ":".join(task.recipe.install.pythonpath)
    plugins = [part for name in task.recipe.test.plugins for part in ("-p", name)]
    options = ["-q", "--no-header", "--tb=short", "-p", "no:cacheprovider", *plugins]
    environment = [f"PYTHONPATH={places}", "PYTHONDONTWRITEBYTECODE=1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD=1"]
    tests = list(arguments or task.recipe.test.paths)
    # Failing tests are no failure of the run.
    run = ["env", *environment, "/opt/venv/bin/python", "-m", "pytest", *options, *tests]
    return ["sh", "-c", '"$@"; test $? -le 1', "sh", *run]
