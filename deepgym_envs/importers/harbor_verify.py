"""Judges a workspace in Harbor's verifier container; goes into every exported task as ``tests/verify.py``.

It needs nothing but the standard library of Python 3.8 or newer, and runs as root. The agent's workspace is
an artifact at ``/workspace``: only what the task allows to change is taken from it, all else is the base's.
The hidden tests run as another user, whose report is a claim: it counts only if each expected test passed,
once, and no other. Where the task is about the tests themselves, they run on each implementation of the
repository, and must accept those that are right and refuse those that are wrong.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

AGENT = 1000
REPORT_BYTES = 8 << 20
FILE_BYTES = 8 << 20
HERE = Path(__file__).resolve().parent
SUBMITTED = Path("/workspace")
LOGS = Path("/logs/verifier")


def main() -> None:
    """Write the reward, 1.0 or 0.0, to where Harbor looks for it."""
    job = json.loads((HERE / "verify.json").read_text(encoding="utf-8"))
    if job["implementations"]:
        reason = judge_tests(job, partial(run_in_copy, job, hidden=False))
    else:
        reason = judge(job["expected"], *run_in_copy(job, {}, hidden=True))
    LOGS.mkdir(parents=True, exist_ok=True)
    (LOGS / "reward.json").write_text(json.dumps({"reward": 1.0 if reason == "passed" else 0.0}) + "\n")
    sys.stdout.write(reason + "\n")


def judge_tests(job: dict[str, Any], run_on: Callable[[dict[str, Any]], tuple[bytes, int | None]]) -> str:
    """Whether the repository's tests tell its right implementations from the wrong ones.

    ``run_on`` runs them with the files of an implementation in place.
    """
    # A process can tell by its number how many were before it, so the order must not be one to learn.
    for name in random.SystemRandom().sample(job["expected"], len(job["expected"])):
        report, status = run_on(job["implementations"][name])
        if status is None:
            return "timeout"
        try:
            phases, complete = outcomes(report)
        except (ValueError, KeyError, TypeError, RecursionError):
            return "malformed_report"
        results = {result for seen in phases.values() for _, result in seen}
        accepted = (
            status == 0 and "failed" not in results and "call" in {s[0] for p in phases.values() for s in p}
        )
        right = "failed" in results if name.startswith("wrong-") else accepted
        if not complete or not right:
            return "tests_failed"
    return "passed" if job["expected"] else "tests_missing"


def run_in_copy(job: dict[str, Any], changes: dict[str, Any], *, hidden: bool) -> tuple[bytes, int | None]:
    """Run hidden or visible tests in a workspace of its own, with the files of ``changes`` in place."""
    with tempfile.TemporaryDirectory(prefix="judge-") as scratch:
        Path(scratch).chmod(0o755)
        workspace, tests = Path(scratch, "workspace"), Path(scratch, "inputs", os.urandom(8).hex())
        judged_workspace(workspace, job["editable"])
        put(changes, workspace)
        tests.parent.mkdir(mode=0o711)
        tests.mkdir()
        shutil.copy(HERE / "launcher.py", tests / "launcher.py")
        if hidden:
            leave_out = shutil.ignore_patterns("oracle.toml")
            shutil.copytree(HERE / "hidden", tests / "tests", ignore=leave_out)
            (tests / "tests" / "pytest.ini").write_text("[pytest]\nxfail_strict = true\n", encoding="utf-8")
            folder = "{files}/tests"
            nodes = [f"{folder}/{node}" for node in job["expected"]]
            arguments = ["-c", f"{folder}/pytest.ini", "--rootdir", folder, "--confcutdir", folder,
                         "--import-mode=importlib", *nodes]  # fmt: skip
        else:
            arguments = ["--rootdir", ".", *job["visible"]]
        return run(job, workspace, tests, arguments)


def put(changes: Mapping[str, str | None], workspace: Path) -> None:
    """Write files, or delete those without content; bytes that are not UTF-8 stand in it as surrogates."""
    for path, content in changes.items():
        place = workspace / path
        place.unlink(missing_ok=True)
        if content is not None:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content.encode("utf-8", "surrogateescape"))
            place.chmod(0o644)


def judged_workspace(folder: Path, editable: list[str]) -> None:
    """The base, with what was submitted in place of the editable files; links and devices are left out."""
    allowed = [re.compile(pattern, re.DOTALL) for pattern in editable]

    def may_edit(path: str) -> bool:
        return any(pattern.fullmatch(path) for pattern in allowed)

    shutil.copytree(HERE / "workspace", folder)
    for place in [place for place in folder.rglob("*") if place.is_file()]:
        if may_edit(place.relative_to(folder).as_posix()):
            place.unlink()
    for parent, folders, names in os.walk(SUBMITTED):
        folders[:] = [name for name in folders if name not in (".git", "__pycache__")]
        for name in names:
            place = Path(parent, name)
            path = place.relative_to(SUBMITTED).as_posix()
            found = place.lstat()
            if not may_edit(path) or not stat.S_ISREG(found.st_mode) or found.st_size > FILE_BYTES:
                continue
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(place, target, follow_symlinks=False)
            target.chmod(0o755 if found.st_mode & stat.S_IXUSR else 0o644)
    for place in (folder, *folder.rglob("*")):
        os.chown(place, AGENT, AGENT)


def run(job: dict[str, Any], workspace: Path, tests: Path, arguments: list[str]) -> tuple[bytes, int | None]:
    """Start pytest as the agent's user; its report, and its exit status or None when its time ran out."""
    asked = {
        "arguments": arguments,
        "plugins": job["plugins"],
        "pythonpath": job["pythonpath"],
        "detail_chars": 0,
    }
    places = [str(workspace / path) for path in job["pythonpath"]]
    environment = {
        "PATH": os.environ.get("PATH", "/usr/local/bin:/usr/bin:/bin"), "HOME": "/tmp", "LANG": "C.UTF-8",
        "TZ": "UTC", "PYTHONPATH": ":".join(places), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0",
    }  # fmt: skip
    read_end, write_end = os.pipe()

    def become_agent() -> None:
        os.dup2(write_end, 3)
        os.setgroups([])
        os.setgid(AGENT)
        os.setuid(AGENT)

    report = bytearray()

    def collect() -> None:
        with os.fdopen(read_end, "rb", buffering=0) as pipe:
            while True:
                data = pipe.read(1 << 16)
                if not data:
                    return
                report.extend(data[: REPORT_BYTES + 1 - len(report)])

    with subprocess.Popen(
        [sys.executable, "-I", "-B", str(tests / "launcher.py")], stdin=subprocess.PIPE, cwd=workspace,
        env=environment, pass_fds=(3,), preexec_fn=become_agent, start_new_session=True,  # noqa: PLW1509
    ) as process:  # fmt: skip
        os.close(write_end)
        reader = threading.Thread(target=collect, daemon=True)
        reader.start()
        try:
            process.communicate(json.dumps(asked).encode(), timeout=job["seconds"])
            status: int | None = process.returncode
        except subprocess.TimeoutExpired:
            status = None
        kill_agent()  # whatever is left would hold the pipe open
    reader.join(10)
    return bytes(report), status


def kill_agent() -> None:
    """Kill every process of the agent's user, from a child that becomes that user."""
    child = os.fork()
    if child == 0:
        try:
            os.setuid(AGENT)
            os.kill(-1, signal.SIGKILL)
        finally:
            os._exit(0)
    os.waitpid(child, 0)


def judge(expected: list[str], report: bytes, status: int | None) -> str:
    """Why the run passes or does not, as the package decides it."""
    if status is None:
        return "timeout"
    try:
        phases, complete = outcomes(report)
    except (ValueError, KeyError, TypeError, RecursionError):
        return "malformed_report"
    if set(phases) - set(expected):
        return "unexpected_tests"
    good = [("call", "passed"), ("setup", "passed"), ("teardown", "passed")]
    if any(sorted(seen) != good for seen in phases.values()):
        return "tests_failed"
    if not complete or status != 0:
        return "crashed"
    return "passed" if set(phases) == set(expected) and expected else "tests_missing"


def outcomes(report: bytes) -> tuple[dict[str, list[tuple[str, str]]], bool]:
    """What was reported of each test, and whether pytest said that it had finished; raises on anything
    odd."""
    if len(report) > REPORT_BYTES:
        raise ValueError("too long")
    phases: dict[str, list[tuple[str, str]]] = {}
    complete = False
    for line in filter(None, report.split(b"\n")):
        row = json.loads(line)
        if complete:
            raise ValueError("goes on after its end")
        if "exit" in row:
            complete = True
        elif "broken" in row:
            phases.setdefault(row["broken"], []).append(("collect", "failed"))
        else:
            phases.setdefault(row["test"], []).append((str(row["when"]), str(row["outcome"])))
    return phases, complete


if __name__ == "__main__":
    main()
