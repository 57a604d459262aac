"""Other packages, measured in the same run: each in a process of its own that times itself.

They live in a virtual environment in the cache folder, made when first asked for.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from deepgym_envs.lock import exclusive
from deepgym_envs.paths import cache_dir

PINS = {"swe-rex": "1.4.0", "mini-swe-agent": "2.4.6", "deepgym": "0.6.2"}
ALSO = {"swe-rex": ("aiohttp",)}  # which its client imports and its metadata leave out
PROGRAMS = {"swe-rex": "swe_rex", "mini-swe-agent": "mini_swe_agent", "deepgym": "deepgym_session"}
_CHECKOUT = Path(__file__).resolve().parent.parent
_ANSWER_SECONDS = 180.0


@dataclass
class Peers:
    """The peers that run; ``notes`` say which versions, and which do not run and why."""

    running: dict[str, Peer] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def operations(self, names: dict[str, str]) -> dict[tuple[str, str], Callable[[], float]]:
        """For our names of operations the peers' own, of those peers that have them."""
        return {
            (what, who): peer.operation(name)
            for what, name in names.items()
            for who, peer in self.running.items()
            if name in peer.names
        }


class Peer:
    """A running program of ``peer_programs``."""

    def __init__(self, process: subprocess.Popen[str], errors: IO[str]) -> None:
        self._process, self._errors = process, errors
        greeting = json.loads(self._answer())
        self.version: str = greeting["version"]
        self.names: list[str] = greeting["operations"]

    def operation(self, name: str) -> Callable[[], float]:
        """What carries the operation out once and gives the seconds that it took, as timed over there."""

        def carry_out() -> float:
            assert self._process.stdin is not None
            self._process.stdin.write(json.dumps(name) + "\n")
            self._process.stdin.flush()
            return float(self._answer())

        return carry_out

    def _answer(self) -> str:
        output = self._process.stdout
        assert output is not None
        line = output.readline() if select.select([output], [], [], _ANSWER_SECONDS)[0] else ""
        if not line:
            self._errors.seek(0)
            said = self._errors.read().strip().splitlines()
            raise RuntimeError(said[-1] if said else "it did not answer")
        return line


@contextmanager
def peers(
    wanted: bool, image: str, folder: str, path: str, names: Sequence[str] = tuple(PROGRAMS)
) -> Iterator[Peers]:
    """Those of ``names`` that can be run here, each with a container of ``image``; none unless ``wanted``.

    They read ``path`` below ``folder``, which are in the image.
    """
    found = Peers()
    if not wanted:
        found.notes.append("other packages were not measured; --peers does that")
    with ExitStack() as stack:
        for name in names if wanted else ():
            try:
                python = _installed(name)
                peer = stack.enter_context(_started(python, PROGRAMS[name], image, folder, path))
            except (RuntimeError, OSError, ValueError) as error:
                found.notes.append(f"{name} {PINS[name]}: not measured: {error}")
            else:
                found.running[name] = peer
                found.notes.append(f"{name} {peer.version}")
        yield found


@contextmanager
def _started(python: Path, program: str, *arguments: str) -> Iterator[Peer]:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            [python, "-m", f"benchmarks.peer_programs.{program}", *arguments],
            cwd=_CHECKOUT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        try:
            yield Peer(process, errors)
        finally:
            try:
                process.communicate(timeout=_ANSWER_SECONDS)  # hung up on, it removes its container
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()


def _installed(package: str) -> Path:
    """The Python of the environment that has the package; installed if it has not."""
    pin = f"{package}=={PINS[package]}"
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    folder = cache_dir() / f"peers-{version}" / f"{package}-{PINS[package]}"
    with exclusive(f"peers-{package}"):
        done = folder / "installed"
        if not done.exists():
            began = time.monotonic()
            print(f"installing {pin}", file=sys.stderr)
            _run(sys.executable, "-m", "venv", "--clear", str(folder))
            _run(
                str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", pin, *ALSO.get(package, ())
            )
            done.write_text(f"{time.monotonic() - began:.0f} s\n", encoding="utf-8")
    return folder / "bin" / "python"


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or [done.stderr[-300:]]
        raise RuntimeError(f"it could not be installed: {said[-1]}")
