"""Stands, in a box, where hidden tests say what they expect, and tells what it was compared with.

``deepgym_envs.authoring.probes`` puts it there, and reads what it tells. It shares a process with the code
under test, so that is only a claim. ``plain.py`` lies beside this file, under another name.
"""

import importlib
import signal
from collections.abc import Iterator
from itertools import accumulate
from typing import Any

import pytest

CHARS = 3500  # told of one test, of which a report keeps so much
ROWS = 200  # noted of one test
SECONDS = 1.0  # of the processor, for one test: a fault in a loop may be without end

_rows: list[str] = []


class Probe:
    """Equals everything, so that a test goes on, and notes what that is."""

    def __init__(self, number: int) -> None:
        self._number = number

    def __eq__(self, other: object) -> bool:
        if len(_rows) < ROWS:
            plain: Any = importlib.import_module("deepgym_plain")
            try:
                row = plain.dumps([self._number, plain.encode(other)])
            except ValueError:
                row = plain.dumps([self._number, None])
            _rows.append(row)
        return True

    __hash__ = None  # type: ignore[assignment]


@pytest.fixture(autouse=True)
def tell() -> Iterator[None]:
    """Make each test fail at its end, with what its probes have noted."""
    _rows.clear()
    signal.signal(signal.SIGPROF, _end)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    yield
    signal.setitimer(signal.ITIMER_PROF, 0)
    sizes = accumulate(len(row) + 1 for row in _rows)
    told = [row for row, size in zip(_rows, sizes, strict=True) if size < CHARS]
    pytest.fail(f"[{','.join(told)}]", pytrace=False)


def _end(*_: object) -> None:
    pytest.fail("takes too long", pytrace=False)
