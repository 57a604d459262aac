"""Source releases of packages, from wherever pip would look for them; nothing of a package is executed.

pip prepares the metadata of a source release when it downloads it, which runs the package's own build on this
machine. So pip is asked only how it is set up, and the files are fetched without it.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import shlex
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from deepgym_envs.errors import UsageError

if TYPE_CHECKING:
    from unearth import Package, PackageFinder

MOST_BYTES = 128 << 20
_ARCHIVE = ".tar.gz"
_SECONDS = 60
_SETTING = re.compile(r"(?:global|user|site|download|install|:env:)\.([a-z-]+)='(.*)'")
_DEFAULT_INDEX = re.compile(r"--index-url <url>.*?\(default\s+(\S+?)\)", re.DOTALL)


@dataclass(frozen=True)
class Release:
    """A source release that an index offers: its archive's digest, empty where the index does not tell it,
    and when it was uploaded, or None."""

    name: str
    version: str
    sha256: str
    uploaded: datetime | None = None


def releases(name: str) -> Sequence[Release]:
    """The final source releases of the package ``name`` in the order of their versions, oldest first.

    Pre-releases, yanked ones and archives other than ``.tar.gz`` are left out.

    Raises:
        UsageError: there is none, or no index can be asked.
    """
    with _finder() as finder:
        offered = _offered(finder, name)
    found = {
        package.version: Release(name, package.version, _digest(package), package.link.upload_time)
        for package in offered
        if package.version
    }
    if not found:
        raise UsageError(
            f"{name}: no package index has a source release ({_ARCHIVE}) of it; correct the name"
        )
    return tuple(reversed(found.values()))


def fetch(name: str, version: str, sha256: str) -> bytes:
    """The archive of a source release, whose SHA-256 is compared before it is opened.

    Raises:
        UsageError: there is no such release, it is another one, or no index can be asked.
    """
    wanted = f"{name}=={version}"
    with _finder() as finder:
        package = next((each for each in _offered(finder, wanted) if each.version == version), None)
        if package is None:
            raise UsageError(f"{wanted}: no package index has a source release ({_ARCHIVE}) of that version")
        data = _downloaded(finder, package, wanted)
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise UsageError(
            f"{wanted}: the package index has another file than the one wanted: "
            f"its SHA-256 is {found}, not {sha256}"
        )
    return data


def _offered(finder: PackageFinder, wanted: str) -> Sequence[Package]:
    """What the indexes have, newest version first."""
    try:
        found = finder.find_matches(wanted, allow_yanked=False, allow_prereleases=False)
    except (ValueError, OSError, _http_errors()) as error:
        raise UsageError(f"{wanted}: the package index cannot be asked: {error}") from None
    return [package for package in found if package.link.filename.endswith(_ARCHIVE)]


def _downloaded(finder: PackageFinder, package: Package, wanted: str) -> bytes:
    data = bytearray()
    try:
        with finder.session.get_stream(package.link.normalized) as response:
            response.raise_for_status()
            for chunk in response.iter_bytes():
                data += chunk
                if len(data) > MOST_BYTES:
                    raise UsageError(f"{wanted}: the source release is larger than {MOST_BYTES >> 20} MiB")
    except (OSError, _http_errors()) as error:
        raise UsageError(f"{wanted}: the source release could not be downloaded: {error}") from None
    return bytes(data)


def _digest(package: Package) -> str:
    link = package.link
    if link.is_file:
        return hashlib.sha256(link.file_path.read_bytes()).hexdigest()
    # In its link where an index speaks HTML, beside it where it speaks JSON.
    return ((link.hash_option or {}).get("sha256") or [""])[0]


@contextmanager
def _finder() -> Iterator[PackageFinder]:
    from unearth import PackageFinder  # noqa: PLC0415 - takes a while to import, and few need it
    from unearth.fetchers.sync import PyPIClient  # noqa: PLC0415

    logging.getLogger("unearth").setLevel(logging.ERROR)
    settings = _pip_settings(frozenset(item for item in os.environ.items() if item[0].startswith("PIP_")))
    hosts = shlex.split(settings.get("trusted-host", ""))
    verify = ssl.create_default_context(cafile=settings.get("cert"))
    with PyPIClient(trusted_hosts=hosts, verify=verify, timeout=_SECONDS, follow_redirects=True) as client:
        session: Any = client
        yield PackageFinder(
            session,
            index_urls=shlex.split(settings["index-urls"]),
            find_links=shlex.split(settings.get("find-links", "")),
            trusted_hosts=hosts,
            no_binary=[":all:"],
            ignore_compatibility=True,
        )


@lru_cache(maxsize=4)
def _pip_settings(environment: frozenset[tuple[str, str]]) -> Mapping[str, str]:  # noqa: ARG001 - asks once for each
    """What pip's files and environment variables say, a variable above a file, and its ``index-urls``."""
    lines = _pip("config", "list").splitlines()
    found = [match for match in map(_SETTING.fullmatch, lines) if match]
    found.sort(key=lambda match: match[0].startswith(":env:"))
    said = {match[1]: match[2].replace("\\n", " ") for match in found}
    if said.get("no-index", "").lower() in ("1", "true", "yes", "on"):
        return {**said, "index-urls": ""}
    own = said.get("index-url") or _default_index()
    return {**said, "index-urls": f"{own} {said.get('extra-index-url', '')}"}


def _default_index() -> str:
    """The index that pip takes where nobody told it of another."""
    match = _DEFAULT_INDEX.search(_pip("help", "download"))
    if match is None:
        raise UsageError("pip does not say which package index it uses; set PIP_INDEX_URL")
    return match[1]


def _pip(*arguments: str) -> str:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise UsageError(f"pip cannot be asked how it is set up: {error}") from None
    return done.stdout


def _http_errors() -> type[Exception]:
    from httpx2 import HTTPError  # noqa: PLC0415 - as above

    return HTTPError
