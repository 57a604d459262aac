"""Where the bundled tasks and repositories lie, and where caches go."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

_PACKAGE = Path(__file__).resolve().parent
_CHECKOUT = _PACKAGE.parent


def data_dir(kind: Literal["tasks", "repos"]) -> Path:
    """Folder of the bundled ``tasks`` or ``repos``: in a checkout the folder itself, in a wheel its copy.

    Raises:
        FileNotFoundError: the installation lacks its data.
    """
    in_checkout = (_CHECKOUT / "pyproject.toml").is_file() and (_CHECKOUT / "tasks").is_dir()
    folder = (_CHECKOUT if in_checkout else _PACKAGE / "_data") / kind
    if not folder.is_dir():
        raise FileNotFoundError(f"bundled {kind} not found at {folder}; install deepgym-envs again")
    return folder


def cache_dir() -> Path:
    """Folder for downloads, bases and virtual environments: ``$DEEPGYM_CACHE`` or the user's cache folder."""
    chosen = os.environ.get("DEEPGYM_CACHE")
    if chosen:
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "deepgym-envs"
