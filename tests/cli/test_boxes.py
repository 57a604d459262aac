"""``deepgym-envs boxes`` as a person or a program uses it."""

# ruff: noqa: TID252 - the tests are no package that could be named

from __future__ import annotations

import gc
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from deepgym_envs import Task
from deepgym_envs.cli.app import main
from deepgym_envs.doctor import examine
from deepgym_envs.owner import own_prefix

from ..tiny import TrustedLocalBackend, make_tiny, tiny

FIXTURES = make_tiny, tiny
pytestmark = pytest.mark.alone  # what others lose meanwhile would be counted too
DROPPED_SOCKETS = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)


@pytest.fixture
def dead_prefix() -> str:
    """How a folder's name begins whose owner has ended."""
    code = "from deepgym_envs.owner import own_prefix; print(own_prefix('local'))"
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    ).stdout.strip()


@pytest.fixture
def folders(
    dead_prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: Path
) -> tuple[Path, Path]:
    """A folder of this process and one of a dead one."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    ours, left = tmp_path / f"{own_prefix('local')}x", tmp_path / f"{dead_prefix}x"
    ours.mkdir()
    left.mkdir()
    return ours, left


def test_what_the_dead_left_is_listed_and_removed(
    folders: tuple[Path, Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, left = folders
    run("list", "--json")
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)["boxes"]}
    assert (rows[str(ours)]["owner"], rows[str(ours)]["abandoned"]) == ("alive", False)
    assert (rows[str(left)]["owner"], rows[str(left)]["abandoned"]) == ("dead", True)
    monkeypatch.setenv("COLUMNS", "400")
    run("list")
    assert "abandoned" in capsys.readouterr().out
    run("reap", "--json")
    assert str(left) in {row["name"] for row in json.loads(capsys.readouterr().out)["removed"]}
    assert (ours.exists(), left.exists()) == (True, False)
    run("reap")
    assert "removed" in capsys.readouterr().out


@pytest.fixture
def without_engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    yield
    gc.collect()  # the Docker SDK leaves the socket of a failed connection to the garbage collector


@DROPPED_SOCKETS
def test_it_works_without_an_engine(
    folders: tuple[Path, Path], capsys: pytest.CaptureFixture[str], without_engine: None
) -> None:
    run("reap", "--json")
    assert [row["kind"] for row in json.loads(capsys.readouterr().out)["removed"]] == ["folder"]


@DROPPED_SOCKETS
def test_the_doctor_tells_of_it(folders: tuple[Path, Path], without_engine: None) -> None:
    (finding,) = (finding for finding in examine().findings if finding.subject == "left behind")
    assert finding.mark == "warning"
    assert "folder 1" in finding.found
    assert finding.advice == "deepgym-envs boxes reap"


def test_a_box_in_use_is_shown_with_its_program(tiny: Task, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(TrustedLocalBackend().open(tiny)) as box:
        assert box.read("pyproject.toml", 10) == (b"", 0)
        run("list", "--json")
    rows = json.loads(capsys.readouterr().out)["boxes"]
    assert {"program", "folder"} <= {row["kind"] for row in rows if row["owner"] == "alive"}


def run(*arguments: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["boxes", *arguments])
    assert ended.value.code == 0
