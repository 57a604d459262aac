"""Starts pytest inside a box, from a job on standard input, and writes what it sees to descriptor 3.

It runs as the agent's user, in one process with the code under test. Whatever it writes is therefore only a
claim; the host decides what to believe.
"""

import atexit
import contextlib
import json
import os
import sys
import threading
from typing import Any

REPORT = 3


class Reporter:
    """A pytest plugin that writes one JSON line for each thing that happens."""

    def __init__(self, detail_chars: int) -> None:
        self.detail_chars = detail_chars
        self.encode = json.JSONEncoder().encode
        self.report = os.fdopen(os.dup(REPORT), "wb")
        os.close(REPORT)

    def tell(self, **what: Any) -> None:
        """Write a line at once: the next test may end the process."""
        self.report.write(self.encode(what).encode() + b"\n")
        self.report.flush()

    def detail(self, report: Any) -> str:
        return str(report.longreprtext)[-self.detail_chars :] if self.detail_chars else ""

    def pytest_report_teststatus(self) -> Any:
        """Say nothing of a test on the terminal, unless a person is to read it."""
        return None if self.detail_chars else ("", "", "")

    def pytest_collectreport(self, report: Any) -> None:
        if report.failed:
            self.tell(broken=report.nodeid, detail=self.detail(report))

    def pytest_runtest_logreport(self, report: Any) -> None:
        outcome = "xfailed" if hasattr(report, "wasxfail") else report.outcome
        detail = self.detail(report) if report.failed else ""
        self.tell(test=report.nodeid, when=report.when, outcome=outcome, detail=detail)

    def pytest_sessionfinish(self, session: Any, exitstatus: int) -> None:
        self.tell(exit=int(exitstatus), collected=session.testscollected)


def main() -> None:
    job = json.load(sys.stdin)
    here = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - quicker to start
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    # Behind the standard library and the environment, so that the workspace can shadow neither.
    sys.path.extend(os.path.abspath(path) for path in job["pythonpath"])  # noqa: PTH100
    reporter = Reporter(job["detail_chars"])
    import pytest  # noqa: PLC0415 - finds the path as it is now

    plugins = [part for name in job["plugins"] for part in ("-p", name)]
    arguments = ["-p", "no:cacheprovider", "-q", "--no-header", "--color=no", "--tb=short", *plugins]
    arguments += [part.replace("{files}", here) for part in job["arguments"]]
    leave(int(pytest.main(arguments, plugins=[reporter])))


def leave(code: int) -> None:
    """End like any program, but for taking every module apart, which takes longer than many a suite."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            stream.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
