"""The program that looks for lines, on folders that are ours."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import py_compile
import shutil
import sqlite3
import subprocess
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from deepgym_envs.audit.weakness import leak_scan
from deepgym_envs.audit.weakness.leak_scan import Late, Scan

SECRET = "pluses = min(max(1, marks * added // total), marks - 1)"
TEXT = f"def bar():\n    {SECRET}\n"
CODE = '''
def bar(added, total, marks):
    """What stands for the lines."""
    pluses = min(max(1, marks * added // total), marks - 1)
    for number in range(pluses):
        if number % 2 and added > number or total < number:
            pluses += number * marks - added
        elif marks:
            pluses -= total // marks + number ** 2
    return "+" * pluses + "-" * (marks - pluses)
'''


class Told(io.BytesIO):
    def rows(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.getvalue().splitlines()]


def scanned(folder: Path, **job: object) -> tuple[Mapping[str, list[int]], Scan]:
    told = Told()
    scan = Scan(
        {"lines": [SECRET, "x" * 40], "new": [CODE], "old": [""], "seconds": 60, "system": True, **job}, told
    )
    scan.folders(str(folder))
    found = {row["place"].removeprefix(f"{folder}/"): row["lines"] or [-1] for row in told.rows()}
    return found, scan


def packed(kind: str) -> bytes:
    data = io.BytesIO()
    if kind.endswith((".zip", ".whl")):
        with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("seamline/stat.py", TEXT)
    else:
        mode = {".tgz": "w:gz", ".gz": "w:gz", ".xz": "w:xz", ".tar": "w"}[Path(kind).suffix]
        with tarfile.open(fileobj=data, mode=mode) as archive:  # type: ignore[call-overload]
            info = tarfile.TarInfo("seamline/stat.py")
            info.size = len(TEXT)
            archive.addfile(info, io.BytesIO(TEXT.encode()))
    return data.getvalue()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("stat.py", TEXT), ("fix.patch", f"@@ -1 +1 @@\n+    {SECRET}\n"), ("crlf.txt", f"{SECRET}\r\n"),
        ("notes.md", f"> `{SECRET}`\n"), ("wide.txt", SECRET.replace(" ", "   ")),
        ("book.ipynb", json.dumps({"cells": [{"source": ["a\n", f"    {SECRET}\n"]}]})),
        ("log.json", json.dumps({"said": f"try this:\n{SECRET}\nand more"})),
    ],
)  # fmt: skip
def test_a_line_is_found_however_it_is_quoted(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    (tmp_path / "other.txt").write_text("pluses = 1\n")
    assert scanned(tmp_path)[0] == {name: [0]}


@pytest.mark.parametrize("name", ["a.zip", "a.whl", "a.tar", "a.tgz", "a.tar.gz", "a.tar.xz"])
def test_archives_are_looked_into(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(packed(name))
    assert scanned(tmp_path)[0] == {f"{name}!seamline/stat.py": [0]}


@pytest.mark.parametrize(
    ("name", "pack"), [("a.txt.gz", gzip.compress), ("a.txt.bz2", bz2.compress), ("a.txt.xz", lzma.compress)]
)
def test_compressed_files_are_looked_into(tmp_path: Path, name: str, pack: Any) -> None:
    (tmp_path / name).write_bytes(pack(TEXT.encode()))
    assert list(scanned(tmp_path)[0]) == [f"{name}!a.txt"]


def test_an_archive_in_an_archive_is_looked_into(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "cache.zip", "w") as archive:
        archive.writestr("wheel.whl", packed("a.whl"))
    assert list(scanned(tmp_path)[0]) == ["cache.zip!wheel.whl!seamline/stat.py"]


def test_a_broken_archive_is_told_and_what_only_looks_like_one_is_read(tmp_path: Path) -> None:
    (tmp_path / "cut.zip").write_bytes(packed("a.zip")[:40])
    (tmp_path / "text.gz").write_text(TEXT)
    found, scan = scanned(tmp_path)
    assert found == {"text.gz": [0]}
    assert scan.unread == [str(tmp_path / "cut.zip")]


def test_a_database_is_searched(tmp_path: Path) -> None:
    base = sqlite3.connect(tmp_path / "history.db")
    base.execute("CREATE TABLE said (text TEXT)")
    base.execute("INSERT INTO said VALUES (?)", [f"so {SECRET} it is"])
    base.commit()
    base.close()
    assert scanned(tmp_path)[0] == {"history.db": [0]}


def test_a_compiled_module_with_the_same_function_is_found(tmp_path: Path) -> None:
    (tmp_path / "stat.py").write_text(CODE.replace("pluses = min", "pluses = \\\n  min"))
    py_compile.compile(str(tmp_path / "stat.py"), str(tmp_path / "stat.pyc"))
    (tmp_path / "stat.py").unlink()
    assert scanned(tmp_path)[0] == {"stat.pyc": [-1]}
    assert scanned(tmp_path, old=[CODE])[0] == {}
    (tmp_path / "stat.pyc").write_bytes((tmp_path / "stat.pyc").read_bytes()[:40])
    (tmp_path / "old.pyc").write_bytes(b"\0" * 40)
    assert scanned(tmp_path)[0] == {}


def git(folder: Path, *arguments: str, stdin: bytes = b"") -> str:
    identity = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
    command = ["git", *identity, "-C", str(folder), *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, check=True).stdout.decode().strip()


@pytest.mark.skipif(shutil.which("git") is None, reason="there is no git")
@pytest.mark.parametrize("pack", [False, True])
def test_objects_of_git_are_read_that_nothing_reaches(tmp_path: Path, pack: bool) -> None:
    git(tmp_path, "init", "-q", ".")
    (tmp_path / "a.txt").write_text("a\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "one")
    lost = git(tmp_path, "hash-object", "-w", "--stdin", stdin=TEXT.encode())
    if pack:
        names = git(tmp_path, "cat-file", "--batch-check=%(objectname)", "--batch-all-objects")
        git(tmp_path, "pack-objects", "-q", ".git/objects/pack/pack", stdin=f"{names}\n".encode())
        git(tmp_path, "prune-packed")
        assert not (tmp_path / ".git" / "objects" / lost[:2]).exists()
    assert scanned(tmp_path)[0] == {f".git: object {lost[:12]}": [0]}


@pytest.mark.skipif(shutil.which("git") is None, reason="there is no git")
def test_without_git_loose_objects_are_read_and_packs_are_told(tmp_path: Path, capsys: Any) -> None:
    git(tmp_path, "init", "-q", ".")
    lost = git(tmp_path, "hash-object", "-w", "--stdin", stdin=TEXT.encode())
    objects = tmp_path / ".git" / "objects"
    (objects / "pack" / "pack-1.pack").write_bytes(b"PACK")
    told = Told()
    scan = Scan({"lines": [SECRET], "new": [], "old": [], "seconds": 60, "system": True}, told)
    scan.loose(str(objects))
    assert [row["place"] for row in told.rows()] == [f"{objects}/{lost[:2]}/{lost[2:]}"]
    assert scan.unread == [f"{objects}/pack/pack-1.pack"]


def test_a_large_file_is_read_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leak_scan, "CHUNK", 1000)
    filler = "y" * 30 + "\n"
    for size in range(270, 275):  # so that the line lies across a cut
        (tmp_path / f"{size}.txt").write_text(filler * size + SECRET + "\n" + filler * 40)
    found, _ = scanned(tmp_path)
    assert set(found) == {f"{size}.txt" for size in range(270, 275)}


def test_links_pipes_and_what_cannot_be_read_are_passed_over(tmp_path: Path) -> None:
    import os  # noqa: PLC0415

    (tmp_path / "link").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "a.txt").write_text(TEXT)
    (tmp_path / "a.so").write_bytes(b"\x7fELF" + TEXT.encode())
    assert scanned(tmp_path)[0] == {"a.txt": [0]}


def test_time_that_is_up_ends_it(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(TEXT)
    with pytest.raises(Late):
        scanned(tmp_path, seconds=-1)


def test_no_more_rows_come_than_anybody_reads(tmp_path: Path) -> None:
    for number in range(leak_scan.ROWS + 5):
        (tmp_path / f"{number}.txt").write_text(TEXT)
    assert len(scanned(tmp_path)[0]) == leak_scan.ROWS


def test_an_environment_is_read() -> None:
    told = Told()
    import os  # noqa: PLC0415

    line = next(f"{name}={value}" for name, value in os.environ.items() if len(value) > 5)
    Scan({"lines": [line], "new": [], "old": [], "seconds": 60, "system": True}, told).processes()
    assert f"process {os.getpid()}: environ" in {row["place"] for row in told.rows()}
