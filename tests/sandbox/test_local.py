"""Local boxes: no isolation, but the same promises about limits in time, leftovers and ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from deepgym_envs.errors import ActionError, BoxLost
from deepgym_envs.sandbox import Command, Query, Sandbox
from deepgym_envs.sandbox.local import LocalBackend, UntrustedCodeWarning
from deepgym_envs.state import WorkspaceState
from deepgym_envs.task import Task

from .hosts import MakeTask, host_cache, make_task, python
from .processes import boxd_below, ended, gone, tagged

fixtures = (host_cache, make_task)

pytestmark = pytest.mark.usefixtures("host_cache", "temporary")


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which boxes make theirs."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr("tempfile.tempdir", None)
    return folder


@pytest.fixture
def task(make_task: MakeTask) -> Task:
    return make_task(limits="memory_mb = 256\ndisk_mb = 8\noutput_bytes = 4000")


def open_box(task: Task) -> Sandbox:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UntrustedCodeWarning)
        return LocalBackend().open(task)


@pytest.fixture
def box(task: Task, temporary: Path) -> Iterator[Sandbox]:
    sandbox = open_box(task)
    yield sandbox
    assert python(sandbox, "import pkg.a; print(pkg.a.x)").output == b"1\n"
    sandbox.restore(WorkspaceState(task.base))
    assert {path for path, _ in sandbox.find(Query()).files} == set(task.base)
    sandbox.close()
    assert not list(temporary.iterdir())


def test_opening_warns(task: Task) -> None:
    with pytest.warns(UntrustedCodeWarning, match="isolates nothing"):
        LocalBackend().open(task).close()


def test_statuses_are_those_of_the_command(box: Sandbox) -> None:
    assert [python(box, f"import os; os._exit({code})").exit_code for code in (0, 3, 255)] == [0, 3, 255]
    assert python(box, "import os; os.abort()").exit_code == -signal.SIGABRT
    assert box.run(Command(("nowhere",), seconds=5)).exit_code == 127


def test_the_hosts_environment_is_kept_out(box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    names = python(box, "import os; print(*sorted(os.environ))").output.decode().split()
    assert names == ["GIT_OPTIONAL_LOCKS", "HOME", "LANG", "LC_ALL", "PATH", "PYTHONDONTWRITEBYTECODE",
                     "PYTHONHASHSEED", "PYTHONPATH", "TMPDIR", "TZ"]  # fmt: skip


def test_a_memory_bomb_hits_the_command_only(box: Sandbox) -> None:
    done = python(box, "x = []\nwhile True: x.append(bytearray(1 << 20))")
    assert done.exit_code == 1
    assert b"MemoryError" in done.output


def test_one_file_cannot_outgrow_the_disk_limit(box: Sandbox) -> None:
    done = python(box, "open('/proc/self/cwd/big', 'wb').write(bytes(9 << 20))")
    assert b"File too large" in done.output


def test_a_flood_of_output_is_cut(box: Sandbox) -> None:
    done = box.run(Command(("yes",), seconds=0.5, output_bytes=4000))
    assert (done.exit_code, done.timed_out) == (None, True)
    assert len(done.output) < 4100
    assert done.omitted > 1_000_000


def test_a_daemon_does_not_outlive_its_command(box: Sandbox) -> None:
    mark = tagged("daemon")
    code = f"""
import os
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execvp("sh", ["sh", "-c", "sleep 99; true", "{mark}"])
    os._exit(0)
os.wait()
"""
    assert python(box, code).exit_code == 0
    assert gone(mark)


def test_processes_that_keep_forking_are_caught(box: Sandbox) -> None:
    mark = tagged("hopper")
    hop = "import os, time\nend = time.time() + 15\nwhile time.time() < end:\n    if os.fork(): os._exit(0)\n"
    done = box.run(
        Command(("sh", "-c", f"for i in 1 2 3 4; do python -c '{hop}' {mark} & done; sleep 0.5"), seconds=10)
    )
    assert done.exit_code == 0
    assert done.seconds < 5
    assert gone(mark)


def test_a_deaf_process_is_killed_in_time(box: Sandbox) -> None:
    code = """
import signal, time
for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
    signal.signal(number, signal.SIG_IGN)
while True:
    time.sleep(1)
"""
    done = python(box, code, seconds=1)
    assert (done.exit_code, done.timed_out) == (None, True)
    assert done.seconds < 2


def test_deep_folders_are_cleared(box: Sandbox, task: Task) -> None:
    assert (
        python(box, "import os\nfor _ in range(600): os.mkdir('d' * 200); os.chdir('d' * 200)").exit_code == 0
    )
    assert box.capture().state == WorkspaceState(task.base)


def test_deep_folders_do_not_hinder_closing(task: Task, temporary: Path) -> None:
    with closing(open_box(task)) as box:
        python(box, "import os\nfor _ in range(600): os.mkdir('d' * 200); os.chdir('d' * 200)")
        python(box, "import os\nos.makedirs('a/b'); os.chmod('a', 0)")
    assert not list(temporary.iterdir())


def test_what_is_no_file_is_dropped_and_never_followed(box: Sandbox) -> None:
    code = "import os\nos.mkfifo('pipe'); os.symlink('/etc/passwd', 'link'); os.symlink('/', 'root')"
    assert python(box, code).exit_code == 0
    for path in ("pipe", "link", "root/etc/passwd"):
        with pytest.raises(ActionError):
            box.read(path, 100)
    assert {path for path, _ in box.capture().dropped} == {"pipe", "link", "root"}


def test_closed_and_moved_folders_are_mended(box: Sandbox) -> None:
    code = "import os\nos.rename('../tmp', '../gone'); os.symlink('/', '../tmp'); os.chmod('.', 0)"
    assert python(box, code).exit_code == 0
    assert box.run(Command(("sh", "-c", 'touch "$TMPDIR/a" && test ! -e /a'), 5)).exit_code == 0
    assert box.run(Command(("sh", "-c", 'rmdir ../gone && ls -A "$TMPDIR"'), 5)).output == b""


def test_a_killed_program_is_a_lost_box(task: Task, temporary: Path) -> None:
    box = open_box(task)
    os.kill(boxd_below(os.getpid()), signal.SIGKILL)
    with pytest.raises(BoxLost, match="connection to a box broke at 'read'"):
        box.read("pkg/a.py", 10)
    with pytest.raises(BoxLost, match="closed"):
        box.read("pkg/a.py", 10)
    assert not list(temporary.iterdir())


def test_nothing_survives_a_killed_owner(task: Task, tmp_path: Path) -> None:
    mark = tagged("orphan")
    code = f"""
import pathlib, sys
from deepgym_envs.sandbox import Command
from deepgym_envs.sandbox.local import LocalBackend
from deepgym_envs.task import Task
folder = pathlib.Path({str(tmp_path)!r})
box = LocalBackend().open(Task.from_folder(folder / "tasks" / "one", folder / "repos"))
box.run(Command(("sh", "-c", "setsid sh -c 'sleep 1000; true' {mark} & sleep 1000", "{mark}"), 1000))
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-W", "ignore", "-c", code]
    with subprocess.Popen(command, env=environment) as owner:
        try:
            while gone(mark, 0):
                assert owner.poll() is None
                time.sleep(0.01)
            program = boxd_below(owner.pid)
        finally:
            owner.kill()
    assert gone(mark, 5)
    assert ended(program, 5)
