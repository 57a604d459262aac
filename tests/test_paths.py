"""Where data and caches lie."""

from __future__ import annotations

from pathlib import Path

import pytest

from deepgym_envs.paths import cache_dir, data_dir


def test_bundled_data_is_found() -> None:
    assert data_dir("tasks").is_dir()
    assert data_dir("repos").is_dir()


def test_missing_data_says_to_install_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deepgym_envs.paths._CHECKOUT", tmp_path)
    monkeypatch.setattr("deepgym_envs.paths._PACKAGE", tmp_path)
    with pytest.raises(FileNotFoundError, match="install deepgym-envs again"):
        data_dir("tasks")


def test_a_wheel_carries_its_data_inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deepgym_envs.paths._CHECKOUT", tmp_path)
    monkeypatch.setattr("deepgym_envs.paths._PACKAGE", tmp_path)
    (tmp_path / "_data" / "repos").mkdir(parents=True)
    (tmp_path / "repos").mkdir()  # some other folder of that name in site-packages
    assert data_dir("repos") == tmp_path / "_data" / "repos"


def test_the_cache_folder_is_the_one_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPGYM_CACHE", str(tmp_path))
    assert cache_dir() == tmp_path
    monkeypatch.delenv("DEEPGYM_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_dir() == tmp_path / "deepgym-envs"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_dir() == tmp_path / ".cache" / "deepgym-envs"
