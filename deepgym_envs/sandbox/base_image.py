"""Base images: a Debian with Python and git, from this machine, from debootstrap, or from a registry.

The order is: an image that is here already; debootstrap where it is installed and we are root, because it
needs no third party; the official ``python:X-slim`` from a registry.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docker.errors import DockerException, ImageNotFound

from deepgym_envs.errors import ImageError
from deepgym_envs.lock import exclusive
from deepgym_envs.owner import scratch_folder
from deepgym_envs.paths import cache_dir
from deepgym_envs.recipe import RepoRecipe

Report = Callable[[str], None]
LABEL = "deepgym-envs"


class Share(str):
    """A message to a ``Report`` that knows how much of its work is done: ``done`` is from 0 to 1."""

    done: float

    def __new__(cls, said: str, done: float) -> Share:
        """``said`` with ``done``."""
        message = super().__new__(cls, said)
        message.done = min(1.0, max(0.0, done))
        return message


# Which Debian release carries which Python; the first that a recipe accepts is taken.
DEBIAN_PYTHON = {(3, 11): "bookworm", (3, 13): "trixie", (3, 9): "bullseye"}
_PACKAGES = ("python3", "python3-venv", "git")
_USUAL_PACKAGES = 150
_LEFT_OUT = ("./var/cache/apt", "./var/lib/apt/lists", "./usr/share/doc", "./usr/share/man",
             "./usr/share/locale", "./usr/share/info", "./dev", "./proc", "./sys", "./var/log",
             "./tmp")  # fmt: skip


@dataclass(frozen=True)
class BaseImage:
    """An image that boxes can be built on, and the Python (major, minor) that is in it."""

    reference: str
    python: tuple[int, int]


def base_image(client: Any, recipe: RepoRecipe, report: Report) -> BaseImage:
    """The base for ``recipe``, made or fetched if it is not here yet.

    Raises:
        ImageError: there is none and none can be had; says what would help.
    """
    python = next((version for version in DEBIAN_PYTHON if recipe.accepts_python(version)), None)
    if python is None:
        known = ", ".join(f"{major}.{minor}" for major, minor in DEBIAN_PYTHON)
        raise ImageError(f"{recipe.name}: wants Python {recipe.python}, but bases exist for {known} only")
    slim = f"python:{python[0]}.{python[1]}-slim"
    if _is_here(client, slim) and not recipe.needs.apt:
        return BaseImage(slim, python)
    packages = (*_PACKAGES, *recipe.needs.apt)
    suite = DEBIAN_PYTHON[python]
    key = hashlib.sha256(f"base 1 {suite} {' '.join(packages)}".encode()).hexdigest()[:12]
    reference = f"deepgym-envs/base:{suite}-{key}"
    with exclusive(reference):
        if _is_here(client, reference):
            return BaseImage(reference, python)
        if shutil.which("debootstrap") and os.geteuid() == 0:
            report(f"bootstrapping Debian {suite} (once, about a minute)")
            try:
                _bootstrap(client, reference, suite, packages, report)
            except (DockerException, OSError) as error:
                raise ImageError(f"{recipe.name}: its base could not be made: {error}") from None
            return BaseImage(reference, python)
    if recipe.needs.apt:
        raise ImageError(
            f"{recipe.name}: needs Debian packages; install debootstrap and run as root to build its base"
        )
    report(f"pulling {slim}")
    pull(client, slim)
    return BaseImage(slim, python)


def pull(client: Any, reference: str) -> None:
    """Get an image from its registry; raises ``ImageError``, which says what else would help."""
    try:
        client.images.pull(reference)
    except (DockerException, OSError) as error:
        reason = getattr(error, "explanation", None) or error
        raise ImageError(
            f"no base image: the registry did not give {reference} ({reason}); "
            "install debootstrap and run as root, or `docker load` that image"
        ) from None


def _is_here(client: Any, reference: str) -> bool:
    try:
        client.images.get(reference)
    except ImageNotFound:
        return False
    return True


def _bootstrap(client: Any, reference: str, suite: str, packages: tuple[str, ...], report: Report) -> None:
    place = cache_dir() / "bootstrap" / reference.rpartition(":")[2]
    place.mkdir(parents=True, exist_ok=True)
    for stale in place.iterdir():
        _remove_bootstrap(stale)
    with scratch_folder("bootstrap", place) as scratch:
        root = Path(scratch) / "root"
        mirror = _machine_mirror(suite)
        names = ",".join(need.partition("=")[0] for need in packages)
        command = ["debootstrap", "--variant=minbase", f"--include={names}", suite, str(root)]
        _debootstrap(command + ([mirror] if mirror else []), report)
        _check_pins((root / "var/lib/dpkg/status").read_text(encoding="utf-8"), packages, suite)
        report("importing the base into Docker")
        leave_out = [f"--exclude={place}/*" for place in _LEFT_OUT]
        with subprocess.Popen(["tar", "-C", str(root), "--numeric-owner", *leave_out, "-c", "."],
                              stdout=subprocess.PIPE) as tar:  # fmt: skip
            repository, _, tag = reference.rpartition(":")
            assert tar.stdout is not None
            answer = client.api.import_image_from_stream(
                tar.stdout, repository=repository, tag=tag, changes=[f"LABEL {LABEL}=base"]
            )
        if tar.returncode != 0 or "error" in str(answer).lower():
            raise ImageError(f"Docker did not take the base: {str(answer)[-300:]}")


def _remove_bootstrap(stale: Path) -> None:
    """Remove what a bootstrap that was killed has left, its mounts first."""
    for inner in ("proc", "sys"):
        mounted = stale / "root" / inner
        if mounted.is_mount():
            subprocess.run(["umount", "--lazy", str(mounted)], capture_output=True, check=False)
    shutil.rmtree(stale, ignore_errors=True)


def _debootstrap(command: list[str], report: Report) -> None:
    # Without a user's proxy and certificates a mirror may be out of reach, so the environment is kept.
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as run:
        assert run.stdout is not None
        last: list[str] = []
        seen: dict[str, set[str]] = {"retrieving": set(), "unpacking": set(), "configuring": set()}
        for line in run.stdout:
            last = [*last[-4:], line.strip()]
            match = re.match(r"I: (Retrieving|Unpacking|Configuring) (\S+?)(?:\.\.\.)?\s", line)
            if match:
                stage, package = match[1].lower(), match[2]
                seen[stage].add(package)
                done = _share({key: len(names) for key, names in seen.items()})
                report(Share(f"debootstrap: {stage} {package}", done))
    if run.returncode != 0:
        raise ImageError(f"debootstrap failed: {' / '.join(last)}")


def _share(packages: Mapping[str, int]) -> float:
    """How much of a bootstrap is done; how many packages there are is a guess until all were retrieved."""
    retrieved, unpacked = packages["retrieving"], packages["unpacking"]
    if not unpacked:
        return 0.4 * retrieved / max(_USUAL_PACKAGES, retrieved + 1)
    return 0.4 + 0.6 * (unpacked + packages["configuring"]) / (2 * retrieved + 1)


def _check_pins(status: str, packages: Iterable[str], suite: str) -> None:
    """Raises ``ImageError`` where the release does not have the version of a package that its need names."""
    found = dict(re.findall(r"^Package: (\S+)$.*?^Version: (\S+)$", status, re.MULTILINE | re.DOTALL))
    for need in packages:
        name, _, version = need.partition("=")
        if version and found.get(name) != version:
            raise ImageError(
                f"needs.apt: Debian {suite} has {name} {found.get(name, 'not at all')}, not {version}; "
                f'write "{name}={found.get(name, version)}" or drop the version'
            )


def _machine_mirror(suite: str) -> str | None:
    """The mirror that this machine's own apt uses for ``suite``; None leaves the choice to debootstrap."""
    for uri, suites in _apt_sources(Path("/etc/apt")):
        if suite in suites and uri.startswith(("http://", "https://", "file:/")):
            return uri
    return None


def _apt_sources(folder: Path) -> Iterator[tuple[str, list[str]]]:
    for place in (folder / "sources.list", *sorted(folder.glob("sources.list.d/*.list"))):
        for line in place.read_text().splitlines() if place.is_file() else []:
            match = re.match(r"deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)", line)
            if match:
                yield match[1], [match[2]]
    for place in sorted(folder.glob("sources.list.d/*.sources")):
        for stanza in re.split(r"\n\s*\n", place.read_text()):
            keys = dict(re.findall(r"^(URIs|Suites):\s*(.+)$", stanza, re.MULTILINE))
            for uri in keys.get("URIs", "").split():
                yield uri, keys.get("Suites", "").split()
