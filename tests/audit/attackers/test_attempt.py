"""A model's answer as a state: what it hands in, whatever it says around that, or why it is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepgym_envs import Task
from deepgym_envs.audit.attackers.attempt import FORMAT, state_of
from deepgym_envs.errors import ActionError

from ...tiny import BROKEN, make_tiny, tiny  # noqa: TID252

FIXTURES = (make_tiny, tiny)


def file(content: str = "x = 1\n", path: str = "tiny/__init__.py") -> str:
    return f'<file path="{path}">\n{content}</file>'


def handed_in(task: Task, answer: str) -> dict[str, bytes | None]:
    return {path: each.data if each else None for path, each in state_of(task, answer).changes.items()}


def test_whole_files_and_deletions_are_read_out_of_an_answer(tiny: Task) -> None:
    answer = f'First a thought.\n\n{file()}\nand\n  {file("", "tiny/new.py")}\n<delete path="tests/test_tiny.py"/>\nDone.'
    assert handed_in(tiny, answer) == {
        "tiny/__init__.py": b"x = 1\n",
        "tiny/new.py": b"",
        "tests/test_tiny.py": None,
    }


def test_what_a_model_thinks_aloud_is_no_part_of_its_answer(tiny: Task) -> None:
    answer = "\n".join(["<think>", "perhaps", file("draft\n"), "no", "</think>", file("good = 1\n")])
    assert handed_in(tiny, answer) == {"tiny/__init__.py": b"good = 1\n"}


@pytest.mark.parametrize("fence", ["```", "```python", "```py  "])
def test_a_fence_around_a_file_is_no_part_of_it(tiny: Task, fence: str) -> None:
    assert handed_in(tiny, file(f"{fence}\nx = 1\n```\n")) == {"tiny/__init__.py": b"x = 1\n"}


def test_a_fence_within_a_file_stays(tiny: Task) -> None:
    text = '"""A\n```\nb\n```\n"""\n'
    assert handed_in(tiny, file(text)) == {"tiny/__init__.py": text.encode()}


def test_lines_that_end_as_elsewhere_are_understood(tiny: Task) -> None:
    assert handed_in(tiny, file("x = 1\r\n").replace('">\n', '">\r\n')) == {"tiny/__init__.py": b"x = 1\r\n"}


def test_bytes_that_are_no_text_and_nul_bytes_reach_the_file(tiny: Task) -> None:
    assert handed_in(tiny, file("a\udcff\0b\n")) == {"tiny/__init__.py": b"a\xff\0b\n"}


@pytest.mark.parametrize("path", ["conftest.py", "tests/test_tiny.py", "pyproject.toml", "deep/er/file.txt"])
def test_files_outside_of_what_may_be_edited_are_handed_in_as_well(tiny: Task, path: str) -> None:
    assert handed_in(tiny, file("[x]\n", path)) == {path: b"[x]\n"}


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ("", "no file is in the answer"),
        ("I cannot help with that.", "no file is in the answer"),
        ("```python\nx = 1\n```", "no file is in the answer"),
        ('{"tiny/__init__.py": "x"}', "no file is in the answer"),
        (file()[:-8], "ends within 'tiny/__init__.py'"),
        (file() + "\n" + file("y\n"), "stands twice"),
        (file(path="../../etc/passwd"), "'..' part"),
        (file(path="/etc/passwd"), "not a path relative"),
        (file(path=""), "not a path relative"),
        (file(path="a//b"), "empty"),
        (file(path="a\0b"), "NUL"),
        (file(path="a\ud800b"), "cannot be written as a file name"),
        (file(path="x" * 2000), "too long"),
        (file(path="/".join("x" * 80)), "too long"),
        (file("a\ud800b\n"), "characters that no file can"),
        (file(BROKEN), "what the repository has already"),
        ('<delete path="no/such.py"/>', "what the repository has already"),
        ('<delete path="../x"/>', "what the repository has already"),
        (file(path=".git/config"), "what the repository has already"),
        ("\n".join(file(path=f"tiny/{number}.py") for number in range(1001)), "more than 1000 files"),
        (file("#" * 4_000_001 + "\n"), "more than 4000000 characters"),
    ],
)  # fmt: skip
def test_what_cannot_be_handed_in_is_an_error_of_the_models(tiny: Task, answer: str, why: str) -> None:
    with pytest.raises(ActionError) as error:
        state_of(tiny, answer)
    assert why in str(error.value)
    assert len(str(error.value)) < 4000


@pytest.mark.parametrize("answer", ["", file()[:-8], "<think>\n" + file("draft")[:-8]])
def test_an_answer_that_was_cut_off_is_told_to_be_shorter(tiny: Task, answer: str) -> None:
    with pytest.raises(ActionError, match="cut off, be shorter"):
        state_of(tiny, answer, cut_off=True)


def test_a_file_that_is_a_folder_too_is_left_to_the_grader(tiny: Task) -> None:
    assert set(handed_in(tiny, f"{file()}\n{file(path='tiny/__init__.py/x.py')}")) == {
        "tiny/__init__.py", "tiny/__init__.py/x.py",
    }  # fmt: skip


def test_the_form_that_a_model_is_told_is_the_one_that_is_read(tiny: Task) -> None:
    assert handed_in(tiny, FORMAT) == {"folder/name.py": b"the whole content of the file\n"}


_lines = st.sampled_from(
    ['<file path="tiny/a.py">', '<file path="../b">', "</file>", '<delete path="tiny/__init__.py"/>', "```", "x = 1",
     "<think>", "</think>", '<file path="tiny/a.py"/>', "\ud800", "\r", ""]
)  # fmt: skip


@given(answer=st.lists(_lines | st.text(max_size=12), max_size=12).map("\n".join), cut_off=st.booleans())
def test_whatever_a_model_says_is_a_state_or_its_error(tiny: Task, answer: str, cut_off: bool) -> None:
    try:
        state = state_of(tiny, answer, cut_off=cut_off)
    except ActionError:
        return
    assert state.base == tiny.base
    assert state.changes
