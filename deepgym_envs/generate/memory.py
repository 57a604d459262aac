"""How much memory the hidden tests of a task take."""

from __future__ import annotations

import re

from deepgym_envs.grade import TaskRuns
from deepgym_envs.task import Task

_CONFTEST = "conftest.py"
_HOOK = "pytest_runtest_makereport"
_SAID = re.compile(r"deepgym-kib (\d{1,12})")
_PLUGIN = f"""
import resource as _deepgym_resource

import pytest as _deepgym_pytest


@_deepgym_pytest.hookimpl(hookwrapper=True)
def {_HOOK}(item, call):
    outcome = yield
    if call.when == "call":
        report = outcome.get_result()
        most = _deepgym_resource.getrusage(_deepgym_resource.RUSAGE_SELF).ru_maxrss
        report.outcome, report.longrepr = "failed", f"deepgym-kib {{most}}"
""".encode()


def memory_mb(runs: TaskRuns) -> float | None:
    """The most MiB that the process of the hidden tests had at a time, with the solution, as it says itself.

    Without what its children had; None where it cannot be told: where the tests hook into reports
    themselves, or no test ran.

    Raises:
        SandboxError: they could not be run.
    """
    task: Task = runs.task
    own = task.hidden.get(_CONFTEST, b"")
    if _HOOK.encode() in own:
        return None
    run = runs.tried(task.gold.only(task.may_edit), task.expected, {**task.hidden, _CONFTEST: own + _PLUGIN})
    told = [_SAID.fullmatch(said.strip()) for said in run.report.details.values()]
    kib = [int(found[1]) for found in told if found]
    return round(max(kib) / 1024, 1) if kib else None
