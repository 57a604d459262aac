"""An index of packages and a cache of a test's own, in which environments and bases are those of this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from deepgym_envs.errors import SandboxError
from deepgym_envs.paths import cache_dir
from deepgym_envs.sandbox.hostenv import host_environment

from ..releases import FolderIndex  # noqa: TID252
from .shop import RECIPE


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FolderIndex:
    """An index in a folder; what is downloaded from it goes into a cache that ends with the test."""
    try:
        host_environment(RECIPE)
    except SandboxError as error:
        pytest.skip(str(error))
    (tmp_path / "cache").mkdir()
    for name in ("environments", "bases"):  # which a backend that lives longer than the test knows of
        (cache_dir() / name).mkdir(parents=True, exist_ok=True)
        (tmp_path / "cache" / name).symlink_to((cache_dir() / name).resolve())
    monkeypatch.setenv("DEEPGYM_CACHE", str(tmp_path / "cache"))
    index = FolderIndex(tmp_path / "index")
    for name, value in index.environment.items():
        monkeypatch.setenv(name, value)
    return index
