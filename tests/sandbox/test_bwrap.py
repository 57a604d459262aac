"""Boxes of bubblewrap: what an agent's code can reach, use up, and leave behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from deepgym_envs.errors import ActionError
from deepgym_envs.owner import own_prefix
from deepgym_envs.sandbox import Command, Query, Sandbox
from deepgym_envs.sandbox.bwrap import BwrapBackend
from deepgym_envs.sandbox.program import CAPTURE_FILES
from deepgym_envs.state import WorkspaceState
from deepgym_envs.task import Task

from .hosts import MakeTask, host_cache, make_task, python
from .processes import boxd_below, ended, gone, tagged

fixtures = (host_cache, make_task)

pytestmark = [pytest.mark.bwrap, pytest.mark.usefixtures("host_cache")]
LIMITS = "memory_mb = 128\npids = 48\ndisk_mb = 8\noutput_bytes = 4000"


@pytest.fixture
def backend() -> BwrapBackend:
    backend = BwrapBackend()
    problem = backend.problem()
    if problem:
        pytest.skip(problem)
    return backend


@pytest.fixture
def task(make_task: MakeTask) -> Task:
    return make_task(limits=LIMITS)


@pytest.fixture
def box(backend: BwrapBackend, task: Task) -> Iterator[Sandbox]:
    sandbox = backend.open(task)
    yield sandbox
    # Whatever was done to it, it must still be good for the next.
    done = sandbox.run(Command(("python", "-c", "import pkg.a; print(pkg.a.x)"), seconds=10))
    assert done.output == b"1\n"
    sandbox.restore(WorkspaceState(task.base))
    assert sandbox.find(Query()).files == tuple(
        (path, len(task.base[path].data)) for path in sorted(task.base, key=order)
    )
    sandbox.close()


def order(path: str) -> tuple[bool, str]:
    return "/" in path, path


def told(box: Sandbox, code: str) -> object:
    done = python(box, "import ctypes, json, os, socket\nlibc = ctypes.CDLL(None, use_errno=True)\n" + code)
    assert done.exit_code == 0, done.output.decode()
    return json.loads(done.output)


def test_nothing_of_the_host_can_be_read(box: Sandbox, host_cache: Path) -> None:
    secrets = ["/etc/shadow", "/etc/hostname", "/home", "/var", "/run", "/sys", "/var/run/docker.sock",
               str(Path.home() / ".bashrc"), str(host_cache), "/opt/deepgym/base/.git"]  # fmt: skip
    assert told(box, f"print(json.dumps([path for path in {secrets!r} if os.path.exists(path)]))") == []
    etc = ["alternatives", "group", "hosts", "ld.so.cache", "passwd"]
    assert told(box, "print(json.dumps(sorted(os.listdir('/etc'))))") == etc


def test_only_bounded_memory_can_be_written(box: Sandbox) -> None:
    code = """
places = []
for parent, folders, files in os.walk("/"):
    folders[:] = [name for name in folders if parent != "/" or name not in ("proc", "usr")]
    if os.path.ismount(parent) or parent.count("/") < 3:
        try:
            open(parent + "/probe", "w").close()
            places.append(parent)
        except OSError:
            pass
print(json.dumps(sorted(place for place in places if not place.startswith("/inputs/"))))
"""
    assert told(box, code) == ["/dev/shm", "/inputs", "/tmp", "/workspace", "/workspace/pkg"]
    assert (
        told(
            box,
            "print(json.dumps([os.access(p, os.W_OK) for p in ('/usr', '/opt/venv', '/proc/sys/kernel')]))",
        )
        == [False] * 3
    )


def test_there_is_no_privilege_and_no_network(box: Sandbox) -> None:
    code = """
status = dict(line.split(":\\t", 1) for line in open("/proc/self/status").read().splitlines())
try:
    socket.create_connection(("192.0.2.1", 80), 1)
    network = "connected"
except OSError as error:
    network = error.strerror
print(json.dumps([
    os.getuid(), os.getgid(), os.geteuid(), status["CapEff"].strip("0"), status["CapPrm"].strip("0"),
    status["NoNewPrivs"], socket.gethostname(), network, [name for _, name in socket.if_nameindex()],
    sorted(os.environ)]))
"""
    names = ["GIT_OPTIONAL_LOCKS", "HOME", "LANG", "LC_ALL", "PATH", "PYTHONDONTWRITEBYTECODE",
             "PYTHONHASHSEED", "PYTHONPATH", "TMPDIR", "TZ"]  # fmt: skip
    assert told(box, code) == [1000, 1000, 1000, "", "", "1", "box", "Network is unreachable", ["lo"], names]


def test_no_namespace_or_mount_can_be_made(box: Sandbox) -> None:
    code = """
tries = [libc.unshare(flag) for flag in (0x10000000, 0x20000, 0x20000000, 0x40000000)]
tries += [libc.mount(b"none", b"/tmp", b"tmpfs", 0, None), libc.umount2(b"/proc", 2),
          libc.mount(None, b"/proc", None, 32 | 4096, None), libc.mount(None, b"/", None, 32 | 4096, None)]
child = libc.syscall({"x86_64": 56, "aarch64": 220}[os.uname().machine], 0x10000000 | 17, 0, 0, 0, 0)  # clone
if child == 0:
    os._exit(0)
print(json.dumps([*tries, child]))
"""
    assert told(box, code) == [-1] * 9


def test_the_boxes_own_program_cannot_be_named(box: Sandbox) -> None:
    pid = boxd_below(os.getpid())
    before = [
        Path(f"/proc/{pid}/{name}").read_text() for name in ("limits", "oom_score_adj", "timerslack_ns")
    ]
    code = """
import resource, signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
seen = sorted(int(name) for name in os.listdir("/proc") if name.isdigit())
found = []
for number in (signal.SIGKILL, signal.SIGSTOP, signal.SIGINT, signal.SIGTERM):
    os.kill(1, number)
for name in ("environ", "mem", "maps", "fd/0", "cwd", "root"):
    try:
        (os.readlink if name in ("fd/0", "cwd", "root") else open)("/proc/1/" + name)
        found.append(name)
    except OSError:
        pass
if libc.ptrace(16, 1, 0, 0) == 0 or libc.ptrace(0x4206, 1, 0, 0) == 0:
    found.append("ptrace")
for kind in (resource.RLIMIT_NOFILE, resource.RLIMIT_FSIZE, resource.RLIMIT_CPU, resource.RLIMIT_AS):
    try:
        resource.prlimit(1, kind, (100, 100))
    except OSError:
        pass
try:
    os.setpriority(os.PRIO_PROCESS, 1, 19)
    os.sched_setscheduler(1, os.SCHED_IDLE, os.sched_param(0))
except OSError:
    pass
print(json.dumps([seen, found]))
"""
    assert told(box, code) == [[1, 2], []]
    assert [
        Path(f"/proc/{pid}/{name}").read_text() for name in ("limits", "oom_score_adj", "timerslack_ns")
    ] == before
    assert os.getpriority(os.PRIO_PROCESS, pid) == os.getpriority(os.PRIO_PROCESS, 0)
    assert os.sched_getscheduler(pid) == os.SCHED_OTHER
    python(box, "import os; os.kill(-1, 9)")
    assert python(box, "import os; os.kill(os.getpid(), 9)").exit_code == -signal.SIGKILL


def test_kernel_objects_do_not_outlive_a_command(box: Sandbox) -> None:
    shared = "libc.shmget(77, 4096, 0o1600)", "libc.shmget(77, 4096, 0)"
    assert told(box, f"print(json.dumps({shared[0]}))") != -1
    assert told(box, f"print(json.dumps({shared[1]}))") == -1


def test_statuses_are_those_of_the_command(box: Sandbox) -> None:
    assert [python(box, f"import os; os._exit({code})").exit_code for code in (0, 3, 255)] == [0, 3, 255]
    assert python(box, "import os; os.abort()").exit_code == -signal.SIGABRT
    assert python(box, "import os; os.kill(os.getpid(), 15)").exit_code == -signal.SIGTERM
    assert box.run(Command(("nowhere",), seconds=5)).exit_code == 127


def test_a_fork_bomb_is_bounded_and_swept(box: Sandbox) -> None:
    mark = tagged("bomb")
    done = box.run(Command(("sh", "-c", f"b() {{ b {mark} | b {mark} & }}; b; sleep 1"), seconds=5))
    assert done.seconds < 10
    code = """
import time
made = 0
try:
    while True:
        if os.fork() == 0:
            time.sleep(50)
        made += 1
except OSError as error:
    print(json.dumps([made, error.strerror]), flush=True)
    os._exit(0)
"""
    if os.geteuid() != 0 or "pids" not in BwrapBackend().limits_missing():
        answer = told(box, code)
        assert isinstance(answer, list)
        assert 20 < answer[0] <= 48
        assert answer[1] == "Resource temporarily unavailable"


def test_a_memory_bomb_hits_the_command_only(box: Sandbox) -> None:
    done = python(box, "x = []\nwhile True: x.append(bytearray(1 << 20))")
    assert done.exit_code in (1, -signal.SIGKILL)
    assert not done.timed_out


@pytest.mark.parametrize("place", ["/workspace", "/tmp", "/inputs", "/dev/shm"])
def test_a_full_disk_is_bounded_and_emptied(box: Sandbox, place: str) -> None:
    done = python(box, f"""
import os
try:
    with open("{place}/big", "wb") as file:
        for _ in range(200):
            file.write(bytes(1 << 20))
            file.flush()
except OSError as error:
    print(error.strerror, os.stat("{place}/big").st_size >> 20)
""")  # fmt: skip
    why, size = done.output.decode().rsplit(" ", 1)
    assert why == "No space left on device"
    assert int(size) == {"/workspace": 7, "/dev/shm": 16}.get(place, 64)
    assert box.capture().state.changed_paths == (("big",) if place == "/workspace" else ())


def test_files_without_end_are_bounded(box: Sandbox) -> None:
    done = python(box, "for number in range(200_000): open(f'/tmp/{number}', 'w').close()", seconds=30)
    assert b"No space left" in done.output


def test_a_flood_of_output_is_cut(box: Sandbox) -> None:
    done = box.run(Command(("yes",), seconds=0.5, output_bytes=4000))
    assert done.timed_out
    assert done.exit_code is None
    assert len(done.output) < 4100
    assert done.omitted > 1_000_000


def test_a_daemon_does_not_outlive_its_command(box: Sandbox) -> None:
    mark = tagged("daemon")
    code = f"""
import os, sys
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execvp("sh", ["sh", "-c", "sleep 1; touch /workspace/late; sleep 99", "{mark}"])
    os._exit(0)
os.wait()
"""
    began = time.monotonic()
    assert python(box, code).exit_code == 0
    assert time.monotonic() - began < 1
    assert gone(mark)
    time.sleep(1.1)
    assert box.capture().state.changed_paths == ()


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


def test_deep_folders_and_many_files_are_cleared(box: Sandbox, task: Task) -> None:
    assert (
        python(box, "import os\nfor _ in range(3000): os.mkdir('d' * 200); os.chdir('d' * 200)").exit_code
        == 0
    )
    assert box.capture().state == WorkspaceState(task.base)
    code = """
import os
for number in range(20_000):
    os.makedirs(f"m/{number % 50}", exist_ok=True)
    open(f"m/{number % 50}/{number}", "w").close()
"""
    assert python(box, code).exit_code == 0
    captured = box.capture()
    assert len(captured.state.changes) == CAPTURE_FILES
    assert "than the limits allow" in captured.dropped[0][1]
    box.restore(WorkspaceState(task.base))
    assert box.capture().state.changes == {}


def test_what_is_no_file_is_dropped_and_never_followed(box: Sandbox) -> None:
    code = """
import os, socket
os.mkfifo("pipe"); os.symlink("/etc/passwd", "link"); os.symlink("/", "root"); os.symlink("loop", "loop")
socket.socket(socket.AF_UNIX).bind("sock"); os.link("pkg/a.py", "hard"); os.symlink("/tmp", "pkg/out")
"""
    assert python(box, code).exit_code == 0
    for path in ("pipe", "link", "root/etc/passwd", "sock"):
        with pytest.raises(ActionError):
            box.read(path, 100)
    assert [path for path, _ in box.find(Query()).files] == ["hard", "run.sh", "pkg/__init__.py", "pkg/a.py"]
    captured = box.capture()
    assert {path for path, _ in captured.dropped} == {"pipe", "link", "root", "loop", "sock", "pkg/out"}
    assert captured.state.changed_paths == ("hard",)


def test_closed_folders_are_opened_again(box: Sandbox) -> None:
    assert (
        python(
            box, "import os\nfor p in ('pkg', '.', '/tmp', '/inputs', '/dev/shm'): os.chmod(p, 0)"
        ).exit_code
        == 0
    )
    assert box.capture().state.changed_paths == ()
    assert (
        box.run(
            Command(("sh", "-c", "touch /tmp/a /inputs/a pkg/new && cat {files}/f"), 5, files={"f": b"in"})
        ).output
        == b"in"
    )


def test_input_output_and_report(box: Sandbox) -> None:
    script = """
import os, sys
print(sys.stdin.read(), os.environ["NAME"])
os.write(3, b"r" * 20)
sys.exit(open(sys.argv[1]).read() != "f")
"""
    done = box.run(
        Command(
            ("python", "-c", script, "{files}/a/b"), 5, b"in", {"a/b": b"f"}, {"NAME": "n"}, report_bytes=10
        )
    )
    assert (done.output, done.report, done.report_overflow, done.exit_code) == (b"in n\n", b"r" * 10, True, 0)


def test_a_box_outlives_the_thread_that_opened_it(backend: BwrapBackend, task: Task) -> None:
    opened: list[Sandbox] = []

    def open_one() -> None:
        opened.append(backend.open(task))
        time.sleep(0.2)  # long enough for bubblewrap to have learned who its parent is

    thread = threading.Thread(target=open_one)
    thread.start()
    thread.join()
    with closing(opened[0]) as box:
        assert box.run(Command(("true",), 5)).exit_code == 0


def test_nothing_survives_a_killed_owner(backend: BwrapBackend, task: Task, tmp_path: Path) -> None:
    mark = tagged("orphan")
    code = f"""
import pathlib, sys
from deepgym_envs.sandbox import Command
from deepgym_envs.sandbox.bwrap import BwrapBackend
from deepgym_envs.task import Task
folder = pathlib.Path({str(tmp_path)!r})
box = BwrapBackend().open(Task.from_folder(folder / "tasks" / "one", folder / "repos"))
box.run(Command(("sh", "-c", "setsid sleep 1000 & sleep 1000", "{mark}"), 1000))
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with subprocess.Popen([sys.executable, "-c", code], env=environment) as owner:
        try:
            while gone(mark, 0):
                assert owner.poll() is None
                time.sleep(0.01)
            program = boxd_below(owner.pid)
        finally:
            owner.kill()
    assert gone(mark, 5)
    assert ended(program, 5)


def test_a_spoilt_base_is_mended(task: Task, host_cache: Path) -> None:
    for spoil in ("pkg/a.py", "pkg/planted.pyc"):
        (host_cache / "bases" / task.base.digest).mkdir(parents=True, exist_ok=True)
        BwrapBackend().prepare(task)
        (host_cache / "bases" / task.base.digest / spoil).write_text("x = 666\n")
        backend = BwrapBackend()
        if not backend.problem():
            with closing(backend.open(task)) as box:
                assert python(box, "import pkg.a; print(pkg.a.x)").output == b"1\n"
                assert box.run(Command(("ls", "pkg"), 5)).output == b"__init__.py\na.py\n"


def test_a_missing_bubblewrap_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "apt install bubblewrap" in str(BwrapBackend().problem())


def test_closing_leaves_nothing(backend: BwrapBackend, task: Task) -> None:
    def groups() -> set[Path]:
        return set(Path("/sys/fs/cgroup").glob(f"**/{own_prefix('box')}*"))

    before = groups()
    box = backend.open(task)
    program = boxd_below(os.getpid())
    box.close()
    box.close()
    assert ended(program)
    assert groups() <= before
