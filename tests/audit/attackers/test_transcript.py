"""The file of an attack: lines of JSON that are there at once, whoever is killed, and whoever else writes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from deepgym_envs.audit.attackers.transcript import Transcript
from deepgym_envs.errors import UsageError


def lines(path: Path | None) -> list[dict[str, Any]]:
    assert path is not None
    return [json.loads(line) for line in path.read_bytes().splitlines() if line]


def test_each_line_is_there_when_it_was_written(tmp_path: Path) -> None:
    with Transcript(tmp_path / "new" / "folder", "made/one", 2) as transcript:
        transcript.write("message", {"role": "user", "content": "a\n\ud800\u202e\0"})
        [line] = lines(transcript.path)
    assert transcript.path == tmp_path / "new" / "folder" / "made__one.tier2.jsonl"
    assert line["kind"] == "message"
    assert line["content"] == "a\n\ud800\u202e\0"
    assert transcript.path.read_bytes().isascii()


def test_without_a_folder_nothing_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with Transcript(None, "made/one", 3) as transcript:
        transcript.write("message", {"content": "x"})
    assert transcript.path is None
    assert not list(tmp_path.iterdir())


def test_long_texts_lose_their_middle(tmp_path: Path) -> None:
    with Transcript(tmp_path, "made/one", 3) as transcript:
        transcript.write("message", {"content": "x" * 3_000_000})
    [line] = lines(transcript.path)
    assert len(line["content"]) <= 1_000_000
    assert "characters omitted" in line["content"]


def test_two_runs_share_a_file_and_can_be_told_apart(tmp_path: Path) -> None:
    with Transcript(tmp_path, "made/one", 2) as first, Transcript(tmp_path, "made/one", 2) as second:
        for number in range(20):
            first.write("message", {"number": number, "content": "a" * 10_000})
            second.write("message", {"number": number, "content": "b" * 10_000})
    found = lines(first.path)
    assert len(found) == 40
    for run in {line["run"] for line in found}:
        mine = [line for line in found if line["run"] == run]
        assert [line["number"] for line in mine] == list(range(20))
        assert len({line["content"] for line in mine}) == 1


def test_whoever_is_killed_leaves_whole_lines_to_which_others_are_added(tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
from deepgym_envs.audit.attackers.transcript import Transcript
transcript = Transcript(Path(sys.argv[1]), "made/one", 2)
number = 0
while True:
    transcript.write("message", {"number": number, "content": "x" * 1000})
    number += 1
    if number == 50:
        print("go", flush=True)
"""
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"go\n"
        writer.send_signal(signal.SIGKILL)
    path = tmp_path / "made__one.tier2.jsonl"
    with path.open("ab") as file:
        file.write(b'{"half a line')  # as a machine that lost power may leave it
    with Transcript(tmp_path, "made/one", 2) as transcript:
        transcript.write("end", {})
    written = path.read_bytes().split(b"\n")
    whole = [json.loads(line) for line in written if line and line != b'{"half a line']
    assert [line["number"] for line in whole[:-1]] == list(range(len(whole) - 1))
    assert len(whole) > 50
    assert whole[-1]["kind"] == "end"


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"made__one.tier2.jsonl cannot be written: "):
        Transcript(tmp_path / "file", "made/one", 2)


def test_a_disk_that_is_full_is_told() -> None:
    transcript = Transcript(None, "made/one", 2)
    transcript._file = Path("/dev/full").open("ab", buffering=0)  # noqa: SIM115
    with transcript, pytest.raises(UsageError, match="No space left"):
        transcript.write("message", {"content": "x"})
