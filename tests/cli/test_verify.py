"""``deepgym-envs verify`` as a person or a program uses it."""

# ruff: noqa: TID252 - the tests are no package that could be named

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from deepgym_envs import SandboxError, Task
from deepgym_envs.cli.app import main
from deepgym_envs.sandbox import Sandbox
from deepgym_envs.store import FILE_NAME
from deepgym_envs.testing import FakeBackend

from ..episodes import episode, masked, older_store
from ..tiny import TrustedLocalBackend, make_tiny, tiny

FIXTURES = make_tiny, tiny
KEYS = {"episodes", "good", "bad", "unsigned", "masked", "regraded", "differing"}


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache folder's key is not ours; the local backend is, so it does not warn."""
    monkeypatch.setattr("deepgym_envs.sandbox.local.LocalBackend", TrustedLocalBackend)
    return tmp_path


def folder(task: Task) -> str:
    return str(task.recipe.folder.parents[1] / task.id.split("/")[1])


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main([*arguments])
    told = capsys.readouterr()
    assert "Traceback" not in told.err
    assert isinstance(ended.value.code, int)
    return ended.value.code, told.out, told.err


@pytest.fixture
def run(tiny: Task, place: Path, capsys: pytest.CaptureFixture[str]) -> tuple[str, ...]:
    """A run of three episodes, as the arguments that verify it."""
    out, key = str(place / "run"), str(place / "key")
    played = ("--task", folder(tiny), "--sandbox", "local", "-n", "3", "--workers", "1")
    assert said(capsys, "eval", *played, "--out", out, "--key", key)[0] == 0
    return "verify", out, "--key", key, "--task", folder(tiny)


def change(run: tuple[str, ...], statement: str) -> None:
    connection = sqlite3.connect(Path(run[1], FILE_NAME))
    connection.execute(statement)
    connection.commit()
    connection.close()


def test_a_run_that_nobody_touched_is_good(run: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    status, out, errors = said(capsys, *run, "--json", "--regrade", "2")
    assert status == 0, errors
    found = json.loads(out)
    assert found.keys() == KEYS
    assert (found["episodes"], found["good"], found["regraded"]) == (3, 3, 2)
    assert found["bad"] == found["differing"] == []
    status, out, _ = said(capsys, *run)
    assert status == 0
    assert out == "3 episodes: 3 good, 0 bad, 0 unsigned, 0 masked; 0 graded again, 0 differ\n"


def test_a_reward_that_was_changed_is_a_finding(
    run: tuple[str, ...], tiny: Task, capsys: pytest.CaptureFixture[str]
) -> None:
    change(run, "UPDATE episodes SET trajectory = replace(trajectory, '\"terminal\":1.0', '\"terminal\":0.0') "
                "WHERE episode = 1")  # fmt: skip
    status, out, _ = said(capsys, *run, "--json")
    assert status == 1
    found = json.loads(out)
    [bad] = found["bad"]
    assert (found["good"], bad["episode"]["task"], bad["episode"]["index"]) == (2, tiny.id, 1)
    assert bad["episode"].keys() == {"task", "agent", "index", "seed"}
    assert "its record 1.0" in bad["why"]
    assert "its record 1.0" in said(capsys, *run)[1]


def test_a_record_that_was_taken_away_is_a_finding(
    run: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    change(run, "UPDATE episodes SET trajectory = json_set(trajectory, '$.record', '') WHERE episode = 0")
    status, out, _ = said(capsys, *run, "--json")
    assert (status, json.loads(out)["unsigned"]) == (1, 1)


def test_a_key_that_is_another_and_one_that_is_not_there(
    run: tuple[str, ...], place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [str(place / "absent") if word == str(place / "key") else word for word in run]
    status, out, errors = said(capsys, *given)
    assert (status, out) == (2, "")
    assert "there is no key at" in errors
    (place / "absent").write_bytes(b"x" * 32)
    (place / "absent").chmod(0o600)
    status, out, _ = said(capsys, *given, "--json")
    assert (status, len(json.loads(out)["bad"])) == (1, 3)


def test_a_task_that_is_nowhere_to_be_found_has_to_be_named(
    run: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, errors = said(capsys, *run[:4])
    assert (status, out) == (2, "")
    assert "name its folder with --task" in errors.replace("\n", " ")


def test_an_old_run_is_unsigned(
    place: Path, run: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    older_store(place / "old", episode(0), masked(1))
    status, out, _ = said(capsys, "verify", str(place / "old"), *run[2:], "--json")
    assert status == 1
    found = json.loads(out)
    assert (found["episodes"], found["unsigned"], found["masked"], found["bad"]) == (2, 1, 1, [])


def test_where_nothing_can_be_graded_again_the_status_is_3(
    run: tuple[str, ...], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class NoBoxes(FakeBackend):
        def open(self, task: Task) -> Sandbox:
            raise SandboxError("the engine went away")

    monkeypatch.setattr("deepgym_envs.cli.verify.chosen_backend", lambda *_: NoBoxes())
    status, out, errors = said(capsys, *run, "--regrade", "1", "--json")
    assert (status, out) == (3, "")
    assert "the engine went away" in errors


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("--regrade", "-1"), "--regrade"),
        (("--sandbox", "dokcer", "--regrade", "1"), "did you mean 'docker'"),
    ],
)
def test_unusable_arguments_end_with_status_2(
    run: tuple[str, ...], arguments: tuple[str, ...], text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, errors = said(capsys, *run, *arguments)
    assert (status, out) == (2, "")
    assert text in errors.replace("\n", " ")


def test_a_folder_without_a_run_is_named(
    place: Path, run: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    status, _, errors = said(capsys, "verify", str(place / "nothing"), *run[2:])
    assert status == 3
    assert "holds no run" in errors
