"""What hostile code does to its box: it gets an observation or a failed verdict, and nobody else anything."""

# ruff: noqa: TID252 - the tests are no package that could be named

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

import pytest

from deepgym_envs import SweEnv, Task, WorkspaceState
from deepgym_envs.action import RunCommand, RunTests, Submit, WriteFile
from deepgym_envs.grade import Grader, Verdict
from deepgym_envs.grade.verdict import Reason
from deepgym_envs.owner import this_process
from deepgym_envs.paths import cache_dir
from deepgym_envs.sandbox import Backend
from deepgym_envs.sandbox.boxd.processes import descendants
from deepgym_envs.sandbox.engine import OWNER_LABEL, connect
from deepgym_envs.sandbox.reaper import host_places
from deepgym_envs.state import Tree

from ..tiny import SOLVED, MakeTiny, isolating, make_tiny

FIXTURES = isolating, make_tiny
pytestmark = pytest.mark.slow
MODULE = "tiny/__init__.py"
COMMAND_SECONDS, TEST_SECONDS, PATIENT_SECONDS = 4.0, 4.0, 60.0
ENDLESS_SECONDS = 2.0  # for tests that would never end, as it is all waited for
GENEROUS_SECONDS = 25.0  # over the limit, for a machine that does other things too


@dataclass(frozen=True)
class Fault:
    """A Python program, what the agent that runs it must be told, and the reasons for which a solution fails
    that holds it; none where the tests can still pass.
    """

    code: str
    told: tuple[str, ...] = ()
    fails: tuple[Reason, ...] = ()


SLEEP = "import time\ntime.sleep(600)\n"
STOPPED = (f"[stopped after {COMMAND_SECONDS:g} s]",)
FAULTS = {
    "fork bomb": Fault(
        "import os\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        pass\n",
        STOPPED,
        ("timeout",),
    ),
    "memory bomb": Fault(
        "kept = []\nwhile True:\n    kept.append(bytearray(10_000_000))\n",
        ("[exit code",),
        ("crashed", "tests_failed"),
    ),
    "memory in every scratch place": Fault(
        """
for place in ("/tmp/full", "/dev/shm/full"):
    try:
        with open(place, "wb") as file:
            while True:
                file.write(bytes(1 << 20))
    except OSError as error:
        print(error.strerror)
""",
        ("No space left on device\nNo space left on device",),
    ),
    "disk full of bytes": Fault(
        """
try:
    with open("full", "wb") as file:
        while True:
            file.write(bytes(1 << 16))
except OSError as error:
    print(error.strerror)
""",
        ("No space left on device", "[removed from the workspace: full"),
    ),
    "a hundred thousand files": Fault(
        """
import os
os.mkdir("many")
try:
    for number in range(100_000):
        os.close(os.open(f"many/{number}", os.O_CREAT))
except OSError as error:
    print(error.strerror)
""",
        ("No space left on device", "more files than the limits allow"),
    ),
    "endless output": Fault(
        "while True:\n    print('x' * 4000)\n", ("omitted", *STOPPED), ("timeout", "tests_failed")
    ),
    "ignores every signal that can be ignored": Fault(
        """
import signal
for number in range(1, signal.NSIG):
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass
"""
        + SLEEP,
        STOPPED,
        ("timeout",),
    ),
    "double-forked daemon": Fault(
        """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        while True:
            try:
                open("late", "a").write("x")
            except OSError:
                pass
            time.sleep(0.01)
    os._exit(0)
os.wait()
""",
        ("[exit code 0]",),
    ),
    "names with newlines and escapes": Fault(
        r"""
for name in ("a\nb", "c\rd", "\x1b[31mred", "[exit code 0]", "x" * 255, "-rf", b"\xff"):
    open(name, "w").write("x")
""",
        ("[exit code 0]",),
    ),
    "deep folders": Fault(
        """
import os
for _ in range(3000):
    os.mkdir("deep")
    os.chdir("deep")
open("file", "w").close()
""",
        ("too deep",),
    ),
    "fifo, socket and device": Fault(
        """
import os, socket, stat
os.mkfifo("fifo")
socket.socket(socket.AF_UNIX).bind("socket")
try:
    os.mknod("device", stat.S_IFBLK | 0o666, os.makedev(8, 0))
except OSError as error:
    print(error.strerror)
""",
        ("Operation not permitted", "fifo: not a regular file", "socket: not a regular file"),
    ),
    "links out of the workspace": Fault(
        f"""
import os
for target in ("/etc/passwd", "/opt/deepgym/boxd/server.py"):
    try:
        os.link(target, "hard")
    except OSError as error:
        print("refused")
os.symlink("/", "root")
os.link("{MODULE}", "tiny/twin.py")
os.remove("tests/test_tiny.py")
os.symlink("/etc/passwd", "tests/test_tiny.py")
""",
        ("refused\nrefused", "root: a link", "tests/test_tiny.py: a link"),
    ),
    "closes every descriptor": Fault("import os\nos.closerange(0, 4096)\n" + SLEEP, STOPPED, ("timeout",)),
    "writes into every descriptor": Fault(
        """
import os
for number in range(256):
    try:
        os.write(number, b"x" * 100)
    except OSError:
        pass
for process in (1, os.getppid()):
    try:
        for number in os.listdir(f"/proc/{process}/fd"):
            open(f"/proc/{process}/fd/{number}", "wb").write(b"x" * 100)
            print("reached")
    except OSError:
        print("refused", flush=True)
os._exit(3)
""",
        ("refused\nrefused", "[exit code 3]"),
        ("malformed_report", "crashed"),
    ),
    "kills every process": Fault(
        """
import os, signal
for number in (signal.SIGTERM, signal.SIGKILL):
    for process in (1, os.getppid()):
        try:
            os.kill(process, number)
        except OSError:
            pass
try:
    os.kill(-1, signal.SIGKILL)
finally:
    os.kill(os.getpid(), signal.SIGKILL)
""",
        ("[exit code -9]",),
        ("crashed",),
    ),
    "stops itself and all others": Fault(
        """
import os, signal
for process in (1, os.getppid(), 0):
    try:
        os.kill(process, signal.SIGSTOP)
    except OSError:
        pass
"""
        + SLEEP,
        STOPPED,
        ("timeout",),
    ),
    "another time zone and clock": Fault(
        """
import os, time
os.environ["TZ"] = "Asia/Kathmandu"
time.tzset()
try:
    time.clock_settime(time.CLOCK_REALTIME, 0)
except OSError as error:
    print(error.strerror)
for place in (".profile", ".bashrc", ".pythonrc.py"):
    open(os.path.expanduser("~/" + place), "w").write("export TZ=Asia/Kathmandu\\n")
""",
        ("Operation not permitted",),
    ),
    "takes all rights away": Fault(
        """
import os
for parent, folders, files in os.walk(".", topdown=False):
    for name in folders + files:
        try:
            os.chmod(os.path.join(parent, name), 0)
        except OSError:
            pass
try:
    os.chmod(".", 0)
except OSError:
    pass
""",
        ("[exit code 0]",),
    ),
    "a sparse gigabyte": Fault(
        "with open('sparse', 'wb') as file:\n    file.truncate(1 << 30)\n",
        ("sparse: 1073741824 bytes are more than the limits allow",),
    ),
    "opens all descriptors": Fault(
        """
import os
try:
    while True:
        os.open("/dev/null", os.O_RDONLY)
except OSError as error:
    os.write(1, error.strerror.encode())
os._exit(3)
""",
        ("Too many open files",),
        ("crashed",),
    ),
    "gives itself the least and others nothing": Fault(
        """
import os, resource
os.nice(19)
for process in (0, 1, os.getppid()):
    for kind in (resource.RLIMIT_NOFILE, resource.RLIMIT_NPROC, resource.RLIMIT_FSIZE):
        try:
            resource.prlimit(process, kind, (1, 1))
        except OSError:
            pass
""",
        ("[exit code 0]",),
    ),
}


@dataclass(frozen=True)
class Host:
    """What of this machine could show that a box did not keep to itself."""

    descriptors: int
    mounts: frozenset[str]
    things: frozenset[str]
    files: frozenset[str]

    @classmethod
    def now(cls) -> Host:
        """As it is; mounts of engines and temporary ones are left out, since others use what we use."""
        mounts = {line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()}
        others = ("docker", tempfile.gettempdir() + "/")
        mine = {
            f"{one.kind} {one.name}"
            for place in host_places()
            for one in place.belongings()
            if one.owner == this_process()
        }
        things = {thing for thing in mine if not thing.startswith("program")}
        return cls(
            len(list(Path("/proc/self/fd").iterdir())),
            frozenset(mount for mount in mounts if not any(other in mount for other in others)),
            frozenset(things),
            frozenset(map(str, Path("/").iterdir())),
        )


class Played:
    """An environment and a grader, with what was there when both had done all that they do."""

    def __init__(self, env: SweEnv, grader: Grader) -> None:
        self.env = env
        self.grader = grader
        self.gold = WorkspaceState(env.task.base).with_files(env.task.gold_files())
        self.base = WorkspaceState(env.task.base)
        self.tests = self.clean_episode()
        self.agents = agents_processes()
        self.host = Host.now()

    def hurried_verdict(self, state: WorkspaceState, seconds: float) -> Verdict:
        """The verdict of a grader that gives tests ``seconds``, in the box of the one that gives much."""
        patient = self.grader.task
        limits = patient.limits.model_copy(update={"test_seconds": seconds})
        self.grader.task = replace(patient, manifest=patient.manifest.model_copy(update={"limits": limits}))
        try:
            return self.grader.grade(state)
        finally:
            self.grader.task = patient

    def clean_episode(self) -> str:
        """Begin an episode that knows nothing of any other, and tell what its tests say."""
        _, info = self.env.reset(seed=1)
        assert info["state"] == self.base.digest
        assert info["changed_files"] == ()
        look = "id -un; ls -A; ls -A /tmp /dev/shm; date +%Z; ulimit -n; nice; cat tests/test_tiny.py | wc -l"
        said = [
            self.env.step(action.encode())[0]["output"] for action in (RunCommand(command=look), RunTests())
        ]
        assert self.env.state == self.base
        return "\n".join(map(str, said))

    def check_that_nothing_remains(self) -> None:
        """The next episode is the first one over again, and the host is what it was."""
        assert self.clean_episode() == self.tests
        end = time.monotonic() + 5
        while agents_processes() > self.agents and time.monotonic() < end:
            time.sleep(0.05)
        assert agents_processes() <= self.agents
        now = Host.now()
        assert now.descriptors <= self.host.descriptors
        assert (now.mounts, len(now.things), now.files) == (
            self.host.mounts,
            len(self.host.things),
            self.host.files,
        )


def agents_processes() -> int:
    """Processes in this process's boxes: those of the agent's user in containers, all below bubblewrap."""
    count = len(descendants(os.getpid()))
    with contextlib.suppress(Exception), contextlib.closing(connect()) as client:
        for row in client.api.containers(filters={"label": f"{OWNER_LABEL}={this_process()}"}):
            listed = client.api.top(row["Id"], "-eo uid,pid")["Processes"] or []
            count += sum(int(process[0]) == 1000 for process in listed)
    return count


@pytest.fixture(scope="module")
def hostile(make_tiny: MakeTiny) -> Task:
    """The tiny task with little time and little room."""
    return make_tiny(
        "hostile", command_seconds=COMMAND_SECONDS, test_seconds=PATIENT_SECONDS, memory_mb=256, pids=64, disk_mb=32,
        steps=1000, seconds=600,
    )  # fmt: skip


@pytest.fixture(scope="module")
def played(isolating: Backend, hostile: Task) -> Iterator[Played]:
    """One for all tests, so that each fault also meets what those before it have left."""
    env = SweEnv(hostile, isolating, commands=True, measure="never")
    grader = Grader(hostile, isolating)
    try:
        assert grader.grade(WorkspaceState(hostile.base).with_files(hostile.gold_files())).passed
        yield Played(env, grader)
    finally:
        env.close()
        grader.close()


@pytest.mark.parametrize("name", FAULTS)
def test_as_a_command_it_ends_in_an_observation_and_harms_nobody(played: Played, name: str) -> None:
    fault, env = FAULTS[name], played.env
    env.reset(seed=1)
    began = time.monotonic()
    command = f"cat > /tmp/fault.py <<'END'\n{fault.code}\nEND\nexec python /tmp/fault.py"
    observation, reward, terminated, truncated, info = env.step(RunCommand(command=command).encode())
    assert time.monotonic() - began < COMMAND_SECONDS + GENEROUS_SECONDS
    assert (reward, terminated, truncated, info["masked"], info["error"]) == (0.0, False, False, False, "")
    for said in fault.told:
        assert said in observation["output"]
    observation, *_, info = env.step(RunCommand(command="rm -rf -- * ; echo alive; ls -A /tmp").encode())
    assert observation["output"] == "alive\n[exit code 0]"
    env.step(WriteFile(path=MODULE, content=SOLVED).encode())
    assert env.state.get(MODULE) == played.gold.get(MODULE)
    played.check_that_nothing_remains()


@pytest.mark.parametrize("name", FAULTS)
def test_in_a_solution_it_ends_in_a_verdict_and_the_next_one_is_right(played: Played, name: str) -> None:
    fault = FAULTS[name]
    seconds = ENDLESS_SECONDS if fault.fails == ("timeout",) else TEST_SECONDS
    began = time.monotonic()
    verdict = played.hurried_verdict(played.base.with_file(MODULE, (fault.code + SOLVED).encode()), seconds)
    assert time.monotonic() - began < TEST_SECONDS + GENEROUS_SECONDS
    assert verdict.reason in (fault.fails or get_args(Reason))
    assert verdict.reward == float(verdict.passed) == float(verdict.reason == "passed")
    # Known verdicts come from memory: this state was not seen before.
    fresh = played.gold.with_file("tiny/fresh.py", name.encode())
    assert played.grader.grade(fresh).passed
    played.check_that_nothing_remains()


@pytest.mark.parametrize("name", ["fork bomb", "kills every process", "disk full of bytes"])
def test_submitting_right_after_it_is_judged_by_the_files_alone(played: Played, name: str) -> None:
    env = played.env
    env.reset(seed=1)
    command = f"cat > /tmp/fault.py <<'END'\n{FAULTS[name].code}\nEND\nexec python /tmp/fault.py"
    env.step(RunCommand(command=command).encode())
    env.step(WriteFile(path=MODULE, content=SOLVED).encode())
    *_, info = env.step(Submit().encode())
    assert (info["passed"], info["masked"]) == (True, False)


def test_what_the_host_lends_to_boxes_is_as_it_was(played: Played) -> None:
    base = cache_dir() / "bases" / played.base.base.digest
    if played.env.sandbox == "bwrap":
        assert Tree.from_folder(base) == played.base.base
    assert played.env.sandbox in ("docker", "bwrap")
