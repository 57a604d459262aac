"""Drives SWE-ReX's runtime in a container over HTTP: ``python -m ... IMAGE FOLDER PATH``.

Its packages are not in the image: those of this environment are mounted into the container, read-only, so the
container's Python must be of the same version as this one.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
import subprocess
import sys
import sysconfig
import time
from collections.abc import Coroutine
from importlib.metadata import version
from typing import Any

from swerex.runtime.abstract import (
    BashAction,
    Command,
    CreateBashSessionRequest,
    ReadFileRequest,
    WriteFileRequest,
)
from swerex.runtime.remote import RemoteRuntime

from benchmarks.peer_programs.answering import answer, own_output

_START_SECONDS = 60.0


def main() -> None:
    """Answer until nobody asks any more."""
    image, folder, path = sys.argv[1:]
    own = own_output()
    loop = asyncio.new_event_loop()

    def run(what: Coroutine[Any, Any, Any]) -> Any:
        return loop.run_until_complete(what)

    def open_and_close() -> None:
        container, fresh = _start(image)
        try:
            run(_begun(fresh))
        finally:
            run(fresh.close())
            _remove(container)

    container, runtime = _start(image)
    try:
        run(_begun(runtime))
        answer(
            own,
            version("swe-rex"),
            {
                "read": lambda: run(runtime.read_file(ReadFileRequest(path=f"{folder}/{path}"))),
                "edit": lambda: run(
                    runtime.write_file(WriteFileRequest(path="/tmp/edited.py", content="x = 1\n" * 40))
                ),
                "true": lambda: run(runtime.run_in_session(BashAction(command="true", check="silent"))),
                "execute": lambda: run(runtime.execute(Command(command=["true"]))),
                "open": open_and_close,
            },
        )
    finally:
        _remove(container)
        loop.close()


def _start(image: str) -> tuple[str, RemoteRuntime]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(16)
    done = subprocess.run(
        [
            "docker", "run", "-d", "--rm", "--network", "host", "-e", "PYTHONPATH=/peers",
            "-v", f"{sysconfig.get_path('purelib')}:/peers:ro", "--entrypoint", "timeout", image,
            "3h", "/opt/venv/bin/python", "-m", "swerex.server",
            "--host", "127.0.0.1", "--port", str(port), "--auth-token", token,
        ],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip().partition("\n")[0])
    return done.stdout.strip(), RemoteRuntime(
        host="http://127.0.0.1", port=port, auth_token=token, timeout=_START_SECONDS
    )


async def _begun(runtime: RemoteRuntime) -> None:
    """Wait for the server, then have a shell."""
    deadline = time.monotonic() + _START_SECONDS
    while not (await runtime.is_alive()).is_alive:
        if time.monotonic() > deadline:
            raise RuntimeError("SWE-ReX's server did not start")
        await asyncio.sleep(0.02)
    await runtime.create_session(CreateBashSessionRequest())


def _remove(container: str) -> None:
    subprocess.run(["docker", "rm", "-f", container], check=False, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
