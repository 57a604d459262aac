"""A file of SQLite is laid out once, is never another program's, and says what is wrong with it."""

from __future__ import annotations

import os
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from deepgym_envs.errors import UsageError
from deepgym_envs.sqlite_file import (
    FileKind,
    explained,
    first_value,
    open_to_read,
    open_to_write,
    transaction,
)

KIND = FileKind(
    name="list of cakes",
    application=0x43414B45,
    format=3,
    tables=("CREATE TABLE cakes (name TEXT)",),
    pragmas=("max_page_count = 50",),
    wait_seconds=0.1,
    if_full="eat some",
    if_damaged="bake others",
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "cakes.sqlite"


def add(file: Path, cake: str) -> None:
    connection = open_to_write(file, KIND)
    try:
        with explained(file, KIND), transaction(connection):
            connection.execute("INSERT INTO cakes VALUES (?)", (cake,))
    finally:
        connection.close()


def test_it_is_laid_out_once_and_read_back(file: Path) -> None:
    add(file, "carrot")
    add(file, "lemon")
    connection = open_to_read(file, KIND)
    assert connection is not None
    assert connection.execute("SELECT name FROM cakes").fetchall() == [("carrot",), ("lemon",)]
    with pytest.raises(OSError, match="cannot be written"), explained(file, KIND):
        connection.execute("DELETE FROM cakes")
    connection.close()


def test_a_file_in_which_nothing_is_yet_is_none(file: Path) -> None:
    file.touch()
    assert open_to_read(file, KIND) is None
    assert file.read_bytes() == b""


def test_an_older_format_with_the_same_tables_is_read_and_gone_on_with(file: Path) -> None:
    add(file, "carrot")
    newer = replace(KIND, format=4, older=(3,))
    for opened, version in ((open_to_read, 3), (open_to_write, 4), (open_to_read, 4)):
        connection = opened(file, newer)
        assert connection is not None
        assert connection.execute("SELECT name FROM cakes").fetchall() == [("carrot",)]
        assert first_value(connection, "PRAGMA user_version") == version
        connection.close()
    with pytest.raises(UsageError, match="format 4, this version reads 3"):
        open_to_write(file, KIND)


@pytest.mark.parametrize("opened", [open_to_write, open_to_read])
def test_what_is_something_else_is_refused_and_left_alone(file: Path, opened: type) -> None:
    file.write_bytes(b"these are somebody's notes\n" * 100)
    with pytest.raises(UsageError, match="is no list of cakes; choose another folder"):
        opened(file, KIND)
    file.unlink()
    other = sqlite3.connect(file)
    other.execute("CREATE TABLE pies (name TEXT)")
    other.close()
    before = file.read_bytes()
    with pytest.raises(UsageError, match="a database of another program"):
        opened(file, KIND)
    assert file.read_bytes() == before
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.parametrize("opened", [open_to_write, open_to_read])
def test_another_format_is_refused(file: Path, opened: type) -> None:
    add(file, "carrot")
    with pytest.raises(UsageError, match=r"format 3, this version reads 4; update deepgym-envs"):
        opened(file, replace(KIND, format=4))


def test_a_failure_inside_a_transaction_takes_all_of_it_back(file: Path) -> None:
    connection = open_to_write(file, KIND)

    def half() -> None:
        with transaction(connection):
            connection.execute("INSERT INTO cakes VALUES ('half')")
            connection.execute("INSERT INTO pies VALUES ('half')")

    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        half()
    assert first_value(connection, "SELECT count(*) FROM cakes") == 0
    assert first_value(connection, "SELECT name FROM cakes") is None
    connection.close()


def test_what_is_wrong_is_said_with_what_to_do(file: Path) -> None:
    with pytest.raises(OSError, match="cannot be opened; choose a folder that you may write to"):
        open_to_write(file / "below", KIND)
    with pytest.raises(OSError, match="eat some"):
        add(file, "x" * 1_000_000)
    holder = open_to_write(file, KIND)
    with transaction(holder), pytest.raises(OSError, match=r"another process has held it for 0 s"):
        add(file, "carrot")
    holder.close()
    file.write_bytes(file.read_bytes()[:100] + os.urandom(len(file.read_bytes()) - 100))
    with pytest.raises(OSError, match="it is damaged; bake others"):
        add(file, "carrot")


def test_a_mistake_of_ours_is_not_blamed_on_the_file(file: Path) -> None:
    connection = open_to_write(file, KIND)
    connection.close()
    with pytest.raises(sqlite3.ProgrammingError), explained(file, KIND):
        connection.execute("SELECT 1")
