"""Statements in a model's words."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from deepgym_envs import load_task
from deepgym_envs.audit.attackers import Message, Reply
from deepgym_envs.generate import Rejected
from deepgym_envs.generate.wording import TRIES, reworded

TASK = load_task("starter/calends-lost-moves")
GOOD = (
    "# Lines of a feed are cut in the wrong place\n\n" + "Long lines come out longer than they may be. " * 5
)
TEST = TASK.manifest.tests.fail_to_pass[0].partition("[")[0].rpartition("::")[2]


class Writer:
    """Gives the ``answers`` one after the other, and keeps what it was told last."""

    def __init__(self, *answers: str) -> None:
        self.left = list(answers)
        self.heard: Sequence[Message] = ()

    def __call__(self, messages: Sequence[Message], /) -> Reply:
        self.heard = list(messages)
        return Reply(self.left.pop(0))


def test_what_the_model_says_is_the_statement() -> None:
    assert reworded(TASK, Writer(GOOD)) == GOOD.strip() + "\n"


def test_the_model_sees_the_tests_and_not_the_solution() -> None:
    writer = Writer(GOOD)
    reworded(TASK, writer)
    shown = "\n".join(message.content for message in writer.heard)
    assert TASK.instruction in shown
    assert f"def {TEST}" in shown
    for path, file in TASK.gold.changes.items():
        assert file is not None
        assert file.data.decode() not in shown
        assert path not in TASK.hidden


def test_a_statement_that_names_a_test_is_asked_for_again() -> None:
    writer = Writer(GOOD + f"\n\nSee {TEST}.", GOOD)
    assert reworded(TASK, writer) == GOOD.strip() + "\n"
    assert "names hidden tests" in writer.heard[-1].content


@pytest.mark.parametrize("answer", ["", "No title. " * 30, "# Short\n", "# Long\n" + "x" * 21_000])
def test_what_is_no_statement_is_refused(answer: str) -> None:
    with pytest.raises(Rejected) as caught:
        reworded(TASK, Writer(*[answer] * TRIES))
    assert caught.value.code == "not_told"


def test_a_model_that_always_gives_the_solution_away_is_refused() -> None:
    lines = [line for file in TASK.gold.changes.values() if file for line in file.data.decode().splitlines()]
    with pytest.raises(Rejected) as caught:
        reworded(TASK, Writer(*[GOOD + "\n".join(lines)[:4000]] * TRIES))
    assert caught.value.code == "leak"


def test_what_hides_text_is_taken_out() -> None:
    assert "\u202e" not in reworded(TASK, Writer(GOOD + "\u202e\x1b[31m"))
