"""Faults in the reference solution: which are chosen, and what becomes of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from deepgym_envs import Task
from deepgym_envs.audit.weakness.mutants import Fault, FaultJudge, changed_sources, faults, function_around
from deepgym_envs.errors import SandboxError
from deepgym_envs.patch import apply_patch
from deepgym_envs.rewriting import Mutant
from deepgym_envs.sandbox import Backend, Sandbox
from deepgym_envs.testing import FakeBackend, make_task

from ...tiny import SOLVED, make_tiny, tiny_tests  # noqa: TID252
from ..place import guarded, prey, somewhere  # noqa: TID252
from .soft import HIDDEN, PATH, fault, make_soft, soft

FIXTURES = (guarded, make_tiny, prey, soft, somewhere)


@pytest.fixture(scope="module")
def judge(soft: Task, somewhere: Backend) -> Iterator[FaultJudge]:
    with FaultJudge(soft, somewhere) as judge:
        yield judge


def test_faults_lie_in_lines_that_the_solution_changes_or_beside_them(soft: Task) -> None:
    chosen, _ = faults(soft, 6, 0)
    assert len(chosen) == 6
    assert {each.mutant.line for each in chosen} <= set(range(4, 12))
    assert {each.mutant.function for each in chosen} == {"price"}


def test_where_these_are_few_the_rest_of_their_functions_is_taken(tmp_path: Path) -> None:
    lines = [f"    b = b + {number}\n" for number in range(20)]
    base = "def f(b):\n" + "".join(lines) + "    return b\n\n\ndef g(b):\n    return b + 1\n"
    task = make_task(
        tmp_path / "long",
        source={"m.py": base, "tests/test_m.py": ""},
        hidden={"test_m.py": "def test_m():\n    pass\n"},
        gold={"m.py": base.replace("b + 3\n", "b - 3\n")},
        fail_to_pass=["test_m.py::test_m"],
    )
    few, near = faults(task, 4, 0)
    many, all_of_them = faults(task, 1_000, 0)
    assert {abs(each.mutant.line - 5) <= 2 for each in few} == {True}
    assert near < all_of_them == len(many)
    assert {each.mutant.function for each in many} == {"f"}


def test_the_same_seed_chooses_the_same_faults(soft: Task) -> None:
    def titles(seed: int) -> list[str]:
        return [each.title + each.mutant.after for each in faults(soft, 8, seed)[0]]

    assert titles(1) == titles(1)
    assert titles(1) != titles(2)


def test_a_fault_is_shown_as_a_diff_on_the_solution(soft: Task) -> None:
    other = fault(soft, "count < 0", "count <= 0")
    diff = other.diff(soft)
    assert "-    if count < 0:\n+    if count <= 0:\n" in diff
    assert apply_patch(soft.gold.tree(), diff.encode())[PATH].data.decode() == other.mutant.source
    assert other.title == "shop/price.py:6 in price: made"


def test_what_is_not_python_or_not_editable_has_no_faults(tmp_path: Path) -> None:
    task = make_task(
        tmp_path / "odd",
        source={"m.py": "a = 1\n", "n.py": "b = 1\n", "c.txt": "c = 1\n"},
        hidden={"test_m.py": "def test_m():\n    pass\n"},
        gold={"m.py": "a = (\n", "n.py": "b = 2\n", "c.txt": "c = 2\n"},
        fail_to_pass=["test_m.py::test_m"],
        editable=["m.py", "c.txt"],
    )
    assert list(changed_sources(task)) == []
    assert faults(task, 10, 0) == ((), 0)


def test_the_innermost_function_with_its_decorators_is_around_a_line() -> None:
    source = "@cache\ndef f():\n    def g():\n        return 1\n    return g\nx = 1\n"
    assert [function_around(source, line) for line in (1, 4, 5, 6)] == [(1, 5), (3, 4), (1, 5), None]


def test_what_tests_notice_is_killed_and_the_first_test_is_named(judge: FaultJudge, soft: Task) -> None:
    assert judge.refused is None
    judged = judge.judge(fault(soft, "count - free", "count + free"))
    assert judged.fate == "killed"
    assert judged.reason.startswith("test_hidden.py::test_one_in_ten_is_free: assert 66 == 54")


def test_what_tests_accept_has_survived(judge: FaultJudge, soft: Task) -> None:
    assert judge.judge(fault(soft, "count < 0", "count <= 0")).fate == "survived"


def test_what_cannot_be_imported_is_stillborn(judge: FaultJudge, soft: Task) -> None:
    assert judge.judge(fault(soft, '"""What things cost."""', "raise KeyError")).fate == "stillborn"


@pytest.mark.slow
def test_what_never_ends_is_timed_out_before_the_tasks_own_time_is_up(judge: FaultJudge, soft: Task) -> None:
    seen = judge.judge(fault(soft, "    free =", "    while count: pass\n    free ="))
    assert seen.fate == "timed_out"


def test_a_reference_that_is_refused_is_told(tmp_path: Path, somewhere: Backend) -> None:
    task = make_soft(tmp_path, hidden=HIDDEN.replace("== 54", "== 55"))
    with FaultJudge(task, somewhere) as judge:
        assert judge.refused == "tests_failed"


def test_what_only_deceives_the_tests_has_not_survived(guarded: Task, somewhere: Backend) -> None:
    """Every hidden test accepts what is equal to everything; the twins tell, as in any grading."""
    source = (
        SOLVED
        + """

class Equal:
    def __eq__(self, other):
        return True


def add(a, b):
    return Equal()
"""
    )
    mutant = Mutant("made", 2, 2, "add", "", "", source)
    state = guarded.gold.with_file("tiny/__init__.py", source.encode())
    with FaultJudge(guarded, somewhere) as judge:
        seen = judge.judge(Fault("tiny/__init__.py", mutant, state))
    assert (seen.fate, seen.reason) == ("killed", "twin_passed")


def test_a_box_that_cannot_be_had_later_leaves_the_fate_open(prey: Task) -> None:
    class Gone(FakeBackend):
        def open(self, task: Task) -> Sandbox:
            if self.boxes:
                raise SandboxError("the engine is gone")
            return super().open(task)

    with FaultJudge(prey, Gone(tiny_tests)) as judge:
        judged = judge.judge(faults(prey, 1, 0)[0][0])
    assert (judged.fate, judged.reason) == (None, "the engine is gone")
