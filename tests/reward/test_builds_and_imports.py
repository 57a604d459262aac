"""Modules that compile and can be imported, found out in a clean box whose word is only a claim."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

import pytest

from deepgym_envs import Grader, Memory, SandboxError, Task, WorkspaceState
from deepgym_envs.errors import BoxLost
from deepgym_envs.reward import builds_and_imports, measured
from deepgym_envs.sandbox import Backend, Command, Completed
from deepgym_envs.sandbox.bwrap import BwrapBackend
from deepgym_envs.testing import FakeBackend, completed, make_task

from ..tiny import TrustedLocalBackend, make_tiny, tiny  # noqa: TID252

FIXTURES = (make_tiny, tiny)
SOURCE = {
    "src/pkg/__init__.py": "from pkg.a import f\n",
    "src/pkg/a.py": "def f():\n    return 1\n",
    "src/pkg/b.py": "import pkg.a\n",
    "src/pkg/c.py": "import json\n",
    "src/pkg/__main__.py": "raise SystemExit('a program')\n",
    "scripts/tool-one.py": "raise RuntimeError('a program too')\n",
    "tests/test_pkg.py": "def test_f():\n    pass\n",
}
GOLD = {"src/pkg/a.py": "def f():\n    return 2\n"}
MODULES = 6


def about(folder: pytest.TempPathFactory, **options: object) -> Task:
    return make_task(
        folder.mktemp("tasks") / "imports", source=SOURCE, gold=GOLD,
        hidden={"test_hidden.py": "def test_f():\n    pass\n"}, fail_to_pass=["test_hidden.py::test_f"],
        editable=["src/**", "scripts/**"], **options,  # type: ignore[arg-type]
    )  # fmt: skip


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Task:
    return about(tmp_path_factory, pythonpath=["src"])


@pytest.fixture(scope="module")
def grader(task: Task) -> Iterator[Grader]:
    """One that has a box already."""
    with Grader(task, TrustedLocalBackend()) as grader:
        yield grader


def changed(task: Task, files: Mapping[str, str | None]) -> WorkspaceState:
    texts = {path: None if text is None else text.encode() for path, text in files.items()}
    return WorkspaceState(task.base).with_files(texts)


def value(task: Task, backend: Backend, files: Mapping[str, str | None]) -> float:
    with Grader(task, backend) as grader:
        return builds_and_imports(grader, changed(task, files))


@pytest.mark.parametrize(
    ("files", "good"),
    [
        ({}, MODULES),
        ({"src/pkg/c.py": "def (:"}, MODULES - 1),
        ({"src/pkg/c.py": "import nothing_of_that_name"}, MODULES - 1),
        ({"src/pkg/c.py": "import os\nos._exit(0)"}, MODULES - 1),
        ({"src/pkg/c.py": "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"}, MODULES - 1),
        ({"src/pkg/c.py": "raise SystemExit(0)"}, MODULES - 1),
        ({"src/pkg/c.py": "import sys\nsys.modules['pkg.c'] = sys"}, MODULES - 1),
        ({"src/pkg/c.py": "import os\nos.chdir('/')"}, MODULES),
        ({"src/pkg/c.py": "import os\nos.write(3, b'{\"good\": [0, 1, 2, 3, 4, 5]}')"}, MODULES - 1),
        ({"scripts/tool-one.py": "def (:"}, MODULES - 1),
        ({"src/pkg/__main__.py": "def (:"}, MODULES - 1),
        ({"src/pkg/a.py": "def (:"}, 2),  # the package cannot be imported, and all of it with that
        ({"src/json.py": "x = 1"}, MODULES),  # the standard library's is found first
    ],
    ids=lambda value: repr(value)[:60],
)
def test_it_is_the_share_of_the_modules(grader: Grader, files: dict[str, str | None], good: int) -> None:
    count = MODULES + (not files.keys() <= SOURCE.keys())
    assert builds_and_imports(grader, changed(grader.task, files)) == pytest.approx(good / count)


def test_without_import_folders_packages_say_where_they_begin(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    plain = about(tmp_path_factory, pythonpath=[])
    assert value(plain, TrustedLocalBackend(), {"src/pkg/c.py": "import nothing"}) == pytest.approx(5 / 6)


def test_a_package_at_the_top_makes_no_script_importable(tmp_path_factory: pytest.TempPathFactory) -> None:
    """It is imported from the workspace itself, below which everything is."""
    plain = about(tmp_path_factory, pythonpath=[])
    files = {"src/__init__.py": "", "src/pkg/__init__.py": "", "scripts/tool.py": "raise SystemExit"}
    good = ["src/__init__", "src/pkg/__init__", "a", "c", "__main__", "tool-one", "tool"]  # b imports pkg
    assert value(plain, TrustedLocalBackend(), files) == pytest.approx(len(good) / 8)


def test_what_does_not_end_in_time_is_worth_nothing(task: Task) -> None:
    assert value(task.hurried(0.5), TrustedLocalBackend(), {"src/pkg/c.py": "while True: pass"}) == 0.0


@pytest.mark.bwrap
def test_in_a_real_box_it_is_asked_once_for_a_state(task: Task) -> None:
    memory = Memory()
    with Grader(task, BwrapBackend(), memory) as grader:
        base = WorkspaceState(task.base)
        broken = base.with_file("src/pkg/c.py", b"import os\nos.fork()\nos.setsid()\n1 / 0\n")
        assert measured(builds_and_imports, grader, base) == 1.0
        assert measured(builds_and_imports, grader, broken) == pytest.approx(5 / 6)
    with Grader(task, BwrapBackend(), memory) as grader:
        grader.close()
        assert measured(builds_and_imports, grader, base) == 1.0
    assert len(memory) == 2


REPORTS = [
    b"", b"[]", b"null", b'{"good": 1}', b'{"good": [6]}', b'{"good": [-1]}', b'{"good": [true]}', b'{"good": [0.0]}',
    b'{"good": ["0"]}', b'{"good": [0], "more": 1}', b'{"good": [0]}{"good": [1]}', b"[" * 99_999, b"\xff",
    b'{"good": [], "good": [0]}', b'{"good": [NaN]}',
]  # fmt: skip


def answering(done: Completed) -> FakeBackend:
    def answer(state: WorkspaceState, command: Command) -> tuple[Completed, WorkspaceState]:
        return done, state

    return FakeBackend(answer)


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: repr(report[:30]))
def test_what_is_no_report_is_worth_nothing(task: Task, report: bytes) -> None:
    assert value(task, answering(completed(0, report=report)), {}) == 0.0


def test_a_claim_is_counted_once_and_only_of_an_end_in_good_order(task: Task) -> None:
    report = json.dumps({"good": [0, 0, 0, 1]}).encode()
    assert value(task, answering(completed(0, report=report)), {}) == pytest.approx(2 / 6)
    for done in (
        completed(1, report=report),
        completed(None, report=report),
        completed(0, report=report, report_overflow=True),
    ):
        assert value(task, answering(done), {}) == 0.0


def test_code_that_breaks_its_box_is_worth_nothing_and_a_box_that_fails_is_an_error(task: Task) -> None:
    def losing(state: WorkspaceState, command: Command) -> tuple[Completed, WorkspaceState]:
        raise BoxLost("lost", after_agent_code=bool(state.changes))

    backend = FakeBackend(losing)
    assert value(task, backend, {"src/pkg/c.py": "x"}) == 0.0
    with pytest.raises(SandboxError):
        value(task, backend, {})


def test_a_state_that_no_box_can_hold_is_worth_nothing(task: Task) -> None:
    assert value(task, FakeBackend(), {"src/pkg/c.py/d.py": "x = 1"}) == 0.0


def test_a_task_without_python_has_0(tmp_path_factory: pytest.TempPathFactory) -> None:
    text = make_task(
        tmp_path_factory.mktemp("tasks") / "text", source={"notes/a.txt": "a"}, gold={"notes/a.txt": "b"},
        hidden={"test_hidden.py": "def test_f():\n    pass\n"}, fail_to_pass=["test_hidden.py::test_f"],
        editable=["notes/**"],
    )  # fmt: skip
    assert value(text, FakeBackend(), {}) == 0.0
