"""Boxes that are containers: what an agent's code can reach, use up, and leave behind."""

from __future__ import annotations

import gc
import json
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from deepgym_envs.errors import BoxLost, SandboxError, SandboxUnavailable
from deepgym_envs.owner import Owner, owner_in, this_process
from deepgym_envs.sandbox import Command, Sandbox
from deepgym_envs.sandbox.docker import DockerBackend, quiet
from deepgym_envs.sandbox.engine import LABEL, OWNER_LABEL
from deepgym_envs.sandbox.image import task_image
from deepgym_envs.state import WorkspaceState
from deepgym_envs.task import Task

pytestmark = pytest.mark.docker


@pytest.fixture(scope="module")
def box(docker_backend: DockerBackend, built: Task) -> Iterator[Sandbox]:
    """One box for all tests that leave it alive."""
    opened = docker_backend.open(built)
    yield opened
    # Whatever was done to it, it is still good for the next.
    assert opened.run(Command(("echo", "alive"), 10)).output == b"alive\n"
    opened.restore(WorkspaceState(built.base))
    assert opened.capture().state == WorkspaceState(built.base)
    opened.close()


def sh(box: Sandbox, script: str, seconds: float = 20) -> str:
    done = box.run(Command(("sh", "-c", script), seconds))
    assert not done.timed_out
    return done.output.decode(errors="replace").strip()


def python(box: Sandbox, script: str, seconds: float = 20) -> str:
    done = box.run(Command(("python", "-c", script), seconds))
    assert not done.timed_out
    return done.output.decode(errors="replace").strip()


def containers(client: Any, task: Task, owner: Owner) -> list[Any]:
    labels = [f"{LABEL}={task.id}", f"{OWNER_LABEL}={owner}"]
    found = client.api.containers(all=True, filters={"label": labels})
    return [row["Id"] for row in found]


def test_the_agent_is_nobody_in_particular_without_capabilities(box: Sandbox) -> None:
    assert sh(box, "id -u; id -g; id -G") == "1000\n1000\n1000"
    status = dict(line.split(":\t", 1) for line in sh(box, "cat /proc/self/status").splitlines())
    for kind in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        assert int(status[kind], 16) == 0, kind
    # Nobody in the box can ever have more than: chown, dac_override, fowner, kill, setgid, setuid.
    assert int(status["CapBnd"], 16) == sum(1 << number for number in (0, 1, 3, 5, 6, 7))
    assert status["NoNewPrivs"] == "1"


def test_a_program_of_roots_does_not_make_the_agent_root(box: Sandbox) -> None:
    assert sh(
        box, "find / -xdev -perm -4000 -type f 2>/dev/null -exec {} --help \\; ; su -c id; id -u"
    ).endswith("1000")
    assert sh(box, "cp $(command -v id) $TMPDIR/id; chmod 4755 $TMPDIR/id; $TMPDIR/id -u") == "1000"


def test_there_is_no_network(box: Sandbox) -> None:
    assert sh(box, "ls /sys/class/net") == "lo"
    script = """
import socket
for family, address in ((socket.AF_INET, ("1.1.1.1", 53)), (socket.AF_INET, ("172.17.0.1", 2375))):
    try:
        socket.create_connection(address, 1)
    except OSError as error:
        print(error.errno)
"""
    assert python(box, script).split() == ["101", "101"]


def test_only_the_workspace_and_scratch_can_be_written(box: Sandbox) -> None:
    found = sh(
        box, "find / /proc/sys -path '/proc/[0-9]*' -prune -o -writable -not -type l -print 2>/dev/null"
    ).split("\n")
    devices = {
        f"/dev/{name}" for name in ("null", "zero", "full", "random", "urandom", "tty", "ptmx", "pts/ptmx")
    }
    shown = ("/proc/self/", "/proc/thread-self/", "/proc/pressure/", "/proc/keys", "/proc/timer_list")
    beyond = {path for path in found if path.startswith("/") and not path.startswith(("/workspace/", *shown))}
    beyond -= {"/workspace", "/proc/self", "/proc/thread-self"}
    assert beyond <= {"/tmp", "/dev/shm", "/dev/mqueue", *devices}
    script = "echo x > /etc/x; touch /opt/deepgym/boxd/server.py; rm -r /opt/deepgym; mv /opt/venv /opt/x; ls /opt /opt/deepgym"
    assert sh(box, script).split()[-8:] == [
        "/opt:",
        "deepgym",
        "venv",
        "/opt/deepgym:",
        "base",
        "boxd",
        "git",
        "nursery.py",
    ]


def test_the_boxs_own_program_cannot_be_reached(box: Sandbox) -> None:
    for place in ("environ", "mem", "maps", "fd/0", "fd/1", "root", "cwd", "exe", "io", "stack"):
        assert "denied" in sh(box, f"cat /proc/1/{place} 2>&1; ls /proc/1/fd 2>&1").lower(), place
    script = """
import ctypes, os, signal
for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGSTOP, signal.SIGINT):
    try:
        os.kill(1, number)
    except PermissionError:
        print("refused")
libc = ctypes.CDLL(None, use_errno=True)
print(libc.ptrace(16, 1, 0, 0), ctypes.get_errno())
try:
    os.sched_setaffinity(1, {0})
except PermissionError:
    print("refused")
"""
    assert python(box, script).split() == ["refused"] * 4 + ["-1", "1", "refused"]
    assert sh(box, "renice -n 19 1 2>&1 || prlimit --pid 1 --nofile=3 2>&1 || echo refused").endswith(
        "refused"
    )


def test_hidden_input_of_another_command_cannot_be_listed(box: Sandbox) -> None:
    done = box.run(
        Command(
            ("sh", "-c", "ls /inputs; cat {files}/secret; echo x > {files}/secret"),
            10,
            files={"secret": b"s\n"},
        )
    )
    assert done.output.startswith(b"ls: cannot open directory"), done.output
    assert b"s\n" in done.output
    assert done.exit_code != 0


def test_a_fork_bomb_ends_and_the_box_survives(box: Sandbox) -> None:
    began = time.monotonic()
    done = box.run(
        Command(("python", "-c", "import os\nwhile True:\n try: os.fork()\n except OSError: pass"), 0.7)
    )
    assert done.timed_out
    assert time.monotonic() - began < 8
    # boxd, what tests are forked from and its child, and these three
    assert int(sh(box, "ls -d /proc/[0-9]* | wc -l")) <= 6


def test_a_memory_bomb_is_killed_and_the_box_survives(box: Sandbox) -> None:
    done = box.run(Command(("python", "-c", "x = []\nwhile True: x.append(bytearray(10_000_000))"), 20))
    assert done.exit_code in (-9, 1)
    assert sh(box, "echo alive") == "alive"


def test_memory_in_scratch_files_is_bounded_and_given_back(box: Sandbox) -> None:
    for _ in range(2):
        out = sh(
            box, "head -c 300000000 /dev/zero > $TMPDIR/x; head -c 300000000 /dev/zero > /dev/shm/x; echo $?"
        )
        assert out.endswith("1")
    assert sh(box, "head -c 10000000 /dev/zero > $TMPDIR/x && echo fits") == "fits"


@pytest.mark.parametrize(
    "fill",
    [
        "head -c 100000000 /dev/zero > fill; head -c 100000000 /dev/zero > fill2",
        "mkdir fill; cd fill; seq 1 70000 | xargs touch",
    ],
    ids=["bytes", "inodes"],
)
def test_a_full_disk_is_put_back(box: Sandbox, built: Task, fill: str) -> None:
    assert "No space left on device" in sh(
        box, f"{fill} 2>&1 | head -c 500; (head -c 999999999 /dev/zero > f; touch g) 2>&1"
    )
    box.restore(WorkspaceState(built.base))
    assert box.capture().state == WorkspaceState(built.base)
    assert sh(box, "echo x > new && cat new") == "x"


def test_shared_memory_and_queues_do_not_outlive_a_command(box: Sandbox) -> None:
    sysv = """
import ctypes
libc = ctypes.CDLL(None)
print(libc.shmget(77, 4096, {flags}) < 0, libc.msgget(77, {flags}) < 0, libc.semget(77, 1, {flags}) < 0)
"""
    python(box, sysv.format(flags="0o1666"))
    assert python(box, sysv.format(flags="0o666")) == "True True True"
    sh(box, "echo x > /dev/shm/left; mkdir -p /dev/mqueue 2>/dev/null")
    python(box, "import ctypes; print(ctypes.CDLL(None).mq_open(b'/left', 0o102, 0o666, None))")
    assert sh(box, "ls -A /dev/shm /dev/mqueue | grep -v :") == ""


def test_git_shows_one_commit_and_what_changed(box: Sandbox, built: Task) -> None:
    box.restore(WorkspaceState(built.base).with_file("tiny/__init__.py", b"x = 1\n"))
    assert sh(box, "git log --format='%an %s' --all") == "DeepGym The repository as it is"
    assert sh(box, "git status --porcelain") == "M tiny/__init__.py"
    assert "read-only" in sh(box, "git add -A 2>&1; git commit -qm x 2>&1").lower()
    box.restore(WorkspaceState(built.base))
    assert sh(box, "git status --porcelain") == ""


def test_nothing_of_the_gold_or_hidden_tests_is_in_the_box(box: Sandbox) -> None:
    assert (
        sh(
            box,
            "grep -rslE 'return a [+] b$|test_hidden' /opt /workspace /tmp /etc /var /root /home | grep -v /opt/venv/lib",
        )
        == ""
    )


def test_a_closed_box_leaves_no_container(docker_backend: DockerBackend, built: Task, client: Any) -> None:
    before = containers(client, built, this_process())
    opened = docker_backend.open(built)
    assert len(containers(client, built, this_process())) == len(before) + 1
    opened.run(Command(("sh", "-c", "sleep 100 & exit"), 5))
    opened.close()
    assert sorted(containers(client, built, this_process())) == sorted(before)


OWNER = """
import pickle, sys, time
from deepgym_envs.owner import this_process
from deepgym_envs.sandbox import Command
from deepgym_envs.sandbox.docker import DockerBackend
task = pickle.load(open(sys.argv[1], "rb"))
box = DockerBackend().open(task)
print(this_process(), flush=True)
box.run(Command(("sleep", "100"), 100))
"""


def test_no_container_is_left_when_its_owner_is_killed(
    built: Task, client: Any, tmp_path: Path, docker_backend: DockerBackend
) -> None:
    (tmp_path / "task").write_bytes(pickle.dumps(built))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        [sys.executable, "-c", OWNER, str(tmp_path / "task")], stdout=subprocess.PIPE, env=environment
    ) as process:
        assert process.stdout is not None
        owner = owner_in(process.stdout.readline().decode())
        assert owner is not None
        assert len(containers(client, built, owner)) == 1
        time.sleep(0.2)  # so that it is in the middle of its command
        process.send_signal(signal.SIGKILL)
    end = time.monotonic() + 10
    while containers(client, built, owner) and time.monotonic() < end:
        time.sleep(0.1)
    assert containers(client, built, owner) == []


def test_a_container_that_is_removed_from_outside_loses_the_box(
    docker_backend: DockerBackend, built: Task, client: Any
) -> None:
    before = set(containers(client, built, this_process()))
    opened = docker_backend.open(built)
    (ours,) = set(containers(client, built, this_process())) - before
    client.api.kill(ours)
    with pytest.raises(BoxLost) as caught:
        opened.run(Command(("true",), 5))
    assert isinstance(caught.value, SandboxError)
    opened.close()


def test_without_an_engine_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tiny: Task) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    problem = DockerBackend().problem()
    assert problem is not None
    assert "no Docker engine answers" in problem
    assert "start one" in problem
    with pytest.raises(SandboxUnavailable, match="no Docker engine answers"):
        DockerBackend().open(tiny)
    gc.collect()


def test_two_tasks_of_one_id_do_not_share_an_image(
    docker_backend: DockerBackend, built: Task, tmp_path: Path
) -> None:
    other = replace(
        built,
        content=replace(built.files, base_patch=b"--- /dev/null\n+++ b/other.txt\n@@ -0,0 +1 @@\n+other\n"),
    )
    opened = docker_backend.open(other)
    try:
        assert opened.read("other.txt", 10)[0] == b"other\n"
    finally:
        opened.close()


def test_a_backend_survives_pickling(docker_backend: DockerBackend) -> None:
    again = pickle.loads(pickle.dumps(DockerBackend(runtime="runsc", cpus=2)))
    assert (again.name, again.runtime, again.cpus) == ("docker", "runsc", 2)


def test_nothing_of_the_agents_travels_in_the_containers_configuration(
    docker_backend: DockerBackend, built: Task, client: Any
) -> None:
    before = set(containers(client, built, this_process()))
    opened = docker_backend.open(built)
    (ours,) = set(containers(client, built, this_process())) - before
    found = client.api.inspect_container(ours)
    opened.close()
    host = found["HostConfig"]
    assert (host["NetworkMode"], host["ReadonlyRootfs"], host["CapDrop"], host["Privileged"]) == (
        "none",
        True,
        ["ALL"],
        False,
    )
    assert (host["PidsLimit"], host["Memory"], host["MemorySwap"]) == (64, 288 << 20, 288 << 20)
    assert not host["Binds"]
    said = json.dumps(found["Config"])
    assert "return a + b" not in said
    assert "test_hidden" not in said


def test_an_image_that_was_removed_meanwhile_is_built_again(
    docker_backend: DockerBackend, built: Task, client: Any
) -> None:
    client.images.remove(task_image(client, built, quiet), force=True)
    with closing(docker_backend.open(built)) as box:
        assert box.capture().state.changes == {}
