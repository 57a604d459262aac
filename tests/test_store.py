"""The store keeps what it was given, once, through anything."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from deepgym_envs.store import FILE_NAME, RunStore
from deepgym_envs.trajectory import Judgement

from .episodes import episode, masked, older_store

SETTINGS = {"agent": "noop", "seed": 0, "tasks": {"made/a": "0" * 64}}

WRITER = """
import sys
from pathlib import Path
from deepgym_envs.store import RunStore
from tests.episodes import episode
with RunStore.create(Path(sys.argv[1]), {"agent": "noop"}, resume=True) as store:
    for index in range(int(sys.argv[2]), int(sys.argv[3])):
        store.add(episode(index, "x" * 20_000))
        print(index, flush=True)
"""


ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[1])}


def test_a_store_gives_back_what_it_was_given_once(tmp_path: Path) -> None:
    with RunStore.create(tmp_path / "run", SETTINGS) as store:
        assert store.add(episode(1))
        assert store.add(episode(0))
        assert not store.add(episode(0, judgement=Judgement(False, "tests_failed")))
        assert list(store.trajectories()) == [episode(0), episode(1)]
        assert store.finished() == {episode(0).key, episode(1).key}
    with RunStore.open(tmp_path / "run") as store:
        assert list(store.trajectories()) == [episode(0), episode(1)]
        assert store.settings == SETTINGS
        with pytest.raises(OSError, match="cannot be written"):
            store.add(episode(2))


def test_a_masked_episode_gives_way_to_a_judged_one_only(tmp_path: Path) -> None:
    with RunStore.create(tmp_path, SETTINGS) as store:
        assert store.add(masked())
        assert not store.add(masked())
        assert store.finished() == frozenset()
        assert store.add(episode())
        assert not store.add(masked())
        assert list(store.trajectories()) == [episode()]


def test_a_run_is_resumed_only_when_asked_and_only_with_its_settings(tmp_path: Path) -> None:
    RunStore.create(tmp_path, SETTINGS, resume=True).close()
    with pytest.raises(ValueError, match="holds a run already; go on with --resume"):
        RunStore.create(tmp_path, SETTINGS)
    RunStore.create(tmp_path, SETTINGS, resume=True).close()
    other = {**SETTINGS, "seed": 1, "tasks": {"made/a": "1" * 64}, "commands": True}
    with pytest.raises(ValueError, match="other settings") as refused:
        RunStore.create(tmp_path, other, resume=True)
    for part in ("seed was 0 and is now 1", "tasks differ (made/a)", "commands was null and is now true"):
        assert part in str(refused.value)


def test_files_that_are_not_ours_are_refused_and_left_alone(tmp_path: Path) -> None:
    file = tmp_path / FILE_NAME
    file.write_bytes(b"these are somebody's notes\n" * 100)
    with pytest.raises(ValueError, match="is no run's file; choose another folder"):
        RunStore.create(tmp_path, SETTINGS, resume=True)
    assert file.read_bytes().startswith(b"these are")
    file.unlink()
    connection = sqlite3.connect(file)
    connection.execute("CREATE TABLE recipes (cake TEXT)")
    connection.close()
    before = file.read_bytes()
    with pytest.raises(ValueError, match="another program"):
        RunStore.create(tmp_path, SETTINGS, resume=True)
    with pytest.raises(ValueError, match="another program"):
        RunStore.open(tmp_path)
    assert file.read_bytes() == before


def test_a_newer_store_is_refused(tmp_path: Path) -> None:
    RunStore.create(tmp_path, SETTINGS).close()
    connection = sqlite3.connect(tmp_path / FILE_NAME)
    connection.execute("PRAGMA user_version = 3")
    connection.close()
    with pytest.raises(ValueError, match=r"format 3.*update deepgym-envs"):
        RunStore.create(tmp_path, SETTINGS, resume=True)


def test_a_store_from_before_there_were_records_is_read_and_gone_on_with(tmp_path: Path) -> None:
    older_store(tmp_path, episode(0))
    with RunStore.open(tmp_path) as store:
        assert [one.record for one in store.trajectories()] == [""]
    with RunStore.create(tmp_path, SETTINGS, resume=True) as store:
        store.add(episode(1, record="signed"))
        assert [one.record for one in store.trajectories()] == ["", "signed"]
    connection = sqlite3.connect(tmp_path / FILE_NAME)
    assert connection.execute("PRAGMA user_version").fetchone() == (2,)  # its old readers know no records
    connection.close()


def test_rows_are_given_as_they_lie_there(tmp_path: Path) -> None:
    with RunStore.create(tmp_path, SETTINGS) as store:
        store.add(episode(0))
    connection = sqlite3.connect(tmp_path / FILE_NAME)
    connection.execute("UPDATE episodes SET trajectory = 'no JSON', agent = 'other'")
    connection.commit()
    connection.close()
    with RunStore.open(tmp_path) as store:
        assert list(store.rows()) == [(("made/a", "other", 0, 7), "no JSON")]


def test_a_damaged_store_is_named_as_such(tmp_path: Path) -> None:
    with RunStore.create(tmp_path, SETTINGS) as store:
        for index in range(50):
            store.add(episode(index, "x" * 5_000))
    file = tmp_path / FILE_NAME
    data = bytearray(file.read_bytes())
    data[8192:] = os.urandom(len(data) - 8192)
    file.write_bytes(data)
    with RunStore.open(tmp_path) as store, pytest.raises(OSError, match="damaged"):
        list(store.trajectories())


def test_there_must_be_a_store_to_open_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="holds no run"):
        RunStore.open(tmp_path)
    (tmp_path / FILE_NAME).touch()
    with pytest.raises(ValueError, match="holds no run"):
        RunStore.open(tmp_path)
    RunStore.create(tmp_path, SETTINGS).close()


def test_a_folder_that_cannot_be_one_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="no run can be kept there"):
        RunStore.create(tmp_path / "file" / "run", SETTINGS)


def test_many_threads_write_through_one_store_and_through_their_own(tmp_path: Path) -> None:
    errors: list[BaseException] = []
    shared = RunStore.create(tmp_path, SETTINGS)

    def write(worker: int) -> None:
        try:
            own = shared if worker % 2 else RunStore.create(tmp_path, SETTINGS, resume=True)
            for index in range(40):
                own.add(episode((worker * 7 + index) % 40))
            if own is not shared:
                own.close()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=write, args=(worker,)) for worker in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert list(shared.trajectories()) == [episode(index) for index in range(40)]
    shared.close()


def test_many_create_the_same_store_at_once(tmp_path: Path) -> None:
    start = threading.Barrier(8)
    errors: list[BaseException] = []

    def create(number: int) -> None:
        try:
            start.wait()
            with RunStore.create(tmp_path / "run", SETTINGS, resume=True) as store:
                store.add(episode(number))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=create, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    with RunStore.open(tmp_path / "run") as store:
        assert len(store.finished()) == 8


def _writer(folder: Path, first: int, last: int, *wrapper: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*wrapper, sys.executable, "-c", WRITER, str(folder / "run"), str(first), str(last)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT,
    )  # fmt: skip


@pytest.mark.slow
def test_nothing_is_lost_or_doubled_when_a_writer_is_killed(tmp_path: Path) -> None:
    draw, promised = random.Random(1), 0
    for _ in range(4):
        with _writer(tmp_path, 0, 100_000) as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            time.sleep(draw.uniform(0.0, 0.15))
            writer.send_signal(signal.SIGKILL)
            said = [int(line) for line in writer.stdout.read().split("\n")[:-1]]
        promised = max([promised, *said])
        with RunStore.create(tmp_path / "run", {"agent": "noop"}, resume=True) as store:
            kept = [done.index for done in store.trajectories()]
        assert kept == list(range(len(kept)))
        assert len(kept) > promised
    with _writer(tmp_path, 0, len(kept) + 3) as writer:
        assert writer.wait() == 0
        assert writer.stdout is not None
        writer.stdout.read()
    with RunStore.open(tmp_path / "run") as store:
        assert [done.index for done in store.trajectories()] == list(range(len(kept) + 3))
    check = sqlite3.connect(tmp_path / "run" / FILE_NAME)
    assert check.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    check.close()


def test_a_limit_on_the_size_of_files_is_an_error_of_the_system(tmp_path: Path) -> None:
    with _writer(tmp_path, 0, 1000, "bash", "-c", 'ulimit -f 400; exec "$@"', "bash") as writer:
        said, errors = writer.communicate()
    assert errors.splitlines()[-1].startswith("OSError")
    with RunStore.create(tmp_path / "run", {"agent": "noop"}, resume=True) as store:
        assert [one.index for one in store.trajectories()] == list(range(len(said.split())))


@pytest.mark.bwrap
@pytest.mark.parametrize(
    ("mount", "said"),
    [
        (("--size", "600000", "--tmpfs", "RUN"), "the disk is full; make room"),
        (("--ro-bind", "RUN", "RUN"), "it cannot be opened; choose a folder that you may write to"),
    ],
    ids=["full", "read-only"],
)
def test_a_disk_that_takes_no_more_is_explained(tmp_path: Path, mount: tuple[str, ...], said: str) -> None:
    bwrap = shutil.which("bwrap")
    if bwrap is None:
        pytest.skip("bubblewrap is not installed")
    run = tmp_path / "run"
    run.mkdir()
    options = [option.replace("RUN", str(run)) for option in mount]
    with _writer(tmp_path, 0, 1000, bwrap, "--bind", "/", "/", "--dev", "/dev", *options) as writer:
        _, errors = writer.communicate()
    if "bwrap:" in errors:
        pytest.skip(errors)
    assert said in errors.splitlines()[-1]
    assert errors.splitlines()[-1].startswith("OSError")


@pytest.mark.bwrap
def test_a_store_in_a_folder_that_cannot_be_written_can_be_read(tmp_path: Path) -> None:
    bwrap = shutil.which("bwrap")
    if bwrap is None:
        pytest.skip("bubblewrap is not installed")
    with RunStore.create(tmp_path / "run", SETTINGS) as store:
        store.add(episode())
    code = (
        "import sys\nfrom pathlib import Path\nfrom deepgym_envs.store import RunStore\n"
        "with RunStore.open(Path(sys.argv[1])) as store:\n    print(len(list(store.trajectories())))"
    )
    run = str(tmp_path / "run")
    done = subprocess.run(
        [bwrap, "--bind", "/", "/", "--dev", "/dev", "--ro-bind", run, run, sys.executable, "-c", code, run],
        capture_output=True, text=True, check=False, env=ENVIRONMENT,
    )  # fmt: skip
    if "bwrap:" in done.stderr:
        pytest.skip(done.stderr)
    assert done.stdout == "1\n", done.stderr
