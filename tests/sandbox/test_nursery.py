"""Warm commands on real boxes: what an agent's code can do to the process that they come from, and a box's own
program when that process is gone."""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from deepgym_envs import Task
from deepgym_envs.sandbox import Backend, Command, Completed, Sandbox
from deepgym_envs.sandbox.box import Box
from deepgym_envs.sandbox.channel import Channel
from deepgym_envs.sandbox.pipes import ChildProgram
from deepgym_envs.sandbox.program import BOXD, BoxConfig, start_command
from deepgym_envs.state import File, Tree, WorkspaceState
from deepgym_envs.testing import make_task

from ..tiny import isolating, make_tiny, tiny  # noqa: TID252
from .processes import command_lines, parent_of

FIXTURES = (isolating, make_tiny, tiny)
BOMB = "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass\n"
DAEMONS = """
import os, time
for _ in range(5):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.closerange(0, 100)
            time.sleep(60)
        os._exit(0)
"""
HOPPING = """
import os
for _ in range(3):
    if os.fork() == 0:
        os.setsid()
        while True:  # never the same process for long
            if os.fork():
                os._exit(0)
"""
# Everything that one process may try on another, on each that it can see but itself.
ATTACK = """
import ctypes, os, resource, signal, sys
libc, got = ctypes.CDLL(None), []
def attempt(what, action):
    try:
        if action() not in (-1, None, b""):  # of a process that has just ended there are files without content
            got.append(what)
    except OSError:
        pass
for pid in [int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) != os.getpid()]:
    place = "/proc/%d/" % pid
    if os.stat(place).st_uid == os.getuid():
        continue  # process 1 of a command's own namespace
    for name in ("mem", "environ", "maps"):
        attempt(place + name, lambda: open(place + name, "rb").read(1))
    attempt(place + "fd", lambda: os.listdir(place + "fd"))
    attempt(place + "oom_score_adj", lambda: open(place + "oom_score_adj", "w").write("1"))
    attempt("trace %d" % pid, lambda: libc.ptrace(16, pid, 0, 0))
    attempt("limit %d" % pid, lambda: resource.prlimit(pid, resource.RLIMIT_NPROC, (1, 1)))
    attempt("renice %d" % pid, lambda: os.setpriority(os.PRIO_PROCESS, pid, 19) or 1)
    attempt("pin %d" % pid, lambda: os.sched_setaffinity(pid, {0}) or 1)
    attempt("kill %d" % pid, lambda: os.kill(pid, signal.SIGKILL) or 1)
try:
    os.kill(-1, signal.SIGKILL)
except OSError:
    pass
print(got, sorted(os.listdir("/proc/self/fd")))
"""
CLEAN = "[] ['0', '1', '2', '3']\n"  # the listing itself is the last


@pytest.fixture
def box(isolating: Backend, tiny: Task) -> Iterator[Sandbox]:
    with closing(isolating.open(tiny)) as opened:
        yield opened


def run(box: Sandbox, script: str, seconds: float = 20) -> Completed:
    argv = ("python", "-I", "-B", "{files}/s.py")
    return box.run(Command(argv, seconds, files={"s.py": script.encode()}, warm=True))


def warm(box: Sandbox) -> bool:
    """Whether a command runs, and is started warm."""
    done = run(box, "print('well')")
    assert (done.exit_code, done.output) == (0, b"well\n")
    return done.warm


def test_the_agent_can_do_nothing_to_the_nursery(box: Sandbox) -> None:
    for _ in range(2):
        done = run(box, ATTACK)
        assert done.warm
        assert done.output.decode() in (CLEAN, ""), "or it has killed itself"
    assert warm(box)


@pytest.mark.parametrize("script", [DAEMONS, "import os, signal; os.kill(os.getpid(), signal.SIGSTOP)"])
def test_what_a_warm_command_leaves_ends_and_the_nursery_stays(box: Sandbox, script: str) -> None:
    for _ in range(2):
        assert run(box, script, seconds=0.5).warm
        listed = "import os; print(sum(name.isdigit() for name in os.listdir('/proc')))"
        assert int(run(box, listed).output) <= 4  # boxd, nursery, what it forked, itself
    assert warm(box)


@pytest.mark.parametrize("script", [BOMB, HOPPING])
def test_processes_that_outrun_a_killer_end_with_the_command(box: Sandbox, tiny: Task, script: str) -> None:
    for _ in range(2):
        run(box, script, seconds=0.7)
        box.restore(WorkspaceState(tiny.base))  # says itself that nobody is left
    warm(box)
    assert warm(box)


def test_output_of_a_warm_command_is_bounded(box: Sandbox) -> None:
    done = run(box, "import os\nwhile True: os.write(1, b'x' * 100000)", seconds=0.5)
    assert (done.warm, done.timed_out) == (True, True)
    assert done.omitted > 100_000


def test_a_repository_that_shares_a_name_with_what_pytest_needs_stays_cold(
    isolating: Backend, tmp_path: Path
) -> None:
    task = make_task(
        tmp_path / "pluggy",
        source={
            "lib/pluggy/__init__.py": "",
            "tests/test_x.py": "def test_x(): pass\n",
            "pyproject.toml": "",
        },
        hidden={"test_hidden.py": "def test_x(): assert False\n"},
        gold={"lib/pluggy/__init__.py": "x = 1\n"},
        fail_to_pass=["test_hidden.py::test_x"],
        pass_to_pass=[],
        editable=("lib/**",),
    )
    with closing(isolating.open(task)) as box:
        for _ in range(2):
            done = run(box, "print('well')")
            assert (done.exit_code, done.output, done.warm) == (0, b"well\n", False)
            assert done.why_cold == "the repository has pluggy too"


# ------------------------------------------------------------------------------------------- over a real boxd

FAILING = """
import a


def raises():
    # a comment

    for number in (1, 2):
        raise ValueError(
            number
        )


def test_with_a_comparison():
    assert [a.a, "two"] == [
        1, "three",
    ]


def test_that_raises(capsys):
    try:
        print("seen")
        raises()
    finally:
        pass


class TestIt:
    def test_well(self, tmp_path):
        assert tmp_path
"""
BASE = Tree(
    {
        "a.py": File(b"a = 1\n"),
        "d/run": File(b"#!/bin/sh\n", executable=True),
        "test_a.py": File(FAILING.encode()),
    }
)
# What a rehearsal could leave behind, as a run finds it that has imported what every run imports.
STATE = """
import atexit, builtins, faulthandler, gc, linecache, logging, os, random, signal, sys, tempfile, threading, warnings
import unittest
import pytest
from _pytest.config import default_plugins
for name in default_plugins:
    __import__("_pytest." + name)
for name, value in {
    "filters": len(warnings.filters), "handlers": logging.root.handlers, "level": logging.root.level,
    "disabled": logging.root.manager.disable, "excepthook": sys.excepthook is sys.__excepthook__,
    "unraisablehook": sys.unraisablehook is sys.__unraisablehook__,
    "threads": [threading.excepthook is threading.__excepthook__, threading.active_count()],
    "last": [name for name in vars(sys) if name.startswith("last_")],
    "exits": atexit._ncallbacks(), "folder": tempfile.tempdir, "names": tempfile._name_sequence,
    "gc": [gc.isenabled(), gc.get_threshold(), gc.callbacks, gc.garbage],
    "lines": [name for name in linecache.cache if "nursery" in name or "test" in name],
    "importers": [name for name in sys.path_importer_cache if "nursery" in name or name == sys.argv[0]],
    "finders": len(sys.meta_path), "path": sys.path, "environment": sorted(os.environ),
    "faults": faulthandler.is_enabled(), "signals": [str(signal.getsignal(n)) for n in range(1, 32)],
    "streams": [sys.stdout is sys.__stdout__, sys.stderr is sys.__stderr__, sys.stdin is sys.__stdin__],
    "tracing": [sys.gettrace(), sys.getprofile()], "builtins": sorted(vars(builtins)),
    "modules": sorted(name for name in sys.modules if "nursery" in name or "test_" in name or "boxd" in name),
    "marks": pytest.mark._config, "debugging": [pytest.set_trace.__module__],
    "comparison": str(sys.modules["_pytest.assertion.util"]._reprcompare),
}.items():
    print(name, value)
"""
RUN = """
import os, sys
import pytest
os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
sys.path.append(".")
class Plugin:
    def pytest_configure(self, config):
        print(config.invocation_params.args, config.invocation_params.dir, config.rootpath, config.args)
        print(sorted(name for name, plugin in config.pluginmanager.list_name_plugin() if not name.isdigit()))
        print(sorted(vars(config.option)), config.getini("addopts"))
    def pytest_runtest_logreport(self, report):
        if report.failed:
            print(report.longreprtext)
for more in MORE:
    print(pytest.main(["-p", "no:cacheprovider", "-q", "--tb=short", *more, "test_a.py"], plugins=[Plugin()]))
"""


@pytest.fixture
def program(tmp_path: Path) -> Iterator[ChildProgram]:
    for name in ("base", "workspace", "inputs", "scratch"):
        (tmp_path / name).mkdir()
    BASE.write_to(tmp_path / "base")
    config = BoxConfig(
        workspace=str(tmp_path / "workspace"),
        base=str(tmp_path / "base"),
        inputs=str(tmp_path / "inputs"),
        scratch=(str(tmp_path / "scratch"),),
        environment={"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
        disk_bytes=1 << 20,
        preload=("no_such_module", "colorsys"),
        idle_seconds=1.0,
    )
    command = start_command(sys.executable, str(BOXD.parent))
    child = ChildProgram([*command, config.to_json()], tmp_path)
    yield child
    child.close()
    child.reap()


@pytest.fixture
def plain(program: ChildProgram) -> Box:
    return Box(BASE, Channel(program), lambda: None)


def nursery_of(program: ChildProgram) -> int:
    found = [pid for pid, line in command_lines().items()
             if "nursery.py" in line and parent_of(pid) == program.pid]  # fmt: skip
    assert len(found) == 1
    return found[0]


def test_a_box_that_lies_idle_gives_its_nursery_up_and_has_another_when_it_is_needed(
    program: ChildProgram, plain: Box
) -> None:
    assert warm(plain)
    first = nursery_of(program)
    end = time.monotonic() + 20
    while first in command_lines():
        assert time.monotonic() < end
        time.sleep(0.05)
    assert warm(plain)
    assert nursery_of(program) != first


def test_modules_that_the_recipe_names_are_there_and_missing_ones_do_no_harm(plain: Box) -> None:
    done = run(plain, "import sys; print('colorsys' in sys.modules, 'no_such_module' in sys.modules)")
    assert (done.warm, done.output) == (True, b"True False\n")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_nursery_that_dies_is_started_again(plain: Box, program: ChildProgram, number: int) -> None:
    assert warm(plain)
    old = nursery_of(program)
    os.kill(old, number)
    assert not warm(plain) or nursery_of(program) != old
    assert warm(plain)
    plain.restore(WorkspaceState(BASE))


def test_a_nursery_that_hangs_is_given_up_within_a_bound(plain: Box, program: ChildProgram) -> None:
    assert warm(plain)
    os.kill(nursery_of(program), signal.SIGSTOP)
    began = time.monotonic()
    done = run(plain, "print('well')")
    assert (done.output, done.warm) == (b"well\n", False)
    assert "no process within 5 s" in done.why_cold
    assert time.monotonic() - began < 20
    assert warm(plain)


def test_the_nursery_ends_with_the_box(plain: Box, program: ChildProgram) -> None:
    assert warm(plain)
    nursery = nursery_of(program)
    os.kill(program.pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while Path(f"/proc/{nursery}").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not Path(f"/proc/{nursery}").exists()


def prepared(box: Box) -> None:
    """Return when the nursery has rehearsed and begun to compile."""
    script = (
        "from importlib import _bootstrap_external as b; print(b.SourceLoader.source_to_code.__closure__)"
    )
    deadline = time.monotonic() + 60
    while run(box, script).output == b"None\n":
        assert time.monotonic() < deadline
        time.sleep(0.1)


def said(box: Box, script: str, *, warm: bool) -> str:
    argv = ("python", "-I", "-B", "{files}/s.py")
    done = box.run(Command(argv, 60, files={"s.py": script.encode()}, output_bytes=1 << 20, warm=warm))
    assert done.warm == warm, done.why_cold
    text = re.sub(r"in [0-9.]+s|/[^ ']*/s.py|0x[0-9a-f]+|pytest-of-\S+", "", done.output.decode())
    return text.replace(str(done.seconds), "")


def test_a_rehearsal_leaves_nothing_that_a_run_could_see(plain: Box) -> None:
    prepared(plain)
    cold, warmly = (said(plain, STATE, warm=warm).splitlines() for warm in (False, True))
    assert warmly == cold
    assert len(warmly) > 20


@pytest.mark.parametrize(
    "more",
    [
        [[]],
        [["--rootdir", "."], ["--rootdir", "/"]],
        [["-p", "no:terminal", "-p", "terminal"]],
        [["-pno:doctest"]],
        [["--tb=long"]],
    ],
)
def test_what_pytest_does_and_shows_is_the_same_with_a_prepared_configuration(
    plain: Box, more: list[list[str]]
) -> None:
    prepared(plain)
    script = RUN.replace("MORE", repr(more))
    changed = WorkspaceState(BASE).with_file("test_a.py", f"x = 1\n\n{FAILING}".encode())
    for state in (WorkspaceState(BASE), changed):
        plain.restore(state)
        assert said(plain, script, warm=True) == said(plain, script, warm=False)


def test_what_was_compiled_beforehand_is_used_for_the_same_bytes_only(plain: Box, tmp_path: Path) -> None:
    script = "import sys; sys.path.append('.'); import a; print(a.a, a.__cached__ is None, a.__loader__)"
    for _ in range(3):
        assert run(plain, script).output.startswith(b"1 False <_frozen_importlib_external.SourceFileLoader")
    plain.restore(WorkspaceState(BASE).with_file("a.py", b"a = 2\n"))
    done = run(plain, script)
    assert (done.warm, done.output[:2]) == (True, b"2 ")
    plain.restore(WorkspaceState(BASE).with_file("a.py", b"a = \n"))
    for warmly in (True, False):
        argv = ("python", "-I", "-B", "{files}/s.py")
        done = plain.run(Command(argv, 20, files={"s.py": script.encode()}, warm=warmly))
        assert b"nursery" not in done.output
        assert done.output.count(b'File "') == 2
