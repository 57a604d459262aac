"""Drives mini-swe-agent's DockerEnvironment: ``python -m ... IMAGE FOLDER PATH``."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version

from benchmarks.peer_programs.answering import answer, own_output


def main() -> None:
    """Answer until nobody asks any more."""
    image, folder, path = sys.argv[1:]
    own = own_output()
    from minisweagent.environments.docker import DockerEnvironment  # noqa: PLC0415 - it prints a greeting

    options = {"image": image, "cwd": folder, "run_args": ["--rm", "--network", "none", "--entrypoint", ""]}
    begun: list[str] = []

    def begin() -> DockerEnvironment:
        environment = DockerEnvironment(**options)
        begun.append(environment.container_id)
        return environment

    def begin_and_remove() -> None:
        begin()
        # Its own removal goes on in the background, for ten seconds.
        subprocess.run(["docker", "rm", "-f", begun.pop()], check=True, stdout=subprocess.DEVNULL)

    def execute(command: str) -> None:
        if environment.execute({"command": command})["returncode"] != 0:
            raise RuntimeError(command)

    environment = begin()
    try:
        answer(
            own,
            version("mini-swe-agent"),
            {
                "read": lambda: execute(f"cat {path}"),
                "edit": lambda: execute(f"sed -i -e '1s/$/ /' {path}"),
                "true": lambda: execute("true"),
                "open": begin_and_remove,
            },
        )
    finally:
        for container in begun:
            subprocess.run(["docker", "rm", "-f", container], check=False, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
