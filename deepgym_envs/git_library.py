"""GitPython, imported when it is needed: it refuses to be imported where git itself is not installed."""

from __future__ import annotations

import importlib
from typing import Any

from deepgym_envs.errors import SandboxUnavailable


def git_library() -> Any:
    """The module ``git``.

    Raises:
        SandboxUnavailable: there is no git on this machine.
    """
    try:
        return importlib.import_module("git")
    except ImportError:
        raise SandboxUnavailable("git is not installed; install it (Debian: apt install git)") from None
