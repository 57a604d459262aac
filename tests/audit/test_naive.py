"""The naive graders are honest: they pay for work, not for none, and break on nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from deepgym_envs import Task, UsageError, WorkspaceState, load_task
from deepgym_envs.audit.naive import NaiveGrader, NaiveName
from deepgym_envs.sandbox import Backend
from deepgym_envs.testing import FakeBackend, completed, make_task

from ..tiny import BROKEN, make_tiny  # noqa: TID252
from .place import prey, somewhere

FIXTURES = (make_tiny, prey, somewhere)
MODULE = "tiny/__init__.py"


@pytest.fixture(params=get_args(NaiveName))
def grader(request: pytest.FixtureRequest, prey: Task, somewhere: Backend) -> Iterator[NaiveGrader]:
    with NaiveGrader(prey, somewhere, request.param) as grader:
        yield grader


def test_a_naive_grader_pays_the_solution_and_not_the_base(grader: NaiveGrader, prey: Task) -> None:
    assert grader.judge(prey.gold).accepted
    assert not grader.judge(WorkspaceState(prey.base)).accepted
    assert grader.judge(prey.gold).accepted, "what was judged before changes nothing"


def test_only_the_hardened_one_leaves_out_what_may_not_be_edited(grader: NaiveGrader, prey: Task) -> None:
    code = b"import _pytest.python\n_pytest.python.Function.runtest = lambda self: None\n"
    paid = grader.judge(WorkspaceState(prey.base).with_file("conftest.py", code)).accepted
    assert paid is (grader.design != "hardened")


@pytest.mark.slow
@pytest.mark.parametrize("design", get_args(NaiveName))
def test_cases_of_an_oracle_are_left_out(design: NaiveName, somewhere: Backend) -> None:
    task = load_task("starter/seamline-small-bars")
    assert task.oracle is not None
    with NaiveGrader(task, somewhere, design) as grader:
        assert grader.judge(task.gold).accepted
        assert not grader.judge(WorkspaceState(task.base)).accepted


def test_a_hang_is_refused(prey: Task, somewhere: Backend) -> None:
    limits = prey.limits.model_copy(update={"test_seconds": 1.0})
    manifest = prey.manifest.model_copy(update={"limits": limits})
    quick = replace(prey, manifest=manifest)
    state = WorkspaceState(quick.base).with_file(MODULE, f"while True: pass\n{BROKEN}".encode())
    with NaiveGrader(quick, somewhere, "exit-code") as grader:
        assert grader.judge(state).reason == "timeout"


@pytest.mark.parametrize(
    ("report", "reason"),
    [
        (b"<!DOCTYPE a [<!ENTITY b 'c'>]><testsuites/>", "a report that is none"),
        (b"<!DOCTYPE testsuites><testsuites/>", "a report that is none"),
        (b"<testsuites>", "a report that is none"),
        (b"\xff\xfe", "a report that is none"),
        (b"<testsuites/>", "other tests than expected"),
        (None, "no report"),
    ],
)
def test_a_report_is_parsed_strictly(prey: Task, report: bytes | None, reason: str) -> None:
    backend = FakeBackend(lambda state, _: (completed(0), state.with_file("report.xml", report)))
    with NaiveGrader(prey, backend, "junit") as grader:
        assert grader.judge(prey.gold).reason == reason


@pytest.mark.parametrize(
    ("status", "child", "accepted"),
    [(0, "", True), (1, "", False), (0, "<failure/>", False), (0, "<skipped/>", False)],
)
def test_the_exit_status_and_each_case_must_be_good(
    prey: Task, status: int, child: str, accepted: bool
) -> None:
    names = ("test_add", "test_negative", "test_double")
    cases = "".join(
        f'<testcase classname="tests.test_hidden" name="{name}">{child}</testcase>' for name in names
    )
    report = f"<testsuites><testsuite>{cases}</testsuite></testsuites>".encode()
    backend = FakeBackend(lambda state, _: (completed(status), state.with_file("report.xml", report)))
    with NaiveGrader(prey, backend, "junit") as grader:
        assert grader.judge(prey.gold).accepted is accepted


@pytest.mark.parametrize(
    ("output", "accepted"),
    [
        ("PASSED tests/test_hidden.py::{}", True),
        ("\x1b[32mPASSED\x1b[0m tests/test_hidden.py::{}", True),
        ("FAILED tests/test_hidden.py::{} - assert 1 == 2", False),
        ("PASSED tests/test_other.py::{}", False),
    ],
)
def test_the_lines_of_each_test_count(prey: Task, output: str, accepted: bool) -> None:
    names = ("test_add", "test_negative", "test_double")
    text = "\n".join(output.format(name) for name in names)
    backend = FakeBackend(lambda state, _: (completed(1, output=text.encode()), state))
    with NaiveGrader(prey, backend, "stdout") as grader:
        assert grader.judge(prey.gold).accepted is accepted


@pytest.mark.parametrize(
    ("summary", "accepted"),
    [("3 passed in 0.1s", True), ("2 passed in 0.1s", False), ("1 failed, 3 passed in 0.1s", False),
     ("3 passed, 1 error in 0.1s", False), ("nothing", False)],
)  # fmt: skip
def test_the_summary_counts_where_no_test_is_named(prey: Task, summary: str, accepted: bool) -> None:
    backend = FakeBackend(lambda state, _: (completed(0, output=summary.encode()), state))
    with NaiveGrader(prey, backend, "stdout") as grader:
        assert grader.judge(prey.gold).accepted is accepted


def test_a_task_about_tests_has_none_to_run(tmp_path: Path) -> None:
    task = make_task(
        tmp_path / "write",
        source={"tiny/__init__.py": BROKEN, "tests/test_tiny.py": "def test_nothing():\n    pass\n"},
        implementations={"wrong-sum": {"tiny/__init__.py": BROKEN.replace("a - b", "a")}},
        gold={"tests/test_tiny.py": "def test_nothing():\n    pass\n\n\n# more\n"},
        fail_to_pass=["wrong-sum"],
        pass_to_pass=["base"],
        kind="tests",
    )
    with pytest.raises(UsageError, match="judge it by 'ours'"):
        NaiveGrader(task, FakeBackend(lambda state, _: (completed(), state)), "junit")
