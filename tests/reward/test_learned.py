"""A model's opinion as a potential: from the task's words and a diff, remembered by the model's name."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from deepgym_envs import Grader, Task, WorkspaceState
from deepgym_envs.errors import ModelError, SandboxError
from deepgym_envs.reward import Learned, measured
from deepgym_envs.testing import FakeBackend

from ..tiny import fake, make_tiny, tiny  # noqa: TID252

FIXTURES = (fake, make_tiny, tiny)


def test_a_model_sees_the_instruction_and_what_counts_of_a_state_once(tiny: Task, fake: FakeBackend) -> None:
    seen: list[tuple[str, str]] = []

    def score(instruction: str, diff: str) -> float:
        seen.append((instruction, diff))
        return len(seen) / 10

    learned = Learned(score, key="model 1")
    state = tiny.gold.with_file("notes.txt", b"does not count")
    with Grader(tiny, fake) as grader:
        assert [measured(learned, grader, each) for each in (state, state, WorkspaceState(tiny.base))] == [
            0.1,
            0.1,
            0.2,
        ]
        assert measured(Learned(score, key="model 2"), grader, state) == 0.3
    assert [instruction for instruction, _ in seen] == [tiny.instruction] * 3
    assert "-    return a - b\n+    return a + b\n" in seen[0][1]
    assert "notes.txt" not in seen[0][1]
    assert seen[1][1] == ""


def test_text_that_is_not_utf8_is_shown_as_such(tiny: Task, fake: FakeBackend) -> None:
    seen: list[str] = []

    def score(instruction: str, diff: str) -> float:
        seen.append(diff)
        return 0.5

    with Grader(tiny, fake) as grader:
        measured(
            Learned(score, key="m"),
            grader,
            WorkspaceState(tiny.base).with_file("tiny/__init__.py", b"# \xff\n"),
        )
    assert "+# \ufffd\n" in seen[0]


def test_a_model_that_gives_no_answer_is_no_0_and_is_asked_again(tiny: Task, fake: FakeBackend) -> None:
    answers: Iterator[float | ModelError] = iter([ModelError("busy"), 0.5])

    def score(instruction: str, diff: str) -> float:
        answer = next(answers)
        if isinstance(answer, ModelError):
            raise answer
        return answer

    learned = Learned(score, key="model 1")
    with Grader(tiny, fake) as grader:
        with pytest.raises(SandboxError, match="the potential could not be measured: busy"):
            measured(learned, grader, tiny.gold)
        assert measured(learned, grader, tiny.gold) == 0.5


def test_a_model_without_a_name_is_refused() -> None:
    def score(instruction: str, diff: str) -> float:
        return 0.5

    with pytest.raises(ValueError, match="a learned potential needs a key"):
        Learned(score, key="")
