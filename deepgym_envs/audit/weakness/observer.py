"""Runs tests that tell what they see, inside a box: from a job on standard input, and a line for each test to
descriptor 3.

In place of assertions the tests call ``__seen__``. What it was shown, how a test ended, and what some
functions gave is told: whoever sent the job compares it with the same of another implementation. Beside it
lies ``plain.py``. It needs nothing but pytest and the standard library of Python 3.8 or newer.
"""

from __future__ import annotations

import atexit
import builtins
import hashlib
import importlib
import json
import linecache
import os
import re
import signal
import sys
import threading
import time
from typing import Any

REPORT = 3
KEPT = 100  # of what a test sees, that many values are told where they are asked for
SHOWN_CHARS = 2_000
MOST_CHARS = 100_000
ASYNC = 0x80 | 0x200  # flags of the code of coroutines and asynchronous generators
ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{4,16}\b")


class TimeUp(BaseException):
    """A test takes longer than it may."""


class Observer:
    """A plugin of pytest's that writes one JSON line for each test that begins or has ended."""

    def __init__(self, job: dict[str, Any], plain: Any) -> None:
        self.plain = plain
        self.wanted = None if job["nodes"] is None else set(job["nodes"])
        self.seconds = job["seconds"]
        self.show = job["show"]
        self.places = job["functions"]  # path, first and last line, and whether to tell what it gives
        self.known: dict[int, tuple[list[int], int | None, Any]] = {}
        self.leaving = [self.on_leaving(number) for number in range(len(self.places))]
        self.report = os.fdopen(os.dup(REPORT), "wb")
        os.close(REPORT)
        self.begin()

    def begin(self) -> None:
        self.how, self.where = "passed", ""
        self.digest = hashlib.sha256()
        self.returned: dict[int, Any] = {}
        self.depth: dict[int, int] = {}
        self.kept: list[list[str]] = []
        self.reached: set[int] = set()
        self.since = time.monotonic()

    def tell(self, **what: Any) -> None:
        """Write a line at once: the next test may end the process."""
        self.report.write(json.dumps(what).encode() + b"\n")
        self.report.flush()

    def seen(self, label: str, value: Any) -> Any:
        """The eye that tests have."""
        self.look(self.digest, label, value)
        return value

    def look(self, digest: Any, label: str, value: Any) -> None:
        text = self.text(value)
        digest.update(f"{label} {len(text)} {text}\n".encode("utf-8", "backslashreplace"))
        if self.show and len(self.kept) < KEPT:
            self.kept.append([label, text[:SHOWN_CHARS]])

    def text(self, value: Any) -> str:
        """The value if it is plain, or else what its ``repr`` says, without addresses."""
        try:
            return str(self.plain.canonical(value))
        except Exception:
            pass
        try:
            return ADDRESS.sub("0x", repr(value)[:MOST_CHARS])
        except Exception as error:
            return f"<repr: {type(error).__name__}>"

    def trace(self, frame: Any, event: str, _: Any) -> Any:
        """Note which of the functions that are asked about is entered, and wait for what it gives."""
        code = frame.f_code
        if id(code) not in self.known:
            self.known[id(code)] = (*self.asked_about(code), code)  # kept, so that none other has its id
        entered, told, _code = self.known[id(code)]
        self.reached.update(entered)
        if event != "call" or told is None:
            return None
        self.depth[told] = self.depth.get(told, 0) + 1
        frame.f_trace_lines = False
        return self.leaving[told]

    def asked_about(self, code: Any) -> tuple[list[int], int | None]:
        """Numbers of the functions that ``code`` is a part of, and of the one that it is and that is to be
        told of; none for coroutines, which give much that is not theirs."""
        entered = [
            number
            for number, (path, first, last, _) in enumerate(self.places)
            if first <= code.co_firstlineno <= last and code.co_filename.endswith("/" + path)
        ]
        told = [
            number
            for number in entered
            if self.places[number][3] and self.places[number][1] == code.co_firstlineno
        ]
        return entered, told[0] if told and not code.co_flags & ASYNC else None

    def on_leaving(self, number: int) -> Any:
        def leave(_: Any, event: str, value: Any) -> Any:
            if event == "return":
                depth = self.depth[number] = self.depth.get(number, 1) - 1
                if depth == 0:  # what it gives to itself is its own business
                    digest = self.returned.setdefault(number, hashlib.sha256())
                    self.look(digest, f"return {number}", value)
            return leave

        return leave

    def watched(self) -> Any:
        """Around a part of a test: its time, and what it enters."""
        if self.places:
            threading.settrace(self.trace)
            sys.settrace(self.trace)
        signal.setitimer(signal.ITIMER_REAL, self.seconds)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            sys.settrace(None)
            threading.settrace(None)

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        if self.wanted is not None:
            items[:] = [item for item in items if item.nodeid in self.wanted]

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self.begin()
        self.tell(begin=nodeid)

    def pytest_runtest_makereport(self, item: Any, call: Any) -> None:
        if call.when != "teardown" and call.excinfo is not None and self.how == "passed":
            kind = call.excinfo.type
            self.how = f"{kind.__module__}:{kind.__qualname__}"
            lines = [entry.lineno + 1 for entry in call.excinfo.traceback if entry.path == item.path]
            self.where = linecache.getline(str(item.path), lines[-1]).strip() if lines else ""

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        self.tell(
            end=nodeid,
            how=self.how,
            where=self.where[:SHOWN_CHARS],
            digest=self.digest.hexdigest(),
            returned={str(number): digest.hexdigest() for number, digest in self.returned.items()},
            seen=self.kept,
            reached=sorted(self.reached),
            seconds=time.monotonic() - self.since,
        )

    def pytest_sessionfinish(self, exitstatus: int) -> None:
        self.tell(exit=int(exitstatus))


def main() -> None:
    job = json.load(sys.stdin)
    here = os.path.dirname(os.path.abspath(__file__))
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    plain = importlib.import_module("plain")
    sys.path.remove(here)
    import pytest  # noqa: PLC0415 - finds the path as it is now

    sys.path.extend(os.path.abspath(path) for path in job["pythonpath"])
    observer = Observer(job, plain)
    for name in ("setup", "call"):
        hook = pytest.hookimpl(hookwrapper=True, tryfirst=True)(watching(observer))
        setattr(observer, "pytest_runtest_" + name, hook)
    builtins.__seen__ = observer.seen  # type: ignore[attr-defined]
    signal.signal(signal.SIGALRM, time_up)
    arguments = ["-p", "no:cacheprovider", "-q", "--no-header", "--color=no", "--tb=no", "--assert=plain",
                 "--import-mode=importlib", "--continue-on-collection-errors", "--rootdir", here,
                 "--confcutdir", here, "-c", here + "/pytest.ini"]  # fmt: skip
    arguments += [part for name in job["plugins"] for part in ("-p", name)]
    arguments += [os.path.join(here, path) for path in job["files"]]
    code = int(pytest.main(arguments, plugins=[observer]))
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    os._exit(code)


def watching(observer: Observer) -> Any:
    def watch() -> Any:
        yield from observer.watched()

    return watch


def time_up(*_: Any) -> None:
    raise TimeUp


if __name__ == "__main__":
    main()
