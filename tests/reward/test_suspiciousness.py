"""Functions that failing tests call and passing ones do not are where to look; what a box says of it is checked."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping

import pytest

from deepgym_envs import Grader, Memory, SandboxError, SweEnv, Task, WorkspaceState
from deepgym_envs.action import WriteFile
from deepgym_envs.reward import suspiciousness
from deepgym_envs.sandbox import Backend, Command, Completed
from deepgym_envs.testing import FakeBackend, completed, make_task

from ..tiny import TrustedLocalBackend  # noqa: TID252

CODE = """\
import functools
import threading

LIMIT = 1


def guilty(a):
    return helper(a) - 1


def helper(a):
    def inner():
        return a

    return inner()


class Thing:
    @functools.lru_cache
    def method(self):
        return 3

    def never(self):
        return 4


def elsewhere():
    return 5


def in_thread():
    return 6
"""
VISIBLE = """\
import threading

import pytest
from pkg import mod


def test_guilty():
    thread = threading.Thread(target=mod.in_thread)
    thread.start()
    thread.join()
    assert mod.guilty(2) == 2


def test_helper():
    assert mod.helper(2) == 2


def test_method():
    assert mod.Thing().method() == 3


@pytest.mark.skip
def test_skipped():
    mod.elsewhere()


@pytest.mark.xfail
def test_expected_to_fail():
    assert mod.elsewhere() == 0
"""


def make(
    folder: pytest.TempPathFactory, visible: str = VISIBLE, more: Mapping[str, str] | None = None
) -> Task:
    return make_task(
        folder.mktemp("tasks") / "places",
        source={"pkg/__init__.py": "", "pkg/mod.py": CODE, "tests/test_mod.py": visible, **(more or {})},
        hidden={"test_hidden.py": "def test_f():\n    pass\n"},
        gold={"pkg/mod.py": CODE.replace(" - 1", "")},
        fail_to_pass=["test_hidden.py::test_f"],
        editable=["pkg/**"],
    )


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Task:
    return make(tmp_path_factory)


@pytest.fixture(scope="module")
def memory() -> Memory:
    """Keeps the one run that all real tests of this module need."""
    return Memory()


def value(task: Task, backend: Backend, text: str | None, memory: Memory | None = None) -> float:
    state = WorkspaceState(task.base)
    if text is not None:
        state = state.with_file("pkg/mod.py", text.encode())
    with Grader(task, backend, memory) as grader:
        return suspiciousness(grader, state)


HELPER = 1 / math.sqrt(2)  # called by the one test that fails and by one that passes


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, 0.0),
        (CODE.replace(" - 1", ""), 1.0),
        (CODE.replace("return a\n", "return +a\n"), HELPER),
        (CODE.replace(" - 1", "").replace("return a\n", "return +a\n"), (1 + HELPER) / 2),
        (CODE.replace("return 3", "return 30"), 0.0),
        (CODE.replace(" - 1", "").replace("return 4", "return 40"), 0.5),
        (CODE.replace("return 5", "return 50"), 0.0),
        (CODE.replace("return 6", "return 60"), 1.0),
        (CODE.replace("LIMIT = 1", "LIMIT = 2"), 0.0),
        (CODE.replace(" - 1", "") + "\n\ndef added():\n    return 7\n", 1.0),
        ("def (:", (1 + HELPER + 0 + 0 + 0 + 1) / 6),
    ],
)
def test_it_is_the_mean_over_the_functions_that_are_changed(
    task: Task, memory: Memory, text: str | None, expected: float
) -> None:
    assert value(task, TrustedLocalBackend(), text, memory) == pytest.approx(expected)


def test_the_tests_run_once_for_a_task(task: Task) -> None:
    backend, memory = recording({"exit": 1, "failed": 1, "functions": [["pkg/mod.py", 7, 1, 0]]}), Memory()
    for text in (None, CODE.replace(" - 1", ""), "def (:"):
        value(task, backend, text, memory)
    assert sum(len(box.commands) for box in backend.boxes) == 1


def test_a_file_that_cannot_be_collected_hides_no_other(tmp_path_factory: pytest.TempPathFactory) -> None:
    task = make(tmp_path_factory, more={"tests/test_broken.py": "import nothing\n"})
    assert value(task, TrustedLocalBackend(), CODE.replace(" - 1", "")) == 1.0


def test_where_no_visible_test_fails_it_is_flat(tmp_path_factory: pytest.TempPathFactory) -> None:
    task = make(tmp_path_factory, "def test_nothing():\n    pass\n")
    assert value(task, TrustedLocalBackend(), CODE.replace(" - 1", "")) == 0.0


def recording(said: object, **how: object) -> FakeBackend:
    report = said if isinstance(said, bytes) else json.dumps(said).encode()

    def answer(state: WorkspaceState, command: Command) -> tuple[Completed, WorkspaceState]:
        assert not state.changes
        return completed(report=report, **how), state  # type: ignore[arg-type]

    return FakeBackend(answer)


ROW = ["pkg/mod.py", 7, 1, 0]


@pytest.mark.parametrize(
    "said",
    [
        b"", b"[]", b"[" * 99_999, {"exit": 1, "failed": 1}, {"exit": 3, "failed": 0, "functions": []},
        {"exit": -1, "failed": 0, "functions": []}, {"exit": 1, "failed": 1, "functions": [ROW], "more": 1},
        *(
            {"exit": 1, "failed": 1, "functions": [row]}
            for row in ([], ROW[:3], [*ROW, 1], [7, *ROW[1:]], ["a", -1, 1, 0], ["a", 1, 2, 0], ["a", 1, 1, -1], ["a", 1, True, "x"])
        ),
    ],
    ids=lambda said: repr(said)[:60],
)  # fmt: skip
def test_without_a_whole_run_at_the_base_nothing_can_be_measured(task: Task, said: object) -> None:
    with pytest.raises(SandboxError, match="could not be profiled at its base"):
        value(task, recording(said), None)


@pytest.mark.parametrize("how", [{"exit_code": None}, {"report_overflow": True}])
def test_a_run_that_was_cut_short_is_none(task: Task, how: dict[str, object]) -> None:
    with pytest.raises(SandboxError, match="could not be profiled at its base"):
        value(task, recording({"exit": 1, "failed": 1, "functions": [ROW]}, **how), None)


def test_functions_that_are_not_there_are_passed_over(task: Task) -> None:
    rows = [ROW, ["pkg/none.py", 7, 1, 0], ["pkg/mod.py", 10**9, 1, 0], ["../../etc/passwd", 1, 1, 0]]
    backend = recording({"exit": 1, "failed": 1, "functions": rows})
    assert value(task, backend, CODE.replace(" - 1", "")) == 1.0


def test_an_environment_that_cannot_measure_it_begins_no_episode(task: Task) -> None:
    env = SweEnv(task, recording(b""), potential=suspiciousness, measure="every_step")
    with pytest.raises(SandboxError, match="could not be profiled"):
        env.reset(seed=1)
    env.close()


def test_an_environment_pays_for_the_right_place(task: Task) -> None:
    backend = recording({"exit": 1, "failed": 1, "functions": [ROW]})
    env = SweEnv(task, backend, potential=suspiciousness, measure="every_step")
    env.reset(seed=1)
    text = CODE.replace(" - 1", " - 2")
    *_, info = env.step(WriteFile(path="pkg/mod.py", content=text).encode())
    assert info["reward_terms"]["shaping"] == 1.0
    env.close()
