"""The package can be imported where git is missing, and says so when it is needed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from deepgym_envs.git_library import git_library

PROGRAM = """
import deepgym_envs
from deepgym_envs.git_library import git_library
try:
    git_library()
except deepgym_envs.SandboxUnavailable as error:
    print(error)
"""


def test_the_module_is_gitpython() -> None:
    assert git_library().__name__ == "git"


def test_without_git_the_package_says_what_to_install(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={"PATH": str(tmp_path)}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.stdout == "git is not installed; install it (Debian: apt install git)\n", done.stderr
