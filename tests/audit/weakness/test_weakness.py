"""Tier 4 as a whole, on a task that is weak on purpose."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from deepgym_envs import Task, UsageError, WorkspaceState
from deepgym_envs.audit.weakness import check_weakness
from deepgym_envs.errors import SandboxError
from deepgym_envs.patch import make_patch
from deepgym_envs.sandbox import Backend, Sandbox
from deepgym_envs.testing import FakeBackend, make_task

from ...tiny import BROKEN, make_tiny, tiny_tests  # noqa: TID252
from ..place import prey, somewhere  # noqa: TID252
from .soft import soft

FIXTURES = (make_tiny, prey, soft, somewhere)


@pytest.mark.slow
def test_a_weak_verifier_is_told_by_what_it_pays(soft: Task, somewhere: Backend) -> None:
    steps: list[str] = []
    report = check_weakness(
        soft, sandbox=somewhere, mutants=6, inputs=20, scan_seconds=1.0, on_step=steps.append
    )
    assert sum(report.fates.values()) == 6
    real = [each for each in report.survivors if each.difference is not None]
    assert real, report.findings()
    assert report.score is not None
    assert report.score[0] < 1.0
    assert report.look_up is not None
    assert report.look_up.entries == 1
    assert not report.look_up.accepted
    assert report.scan is not None
    assert not report.scan.leaks
    assert [step for step in steps if "fault" not in step] == [
        "reads all that the agent can read", "learns the visible answers by heart",
    ]  # fmt: skip
    assert "judges fault 6 of 6" in steps


def test_a_task_about_tests_is_looked_through_for_leaks_alone(tmp_path: Path, somewhere: Backend) -> None:
    task = make_task(
        tmp_path / "one",
        source={"book.py": "def one():\n    return 1\n", "tests/test_book.py": "def test_book():\n    pass\n"},
        implementations={"wrong-up": {"book.py": "def one():\n    return 2\n"}},
        gold={"tests/test_book.py": "from book import one\n\n\ndef test_book():\n    assert one() == 1\n"},
        fail_to_pass=["wrong-up"], pass_to_pass=["base"], kind="tests", editable=["tests/**"],
    )  # fmt: skip
    report = check_weakness(task, sandbox=somewhere, scan_seconds=1.0)
    assert report.look_up is None
    assert report.scan is not None
    assert report.figures()["score"] is None
    assert "only leaks were looked for" in report.findings()[-1].title


def test_what_the_sandbox_fails_at_is_open(soft: Task) -> None:
    class Gone(FakeBackend):
        def open(self, task: Task) -> Sandbox:
            raise SandboxError("the engine is gone")

    report = check_weakness(soft, sandbox=Gone(tiny_tests))
    assert report.status == "inconclusive"
    assert report.problems == tuple((part, "the engine is gone") for part in ("leaks", "look-up", "faults"))


def test_a_reference_that_is_refused_leaves_it_open(prey: Task) -> None:
    useless = WorkspaceState(prey.base).with_file("tiny/__init__.py", BROKEN.encode() + b"MORE = 1\n")
    task = replace(prey, content=replace(prey.files, solution_patch=make_patch(useless)))
    report = check_weakness(task, sandbox=FakeBackend(tiny_tests), mutants=2)
    assert report.status == "inconclusive"
    assert report.problems == (("faults", "the hidden tests refuse the reference solution (tests_failed)"),)
    assert report.score is None


def test_an_instruction_that_tells_the_solution_is_a_leak(soft: Task) -> None:
    told = replace(soft, instruction="Write `free = min(count // 10, count) if count >= limit else 0`.")
    report = check_weakness(told, sandbox=FakeBackend(tiny_tests), mutants=0)
    assert report.status == "hackable"
    assert report.findings()[0].title.startswith("instruction.md: holds lines of the solution")


def test_numbers_out_of_range_and_sandboxes_that_do_not_isolate_are_refused(soft: Task) -> None:
    for wrong in ({"mutants": -1}, {"inputs": -1}, {"scan_seconds": 0.0}):
        with pytest.raises(UsageError, match="0 or more"):
            check_weakness(soft, sandbox=FakeBackend(tiny_tests), **wrong)
    with pytest.raises(UsageError, match="choose a sandbox that isolates"):
        check_weakness(soft, sandbox="local")
