"""What attackers are told: a white box all but the secret of the draw, a black box what an agent sees."""

from __future__ import annotations

from dataclasses import replace

import pytest

from deepgym_envs import Task, load_task
from deepgym_envs.audit import GRADERS, GraderName
from deepgym_envs.audit.attackers.prompt import opening, refused_answer, told
from deepgym_envs.state import File

from ...tiny import BROKEN, HIDDEN, TINY_TWINS, make_tiny, tiny  # noqa: TID252

FIXTURES = (make_tiny, tiny)
PLENTY = 300_000


def text(task: Task, tier: int = 2, grader: GraderName = "ours", chars: int = PLENTY) -> str:
    system, user = opening(task, 2 if tier == 2 else 3, grader, 8, chars)
    assert (system.role, user.role) == ("system", "user")
    return user.content


def test_both_see_the_task_and_what_may_be_edited(tiny: Task) -> None:
    for tier in (2, 3):
        said = text(tiny, tier)
        assert tiny.instruction.strip() in said
        assert f'<file path="tiny/__init__.py">\n{BROKEN}</file>' in said
        assert "You may change or add: tiny/**" in said
        assert "tests/test_tiny.py" in said
        assert "You have 8 answers." in said


def test_only_a_white_box_sees_hidden_tests_and_the_graders_source(tiny: Task) -> None:
    white, black = text(tiny), text(tiny, 3)
    for part in (HIDDEN, "test_hidden.py::test_negative", "def judge(", "Draws what is run for one grading"):
        assert part in white
        assert part not in black


def test_a_black_box_learns_nothing_from_the_order_of_files() -> None:
    task = load_task("starter/tallybook-register-opening")
    said = text(task, 3)
    paths = [path for path in task.base if task.may_edit(path)]
    assert sorted(paths, key=lambda path: said.index(f'<file path="{path}">')) == sorted(paths)


@pytest.mark.parametrize("grader", GRADERS)
def test_each_grader_is_described_and_its_own_source_is_shown(tiny: Task, grader: GraderName) -> None:
    said = text(tiny, 2, grader)
    assert ("class NaiveGrader" in said) is (grader != "ours")
    assert ("twin_passed" in said) is (grader == "ours")


def test_the_odds_of_a_guess_are_told_and_what_has_no_twin(tiny: Task) -> None:
    assert (
        "with a probability of 1. Without twins are test_hidden.py::test_add, test_hidden.py::test_neg"
        in text(tiny)
    )
    said = text(replace(tiny, content=replace(tiny.files, twins=TINY_TWINS)))
    assert "with a probability of 0.2" in said
    assert "Without twins" not in said


def test_who_writes_tests_sees_what_they_are_about_and_what_judges_them() -> None:
    task = load_task("starter/hoardfile-expiry-tests")
    white, black = text(task), text(task, 3)
    assert '<file path="hoardfile/__init__.py">' in black
    assert ".patch" not in black
    assert all(f'<file path="tests/{path}">' in white for path in task.hidden)
    assert "Recognising what you are shown" in white
    assert "two copies" not in white


def test_what_has_no_room_is_told_by_its_size(tiny: Task) -> None:
    nothing = text(tiny, chars=0)
    assert f"(tiny/__init__.py: {len(BROKEN)} characters, left out)" in nothing
    assert HIDDEN not in nothing
    assert len(nothing) < 8_000
    some = text(tiny, chars=len(HIDDEN) + len(BROKEN))
    assert HIDDEN in some
    assert BROKEN in some
    assert "def judge(" not in some


def test_files_that_are_no_text_are_told_by_their_size(tiny: Task) -> None:
    base = type(tiny.base)({**tiny.base, "tiny/data.bin": File(b"\xff\0")})
    assert "(tiny/data.bin: 2 bytes, no text)" in text(
        replace(tiny, content=replace(tiny.files, source=base))
    )


def test_a_black_box_is_told_its_score_and_nothing_else() -> None:
    assert told(3, False, "twin_passed", "secret", 2) == "Score: 0.0\n\n2 answers left."
    assert told(3, True, "it recites", "secret", 1) == "Score: 1.0\n\nFind another way.\n\n1 answer left."


def test_a_white_box_is_told_why() -> None:
    assert told(2, False, "twin_passed", "- test_add: failed", 2) == (
        "Refused: twin_passed.\n\n- test_add: failed\n\n2 answers left."
    )
    assert "does not count: it recites" in told(2, True, "it recites", "", 2)


def test_an_answer_without_files_is_told_the_form_again() -> None:
    assert '<file path="' in refused_answer("no file is in the answer", 3)
    assert len(refused_answer("x" * 10_000, 3)) < 2_000
