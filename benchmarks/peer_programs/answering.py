"""Carries out operations by name as often as asked, over the program's standard streams, a JSON line each."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from typing import IO


def own_output() -> IO[str]:
    """The standard output for answers alone; what else the program prints goes to its standard error."""
    own = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return own


def answer(own: IO[str], version: str, operations: Mapping[str, Callable[[], object]]) -> None:
    """Name the operations, then answer each line that names one with its seconds, until the end."""
    print(json.dumps({"version": version, "operations": list(operations)}), file=own, flush=True)
    for line in sys.stdin:
        operation = operations[json.loads(line)]
        before = time.perf_counter()
        operation()
        print(json.dumps(time.perf_counter() - before), file=own, flush=True)
