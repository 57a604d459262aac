"""Virtual environments on this machine, for the backends that need no image."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from deepgym_envs.errors import ImageError, SandboxUnavailable
from deepgym_envs.lock import exclusive
from deepgym_envs.owner import scratch_folder
from deepgym_envs.paths import cache_dir
from deepgym_envs.recipe import RepoRecipe

OLDEST_MINOR, NEWEST_MINOR = 8, 14  # of Python 3; boxd needs the oldest
BUILD_SECONDS = 1_800
_ASK = "import json, sys; print(json.dumps([list(sys.version_info[:3]), sys.base_prefix, sys.executable]))"
# A script that finds the interpreter beside itself, so that the environment may lie anywhere.
_RELOCATABLE = b"""#!/bin/sh
'''exec' "$(dirname -- "$(realpath -- "$0")")/python" "$0" "$@"
' '''
"""


@dataclass(frozen=True)
class HostPython:
    """An interpreter of this machine: its real file, its prefix, and its version as (major, minor, micro)."""

    executable: Path
    prefix: Path
    version: tuple[int, int, int]


@dataclass(frozen=True)
class HostEnvironment:
    """A finished environment; it works at any path as long as ``base`` stays where it is."""

    folder: Path
    base: HostPython

    @property
    def python(self) -> Path:
        """The folder of its programs, ``python`` among them."""
        return self.folder / "bin"


def host_environment(recipe: RepoRecipe, report: Callable[[str], None] | None = None) -> HostEnvironment:
    """The environment of ``recipe``, built from its pins if it is not in the cache folder yet.

    Only one process builds it at a time, and it appears whole or not at all. ``report`` is told of a build.

    Raises:
        SandboxUnavailable: the recipe needs what only an image can give, or no Python here fits it.
        ImageError: it could not be built; quotes what pip said last.
    """
    check_no_image(recipe)
    if recipe.needs.apt or recipe.install.commands:
        what = "Debian packages" if recipe.needs.apt else "commands run at its installation"
        raise SandboxUnavailable(
            f"{recipe.name}: needs {what}, which only an image has; use --sandbox docker"
        )
    base = _fitting_python(recipe)
    said = json.dumps([recipe.environment_digest, base.version, str(base.executable)])
    key = hashlib.sha256(f"host environment 1 {said}".encode()).hexdigest()[:32]
    folder = cache_dir() / "environments" / key
    if not folder.is_dir():
        try:
            with exclusive(f"environment {key}"):
                if not folder.is_dir():
                    if report:
                        report(f"building the environment of {recipe.name} (once)")
                    _build(folder, base, recipe)
        except OSError as error:
            raise ImageError(_not_written(recipe, str(error))) from None
    return HostEnvironment(folder, base)


def check_no_image(recipe: RepoRecipe) -> None:
    """``SandboxUnavailable`` if the environment is somebody else's image, which no backend can use."""
    if recipe.needs.image is not None:
        raise SandboxUnavailable(
            f"{recipe.name}: its environment is the image {recipe.needs.image}, which no sandbox can use; "
            "write pins (needs.pip) in place of needs.image into its recipe, or import it with --no-images"
        )


def own_python() -> HostPython:
    """The interpreter that runs this program, outside of any virtual environment."""
    executable = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
    return HostPython(executable, Path(sys.base_prefix), sys.version_info[:3])


def _fitting_python(recipe: RepoRecipe) -> HostPython:
    own = own_python()
    if recipe.accepts_python(own.version[:2]):
        return own
    supported = range(NEWEST_MINOR, OLDEST_MINOR - 1, -1)
    minors = [minor for minor in supported if recipe.accepts_python((3, minor))]
    for minor in minors:
        found = _ask(f"python3.{minor}")
        if found is not None and found.version[:2] == (3, minor):
            return found
    known = ", ".join(f"python3.{minor}" for minor in minors) or "the versions that boxes support"
    raise SandboxUnavailable(
        f"{recipe.name}: wants Python {recipe.python}, but this is {own.version[0]}.{own.version[1]} and "
        f"PATH has none of {known}; install one or use --sandbox docker"
    )


def _ask(name: str) -> HostPython | None:
    place = shutil.which(name)
    if place is None:
        return None
    try:
        done = subprocess.run([place, "-I", "-c", _ASK], capture_output=True, timeout=30, check=True)
        version, prefix, executable = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    major, minor, micro = version
    return HostPython(Path(executable).resolve(), Path(prefix), (major, minor, micro))


def _build(folder: Path, base: HostPython, recipe: RepoRecipe) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    for stale in folder.parent.glob(f"{folder.name}.new-*"):
        shutil.rmtree(stale, ignore_errors=True)
    with scratch_folder("build", folder.parent, before=f"{folder.name}.new-") as scratch:
        new = Path(scratch, "environment")
        _install(new, base, recipe)
        for script in (new / "bin").iterdir():
            _relocate(script, new)
        # A box cannot write bytecode, since its environment is read-only.
        compiling = [str(new / "bin" / "python"), "-I", "-m", "compileall", "-q"]
        packages = map(str, new.glob("lib/python*/site-packages"))
        subprocess.run([*compiling, *packages], capture_output=True, timeout=BUILD_SECONDS, check=False)
        new.rename(folder)


def _not_written(recipe: RepoRecipe, reason: str) -> str:
    what = "the disk is full" if os.strerror(errno.ENOSPC) in reason else reason
    return (
        f"{recipe.name}: its environment could not be written below {cache_dir()}: {what}; "
        "mend that or set DEEPGYM_CACHE to another folder"
    )


def _install(new: Path, base: HostPython, recipe: RepoRecipe) -> None:
    _run(recipe, [str(base.executable), "-I", "-m", "venv", "--without-pip", str(new)], new.parent)
    if not recipe.needs.pip:
        return
    python = str(new / "bin" / "python")
    options = ["--no-input", "--disable-pip-version-check", "--python", python]
    pip = [_python_with_pip(), "-m", "pip", *options]
    _run(recipe, [*pip, "install", "--no-deps", "--quiet", *recipe.needs.pip], new)
    _run(recipe, [*pip, "check"], new)


def _python_with_pip() -> str:
    for python in (sys.executable, str(own_python().executable)):
        done = subprocess.run(
            [python, "-m", "pip", "--version"], capture_output=True, timeout=60, check=False
        )
        version = re.match(rb"pip (\d+)\.(\d+)", done.stdout)
        if done.returncode == 0 and version and (int(version[1]), int(version[2])) >= (22, 3):
            return python
    raise ImageError(f"no pip of version 22.3 or newer here; run: {sys.executable} -m ensurepip --upgrade")


def _run(recipe: RepoRecipe, command: Sequence[str], folder: Path) -> None:
    try:
        done = subprocess.run(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            timeout=BUILD_SECONDS, check=False, text=True, errors="replace",
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise ImageError(
            f"{recipe.name}: {_shown(command)} took more than {BUILD_SECONDS} s; try again"
        ) from None
    if done.returncode != 0:
        if os.strerror(errno.ENOSPC) in done.stdout:
            raise ImageError(_not_written(recipe, done.stdout))
        lines = [line.strip() for line in done.stdout.splitlines() if line.strip()]
        errors = (
            [line for line in lines if line.startswith("ERROR")] or lines or [f"status {done.returncode}"]
        )
        raise ImageError(
            f"{recipe.name}: {_shown(command)} failed: {errors[-1]}; "
            "mend the pins in its recipe.toml, or what that line complains of"
        )


def _shown(command: Sequence[str]) -> str:
    return next(
        (word for word in ("venv", "pip check", "pip install") if word.split()[-1] in command), "a command"
    )


def _relocate(script: Path, built: Path) -> None:
    """Take the folder's present name out of a script; one that only activates goes."""
    if script.is_symlink() or not script.is_file():
        return
    if script.name.lower().startswith("activate"):
        script.unlink()
        return
    first, *others = script.read_bytes().split(b"\n", 3)
    if first.startswith(b"#!" + bytes(built)):
        script.write_bytes(_RELOCATABLE + b"\n".join(others))
    elif first == b"#!/bin/sh" and len(others) == 3 and bytes(built) in others[0]:
        script.write_bytes(_RELOCATABLE + others[2])  # pip's form where the path is too long for the kernel
