"""The secret by which this host signs what it has graded: 32 random bytes in a file of its own."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from deepgym_envs.errors import UsageError
from deepgym_envs.paths import cache_dir

KEY_BYTES = 32


def signing_key(path: Path | None = None, *, make: bool = True) -> bytes:
    """The key in the file ``path``, by default the host's own, in the cache folder.

    Where there is no file yet, it is made if ``make``; of several processes that make it at a time all get
    the same key.

    Raises:
        UsageError: there is none and none is to be made, others than the owner may read or write it, or it
            is not a key.
        OSError: it cannot be read or written.
    """
    place = path if path is not None else cache_dir() / "signing.key"
    try:
        return _read(place)
    except FileNotFoundError:
        if not make:
            raise UsageError(f"there is no key at {place}; name the one that signed with --key") from None
    _make(place)
    return _read(place)


def _read(place: Path) -> bytes:
    with place.open("rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise UsageError(f"{place} is not a regular file; a key is {KEY_BYTES} random bytes in one")
        if status.st_mode & 0o077:
            raise UsageError(
                f"{place} may be used by others than its owner, who could sign with it: chmod 600"
            )
        key = file.read(KEY_BYTES + 1)
    if len(key) != KEY_BYTES:
        raise UsageError(f"{place} is not a key, which is {KEY_BYTES} random bytes; choose another file")
    return key


def _make(place: Path) -> None:
    """Put a new key there, whole, unless another process was quicker."""
    place.parent.mkdir(parents=True, exist_ok=True)
    scratch = place.with_name(f".{place.name}.{secrets.token_hex(8)}")
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        os.link(scratch, place)  # unlike a renaming it never replaces what is there
    except FileExistsError:
        pass
    finally:
        scratch.unlink()
