"""``deepgym-envs generate statements``, with a server that says what it was told to say."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from deepgym_envs.cli import main
from deepgym_envs.testing import ChatServer

STARTER = Path(__file__).parents[2] / "tasks" / "starter"
GOOD = "# Some appointments are lost\n\n" + "After a move the appointment is at neither place. " * 5
BAD = "I cannot do that."


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    names = ("calends-lost-moves", "calends-dear-finders")
    return [Path(shutil.copytree(STARTER / name, tmp_path / "made" / name)) for name in names]


def run(capsys: pytest.CaptureFixture[str], server: ChatServer, folders: list[Path]) -> tuple[int, str]:
    asked = ("--model", "scripted", "--endpoint", server.url)
    with pytest.raises(SystemExit) as ended:
        main(["generate", "statements", *map(str, folders), *asked, "--json"])
    assert isinstance(ended.value.code, int | None)
    return ended.value.code or 0, capsys.readouterr().out


def test_statements_are_written(folders: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    with ChatServer([GOOD]) as server:
        status, out = run(capsys, server, folders)
    assert status == 0
    assert json.loads(out)["kept"] == {}
    assert [(folder / "instruction.md").read_text() for folder in folders] == [GOOD.strip() + "\n"] * 2


def test_one_that_is_refused_stays_as_it_was(folders: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    before = (folders[1] / "instruction.md").read_text()
    with ChatServer([GOOD, BAD]) as server:
        status, out = run(capsys, server, folders)
    assert status == 1
    assert len(json.loads(out)["written"]) == len(json.loads(out)["kept"]) == 1
    assert (folders[1] / "instruction.md").read_text() == before


def test_one_that_was_written_by_hand_stays_as_it_was(
    folders: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    before = (folders[0] / "instruction.md").read_text()
    (folders[0] / "record.json").write_text('{"statement": "by hand"}')
    with ChatServer([GOOD]) as server:
        status, out = run(capsys, server, folders)
    assert status == 1
    assert "by hand" in json.loads(out)["kept"]["starter/calends-lost-moves"]
    assert (folders[0] / "instruction.md").read_text() == before


@pytest.mark.parametrize("record", ["[1]", "{", "[" * 100_000, "7"])
def test_what_is_no_record_is_said_to_be_none(folders: list[Path], record: str) -> None:
    (folders[0] / "record.json").write_text(record)
    with ChatServer([GOOD]) as server, pytest.raises(SystemExit) as ended:
        main(["generate", "statements", str(folders[0]), "--model", "scripted", "--endpoint", server.url])
    assert ended.value.code == 2
    assert server.requests == []
