"""What a sandbox promises of a command that it may start warm: what a cold one would see, and do."""

from __future__ import annotations

import json
import re
from typing import Any

from deepgym_envs.sandbox.contract import Command, Completed
from deepgym_envs.testing.bench import Bench, same, true

# What a process can tell of itself, but for what is measured, its numbers and its memory.
_SELF = """
import json, locale, os, signal, sys, threading
status = dict(line.split(":\\t", 1) for line in open("/proc/self/status").read().splitlines())
named = ("Uid", "Gid", "Groups", "NoNewPrivs", "Seccomp", "Threads", "SigBlk",
         "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")
out = {
    "status": {name: status.get(name) for name in named},
    "descriptors": sorted((int(name), os.readlink("/proc/self/fd/" + name).split(":")[0])
                          for name in os.listdir("/proc/self/fd") if os.path.exists("/proc/self/fd/" + name)),
    "limits": open("/proc/self/limits").read(),
    "mounts": [line for line in open("/proc/self/mounts")
               if line.split()[1] in ("/", "/proc", "/workspace", "/tmp", "/dev/shm", "/inputs")],
    "environment": dict(os.environ),
    "arguments": [sys.argv[1:], sys.flags, sys.executable, sys.prefix, sys.warnoptions],
    "path": [sys.path, len(sys.meta_path), len(sys.path_hooks)],
    "folder": os.getcwd(),
    "main": sorted(vars(sys.modules["__main__"])),
    "streams": [[stream.encoding, stream.errors, stream.line_buffering, stream.mode, stream.seekable()]
                for stream in (sys.stdin, sys.stdout, sys.stderr)],
    "session": os.getsid(0) == os.getpgid(0),
    "signals": [str(signal.getsignal(number)) for number in (1, 2, 13, 15, 17, 25)],
    "priority": [os.getpriority(os.PRIO_PROCESS, 0), open("/proc/self/oom_score_adj").read()],
    "umask": os.umask(0),
    "input": sys.stdin.read(),
    "own": os.stat("/proc/self/environ").st_uid == os.getuid(),
    "thread": threading.main_thread() is threading.current_thread(),
}
os.write(3, json.dumps(out).encode())
"""
_ENDS = (
    "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)",
    "import sys; sys.exit('said')",
    "def f():\n    raise ValueError('x')\nf()",
    "raise KeyboardInterrupt",
    "import os; os.abort()",
    "import atexit; atexit.register(print, 'bye')\nclass A:\n    def __del__(self): print('gone')\na = A()",
    "import threading, time\nthreading.Thread(target=lambda: (time.sleep(0.1), print('late'))).start()",
    "import os; os.close(1); print('x')",
    "x = (",
    "def f(n):\n    try: return f(n + 1)\n    except RecursionError: return n\nprint(f(0))",
    "x = 1\nimport __main__; print(__main__.x, __name__, __file__[-5:], __spec__)",
)
_TRACES = """
import os, random, sys, time
sys.path.append("/trace"); os.environ["TRACE"] = "x"; sys.modules["trace_left"] = sys; os.umask(0)
os.chdir("/"); os.closerange(0, 100)
import pytest
pytest.trace = "left"
while True: time.sleep(10)
"""
_LOOK = """
import os, sys
import pytest
print("/trace" in sys.path, "TRACE" in os.environ, "trace_left" in sys.modules, hasattr(pytest, "trace"))
import random
print(random.random())
"""


def run(bench: Bench, script: str, *, warm: bool, seconds: float = 30) -> Completed:
    files = {"s.py": script.encode()}
    argv = ("python", "-I", "-B", "{files}/s.py", "a", "")
    return bench.box.run(
        Command(argv, seconds, b"in", files, {"GIVEN": "ü"}, report_bytes=1 << 20, warm=warm)
    )


def a_warm_command_sees_of_itself_what_a_cold_one_does(bench: Bench) -> None:
    seen: list[dict[str, Any]] = []
    for warm in (False, True):
        done = run(bench, _SELF, warm=warm)
        same(done.exit_code, 0, f"exit code ({done.output!r})")
        seen.append(json.loads(done.report))
    for name, value in seen[0].items():
        same(seen[1][name], value, f"{name} of a warm command")


def a_warm_command_ends_like_a_cold_one(bench: Bench) -> None:
    for script in _ENDS:
        ends = []
        for warm in (False, True):
            done = run(bench, script, warm=warm)
            ends.append((done.exit_code, re.sub(rb'"/[^"]*/s.py"', b'"s.py"', done.output)))
        same(ends[1], ends[0], f"the end of {script!r}")


def a_warm_command_knows_nothing_of_those_before_it(bench: Bench) -> None:
    drawn = set()
    for _ in range(3):
        same(run(bench, _TRACES, warm=True, seconds=0.5).timed_out, True, "whether time ran out")
        done = run(bench, _LOOK, warm=True)
        said, number = done.output.decode().splitlines()
        same(said, "False False False False", "what earlier commands left")
        drawn.add(number)
    same(len(drawn), 3, "different random numbers")


def a_command_says_whether_it_was_started_warm(bench: Bench) -> None:
    cold = run(bench, "pass", warm=False)
    same((cold.warm, cold.why_cold), (False, ""), "how a command was started that must be cold")
    done = run(bench, "pass", warm=True)
    true(done.warm != bool(done.why_cold), f"warm {done.warm} for the reason {done.why_cold!r}")
    same(bench.box.run(Command(("true",), 10, warm=True)).warm, False, "whether another program was warm")


CHECKS = (
    a_warm_command_sees_of_itself_what_a_cold_one_does,
    a_warm_command_ends_like_a_cold_one,
    a_warm_command_knows_nothing_of_those_before_it,
    a_command_says_whether_it_was_started_warm,
)
