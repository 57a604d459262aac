"""A conftest.py that writes down when pytest came to what, by the clock that all processes share.

It is put into a workspace and read by pytest there; it runs in boxes, on Python 3.8 and later. The file that
it writes holds moments in seconds, ``own``: what pytest says that setups, calls and teardowns took, and
``warm``: 1 if the process was forked from one that had pytest imported, else 0.
"""

import json
import os
import time
from typing import Any

FILE = "pytest_timeline.json"
_seen = {"configured": time.monotonic(), "own": 0.0}
with open("/proc/self/cmdline", "rb") as _line:  # noqa: PTH123
    _seen["warm"] = float(b"nursery.py" in _line.read())
_folder = os.getcwd()  # noqa: PTH109 - quicker to start


def pytest_collection() -> None:
    """Collection begins."""
    _seen["collecting"] = time.monotonic()


def pytest_collection_finish() -> None:
    """The first test is about to begin."""
    _seen["collected"] = time.monotonic()


def pytest_runtest_logreport(report: Any) -> None:
    """One phase of one test has ended."""
    _seen["own"] += report.duration


def pytest_sessionfinish() -> None:
    """The last test has ended."""
    _seen["finished"] = time.monotonic()
    with open(os.path.join(_folder, FILE), "w", encoding="utf-8") as file:  # noqa: PTH118, PTH123
        json.dump(_seen, file)
