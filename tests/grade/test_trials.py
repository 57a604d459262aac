"""In a task about tests, the repository's tests are on trial: they must tell right implementations from wrong."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from statistics import median

import pytest

from deepgym_envs import Grader, Task, TaskError, WorkspaceState
from deepgym_envs.sandbox import Backend
from deepgym_envs.suite import load_suite, load_task
from deepgym_envs.task_checks import static_findings
from deepgym_envs.testing import make_task
from deepgym_envs.validation import validate

from ..tiny import backend, isolating  # noqa: TID252

FIXTURES = backend, isolating
ABSOLUTE = "def absolute(a):\n    return -a if a < 0 else a\n"
BLUNT = "from sums import absolute\n\n\ndef test_absolute():\n    absolute(1)\n"
SHARP = """\
from sums import absolute


def test_absolute():
    assert [absolute(a) for a in (-2, -1, 0, 1, 2)] == [2, 1, 0, 1, 2]
"""
IMPLEMENTATIONS = {
    "right-largest": {"sums/__init__.py": "def absolute(a):\n    return max(a, -a)\n"},
    "right-elsewhere": {
        "sums/__init__.py": "from sums.parts import absolute\n",
        "sums/parts.py": "def absolute(number):\n    return (number * number) ** 0.5\n",
    },
    "wrong-identity": {"sums/__init__.py": "def absolute(a):\n    return a\n"},
    "wrong-negative": {"sums/__init__.py": "def absolute(a):\n    return -a\n"},
    "wrong-one": {"sums/__init__.py": ABSOLUTE.replace("a < 0", "a < -1")},
}
WRONG = ["wrong-identity", "wrong-negative", "wrong-one"]
RIGHT = ["base", "right-elsewhere", "right-largest"]


def made(folder: Path, **changed: object) -> Task:
    options: dict[str, object] = {
        "source": {"sums/__init__.py": ABSOLUTE, "tests/test_sums.py": BLUNT},
        "implementations": IMPLEMENTATIONS,
        "gold": {"tests/test_sums.py": SHARP},
        "fail_to_pass": WRONG,
        "pass_to_pass": RIGHT,
        "kind": "tests",
        "repo": "sums",
        **changed,
    }
    return make_task(folder / "absolute", **options)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Task:
    return made(tmp_path_factory.mktemp("trials"))


def test_sharp_tests_pass_and_blunt_ones_do_not(task: Task, backend: Backend) -> None:
    with Grader(task, backend) as grader:
        good, bad = grader.grade(task.gold), grader.grade(WorkspaceState(task.base))
    assert (good.reward, good.reason) == (1.0, "passed")
    assert good.tests == dict.fromkeys(task.expected, "passed")
    assert (bad.reward, bad.reason) == (0.0, "tests_failed")
    assert bad.tests == dict.fromkeys(RIGHT, "passed") | dict.fromkeys(WRONG, "failed")


@pytest.mark.parametrize(
    ("tests", "failed"),
    [
        pytest.param(SHARP.replace("[2, 1", "[2, 2"), RIGHT, id="wrong about what is right"),
        pytest.param(
            "import inspect, sums\n\n\ndef test_source():\n    assert 'if a < 0' in inspect.getsource(sums)\n",
            RIGHT[1:],
            id="looks at the source",
        ),
        pytest.param("def test_nothing():\n    assert False\n", RIGHT, id="refuses all"),
        pytest.param("", RIGHT + WRONG, id="no tests at all"),
        pytest.param(
            "import pytest\n\npytest.skip(allow_module_level=True)\n", RIGHT + WRONG, id="skips all"
        ),
        pytest.param("import os\n\n\ndef test_end():\n    os._exit(0)\n", RIGHT + WRONG, id="ends early"),
        pytest.param("import sums.missing\n", RIGHT, id="cannot be imported"),
    ],
)
def test_tests_that_are_wrong_about_an_implementation_fail(
    task: Task, backend: Backend, tests: str, failed: list[str]
) -> None:
    with Grader(task, backend) as grader:
        verdict = grader.grade(task.gold.with_file("tests/test_sums.py", tests.encode()))
    assert verdict.reward == 0.0
    assert sorted(name for name, outcome in verdict.tests.items() if outcome != "passed") == sorted(failed)


def test_a_suite_cannot_leave_word_for_the_next_implementation(task: Task, backend: Backend) -> None:
    counts = """\
import pathlib, tempfile

def test_count():
    for place in (pathlib.Path("count"), pathlib.Path(tempfile.gettempdir(), "count")):
        assert not place.exists()
        place.write_text("seen")
"""
    with Grader(task, backend) as grader:
        verdict = grader.grade(task.gold.with_file("tests/test_sums.py", counts.encode()))
    assert [verdict.tests[name] for name in RIGHT] == ["passed"] * 3


def test_a_suite_without_end_is_a_timeout(tmp_path: Path, backend: Backend) -> None:
    task = made(tmp_path)
    limits = task.limits.model_copy(update={"test_seconds": 1.0})
    hurried = replace(task, manifest=task.manifest.model_copy(update={"limits": limits}))
    with Grader(hurried, backend) as grader:
        verdict = grader.grade(task.gold.with_file("tests/test_sums.py", b"while True:\n    pass\n"))
    assert (verdict.reward, verdict.reason) == (0.0, "timeout")


def test_what_an_agent_does_outside_the_tests_does_not_count(task: Task, backend: Backend) -> None:
    broken = task.gold.with_file("sums/__init__.py", b"def absolute(a):\n    return 5\n")
    with Grader(task, backend) as grader:
        verdict = grader.grade(broken)
    assert verdict.passed
    assert verdict.flags == ("outside_editable:sums/__init__.py",)


def test_it_is_validated_like_any_other(task: Task, backend: Backend) -> None:
    found = validate(task, backend=backend, repeats=2)
    assert found.clean, found.reasons
    assert (found.figures["fail_to_pass"], found.figures["pass_to_pass"]) == (3, 3)


@pytest.mark.parametrize(
    ("changed", "code", "said"),
    [
        ({"fail_to_pass": WRONG[:2]}, "unlisted_test", "wrong-one"),
        ({"pass_to_pass": [*RIGHT, "wrong-identity"], "fail_to_pass": WRONG[1:]}, "fails_before", "no test fails"),
        ({"fail_to_pass": [*WRONG, "right-largest"], "pass_to_pass": RIGHT[:2]}, "passes_too_early", "right-largest"),
        ({"gold": {"tests/test_sums.py": SHARP.replace("-1,", "").replace("2, 1, 0", "2, 0")}}, "gold_fails", "wrong-one"),
        ({"pass_to_pass": RIGHT[1:]}, "bad_implementation", "does not list 'base'"),
        (
            {"implementations": {**IMPLEMENTATIONS, "wrong-tests": {"tests/test_sums.py": SHARP}}, "fail_to_pass": [*WRONG, "wrong-tests"]},
            "bad_implementation",
            "which the agent may edit",
        ),
    ],
)  # fmt: skip
@pytest.mark.bwrap
def test_what_is_wrong_with_one_is_said(
    tmp_path: Path, changed: dict[str, object], code: str, said: str
) -> None:
    from deepgym_envs.sandbox.bwrap import BwrapBackend  # noqa: PLC0415

    found = validate(made(tmp_path, **changed), backend=BwrapBackend(), repeats=1)
    assert [finding.code for finding in found.reasons] == [code]
    assert said in found.reasons[0].message


def test_a_patch_that_does_not_apply_is_found(tmp_path: Path) -> None:
    made(tmp_path)
    (tmp_path / "absolute/tests/wrong-one.patch").write_text("no patch\n")
    task = Task.from_folder(tmp_path / "absolute", tmp_path / "repos")
    found = [finding for finding in static_findings(task) if not finding.warning]
    assert [finding.code for finding in found] == ["bad_implementation"]
    assert "tests/wrong-one.patch" in found[0].message


def test_words_that_hold_an_implementations_name_are_no_leak(tmp_path: Path) -> None:
    said = "# Database\n\nThe base of it is not tested.\n"
    assert [f.code for f in static_findings(made(tmp_path, instruction=said)) if not f.warning] == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (
            {"fail_to_pass": ["test_sums.py::test_absolute"]},
            'implementations judge a task of kind "tests"',
        ),
        ({"kind": "bug", "hidden": {"test_x.py": ""}}, "a pytest node id"),
        ({"fail_to_pass": ["wrong-missing"]}, "there is no tests/wrong-missing.patch"),
    ],
)
def test_the_kind_decides_what_judges(tmp_path: Path, changed: dict[str, object], said: str) -> None:
    with pytest.raises(TaskError, match=said):
        made(tmp_path, **changed)


def test_implementations_that_their_size_tells_apart_are_found(tmp_path: Path) -> None:
    few = {name: files for name, files in IMPLEMENTATIONS.items() if name != "right-largest"}
    task = made(tmp_path, implementations=few, pass_to_pass=RIGHT[:2])
    [found] = [finding for finding in static_findings(task) if not finding.warning]
    assert found.code == "told_by_size"
    assert "each right one changes 5 lines or more, each wrong one 2 or less" in found.message


def changed_lines(old: str, new: str) -> int:
    parts = difflib.SequenceMatcher(None, old.splitlines(), new.splitlines(), autojunk=False).get_opcodes()
    return sum(end - begin + to - since for tag, begin, end, since, to in parts if tag != "equal")


def changed_length(old: str, new: str) -> int:
    return abs(len(new.splitlines()) - len(old.splitlines()))


def changed_bytes(old: str, new: str) -> int:
    return abs(len(new.encode()) - len(old.encode()))


def changed_files(old: str, new: str) -> int:
    return int(old != new)


Measure = Callable[[str, str], int]
MEASURES = (changed_lines, changed_length, changed_bytes, changed_files)
SIZE_SUITE = """\
import difflib
import pathlib

BASE = {base!r}


{measure}

def test_size():
    files = [path for path in pathlib.Path().rglob("*.py") if path.parts[0] != "tests"]
    there = {{path.as_posix(): path.read_text() for path in files}}
    assert not 0 < sum({name}(BASE.get(path, ""), there.get(path, "")) for path in {{*BASE, *there}}) <= {limit}
"""


def sizes(task: Task, measure: Measure) -> dict[str, int]:
    """How far each implementation is from the base."""

    def text(state: WorkspaceState, path: str) -> str:
        file = state.get(path)
        return file.data.decode() if file else ""

    base = WorkspaceState(task.base)
    return {
        name: sum(measure(text(base, path), text(state, path)) for path in state.changes)
        for name, state in task.implementations.items()
    }


def right(names: Iterable[str]) -> set[str]:
    return {name for name in names if not name.startswith("wrong-")}


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize(
    "task",
    [task for task in load_suite("starter") if task.manifest.kind == "tests"],
    ids=lambda task: task.id,
)
def test_no_size_of_a_change_tells_right_from_wrong(task: Task, measure: Measure) -> None:
    size = sizes(task, measure)
    for limit in {0, *size.values()}:
        assert {name for name in size if not 0 < size[name] <= limit} != right(size)
        assert {name for name in size if size[name] <= limit} != right(size)
    least = min(size[name] for name in right(size) if name != "base")
    if measure is changed_lines:
        assert least <= median(size[name] for name in size.keys() - right(size))


@pytest.mark.slow
@pytest.mark.parametrize("measure", [changed_lines, changed_bytes])
def test_a_suite_that_measures_the_change_fails(isolating: Backend, measure: Measure) -> None:
    task = load_task("starter/drover-retry-tests")
    size = sizes(task, measure)
    accepted = {
        limit: {name for name in size if not 0 < size[name] <= limit} for limit in {0, *size.values()}
    }
    limit = min(accepted, key=lambda limit: len(accepted[limit] ^ right(size)))
    sources = {path: file.data.decode() for path, file in task.base.items() if path.endswith(".py")}
    suite = SIZE_SUITE.format(
        base={path: text for path, text in sources.items() if not path.startswith("tests/")},
        measure=inspect.getsource(measure), name=measure.__name__, limit=limit,
    )  # fmt: skip
    state = WorkspaceState(task.base, {path: None for path in task.base if path.startswith("tests/")})
    with Grader(task, isolating) as grader:
        verdict = grader.grade(state.with_file("tests/test_size.py", suite.encode()))
    wrong_about = {name for name, outcome in verdict.tests.items() if outcome != "passed"}
    assert (verdict.reward, wrong_about) == (0.0, accepted[limit] ^ right(size))
