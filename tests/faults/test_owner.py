"""Who lives, who is dead, and of whom nothing can be known."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepgym_envs.owner import Owner, _boot, own_prefix, owned_names, owner_in, scratch_folder, this_process

OWNERS = st.builds(
    Owner,
    st.text("0123456789abcdef", min_size=16, max_size=16),
    st.integers(0, 2**63),
    st.integers(0, 2**22),
    st.integers(0, 2**63),
)


@pytest.fixture
def other() -> Iterator[tuple[subprocess.Popen[bytes], Owner]]:
    """A process, and its name as it calls itself."""
    code = "from deepgym_envs.owner import this_process; print(this_process(), flush=True); input()"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    ) as process:
        assert process.stdout is not None
        owner = owner_in(process.stdout.readline().decode())
        assert owner is not None
        yield process, owner
        process.kill()


def test_this_process_lives() -> None:
    assert this_process().pid == os.getpid()
    assert this_process().alive is True


@given(OWNERS, st.text("abcxyz-_/ ", max_size=10))
def test_a_name_is_read_back_from_any_text_around_it(owner: Owner, around: str) -> None:
    assert owner_in(f"{around}-{owner}-{around}") == owner


@given(OWNERS)
def test_a_process_of_another_machine_or_namespace_is_neither_alive_nor_dead(owner: Owner) -> None:
    here = this_process()
    if (owner.boot, owner.namespace) != (here.boot, here.namespace):
        assert owner.alive is None
    assert replace(here, boot=owner.boot, pid=owner.pid).alive in (None, here.boot == owner.boot)
    assert replace(here, namespace=here.namespace + 1).alive is None


def test_a_living_process_is_alive_and_a_killed_one_dead(
    other: tuple[subprocess.Popen[bytes], Owner],
) -> None:
    process, owner = other
    assert owner.alive is True
    process.send_signal(signal.SIGSTOP)
    assert owner.alive is True
    process.kill()
    process.wait()
    assert owner.alive is False


def test_one_that_was_killed_and_that_nobody_waits_for_is_dead(
    other: tuple[subprocess.Popen[bytes], Owner],
) -> None:
    process, owner = other
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert Path(f"/proc/{process.pid}").exists()
    assert owner.alive is False


def test_a_later_process_of_the_same_number_is_another() -> None:
    here = this_process()
    assert replace(here, started=here.started - 1).alive is False
    assert replace(here, pid=2**30).alive is False


def test_a_fork_is_an_owner_of_its_own() -> None:
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(write, str(this_process()).encode())
        os._exit(0)
    os.waitpid(pid, 0)
    child = owner_in(os.read(read, 200).decode())
    os.close(read)
    os.close(write)
    assert child is not None
    assert (child.pid, child.alive) == (pid, False)


def test_names_of_folders_tell_their_owner(tmp_path: Path) -> None:
    with scratch_folder("patch", tmp_path) as folder, scratch_folder("base", tmp_path, before="x.") as other:
        assert owner_in(Path(folder).name) == owner_in(Path(other).name) == this_process()
        assert Path(folder).name.startswith(own_prefix("patch"))
        assert Path(other).name.startswith(f"x.{own_prefix('base')}")
        assert [str(place) for place in tmp_path.glob(owned_names("patch"))] == [folder]
        assert [str(place) for place in tmp_path.glob(f"*{owned_names()}")] in (
            [folder, other],
            [other, folder],
        )
    assert not list(tmp_path.iterdir())


def test_machines_that_were_resumed_from_one_snapshot_are_told_apart_by_id_or_name() -> None:
    boot = _boot(b"0-1-2\n", b"one\n", "host")
    assert len({boot, _boot(b"0-1-2\n", b"two\n", "host"), _boot(b"0-1-2\n", b"one\n", "clone")}) == 3
    assert boot == _boot(b"0-1-2", b"one", "host") != _boot(b"3-4-5", b"one", "host")
