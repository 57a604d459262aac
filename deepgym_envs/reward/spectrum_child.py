"""Runs the repository's tests inside a box and counts which functions the failing and the passing ones call:
from a job on standard input, and the counts to descriptor 3.

It needs nothing but pytest and the standard library of Python 3.8 or newer.
"""

import json
import os
import sys
import threading
from typing import Any, List, Optional, Tuple

REPORT = 3


class Spectrum:
    """A pytest plugin that counts, for each function of the wanted files, the tests that call it."""

    def __init__(self, wanted: List[str]) -> None:
        self.wanted = {os.path.realpath(path): path for path in wanted}
        self.known: Any = {}
        self.called: Any = set()
        self.outcomes: List[str] = []
        self.failed = self.passed = 0
        self.counts: Any = {}
        self.exit = -1

    def look(self, frame: Any, event: str, _: Any) -> None:
        if event == "call":
            self.called.add(frame.f_code)

    def pytest_runtest_logstart(self) -> None:
        self.called, self.outcomes = set(), []
        threading.setprofile(self.look)
        sys.setprofile(self.look)

    def pytest_runtest_logreport(self, report: Any) -> None:
        self.outcomes.append("xfailed" if hasattr(report, "wasxfail") else report.outcome)

    def pytest_runtest_logfinish(self) -> None:
        sys.setprofile(None)
        threading.setprofile(None)
        failed = "failed" in self.outcomes
        if not failed and self.outcomes != ["passed"] * 3:
            return  # skipped, or expected to fail: it speaks for neither side
        self.failed += failed
        self.passed += not failed
        for place in {self.place(code) for code in self.called} - {None}:
            self.counts.setdefault(place, [0, 0])[0 if failed else 1] += 1

    def place(self, code: Any) -> Optional[Tuple[str, int]]:
        """Path and first line of code in a wanted file."""
        if code.co_filename not in self.known:
            self.known[code.co_filename] = self.wanted.get(os.path.realpath(code.co_filename))
        path = self.known[code.co_filename]
        return None if path is None else (path, code.co_firstlineno)

    def pytest_sessionfinish(self, exitstatus: int) -> None:
        self.exit = int(exitstatus)


def main() -> None:
    job = json.load(sys.stdin)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    # Behind the standard library and the environment, so that the workspace can shadow neither.
    sys.path.extend(os.path.abspath(path) for path in job["pythonpath"])
    spectrum = Spectrum(job["files"])
    with os.fdopen(os.dup(REPORT), "wb") as report:
        os.close(REPORT)
        import pytest  # noqa: PLC0415 - finds the path as it is now

        plugins = [part for name in job["plugins"] for part in ("-p", name)]
        how = ["-p", "no:cacheprovider", "-q", "--tb=no", "--rootdir", ".", "--continue-on-collection-errors"]
        pytest.main([*how, *plugins, *job["paths"]], plugins=[spectrum])
        functions = [[*place, *counts] for place, counts in sorted(spectrum.counts.items())]
        told = {"exit": spectrum.exit, "failed": spectrum.failed, "functions": functions}
        report.write(json.dumps(told).encode())
        report.flush()
        os._exit(0)  # threads that a test left behind are not waited for


if __name__ == "__main__":
    main()
