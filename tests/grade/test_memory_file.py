"""A memory on disk: shared by processes, sound after ``kill -9``, and never a reason for not grading."""

from __future__ import annotations

import json
import logging
import multiprocessing
import os
import pickle
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from deepgym_envs import Memory, Verdict
from deepgym_envs.grade import TestReport, memory_file
from deepgym_envs.grade.memory_file import FILE_NAME, MAX_TEXT, MemoryFile

KEY = ("task", "state", "what")
PASSED = Verdict(1.0, True, "passed", "made/one", "s", tests={"t.py::\ud800\0": "passed"})
REPORT = TestReport({"t.py::a": "passed"}, ("broken.py",), {}, True, False)
ROOT = Path(__file__).parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}
WRITER = """
import sys
from deepgym_envs import Memory
memory = Memory(path=sys.argv[1])
for number in range(int(sys.argv[2])):
    memory.keep(("t", str(number), "w"), number / 7)
    print(number, flush=True)
"""
FINDER = """
import sys, time
from deepgym_envs import Memory
memory = Memory(path=sys.argv[1])
def make():
    print("finding out", flush=True)
    time.sleep(float(sys.argv[2]))
    return 0.5
print(memory.once(("task", "state", "what"), float, make), flush=True)
"""


def start(code: str, *arguments: object, before: tuple[str, ...] = ()) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*before, sys.executable, "-c", code, *map(str, arguments)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT,
    )  # fmt: skip


def read_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_results_of_every_kind_outlive_their_memory(tmp_path: Path) -> None:
    with Memory(path=tmp_path / "deep" / "er") as memory:
        memory.keep(("t", "s", "verdict"), PASSED)
        memory.keep(("t", "s", "visible"), REPORT)
        memory.keep(("t", "s", "potential \ud800"), 0.0)
        memory.keep(("t", "s", "something"), [1])
    with Memory(path=tmp_path / "deep" / "er") as memory:
        assert len(memory) == 0
        assert memory.get(("t", "s", "verdict"), Verdict) == PASSED
        assert memory.get(("t", "s", "visible"), TestReport) == REPORT
        assert memory.get(("t", "s", "potential \ud800"), float) == 0.0
        assert memory.get(("t", "s", "something"), list) is None
        assert memory.get(("t", "s", "verdict"), Verdict) is memory.get(("t", "s", "verdict"), Verdict)


def test_the_first_result_stays_whoever_found_it(tmp_path: Path) -> None:
    with Memory(path=tmp_path) as first, Memory(path=tmp_path) as other:
        first.keep(KEY, 0.0)
        assert other.keep(KEY, 1.0) == 0.0
        assert other.get(KEY, float) == 0.0
        assert [flake.first for flake in other.flakes] == ["0.0"]
        assert other.flakes == first.flakes
    with Memory(path=tmp_path) as later:
        assert later.flake(KEY) == later.flakes[0]


def test_a_pickle_is_a_memory_over_the_same_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with Memory(5, "here", 0.25) as memory:
        memory.keep(KEY, 0.5)
        monkeypatch.chdir("/")
        with pickle.loads(pickle.dumps(memory)) as other:
            assert other.get(KEY, float) == 0.5
            assert other.__reduce__() == memory.__reduce__()


def test_a_closed_memory_goes_on_without_its_file(tmp_path: Path) -> None:
    memory = Memory(path=tmp_path)
    memory.keep(KEY, 0.5)
    memory.close()
    memory.close()
    assert memory.get(KEY, float) == 0.5
    assert memory.once(("a", "b", "c"), float, lambda: 0.25) == 0.25
    with Memory(path=tmp_path) as other:
        assert other.get(("a", "b", "c"), float) is None


def test_no_descriptor_is_left(tmp_path: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        with Memory(path=tmp_path) as memory:
            memory.once(KEY, float, lambda: 0.5)
    Memory(path=tmp_path).once(("a", "b", "c"), float, lambda: 0.5)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_two_memories_of_one_process_let_one_find_out(tmp_path: Path) -> None:
    made: list[int] = []

    def make() -> float:
        made.append(1)
        time.sleep(0.1)
        return 0.5

    def find(memory: Memory) -> None:
        memory.once(KEY, float, make)

    with Memory(path=tmp_path) as one, Memory(path=tmp_path) as two:
        threads = [threading.Thread(target=find, args=(memory,)) for memory in (one, two) * 3]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    assert made == [1]


def test_closing_one_memory_gives_up_no_lock_of_another(tmp_path: Path) -> None:
    with Memory(path=tmp_path) as memory:

        def make() -> float:
            Memory(path=tmp_path).close()
            with start(FINDER, tmp_path, 0) as other:
                time.sleep(1.0)
                other.send_signal(signal.SIGKILL)
                assert read_line(other) == ""
            return 0.5

        assert memory.once(KEY, float, make) == 0.5


@pytest.mark.slow
def test_processes_let_one_find_out(tmp_path: Path) -> None:
    processes = [start(FINDER, tmp_path, 1.5) for _ in range(4)]
    said = [process.communicate(timeout=60) for process in processes]
    assert sum("finding out" in out for out, _ in said) == 1, said
    assert all(out.endswith("0.5\n") for out, _ in said), said


@pytest.mark.slow
def test_if_the_one_that_finds_out_is_killed_another_does(tmp_path: Path) -> None:
    with start(FINDER, tmp_path, 600) as slow:
        assert read_line(slow) == "finding out"
        with start(FINDER, tmp_path, 0) as quick:
            time.sleep(0.5)
            slow.send_signal(signal.SIGKILL)
            assert quick.communicate(timeout=30)[0] == "finding out\n0.5\n"


def _child(memory: Memory, started: str) -> None:
    def make() -> float:
        Path(started).touch()
        return 0.75

    os._exit(7 if memory.once(KEY, float, make) == 0.5 else 1)


def test_a_forked_process_waits_for_what_its_parent_finds_out(tmp_path: Path) -> None:
    with Memory(path=tmp_path) as memory:
        memory.keep(("other", "s", "w"), 1.0)
        context = multiprocessing.get_context("fork")
        child = context.Process(target=_child, args=(memory, str(tmp_path / "started")))

        def make() -> float:
            child.start()
            time.sleep(0.3)
            assert not (tmp_path / "started").exists()
            return 0.5

        thread = threading.Thread(target=memory.once, args=(KEY, float, make))
        thread.start()
        thread.join(30)
        child.join(30)
        code = child.exitcode
        child.kill()
        assert code == 7
        assert memory.get(KEY, float) == 0.5


def test_forks_while_others_write_harm_nothing(tmp_path: Path) -> None:
    with Memory(path=tmp_path) as memory:
        stop = threading.Event()
        count = [0]

        def write() -> None:
            while not stop.is_set():
                memory.keep(("t", str(count[0]), "w"), count[0] / 7)
                count[0] += 1

        thread = threading.Thread(target=write)
        thread.start()
        codes = []
        for number in range(10):
            child = os.fork()
            if not child:
                memory.keep(("child", str(number), "w"), 0.5)
                os._exit(0 if memory.get(("child", str(number), "w"), float) == 0.5 else 1)
            codes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        stop.set()
        thread.join(20)
    assert codes == [0] * 10
    with Memory(path=tmp_path) as memory:
        assert all(memory.get(("child", str(number), "w"), float) == 0.5 for number in range(10))
        assert all(memory.get(("t", str(number), "w"), float) == number / 7 for number in range(count[0]))
    check = sqlite3.connect(tmp_path / FILE_NAME)
    assert check.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    check.close()


@pytest.mark.slow
def test_nothing_is_lost_when_a_writer_is_killed(tmp_path: Path) -> None:
    draw = random.Random(1)
    for _ in range(4):
        with start(WRITER, tmp_path, 100_000) as writer:
            read_line(writer)
            time.sleep(draw.uniform(0.0, 0.15))
            writer.send_signal(signal.SIGKILL)
            assert writer.stdout is not None
            promised = [int(line) for line in writer.stdout.read().split("\n")[:-1]]
        with Memory(path=tmp_path) as memory:
            for number in promised:
                assert memory.get(("t", str(number), "w"), float) == number / 7
    check = sqlite3.connect(tmp_path / FILE_NAME)
    assert check.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    check.close()


def test_many_begin_the_same_file_at_once(tmp_path: Path) -> None:
    processes = [start(WRITER, tmp_path / "new", 3) for _ in range(4)]
    said = [process.communicate(timeout=60) for process in processes]
    assert [(out.split(), errors) for out, errors in said] == [(["0", "1", "2"], "")] * 4


@pytest.mark.parametrize(
    "row",
    [
        "nonsense",
        b"\xff\x00",
        7,
        '{"format":1,"kind":"number","value":NaN}',
        '{"format":1,"kind":"number","value":1}',
        '{"format":1,"kind":"number","value":1.0,"more":2}',
        PASSED.to_json(),
    ],
    ids=lambda row: str(row)[:40],
)
def test_a_row_that_is_not_understood_is_as_good_as_none(tmp_path: Path, row: object) -> None:
    with Memory(path=tmp_path) as memory:
        memory.keep(KEY, 0.25)
    with sqlite3.connect(tmp_path / FILE_NAME) as connection:
        connection.execute("UPDATE results SET result = ?", (row,))
    connection.close()
    with Memory(path=tmp_path) as memory:
        assert memory.get(KEY, float) is None
        assert memory.once(KEY, float, lambda: 0.5) == 0.5
        assert memory.keep(KEY, 0.75) == 0.5


def test_what_is_too_long_is_not_written(tmp_path: Path) -> None:
    huge = TestReport({"x" * MAX_TEXT: "passed"}, (), {}, True, False)
    with Memory(path=tmp_path) as memory:
        assert memory.keep(KEY, huge) == huge
        assert memory.get(KEY, TestReport) == huge
    with Memory(path=tmp_path) as memory:
        assert memory.get(KEY, TestReport) is None


def test_a_file_that_gets_damaged_is_told_of_once_and_done_without(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Memory(path=tmp_path) as memory:
        for number in range(500):
            memory.keep(("t", str(number), "w"), number / 7)
    file = tmp_path / FILE_NAME
    data = bytearray(file.read_bytes())
    data[8192:] = os.urandom(len(data) - 8192)
    file.write_bytes(data)
    with caplog.at_level(logging.WARNING), Memory(path=tmp_path) as memory:
        for number in range(500):
            assert memory.once(("t", str(number), "w"), float, lambda: 0.5) in (0.5, number / 7)
        assert memory.once(KEY, float, lambda: 0.25) == 0.25
    assert [record.message[:52] for record in caplog.records] == [
        "results are remembered by this process alone from no"
    ]
    assert "damaged" in caplog.text


def test_a_full_file_is_told_of_once_and_done_without(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = replace(memory_file._MEMORY, pragmas=("max_page_count = 20",))
    monkeypatch.setattr(memory_file, "_MEMORY", small)
    with caplog.at_level(logging.WARNING), Memory(path=tmp_path) as memory:
        for number in range(100):
            report = TestReport({f"{number}" * 2_000: "passed"}, (), {}, True, False)
            assert memory.keep(("t", str(number), "w"), report) == report
    assert len(caplog.records) == 1
    assert "the disk is full, or the file is as large as it may be" in caplog.text


def test_a_folder_that_vanishes_fails_no_grade(tmp_path: Path) -> None:
    with Memory(path=tmp_path / "m") as memory:
        shutil.rmtree(tmp_path / "m")
        assert memory.once(KEY, float, lambda: 0.5) == 0.5
        assert memory.get(KEY, float) == 0.5


def test_places_that_cannot_be_used_are_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("notes")
    with pytest.raises(OSError, match=r"no memory can be kept there.*choose another folder"):
        Memory(path=tmp_path / "file")
    (tmp_path / FILE_NAME).write_bytes(b"these are somebody's notes\n" * 100)
    with pytest.raises(ValueError, match="is no memory; choose another folder"):
        Memory(path=tmp_path)
    (tmp_path / FILE_NAME).unlink()
    connection = sqlite3.connect(tmp_path / FILE_NAME)
    connection.execute("CREATE TABLE recipes (cake TEXT)")
    connection.close()
    with pytest.raises(ValueError, match="another program"):
        Memory(path=tmp_path)


def test_a_newer_file_is_refused(tmp_path: Path) -> None:
    Memory(path=tmp_path).close()
    connection = sqlite3.connect(tmp_path / FILE_NAME)
    connection.execute("PRAGMA user_version = 2")
    connection.close()
    with pytest.raises(ValueError, match=r"format 2.*update deepgym-envs"):
        Memory(path=tmp_path)


@pytest.mark.bwrap
def test_a_folder_that_cannot_be_written_is_refused_with_advice(tmp_path: Path) -> None:
    Memory(path=tmp_path).close()
    bwrap = shutil.which("bwrap")
    assert bwrap is not None
    before = (bwrap, "--bind", "/", "/", "--dev", "/dev", "--ro-bind", str(tmp_path), str(tmp_path))
    with start(WRITER, tmp_path, 1, before=before) as writer:
        _, errors = writer.communicate(timeout=60)
    if "bwrap:" in errors:
        pytest.skip(errors)
    assert errors.splitlines()[-1].startswith("OSError")
    assert "choose a folder that you may write to" in errors


@pytest.mark.bwrap
def test_a_disk_that_takes_no_more_fails_nothing(tmp_path: Path) -> None:
    bwrap = shutil.which("bwrap")
    assert bwrap is not None
    before = (bwrap, "--bind", "/", "/", "--dev", "/dev", "--size", "600000", "--tmpfs", str(tmp_path))
    with start(WRITER, tmp_path, 3000, before=before) as writer:
        said, errors = writer.communicate(timeout=60)
    if "bwrap:" in errors:
        pytest.skip(errors)
    assert said.split() == [str(number) for number in range(3000)]
    assert errors.count("\n") == 1
    assert "results are remembered by this process alone from now on" in errors


def test_a_stopped_process_stops_nobody_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_file, "_PATIENCE_SECONDS", 0.2)
    with start(FINDER, tmp_path, 600) as other, Memory(path=tmp_path) as memory:
        assert read_line(other) == "finding out"
        other.send_signal(signal.SIGSTOP)
        try:
            assert memory.once(KEY, float, lambda: 0.25) == 0.25
        finally:
            other.send_signal(signal.SIGKILL)


def test_texts_are_kept_as_they_are(tmp_path: Path) -> None:
    file = MemoryFile(tmp_path)
    assert file.add(KEY, "one") == "one"
    assert file.add(KEY, "two") == "one"
    assert file.read(("task", "state", "else")) is None
    file.add_flake(KEY, json.dumps("\0"))
    file.add_flake(KEY, "later")
    assert file.flakes() == ['"\\u0000"']
    file.close()
