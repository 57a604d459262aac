"""``deepgym-envs boxes`` as a person or a program uses it."""

# ruff: noqa: TID252 - the tests are no package that could be named

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Any

import pytest

from deepgym_envs import Task
from deepgym_envs.cli.app import main
from deepgym_envs.cli.exit_status import FINDINGS, GOOD, NOT_JUDGED
from deepgym_envs.doctor import examine
from deepgym_envs.owner import Owner, own_prefix, this_process
from deepgym_envs.sandbox.reaper import Belonging, Folders, Place

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
def without_engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    yield
    gc.collect()  # the Docker SDK leaves the socket of a failed connection to the garbage collector


@pytest.fixture
def only_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is looked at that others on this machine could have made."""
    looked_at(monkeypatch, Folders())


def looked_at(monkeypatch: pytest.MonkeyPatch, *places: Place) -> None:
    monkeypatch.setattr("deepgym_envs.cli.boxes._places", lambda: nullcontext(places))


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
    folders: tuple[Path, Path],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    only_folders: None,
) -> None:
    ours, left = folders
    rows = {row["name"]: row for row in printed("list", FINDINGS, capsys)["boxes"]}
    assert (rows[str(ours)]["alive"], rows[str(ours)]["abandoned"]) == (True, False)
    assert (rows[str(ours)]["owner"], rows[str(ours)]["pid"]) == (str(this_process()), os.getpid())
    assert (rows[str(left)]["alive"], rows[str(left)]["abandoned"]) == (False, True)
    monkeypatch.setenv("COLUMNS", "400")
    assert run("list") == FINDINGS
    assert "1 of them abandoned" in capsys.readouterr().out
    assert [row["name"] for row in printed("reap", GOOD, capsys)["removed"]] == [str(left)]
    assert (ours.exists(), left.exists()) == (True, False)
    assert run("list") == GOOD
    capsys.readouterr()
    assert run("reap") == GOOD
    assert capsys.readouterr().out == "0 things removed\n"


def test_what_belongs_to_another_machine_is_shown_and_stays(
    folders: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str], only_folders: None
) -> None:
    foreign = tmp_path / f"deepgym-local-{Owner('f' * 16, 1, 2, 3)}-x"
    foreign.mkdir()
    rows = {row["name"]: row for row in printed("list", FINDINGS, capsys)["boxes"]}
    assert (rows[str(foreign)]["alive"], rows[str(foreign)]["abandoned"]) == (None, False)
    run("list")
    assert "1 belong to another machine, boot or PID namespace" in capsys.readouterr().out
    run("reap")
    assert foreign.exists()


@DROPPED_SOCKETS
def test_an_engine_that_does_not_answer_is_said_and_keeps_nothing_else(
    folders: tuple[Path, Path], capsys: pytest.CaptureFixture[str], without_engine: None
) -> None:
    assert "no Docker engine answers" in printed("list", NOT_JUDGED, capsys)["unseen"]["container"]
    done = printed("reap", NOT_JUDGED, capsys)
    assert str(folders[1]) in [row["name"] for row in done["removed"]]  # beside what others have left here
    assert done["unseen"].keys() == {"container"}
    assert run("reap") == NOT_JUDGED
    assert "no container was looked at: no Docker engine answers" in " ".join(capsys.readouterr().err.split())


def test_what_cannot_be_removed_is_a_finding(
    folders: tuple[Path, Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Refusing(Folders):
        def remove(self, belonging: Belonging) -> bool:
            raise PermissionError("it is not yours")

    looked_at(monkeypatch, Refusing())
    _, left = folders
    assert printed("reap", FINDINGS, capsys) == {
        "removed": [],
        "failed": {str(left): f"folder {left}: it is not yours"},
        "unseen": {},
    }
    assert run("reap") == FINDINGS
    assert "it is not yours" in " ".join(capsys.readouterr().err.split())


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
    assert {"program", "folder"} <= {row["kind"] for row in rows if row["owner"] == str(this_process())}


def run(*arguments: str) -> object:
    with pytest.raises(SystemExit) as ended:
        main(["boxes", *arguments])
    return ended.value.code or GOOD


def printed(command: str, status: int, capsys: pytest.CaptureFixture[str]) -> Any:
    """What ``command`` prints for a program."""
    assert run(command, "--json") == status
    return json.loads(capsys.readouterr().out)
