"""Asks the code under test what an oracle's cases ask, inside a box: from a job on standard input, each case
in a process of its own, and the answers to descriptor 3.

What is expected is not here. Three generations: this process, which never imports the code under test; a
host, which imports it, once; and a child of the host for each case. All run as the same user, so an answer is
only a claim that whoever sent the job compares. ``plain.py`` lies beside this file. It needs nothing but the
standard library of Python 3.8 or newer.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import runpy
import select
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from typing import Any, NoReturn

REPORT = 3
IMPORT_SECONDS = 10
ANSWER_BYTES = 1 << 20
TEXT_CHARS = 10_000
SHOWS: dict[str, Any] = {
    "str": str,
    "repr": repr,
    "len": len,
    "list": list,
    "tuple": tuple,
    "sorted": sorted,
    "dict": dict,
    "set": set,
}


def main() -> None:
    job = json.load(sys.stdin)
    plain = load_plain()
    report = os.dup(REPORT)
    os.close(REPORT)
    # Behind the standard library and the environment, so that the workspace can shadow neither.
    job["pythonpath"] = [os.path.abspath(folder) for folder in job["pythonpath"]]
    sys.path.extend(job["pythonpath"])
    host, together = None, True
    for number, case in enumerate(job["cases"]):
        if host is None:
            host = Host(job, plain, report, together)
            if not host.ready():  # what cannot be imported once for all is imported by each case
                host.end()
                together = False
                host = Host(job, plain, report, together)
        data, problem = host.ask(number, case["seconds"])
        if problem or not together:
            host.end()
            host = None
        answer = {"problem": problem} if problem else {"answer": data.decode("ascii", "replace")}
        tell(report, {"case": case["id"], **answer})
    if host is not None:
        host.end()
    tell(report, {"end": len(job["cases"])})


def load_plain() -> Any:
    """The module beside this file; a package of the workspace may have the same name."""
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    module = importlib.import_module("plain")
    del sys.path[0], sys.modules["plain"]
    return module


def tell(end: int, row: Any) -> None:
    send(end, json.dumps(row).encode() + b"\n")


def send(end: int, data: bytes) -> None:
    while data:
        data = data[os.write(end, data) :]


class Host:
    """A process with the code under test in it, seen from outside: it answers one case at a time.

    With ``together`` it imports all that the cases name before it is asked, and says that it is ready.
    """

    def __init__(self, job: dict[str, Any], plain: Any, report: int, together: bool) -> None:
        numbers, self.asking = os.pipe()
        self.heard, answers = os.pipe()
        self.rest = b""
        self.pid = os.fork()
        if self.pid == 0:
            for end in (report, self.asking, self.heard):
                os.close(end)
            serve(job, plain, numbers, answers, together)
        os.close(numbers)
        os.close(answers)
        self.together = together

    def ready(self) -> bool:
        """Whether the code under test is imported."""
        try:
            return not self.together or self.line(time.monotonic() + IMPORT_SECONDS) == b"ready"
        except (TimeoutError, OverflowError):
            return False

    def ask(self, number: int, seconds: float) -> tuple[bytes, str]:
        """What the case of that number answers, in a line, or why it does not."""
        deadline = time.monotonic() + seconds
        try:
            send(self.asking, b"%d\n" % number)
            first = self.line(deadline)
            if first != b"end" and self.line(deadline) == b"end":
                return first, ""
        except TimeoutError:
            return b"", "timeout"
        except OverflowError:
            return b"", "too_long"
        except OSError:
            pass
        return b"", "died"

    def line(self, deadline: float) -> bytes:
        """The next line; empty if the process ended before. Raises ``TimeoutError``, ``OverflowError``."""
        while b"\n" not in self.rest:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.heard], [], [], left)[0]:
                raise TimeoutError
            part = os.read(self.heard, 1 << 16)
            self.rest += part
            if len(self.rest) > ANSWER_BYTES:
                raise OverflowError
            if not part:
                return b""
        line, _, self.rest = self.rest.partition(b"\n")
        return line

    def end(self) -> None:
        """Kill it and what it started."""
        for kill in (os.killpg, os.kill):  # it may not have a group yet
            with contextlib.suppress(OSError):
                kill(self.pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, 0)
        os.close(self.asking)
        os.close(self.heard)


def serve(job: dict[str, Any], plain: Any, numbers: int, answers: int, together: bool) -> NoReturn:
    """Be the host: fork a child for each number that comes, and say when it has ended."""
    try:
        os.setsid()
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        if together:
            import_all(job["cases"])
            send(answers, b"ready\n" if threading.active_count() == 1 else b"threads\n")
        gc.collect()
        gc.freeze()  # or each child would copy what its first collection touches
        with os.fdopen(numbers) as lines:
            for line in lines:
                pid = os.fork()
                if pid == 0:
                    answer(job["cases"][int(line)], plain, answers)
                os.waitpid(pid, 0)
                send(answers, b"end\n")
    finally:
        os._exit(0)


def import_all(cases: Sequence[dict[str, Any]]) -> None:
    """Import the modules that cases name; what cannot be imported is left for its case to meet."""
    targets = {step["target"] for case in cases for step in case.get("steps", ())}
    names = {target.partition(":")[0] for target in targets if not target.startswith("$")}
    for name in sorted(names | {case["run"][1].partition(".")[0] for case in cases if "run" in case}):
        try:
            importlib.import_module(name)
        except BaseException:
            continue


def answer(case: dict[str, Any], plain: Any, write: int) -> NoReturn:
    """In the child: find the answer out, and write it as a line to ``write``."""
    try:
        steps = ran(case, plain) if "run" in case else walked(case, plain)
        send(write, plain.dumps({"steps": steps}).encode() + b"\n")
    finally:
        os._exit(0)


def walked(case: dict[str, Any], plain: Any) -> list[Any]:
    """What each step of ``case`` came to; one whose names were not all given before is skipped."""
    names = {name: plain.decode(form) for name, form in case["names"].items()}
    told: list[Any] = []
    for step in case["steps"]:
        if any(name not in names for name in step["needs"]):
            told.append(["skipped"])
            continue
        try:
            value = made(step, names, plain)
            shown = show(value, step["show"].split()) if step["show"] is not None else None
            told.append(["done"] if step["show"] is None else ["value", plain.encode(shown)])
        except plain.NotPlain as error:
            told.append(["not_plain", text_of(error)])
            value = None
        except BaseException as error:
            told.append(["raised", classes(error), text_of(error)])
            continue
        if step["let"]:
            names[step["let"]] = value
    return told


def made(step: dict[str, Any], names: dict[str, Any], plain: Any) -> Any:
    """The value of a step: something looked up, and called with arguments unless it is only read."""
    where, _, path = step["target"].partition("." if step["target"].startswith("$") else ":")
    value: Any = names[where[1:]] if where.startswith("$") else importlib.import_module(where)
    for name in path.split(".") if path else ():
        value = getattr(value, name)
    if step["args"] is None:
        return value
    args = [plain.decode(form, names) for form in step["args"]]
    return value(*args, **{name: plain.decode(form, names) for name, form in step["kwargs"].items()})


def show(value: Any, words: Sequence[str]) -> Any:
    """``value`` as ``words`` say, from left to right; ``each`` lets those behind it be about its parts."""
    for number, word in enumerate(words):
        if word == "each":
            rest = words[number + 1 :]
            if isinstance(value, dict):
                return {key: show(part, rest) for key, part in value.items()}
            return [show(part, rest) for part in value]
        if word.startswith("."):
            found = [looked_up(value, path) for path in word.split(",")]
            value = found[0] if len(found) == 1 else tuple(found)
        else:
            value = SHOWS[word](value)
    return value


def looked_up(value: Any, path: str) -> Any:
    for name in path[1:].split("."):
        value = getattr(value, name[:-2])() if name.endswith("()") else getattr(value, name)
    return value


def ran(case: dict[str, Any], plain: Any) -> list[Any]:
    """How a program ended that was run in a folder of its own: the single step of its case."""
    folder = tempfile.mkdtemp()  # it is gone with the box's other files when this command ends
    for name, form in case["given"].items():
        place = os.path.join(folder, name)
        os.makedirs(os.path.dirname(place), exist_ok=True)
        with open(place, "wb") as file:
            file.write(as_bytes(plain.decode(form)))
    ends = [tempfile.mkstemp()[0] for _ in range(3)]
    send(ends[0], as_bytes(plain.decode(case["stdin"])))
    os.lseek(ends[0], 0, os.SEEK_SET)
    pid = os.fork()
    if pid == 0:
        program(case["run"], folder, ends)
    status = os.waitpid(pid, 0)[1]
    code = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
    out, err = (as_text(os.pread(end, ANSWER_BYTES, 0)) for end in ends[1:])
    files = {name: content(os.path.join(folder, name)) for name in case["files"]}
    return [["value", plain.encode({"status": code, "stdout": out, "stderr": err, "files": files})]]


def program(run: Sequence[str], folder: str, ends: Sequence[int]) -> NoReturn:
    """In a process of its own: do what ``python -m`` does, without starting an interpreter again."""
    code: Any = 1
    try:
        for number, end in enumerate(ends):
            os.dup2(end, number)
        os.chdir(folder)
        sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
        sys.argv[:] = run[1:]
        runpy.run_module(run[1], run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as error:
        code = 0 if error.code is None else error.code
        if type(code) is not int:
            sys.stderr.write(f"{code}\n")
            code = 1
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        with contextlib.suppress(BaseException):
            threading._shutdown()  # type: ignore[attr-defined]
            atexit._run_exitfuncs()
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code & 0xFF)


def content(place: str) -> Any:
    if os.path.islink(place) or not os.path.isfile(place):
        return None
    with open(place, "rb") as file:
        return as_text(file.read(ANSWER_BYTES))


def as_bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode("utf-8")


def as_text(data: bytes) -> Any:
    """``data`` as the text that it is, if it is one."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data


def classes(error: BaseException) -> list[str]:
    """Names of the error's class and of all that it is made from."""
    return [f"{kind.__module__}:{kind.__qualname__}" for kind in type(error).__mro__]


def text_of(error: BaseException) -> str | None:
    try:
        text = str(error)
    except BaseException:
        return None
    return text[:TEXT_CHARS] if type(text) is str else None


if __name__ == "__main__":
    main()
