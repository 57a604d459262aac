"""The share of hidden tests that pass: from a run that no agent sees, in the grading box."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from deepgym_envs import Grader, Memory, SandboxError, SweEnv, Task, WorkspaceState
from deepgym_envs.action import RunTests, Submit, WriteFile
from deepgym_envs.errors import BoxLost
from deepgym_envs.reward import fail_to_pass, hidden_tests
from deepgym_envs.sandbox import Command, Completed
from deepgym_envs.testing import FakeBackend, completed, make_task

from ..tiny import SOLVED, TrustedLocalBackend, fake, make_tiny, tiny  # noqa: TID252

FIXTURES = (fake, make_tiny, tiny)
MODULE = "tiny/__init__.py"


@pytest.mark.parametrize(
    ("module", "all_of_them", "mended"),
    [
        (None, 1 / 3, 0.0),
        (SOLVED, 1.0, 1.0),
        ("def add(:", 0.0, 0.0),
        (SOLVED.replace("2 * a", "0"), 2 / 3, 1.0),
    ],
)
def test_it_is_the_share_that_passes(
    tiny: Task, fake: FakeBackend, module: str | None, all_of_them: float, mended: float
) -> None:
    files: dict[str, bytes | None] = {} if module is None else {MODULE: module.encode()}
    state = WorkspaceState(tiny.base).with_files(files)
    with Grader(tiny, fake) as grader:
        assert hidden_tests(grader, state) == pytest.approx(all_of_them)
        assert fail_to_pass(grader, state) == pytest.approx(mended)


def test_tests_of_the_agents_own_and_what_it_may_not_edit_change_nothing(
    tiny: Task, fake: FakeBackend
) -> None:
    with Grader(tiny, fake) as grader:
        state = tiny.gold.with_file("tests/test_hidden.py", b"def test_add(): pass").with_file("x.py", b"")
        assert hidden_tests(grader, state) == 1.0
        assert sum(len(box.commands) for box in fake.boxes) == 1
        assert hidden_tests(grader, tiny.gold) == 1.0  # the same value: nobody asks twice
    assert sum(len(box.commands) for box in fake.boxes) == 1


def test_a_box_that_the_code_breaks_is_worth_nothing_and_one_that_fails_is_an_error(tiny: Task) -> None:
    for ran, error in ((True, None), (False, SandboxError)):

        def answer(
            state: WorkspaceState, command: Command, ran: bool = ran
        ) -> tuple[Completed, WorkspaceState]:
            raise BoxLost("lost", after_agent_code=ran)

        with Grader(tiny, FakeBackend(answer)) as grader:
            if error is None:
                assert hidden_tests(grader, tiny.gold) == 0.0
            else:
                with pytest.raises(error):
                    hidden_tests(grader, tiny.gold)


def test_what_is_no_report_is_worth_nothing(tiny: Task) -> None:
    def answer(state: WorkspaceState, command: Command) -> tuple[Completed, WorkspaceState]:
        return completed(0, report=b'{"test": "test_hidden.py::test_add", "when": "call"}\n\xff\n[[['), state

    with Grader(tiny, FakeBackend(answer)) as grader:
        assert hidden_tests(grader, tiny.gold) == 0.0


def test_an_agent_never_sees_that_hidden_tests_were_run(tiny: Task, fake: FakeBackend) -> None:
    env = SweEnv(tiny, fake, potential=hidden_tests, measure="every_step")
    _, info = env.reset(seed=1)
    assert info["potential"] == pytest.approx(1 / 3)
    for action in (WriteFile(path=MODULE, content=SOLVED), RunTests(), Submit()):
        observation, *_, info = env.step(action.encode())
        assert "hidden" not in repr(observation)
    assert info["passed"]
    env.close()


@pytest.fixture(scope="module")
def about_tests(tmp_path_factory: pytest.TempPathFactory) -> Task:
    """A task whose agent writes tests: of two right implementations and two wrong ones."""
    code = "def add(a, b):\n    return a + b\n"
    made: Mapping[str, Mapping[str, str | bytes]] = {
        "right-sum": {"tiny/__init__.py": code.replace("a + b", "sum((a, b))")},
        "wrong-minus": {"tiny/__init__.py": code.replace("a + b", "a - b")},
        "wrong-left": {"tiny/__init__.py": code.replace("a + b", "a")},
    }
    return make_task(
        tmp_path_factory.mktemp("tasks") / "about",
        source={"tiny/__init__.py": code, "tests/test_tiny.py": "def test_nothing():\n    pass\n"},
        implementations=made,
        gold={"tests/test_tiny.py": "from tiny import add\n\n\ndef test_add():\n    assert add(3, 2) == 5\n"},
        fail_to_pass=["wrong-minus", "wrong-left"],
        pass_to_pass=["base", "right-sum"],
        editable=["tests/**"],
        kind="tests",
    )


def test_of_a_task_about_tests_both_sides_count(about_tests: Task) -> None:
    """Tests that refuse everything tell nothing apart."""
    half = b"from tiny import add\n\n\ndef test_add():\n    assert add(3, 2) != 1\n"
    base = WorkspaceState(about_tests.base)
    broken, some = (base.with_file("tests/test_tiny.py", text) for text in (b"def (:", half))
    with Grader(about_tests, TrustedLocalBackend(), Memory()) as grader:
        states = (broken, some, about_tests.gold)
        assert [hidden_tests(grader, state) for state in states] == [0.0, 0.5, 1.0]
        assert [fail_to_pass(grader, state) for state in states] == [0.0, 0.5, 1.0]
