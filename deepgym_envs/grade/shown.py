"""Runs of the visible tests as agents are shown them: the same state shows the same again, without a run."""

from __future__ import annotations

import json
from collections.abc import Sequence

from deepgym_envs.grade.key import ResultKey, result_key
from deepgym_envs.grade.memory import Memory
from deepgym_envs.grade.report import TestReport
from deepgym_envs.state import WorkspaceState
from deepgym_envs.task import Task


class ShownRuns:
    """What runs of the tests of ``task`` in boxes of ``backend``, by name, have shown."""

    def __init__(self, task: Task, backend: str, memory: Memory) -> None:
        self._task = task
        self._backend = backend
        self._memory = memory

    def get(self, state: WorkspaceState, tests: Sequence[str]) -> TestReport | None:
        """What a run of ``tests`` (none means all) on ``state`` has shown, if there was one."""
        return self._memory.get(self._key(state, tests), TestReport)

    def keep(self, state: WorkspaceState, tests: Sequence[str], report: TestReport) -> TestReport:
        """Remember a run that came to its end and left the state as it was; gives the first such run."""
        return self._memory.keep(self._key(state, tests), report)

    def _key(self, state: WorkspaceState, tests: Sequence[str]) -> ResultKey:
        return result_key(self._task, state, f"run_tests {json.dumps(list(tests))}", self._backend)
