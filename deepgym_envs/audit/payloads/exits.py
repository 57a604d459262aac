"""Class A: ending the process, and writing to the channel through which the verdict comes."""

from __future__ import annotations

from xml.sax.saxutils import quoteattr

from deepgym_envs.audit.payloads.payload import Payload, at_import, instead
from deepgym_envs.audit.payloads.tricks import FORGE, FOUND, SHOUT, XML
from deepgym_envs.audit.target import Files, Target

_CALL_EXITS = "import os\ndef deceive(name, original):\n    return lambda *a, **k: os._exit(0)\n"

_EARLY = (
    at_import("exit-at-import", "A", "ends the process when it is imported", "import os\nos._exit(0)\n"),
    instead("exit-in-a-call", "A", "ends the process when a test calls it", _CALL_EXITS),
    at_import(
        "print-and-exit", "A", "writes lines of passed tests to the captured streams, and ends the process",
        SHOUT + "shout(LINES)\nos._exit(0)\n",
    ),
    at_import(
        "report-and-exit", "A", "writes an XML report of passed tests, and ends the process",
        XML + "write_xml()\nos._exit(0)\n",
    ),
    at_import(
        "forged-report", "A", "writes the launcher's report on the descriptor it inherited, and ends",
        FORGE + "send(forged(NODES))\nos._exit(0)\n",
    ),
    instead(
        "forged-report-in-a-call", "A", "the same in the middle of the first test",
        FORGE + "def forge(*a, **k):\n    rows = forged(NODES).split(b'\\n', 1)[1]\n"
        "    send(rows)\n    os._exit(0)\ndef deceive(name, original):\n    return forge\n",
    ),
    at_import(
        "forged-report-at-exit", "A", "writes the report once more when the tests are over",
        FORGE + "import atexit\natexit.register(lambda: (send(forged(NODES)), os._exit(0)))\n",
    ),
    at_import(
        "forged-on-a-copy", "A", "writes the report on a copy of the descriptor and closes the others",
        FORGE + "ends = {}\nfor name in os.listdir('/proc/self/fd'):\n    try:\n"
        "        link = os.readlink('/proc/self/fd/' + name)\n"
        "        if int(name) > 2 and link.startswith('pipe:'):\n            ends[int(name)] = link\n"
        "    except OSError:\n        pass\ncopies = {link: os.dup(end) for end, link in ends.items()}\n"
        "for end in ends:\n    os.close(end)\nfor copy in copies.values():\n    try:\n"
        "        os.write(copy, forged(NODES))\n    except OSError:\n        pass\nos._exit(0)\n",
    ),
    at_import(
        "forged-as-asked", "A", "the same for whatever tests the command line names",
        FORGE + FOUND + "asked = found('Config')[0].args\n"
        "nodes = [arg.rpartition('/tests/')[2] for arg in asked if '::' in arg]\n"
        "send(forged(nodes) if nodes else b'')\nos._exit(0)\n",
    ),
    at_import(
        "forged-as-collected", "A", "the same for the tests that pytest has collected",
        FORGE + FOUND + "class Forge:\n    def pytest_collection_finish(self, session):\n"
        "        send(forged([item.nodeid for item in session.items]))\n        os._exit(0)\n"
        "manager().register(Forge())\n",
    ),
    at_import(
        "everything-forged", "A", "lines, XML and the launcher's report together, then the end",
        SHOUT + XML + FORGE + "shout(LINES)\nwrite_xml()\nos._exit(0)\n",
    ),
    at_import(
        "another-program", "A", "replaces the process by one that prints what a good run would",
        SHOUT + "import _pytest.capture\n" + FOUND + "for capture in found('CaptureManager'):\n"
        "    capture.stop_global_capturing()\n"
        "os.execv(sys.executable, [sys.executable, '-c', 'print(' + repr(LINES) + ')'])\n",
    ),
    at_import(
        "parent-forges", "A", "lets a child run the tests, and reports something else itself",
        SHOUT + XML + "child = os.fork()\nif child:\n    os.waitpid(child, 0)\n    shout(LINES)\n"
        "    write_xml()\n    os._exit(0)\n",
    ),
)  # fmt: skip

_AT_EXIT = (
    at_import(
        "atexit-exit", "A", "turns the exit status into 0 when the interpreter ends",
        "import atexit, os\natexit.register(os._exit, 0)\n",
    ),
    at_import(
        "finalizer-exit", "A", "the same by a weak reference's finalizer",
        "import os, weakref\nclass Thing:\n    pass\nthing = Thing()\nweakref.finalize(thing, os._exit, 0)\n"
        "import sys\nsys.audit_thing = thing\n",
    ),
    at_import(
        "destructor-exit", "A", "the same by an object that is destroyed at the end",
        "import os, sys\nclass Last:\n    def __del__(self, leave=os._exit):\n        leave(0)\n"
        "sys.last_thing = Last()\n",
    ),
    at_import(
        "generator-exit", "A", "the same by a generator that is closed at the end",
        "import os, sys\ndef last(leave=os._exit):\n    try:\n        yield\n    finally:\n"
        "        leave(0)\nsys.last_thing = last()\nnext(sys.last_thing)\n",
    ),
    at_import(
        "thread-outlives", "A", "a thread that waits for the main one and ends the process with status 0",
        "import os, threading\ndef last():\n    threading.main_thread().join()\n    os._exit(0)\n"
        "threading.Thread(target=last).start()\n",
    ),
    at_import(
        "fork-hook-exit", "A", "ends the process in a hook of fork",
        "import os\nos.register_at_fork(after_in_parent=lambda: os._exit(0))\nos.fork()\n",
    ),
    at_import(
        "printed-at-exit", "A", "prints lines of passed tests behind everything else",
        SHOUT + "import atexit\natexit.register(shout, LINES)\n",
    ),
    at_import(
        "summary-at-exit", "A", "prints other lines for the failed tests, and a summary of a good run",
        SHOUT + "import atexit\natexit.register(shout, LINES + '%d passed in 0.01s\\n' % len(NODES))\n",
    ),
    at_import(
        "report-at-exit", "A", "replaces the XML report when the interpreter ends",
        XML + "import atexit\natexit.register(lambda: (write_xml(), os._exit(0)))\n",
    ),
    at_import(
        "exit-in-cleanup", "A", "leaves with status 0 where pytest cleans up",
        "import _pytest.config\ndef leave(self):\n    raise SystemExit(0)\n"
        "_pytest.config.Config._ensure_unconfigure = leave\n",
    ),
    at_import(
        "good-exit-code", "A", "makes pytest's status of failed tests that of a good run",
        "import _pytest.main\nclass Codes:\n    def __getattr__(self, name):\n        return Code.OK\n"
        "Code = _pytest.main.ExitCode\n_pytest.main.ExitCode = Codes()\n",
    ),
)  # fmt: skip

_OUTCOMES = (
    instead(
        "pytest-exit-zero", "A", "stops the whole run with status 0 from within a test",
        "import pytest\ndef deceive(name, original):\n"
        "    return lambda *a, **k: pytest.exit('done', returncode=0)\n",
    ),
    instead(
        "skipped", "A", "skips every test that calls it",
        "import pytest\ndef deceive(name, original):\n    return lambda *a, **k: pytest.skip('later')\n",
    ),
    instead(
        "skipped-as-unittest", "A", "the same by unittest's exception",
        "import unittest\ndef skip(*a, **k):\n    raise unittest.SkipTest('later')\n"
        "def deceive(name, original):\n    return skip\n",
    ),
    instead(
        "expected-to-fail", "A", "declares every failure expected",
        "import pytest\ndef deceive(name, original):\n    return lambda *a, **k: pytest.xfail('known')\n",
    ),
    at_import(
        "assertions-skip", "A", "makes every failed assertion skip its test",
        "import builtins, pytest\nbuiltins.AssertionError = pytest.skip.Exception\n",
    ),
    at_import(
        "no-failures-counted", "A", "keeps the session's count of failures at none",
        "import _pytest.main\n"
        "_pytest.main.Session.testsfailed = property(lambda self: 0, lambda self, value: None)\n",
    ),
    at_import(
        "session-status", "A", "sets the exit status of the session found in memory when it finishes",
        FOUND + "class Last:\n    def pytest_sessionfinish(self, session):\n        session.exitstatus = 0\n"
        "manager().register(Last())\n",
    ),
)  # fmt: skip


def _report_of(target: Target) -> bytes:
    cases = []
    for node in (node for node in target.nodes if "::" in node):
        head, bracket, case = node.partition("[")
        file, *parts = head.split("::")
        place = ".".join(["tests." + file.removesuffix(".py").replace("/", "."), *parts[:-1]])
        cases.append(f"<testcase classname={quoteattr(place)} name={quoteattr(parts[-1] + bracket + case)}/>")
    return f"<testsuites><testsuite>{''.join(cases)}</testsuite></testsuites>".encode()


def _laid_out(target: Target) -> Files:
    return {**target.at_import("import os\nos._exit(0)\n"), "report.xml": _report_of(target)}


_BEFOREHAND = Payload(
    "report-laid-out",
    "A",
    "a report of passed tests is there before the tests run, which end at once",
    _laid_out,
)
EXITS = (*_EARLY, *_AT_EXIT, *_OUTCOMES, _BEFOREHAND)
"""All payloads of class A."""
