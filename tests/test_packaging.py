"""The wheel holds what git tracks, no more and no less, under names that leak into nobody's site-packages."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HOMES = {
    "deepgym_envs/": "deepgym_envs/",
    "wrappers/deepgym_wrappers/": "deepgym_wrappers/",
    "tasks/": "deepgym_envs/_data/tasks/",
    "repos/": "deepgym_envs/_data/repos/",
}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return zipfile.ZipFile(next(folder.glob("*.whl")))


def _tracked(folder: str) -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", folder], cwd=ROOT, check=True, capture_output=True
    ).stdout
    return [name for name in listed.decode().split("\0") if name]


@pytest.mark.parametrize("folder", HOMES)
def test_the_wheel_holds_exactly_what_git_tracks(wheel: zipfile.ZipFile, folder: str) -> None:
    home = HOMES[folder]
    inside = {name for name in wheel.namelist() if name.startswith(home)}
    if home == "deepgym_envs/":
        inside = {name for name in inside if not name.startswith("deepgym_envs/_data/")}
    assert inside == {home + name.removeprefix(folder) for name in _tracked(folder)}


def test_the_wheel_brings_two_import_names_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    tops = {name.partition("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"deepgym_envs", "deepgym_wrappers"}


def test_data_in_the_wheel_is_byte_for_byte_the_checkouts(wheel: zipfile.ZipFile) -> None:
    for name in _tracked("tasks/"):
        assert wheel.read(f"deepgym_envs/_data/{name}") == (ROOT / name).read_bytes()


@pytest.mark.parametrize("folder", ["tasks", "repos", "tests", "docs", "wrappers", "benchmarks"])
def test_a_top_level_folder_is_no_package(folder: str) -> None:
    assert not (ROOT / folder / "__init__.py").exists()


def test_both_packages_are_marked_as_typed(wheel: zipfile.ZipFile) -> None:
    assert {"deepgym_envs/py.typed", "deepgym_wrappers/py.typed"} <= set(wheel.namelist())
