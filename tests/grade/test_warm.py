"""Tests that are started warm have the outcome that cold ones have."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace

import pytest

import deepgym_envs
from deepgym_envs import Task, WorkspaceState
from deepgym_envs.grade import TestReport, run_hidden, run_visible
from deepgym_envs.sandbox import Backend, Command, Completed, Sandbox

from ..tiny import backend, isolating, make_tiny, tiny  # noqa: TID252

FIXTURES = (backend, isolating, make_tiny, tiny)
# Of different repositories, the last one about tests.
STARTER = ("starter/rowboat-order-desc-ties", "starter/drover-hook-order", "starter/hoardfile-expiry-tests")

Seen = tuple[TestReport, int | None, bytes]


class Told:
    """A box whose commands are all started warm, or all cold."""

    def __init__(self, box: Sandbox, *, warm: bool) -> None:
        self.box, self.warm, self.runs = box, warm, 0
        self.restore, self.capture, self.read = box.restore, box.capture, box.read
        self.find, self.close = box.find, box.close

    def run(self, command: Command) -> Completed:
        done = self.box.run(replace(command, warm=self.warm))
        assert done.warm == self.warm, done.why_cold
        self.runs += 1
        return done


def seen(box: Sandbox, task: Task, state: WorkspaceState) -> list[Seen]:
    found: list[Seen] = []
    runs: tuple[Callable[[], tuple[TestReport, Completed]], ...] = (
        lambda: run_visible(box, task, detail_chars=2000),
        lambda: run_hidden(box, task, state, task.expected, detail_chars=2000),
    )
    for run in runs:
        box.restore(state)
        report, done = run()
        found.append((_placeless(report), done.exit_code, b""))
    return found


def _placeless(report: TestReport) -> TestReport:
    """Without the name of the folder that exists for one run only."""
    cut = {node: text.rpartition("\nE ")[2] for node, text in report.details.items()}
    return replace(report, details=dict(sorted(cut.items())), outcomes=dict(sorted(report.outcomes.items())))


def compare(backend: Backend, task: Task) -> None:
    gold = WorkspaceState(task.base).with_files(task.gold_files())
    with closing(backend.open(task)) as box:
        for state in (WorkspaceState(task.base), gold):
            cold = seen(Told(box, warm=False), task, state)
            for _ in range(2):  # the second meets what was compiled beforehand
                told = Told(box, warm=True)
                assert seen(told, task, state) == cold
                assert told.runs >= 2


def test_the_tiny_tasks_tests_come_to_the_same_warm_and_cold(backend: Backend, tiny: Task) -> None:
    compare(backend, tiny)


@pytest.mark.slow
@pytest.mark.parametrize("task", STARTER)
def test_starter_tasks_come_to_the_same_warm_and_cold(isolating: Backend, task: str) -> None:
    compare(isolating, deepgym_envs.load_task(task))
