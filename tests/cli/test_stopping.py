"""Signals to the command line: the first ends it in order, the second at once."""

# ruff: noqa: TID252 - the tests are no package that could be named

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from deepgym_envs import Task
from deepgym_envs.cli.stopping import stopping
from deepgym_envs.errors import SandboxUnavailable
from deepgym_envs.sandbox.engine import Containers, connect
from deepgym_envs.sandbox.reaper import host_places
from deepgym_envs.store import RunStore

from ..tiny import make_tiny, tiny

FIXTURES = make_tiny, tiny
ROOT = Path(__file__).parents[2]
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.mark.slow
@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
@pytest.mark.parametrize(
    "sandbox",
    [
        "local",
        pytest.param("bwrap", marks=pytest.mark.bwrap),
        pytest.param("docker", marks=pytest.mark.docker),
    ],
)
def test_a_run_that_is_told_to_stop_closes_its_boxes_and_keeps_its_episodes(
    tiny: Task, tmp_path: Path, sandbox: str, number: signal.Signals
) -> None:
    out = tmp_path / "run"
    with running(tiny, sandbox, out) as run:
        try:
            while run.poll() is None and kept(out) < 2:
                time.sleep(0.01)
        finally:
            run.send_signal(number)
        said, errors = run.communicate(timeout=120)
    assert run.returncode == 128 + number
    assert said == ""
    assert "go on with --resume" in errors
    assert "Traceback" not in errors
    assert kept(out) >= 2
    assert owned_by(run.pid) == []


@pytest.mark.slow
def test_a_second_signal_ends_it_at_once(tiny: Task, tmp_path: Path) -> None:
    out = tmp_path / "run"
    with running(tiny, "local", out) as run:
        try:
            while run.poll() is None and kept(out) < 1:
                time.sleep(0.01)
        finally:
            run.send_signal(signal.SIGTERM)
        time.sleep(0.05)
        run.send_signal(signal.SIGTERM)
        run.communicate(timeout=120)
    assert run.returncode in (-signal.SIGTERM, 128 + signal.SIGTERM)


def test_the_first_signal_interrupts_and_later_ones_kill() -> None:
    with stopping() as told:
        assert told.status is None
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGTERM)
        assert told.status == 143
        assert {signal.getsignal(number) for number in SIGNALS} == {signal.SIG_DFL}


def test_handlers_are_put_back_and_what_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        found = {number: signal.getsignal(number) for number in SIGNALS}
        with stopping():
            os.kill(os.getpid(), signal.SIGHUP)
            assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
            assert signal.getsignal(signal.SIGTERM) != found[signal.SIGTERM]
        assert {number: signal.getsignal(number) for number in SIGNALS} == found
    finally:
        signal.signal(signal.SIGHUP, before)


def test_outside_the_main_thread_nothing_is_changed() -> None:
    found: list[object] = []

    def look() -> None:
        with stopping() as told:
            found.extend([told.status, *(signal.getsignal(number) for number in SIGNALS)])

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert found == [None, *(signal.getsignal(number) for number in SIGNALS)]


def test_the_library_leaves_signals_alone() -> None:
    code = (
        "import signal; before = [signal.getsignal(n) for n in range(1, 32)]\n"
        "import deepgym_envs, deepgym_envs.cli, deepgym_envs.sandbox.docker, deepgym_envs.sandbox.bwrap\n"
        "assert before == [signal.getsignal(n) for n in range(1, 32)]"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    assert subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode == 0


def running(task: Task, sandbox: str, out: Path) -> subprocess.Popen[str]:
    folder = task.recipe.folder.parents[1] / task.id.split("/")[1]
    return subprocess.Popen(
        [sys.executable, "-m", "deepgym_envs", "eval", "--task", str(folder), "--sandbox", sandbox,
         "--agent", "noop", "--out", str(out), "-n", "100000", "--workers", "2", "--json"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip


def kept(out: Path) -> int:
    try:
        with RunStore.open(out) as store:
            return len(store.finished())
    except (OSError, ValueError):
        return 0


def owned_by(pid: int) -> list[str]:
    places = host_places()
    found = [one.name for place in places for one in place.belongings() if one.owner.pid == pid]
    with contextlib.suppress(SandboxUnavailable), contextlib.closing(connect()) as client:
        found += [one.name for one in Containers(client).belongings() if one.owner.pid == pid]
    return found
