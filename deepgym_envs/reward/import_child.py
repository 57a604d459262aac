"""Compiles and imports modules inside a box: from a job on standard input, and the numbers of those that
were good to descriptor 3.

It runs as the agent's user. Modules are imported one after another in a process of their own; if one ends
that process, another goes on behind it. It needs nothing but the standard library of Python 3.8 or newer.
"""

import importlib
import json
import os
import sys
from typing import Dict, List

REPORT = 3


def main() -> None:
    job = json.load(sys.stdin)
    # Behind the standard library and the environment, so that the workspace can shadow neither.
    sys.path.extend(os.path.abspath(path) for path in job["roots"])
    modules = [{**module, "path": os.path.abspath(module["path"])} for module in job["modules"]]
    good: List[int] = []
    at = 0
    while at < len(modules):
        for mark in tried(modules[at:]):
            if mark == ord("1"):
                good.append(at)
            at += 1
        at += 1  # what ended the process, or the end of all
    with os.fdopen(REPORT, "wb") as report:
        report.write(json.dumps({"good": good}).encode())


def tried(modules: List[Dict[str, str]]) -> bytes:
    """A ``1`` or ``0`` for each module, until one of them ended the process."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.close(reader)
        os.close(REPORT)
        for module in modules:
            os.write(writer, b"1" if is_good(module) else b"0")
        os._exit(0)
    os.close(writer)
    marks = b""
    with os.fdopen(reader, "rb", 0) as told:
        while len(marks) < len(modules):
            mark = told.read(1)
            if not mark:
                break
            marks += mark
    os.waitpid(child, 0)
    return marks


def is_good(module: Dict[str, str]) -> bool:
    """Whether it compiles and, if it has a name, can be imported under that from its own file."""
    try:
        with open(module["path"], "rb") as file:
            compile(file.read(), module["path"], "exec", dont_inherit=True)
        if not module["name"]:
            return True
        found = importlib.import_module(module["name"])
        return found.__file__ is not None and os.path.samefile(found.__file__, module["path"])
    except BaseException:  # whatever it does, it cannot be imported
        return False


if __name__ == "__main__":
    main()
