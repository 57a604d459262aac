"""Lines are whole whoever writes them and whenever a writer is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepgym_envs.trajectory import Trajectory
from deepgym_wrappers import append_trajectory, read_trajectories
from deepgym_wrappers.trajectory_file import FILE_NAME

DONE = Trajectory("a", "", "me", "fake", 1, 0, "Mend it.", "", 0.0, (), None, "")
WRITER = """\
import sys
from deepgym_envs.trajectory import Trajectory
from deepgym_wrappers import append_trajectory
done = Trajectory("a", "", sys.argv[2], "fake", 1, 0, "x" * int(sys.argv[3]), "", 0.0, (), None, "")
print("ready", flush=True)
for _ in range(int(sys.argv[4])):
    append_trajectory(sys.argv[1], done)
"""


def writer(folder: Path, name: str, size: int, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(folder), name, str(size), str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_threads_and_processes_may_share_a_folder(tmp_path: Path) -> None:
    other = writer(tmp_path, "other", 200_000, 40)
    assert other.stdout is not None
    other.stdout.readline()
    with ThreadPoolExecutor(4) as pool:
        mine = list(pool.map(lambda _: append_trajectory(tmp_path, DONE), range(120)))
    other.communicate(timeout=60)
    assert other.returncode == 0
    found = list(read_trajectories(tmp_path))
    assert [one.index for one in found] == list(range(160))
    assert sorted(one.agent for one in found) == ["me"] * 120 + ["other"] * 40
    assert [one for one in found if one.agent == "me"] == sorted(mine, key=lambda one: one.index)


def test_a_writer_that_is_killed_leaves_whole_lines_for_the_next(tmp_path: Path) -> None:
    for delay in (0.0, 0.02, 0.05):
        process = writer(tmp_path, "victim", 3_000_000, 1000)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(delay)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        append_trajectory(tmp_path, DONE)
    found = list(read_trajectories(tmp_path))
    assert [one.index for one in found] == list(range(len(found)))
    assert [one.agent for one in found].count("me") == 3
    assert (tmp_path / FILE_NAME).read_bytes().endswith(b"\n")


@given(left=st.integers(1, 400_000), size=st.sampled_from([0, 100, 65_530, 200_000]))
def test_half_a_line_is_not_read_and_gone_after_the_next(
    left: int, size: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("run")
    first = append_trajectory(folder, replace(DONE, instruction="x" * size))
    line = (folder / FILE_NAME).read_bytes()
    with (folder / FILE_NAME).open("ab") as file:
        file.write((line * (left // len(line) + 1))[:left].replace(b"\n", b" "))
    assert list(read_trajectories(folder)) == [first]
    second = append_trajectory(folder, DONE)
    assert list(read_trajectories(folder)) == [first, second]
    assert second.index == 1
    assert (folder / FILE_NAME).read_bytes().endswith(b"\n")


def test_a_file_with_half_a_line_only_begins_anew(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b'{"format"')
    assert append_trajectory(tmp_path, DONE).index == 0
    assert list(read_trajectories(tmp_path)) == [DONE]


@pytest.mark.parametrize("line", [b"{}\n", b"metrics\n", b'{"step": 1, "kl": 0.5}\n', b"\xff\n", b"\n"])
def test_the_file_of_somebody_else_is_refused_and_stays_as_it_is(tmp_path: Path, line: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(line)
    with pytest.raises(ValueError, match=r"the last line of .*; choose another folder"):
        append_trajectory(tmp_path, DONE)
    assert (tmp_path / FILE_NAME).read_bytes() == line
    with pytest.raises(ValueError, match="line 1: "):
        list(read_trajectories(tmp_path))


def test_a_number_that_is_none_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    append_trajectory(tmp_path, DONE)
    with pytest.raises(ValueError, match="not JSON compliant"):
        append_trajectory(tmp_path, replace(DONE, start_potential=float("nan")))
    assert list(read_trajectories(tmp_path)) == [DONE]


def test_a_folder_without_episodes_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        list(read_trajectories(tmp_path))
