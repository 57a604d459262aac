"""Code made to deceive an oracle, on real boxes: without the answers there is nothing to forge a report from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from deepgym_envs import Grader, Task, WorkspaceState
from deepgym_envs.grade import run_hidden
from deepgym_envs.sandbox import Backend
from deepgym_envs.testing import make_task

from ..tiny import BROKEN, SOLVED, isolating  # noqa: TID252

FIXTURES = (isolating,)
MODULE = "tiny/__init__.py"
ORACLE = """
[[case]]
name = "adds"
seconds = 2
repeat = 2
steps = [{ call = "tiny:add", args = [17, 4003], expect = 4020 }, { call = "tiny:add", args = [70, 5], expect = 75 }]

[[case]]
name = "joins"
seconds = 2
steps = [{ call = "tiny:add", args = ["ab", "cd"], show = "str", expect = "abcd" }]

[[case]]
name = "doubles"
seconds = 2
steps = [{ call = "tiny:double", args = [600], expect = 1200 }]
"""
NODES = ["oracle.toml::adds", "oracle.toml::joins", "oracle.toml::doubles"]

# Finds what it can about the questions: the numbers of the cases, in whatever process it is, and the pipes.
SPY = """
import gc, json, os, signal, sys
def numbers():
    found = []
    for thing in gc.get_objects():
        if type(thing) is dict and "id" in thing and "steps" in thing:
            found.append(thing["id"])
    return found
def pipes():
    for folder in ("/proc/self/fd", "/proc/%d/fd" % os.getppid()):
        try:
            names = os.listdir(folder)
        except OSError:
            continue
        for name in names:
            try:
                if int(name) > 2 and os.readlink(folder + "/" + name).startswith("pipe:"):
                    yield os.open(folder + "/" + name, os.O_WRONLY)
            except OSError:
                pass
def send(text):
    for end in pipes():
        try:
            os.write(end, text.encode())
        except OSError:
            pass
def forged(value):
    answer = json.dumps({"steps": [["value", value]] * 2})
    rows = [{"case": number, "answer": answer} for number in numbers()]
    return "".join(json.dumps(row) + "\\n" for row in [*rows, {"end": len(rows)}])
"""
LINE = 'json.dumps({"steps": [["value", 4020]] * 2}) + "\\n"'
ATTACKS = {
    "nothing": "",
    "always-equal": """
class Equal:
    __hash__ = None
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __str__(self): return Text("abcd")
class Text(str):
    def __eq__(self, other): return True
add = double = lambda *_: Equal()
""",
    "subclasses": """
class Number(int):
    def __eq__(self, other): return True
    __hash__ = int.__hash__
class Text(str):
    def __eq__(self, other): return True
    __hash__ = str.__hash__
add = lambda a, b: Number(a - b) if type(a) is int else Text()
""",
    "changes-its-class": """
class Chameleon(int):
    __class__ = property(lambda self: int)
add = lambda a, b: Chameleon(5)
""",
    "patched-codec": """
import json, sys
for module in list(sys.modules.values()) + [json]:
    for name in ("encode", "canonical", "dumps"):
        if hasattr(module, name) and module.__name__ in ("plain", "json"):
            setattr(module, name, lambda *_, **__: "4020")
""",
    "reads-its-callers": """
import inspect
def add(a, b):
    for frame in inspect.stack():
        for found in frame.frame.f_locals.values():
            if type(found) is dict and "expect" in str(found):
                return found["expect"]
            if type(found) is int and found > 4003:
                return found
    return a - b
""",
    "searches-the-heap": """
import gc
def add(a, b):
    wanted = [thing for thing in gc.get_objects() if type(thing) is dict and "expect" in thing]
    return wanted[0]["expect"] if wanted else a - b
""",
    "searches-the-disk": """
import os
def add(a, b):
    for top in ("/inputs", "/tmp", os.getcwd(), "/proc/self", "/proc/%d" % os.getppid()):
        for folder, folders, names in os.walk(top):
            folders[:] = [name for name in folders if name not in ("task", "net", "map_files", "attr")]
            for name in names:
                if "oracle.toml" in name:
                    return open(os.path.join(folder, name)).read()
    return a - b
""",
    "exits-at-import": "import os\nos._exit(0)",
    "exits-when-called": "import os\nadd = lambda a, b: os._exit(0)",
    "sys-exit": "import sys\nadd = lambda a, b: sys.exit(0)",
    "raises-what-is-no-error": "class Odd(BaseException):\n    __str__ = None\ndef add(a, b):\n    raise Odd",
    "hangs-at-import": "import time\ntime.sleep(60)",
    "hangs-when-called": "import time\nadd = lambda a, b: time.sleep(60)",
    "floods-its-answer": "add = double = lambda *_: 'x' * 50_000_000",
    "floods-the-output": "import os\ndef add(a, b):\n    for _ in range(200): os.write(1, b'x' * 1_000_000)\n    return 1",
    "endless-value": "def add(a, b):\n    endless = []\n    endless.append(endless)\n    return endless",
    "closes-its-pipes": "import os\ndef add(a, b):\n    os.closerange(3, 256)\n    return 4020",
    "kills-its-group": "import os, signal\nadd = lambda a, b: os.killpg(0, signal.SIGKILL)",
    "kills-all-others": "import os, signal\nadd = lambda a, b: os.kill(-1, signal.SIGKILL)",
    "stops-its-parent": "import os, signal\nadd = lambda a, b: os.kill(os.getppid(), signal.SIGSTOP)",
    "sends-lines-of-its-own": f"{SPY}\ndef add(a, b):\n    send({LINE})\n    return 4020",
    "answers-for-the-others": f"{SPY}\nadd = lambda a, b: send(forged(4020))",
    "answers-at-import": f"{SPY}\nsend(forged(4020))",
    "answers-at-import-and-exits": f"{SPY}\nsend(forged(4020))\nos.kill(-1, signal.SIGKILL)",
    "ends-the-report": f'{SPY}\nadd = lambda a, b: send(json.dumps({{"end": 4}}) + "\\n")',
    "takes-the-other-questions": f"{SPY}\ndef add(a, b):\n    for end in range(3, 40):\n        try:\n"
    "            os.set_blocking(end, False)\n            os.read(end, 10000)\n        except OSError:\n            pass\n"
    "    return a - b",
    "leaves-a-daemon": f"{SPY}\nimport time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(0.2)\n"
    "    send(forged(4020))\n    time.sleep(60)",
    "remembers-in-files": """
import os
def add(a, b):
    with open("tiny/seen", "a") as file:
        file.write("x")
    return 4020 if os.path.getsize("tiny/seen") > 1 else 75
""",
    "patches-the-driver": """
import sys
main = sys.modules["__main__"]
main.tell = main.send = lambda *_: None
main.walked = lambda *_: [["value", 4020]] * 2
""",
}


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Task:
    return hostile_task(tmp_path_factory.mktemp("tasks") / "judged")


def hostile_task(folder: Path) -> Task:
    """A task that nothing but an oracle judges."""
    return make_task(
        folder,
        source={MODULE: BROKEN, "pyproject.toml": ""},
        hidden={"oracle.toml": ORACLE},
        gold={MODULE: SOLVED},
        fail_to_pass=NODES[:2],
        pass_to_pass=NODES[2:],
        editable=("tiny/**",),
    )


@pytest.fixture(scope="module")
def grader(isolating: Backend, task: Task) -> Iterator[Grader]:
    with Grader(task, isolating) as grader:
        yield grader


@pytest.mark.parametrize("name", ATTACKS)
def test_a_hostile_state_does_not_pass(grader: Grader, task: Task, name: str) -> None:
    state = WorkspaceState(task.base).with_file(MODULE, f"{BROKEN}\n{ATTACKS[name]}\n".encode())
    verdict = grader.grade(state)
    assert (verdict.reward, verdict.passed) == (0.0, False), verdict
    assert verdict.reason in ("tests_failed", "malformed_report", "crashed", "timeout", "tests_missing")


@pytest.mark.parametrize(
    "name", ["hangs-when-called", "exits-when-called", "floods-its-answer", "kills-its-group"]
)
def test_a_case_that_ends_badly_leaves_the_others_alone(isolating: Backend, task: Task, name: str) -> None:
    state = WorkspaceState(task.base).with_file(MODULE, f"{BROKEN}\n{ATTACKS[name]}\n".encode())
    with closing(isolating.open(task)) as box:
        report, done = run_hidden(box, task, state, [NODES[0], NODES[2]])
    assert report.outcomes[NODES[0]] == "failed"
    assert report.outcomes[NODES[2]] == ("failed" if name == "floods-its-answer" else "passed")
    assert (report.complete, report.malformed, done.exit_code) == (True, False, 0)


def test_a_box_that_was_deceived_judges_as_ever(grader: Grader, task: Task) -> None:
    assert grader.grade(task.gold).reason == "passed"
    assert grader.grade(task.gold.with_file("tiny/more.py", b"x = 1\n")).passed
