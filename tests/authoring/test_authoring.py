"""From nothing to a task: templates, the workbench, and what is recorded."""

from __future__ import annotations

import json
import resource
import tomllib
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

import pytest

from deepgym_envs import Task, TaskError, WorkspaceState
from deepgym_envs.authoring import WORK, lay_out, new_repo, new_task, pack, record
from deepgym_envs.authoring.record import write_whole
from deepgym_envs.errors import UnknownTask, UsageError
from deepgym_envs.patch import apply_patch
from deepgym_envs.recipe import PYTEST_PINS, load_recipe
from deepgym_envs.sandbox import Backend
from deepgym_envs.source import source_tree
from deepgym_envs.state import Tree
from deepgym_envs.suite import load_suite, load_task, task_ids
from deepgym_envs.task_checks import static_findings
from deepgym_envs.task_writer import write_task
from deepgym_envs.validation import validate

from ..tiny import backend  # noqa: TID252

FIXTURES = (backend,)
MODULE = "adder/__init__.py"
HIDDEN = "from adder import add\n\n\ndef test_sum():\n    assert add(20, 3) == 23\n\n\ndef test_zero():\n    assert add(7, 0) == 7\n"


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """A suite with a new repository and a new task, nothing done yet."""
    new_repo(tmp_path / "own/repos/adder")
    new_task(tmp_path / "own/sums", "adder", title="add subtracts")
    return tmp_path / "own"


def spoil(folder: Path) -> None:
    file = folder / WORK / "base" / MODULE
    file.write_text(file.read_text().replace("a + b", "a - b"))


def test_a_new_repository_is_a_good_one(suite: Path) -> None:
    recipe = load_recipe("adder", suite / "repos")
    assert {"README.md", "CHANGELOG.md", "pyproject.toml", MODULE, "tests/test_add.py"} == set(
        source_tree(recipe)
    )


def test_a_new_repository_asks_for_a_python_that_its_requirements_run_on(suite: Path) -> None:
    recipe = load_recipe("adder", suite / "repos")
    project = tomllib.loads(source_tree(recipe)["pyproject.toml"].data.decode())["project"]
    assert recipe.needs.pip == PYTEST_PINS
    assert recipe.python == project["requires-python"] == ">=3.10"


@pytest.mark.parametrize("pin", PYTEST_PINS)
def test_what_is_pinned_runs_on_the_oldest_python_that_a_new_repository_accepts(pin: str) -> None:
    name, version = pin.split("==")
    try:
        needs = metadata(name)
    except PackageNotFoundError:
        pytest.skip(f"{name} is not installed here")
    if needs["Version"] != version:
        pytest.skip(f"{name} {needs['Version']} is installed here, not {version}")
    assert int(needs["Requires-Python"].removeprefix(">=3.")) <= 10


def test_from_a_new_folder_to_a_task_that_is_clean(suite: Path, backend: Backend) -> None:
    spoil(suite / "sums")
    (suite / "sums/tests/test_sums.py").write_text(HIDDEN)
    done = record(suite / "sums", backend)
    assert done.patches == ("base.patch", "solution.patch")
    assert done.manifest.tests.fail_to_pass == ("test_sums.py::test_sum",)
    assert done.manifest.tests.pass_to_pass == ("test_sums.py::test_zero",)
    assert (done.figures.files, done.figures.lines, done.figures.visible_failing) == (1, 2, 1)
    [task] = load_suite(suite)
    assert (task.manifest, task.figures) == (done.manifest, done.figures)
    assert [finding.code for finding in static_findings(task) if not finding.warning] == ["template"]
    (suite / "sums/instruction.md").write_text("# add subtracts\n\nIt should add.\n")
    assert validate(load_task(suite / "sums"), backend=backend, repeats=1).clean


def test_recording_again_changes_nothing_and_follows_the_files(suite: Path, backend: Backend) -> None:
    spoil(suite / "sums")
    (suite / "sums/tests/test_sums.py").write_text(HIDDEN)
    record(suite / "sums", backend)
    before = Tree.from_folder(suite)
    record(suite / "sums", backend)
    assert Tree.from_folder(suite) == before
    (suite / "sums/tests/test_sums.py").rename(suite / "sums/tests/test_totals.py")
    (suite / "sums/scripts").mkdir()
    (suite / "sums/scripts/direct.jsonl").write_text('{"tool": "run_tests"}\n')
    done = record(suite / "sums", backend)
    assert done.manifest.tests.fail_to_pass == ("test_totals.py::test_sum",)
    assert done.figures.tool_calls == 1


def test_a_task_about_tests_is_recorded_too(suite: Path, backend: Backend) -> None:
    work = new_task(suite / "blunt", "adder", kind="tests") / WORK
    base = Tree.from_folder(work / "base")
    for name, body in (
        ("right-flipped", "b + a"),
        ("wrong-minus", "a - b"),
        ("wrong-eight", "8 if a == 8 else a + b"),
    ):
        (work / name).mkdir()
        base.write_to(work / name)
        (work / name / MODULE).write_text(f"def add(a, b):\n    return {body}\n")
    with (work / "solution/tests/test_add.py").open("a") as file:
        file.write("\n\ndef test_eight():\n    assert add(8, 3) == 11\n")
    done = record(suite / "blunt", backend)
    assert done.manifest.tests.fail_to_pass == ("wrong-eight",)
    assert done.manifest.tests.pass_to_pass == ("base", "right-flipped", "wrong-minus")
    assert set(done.patches) == {
        "solution.patch", "tests/right-flipped.patch", "tests/wrong-minus.patch", "tests/wrong-eight.patch",
    }  # fmt: skip


def test_a_test_that_fails_with_the_solution_is_named_and_nothing_is_listed(
    suite: Path, backend: Backend
) -> None:
    spoil(suite / "sums")
    (suite / "sums/tests/test_sums.py").write_text(HIDDEN.replace("== 7", "== 8"))
    before = (suite / "sums/task.toml").read_text()
    with pytest.raises(TaskError, match=r"test_sums\.py::test_zero \(assert 7 == 8\)"):
        record(suite / "sums", backend)
    assert (suite / "sums/task.toml").read_text() == before
    assert not (suite / "sums/figures.json").exists()


def test_a_record_that_fails_between_two_files_leaves_the_manifest_as_it_was(
    suite: Path, backend: Backend
) -> None:
    spoil(suite / "sums")
    (suite / "sums/tests/test_sums.py").write_text(HIDDEN)
    (suite / "sums/figures.json").mkdir()
    before = (suite / "sums/task.toml").read_bytes()
    with pytest.raises(OSError, match="directory"):
        record(suite / "sums", backend)
    assert (suite / "sums/task.toml").read_bytes() == before
    assert not list((suite / "sums").glob(".*"))


def test_a_file_that_cannot_be_written_to_its_end_stays_what_it_was(tmp_path: Path) -> None:
    place = tmp_path / "task.toml"
    place.write_bytes(b"old")
    allowed = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, allowed[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            write_whole(place, b"new" * 1000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, allowed)
    assert [place.read_bytes() for place in tmp_path.iterdir()] == [b"old"]


def test_a_written_file_keeps_its_mode_and_what_leads_to_it(tmp_path: Path) -> None:
    place, link = tmp_path / "task.toml", tmp_path / "link.toml"
    place.write_bytes(b"old")
    place.chmod(0o640)
    link.symlink_to(place)
    write_whole(link, b"new")
    assert (place.read_bytes(), place.stat().st_mode & 0o777, link.is_symlink()) == (b"new", 0o640, True)


def test_without_hidden_tests_nothing_is_listed(suite: Path, backend: Backend) -> None:
    spoil(suite / "sums")
    with pytest.raises(TaskError, match="no hidden test passes with the solution; write tests/"):
        record(suite / "sums", backend)


def test_a_task_in_which_nothing_was_done_says_what_is_missing(suite: Path, backend: Backend) -> None:
    with pytest.raises(TaskError, match=r"is the same as .*/work/base; put the problem into the base"):
        record(suite / "sums", backend)
    with pytest.raises(
        TaskError, match=r"solution\.patch: there is no such file; 'deepgym-envs record' writes it"
    ):
        load_task(suite / "sums")


@pytest.mark.parametrize("task_id", task_ids("starter"))
def test_laying_out_and_packing_a_bundled_task_changes_no_state(task_id: str, tmp_path: Path) -> None:
    original = load_task(task_id)
    folder = write_task(original, tmp_path / "starter")
    work = lay_out(folder)
    assert Tree.from_folder(work / "base") == original.base
    assert Tree.from_folder(work / "solution") == original.gold.tree()
    pack(folder)
    again = load_task(folder)
    assert (again.base, again.gold) == (original.base, original.gold)
    assert {name: state.digest for name, state in again.implementations.items()} == {
        name: state.digest for name, state in original.implementations.items()
    }


def test_deleted_and_executable_files_survive_the_workbench(suite: Path) -> None:
    work = suite / "sums" / WORK
    (work / "base/CHANGELOG.md").unlink()
    (work / "solution/run.sh").write_text("#!/bin/sh\n")
    (work / "solution/run.sh").chmod(0o755)
    pack(suite / "sums")
    source = source_tree(load_recipe("adder", suite / "repos"))
    base = apply_patch(source, (suite / "sums/base.patch").read_bytes())
    assert set(source) - set(base) == {"CHANGELOG.md"}
    solved = apply_patch(base, (suite / "sums/solution.patch").read_bytes())
    assert solved["run.sh"].executable
    assert "CHANGELOG.md" in solved


def test_what_no_longer_differs_has_no_patch(suite: Path) -> None:
    spoil(suite / "sums")
    assert pack(suite / "sums") == ("base.patch", "solution.patch")
    (suite / "sums" / WORK / "base" / MODULE).write_bytes(
        (suite / "sums" / WORK / "solution" / MODULE).read_bytes()
    )
    assert pack(suite / "sums") == ()
    assert not list((suite / "sums").glob("*.patch"))


def test_nothing_is_overwritten(suite: Path) -> None:
    with pytest.raises(UsageError, match="is there already"):
        new_repo(suite / "repos/adder")
    with pytest.raises(UsageError, match="is there already"):
        new_task(suite / "sums", "adder")
    with pytest.raises(UsageError, match="is there already"):
        lay_out(suite / "sums")


@pytest.mark.parametrize("name", ["Adder", "a-b", "9a", "a b", "..", "é"])
def test_a_name_that_is_no_package_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="cannot be the name of a package"):
        new_repo(tmp_path / "repos" / name)


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("own/repos", "cannot be the name of a task"),
        ("own/a b", "cannot be the name of a task"),
        ("Own/a", "in lower case"),
    ],
)
def test_a_place_that_is_no_task_is_refused(tmp_path: Path, place: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        new_task(tmp_path / place, "tallybook")


def test_a_task_may_be_about_a_bundled_repository_or_about_none_that_is_missing(suite: Path) -> None:
    new_task(suite / "ledger", "tallybook")
    assert (suite / "ledger" / WORK / "base/tallybook/money.py").is_file()
    with pytest.raises(UnknownTask, match="did you mean 'adder'"):
        new_task(suite / "other", "addre")
    assert not (suite / "other").exists()


@pytest.mark.parametrize("title", ['say "hello"', "back\\slash", "two\nlines"])
def test_a_title_that_would_break_the_manifest_is_refused(suite: Path, title: str) -> None:
    with pytest.raises(UsageError, match="the title"):
        new_task(suite / "other", "adder", title=title)


def test_a_folder_that_is_no_state_is_named(suite: Path) -> None:
    (suite / "sums" / WORK / "wrong-sign").mkdir()
    with pytest.raises(TaskError, match=r"wrong-sign: is neither base nor solution"):
        pack(suite / "sums")


def test_links_on_the_workbench_are_refused(suite: Path) -> None:
    (suite / "sums" / WORK / "base/link").symlink_to("/etc/passwd")
    with pytest.raises(TaskError, match="only regular files and folders"):
        pack(suite / "sums")


def test_figures_that_are_no_figures_are_refused(suite: Path) -> None:
    spoil(suite / "sums")
    pack(suite / "sums")
    for text, said in (("{", "not JSON"), ('{"file": 1}', "did you mean 'files'"), ("[1]", "figures")):
        (suite / "sums/figures.json").write_text(text)
        with pytest.raises(TaskError, match=said):
            load_task(suite / "sums")


def test_old_figures_are_noticed(suite: Path, backend: Backend) -> None:
    spoil(suite / "sums")
    (suite / "sums/tests/test_sums.py").write_text(HIDDEN)
    done = record(suite / "sums", backend)
    old = {**done.figures.model_dump(), "lines": 99}
    (suite / "sums/figures.json").write_text(json.dumps(old))
    found = validate(load_task(suite / "sums"), backend=backend, repeats=1)
    assert "run 'deepgym-envs record'" in next(f.message for f in found.reasons if f.code == "figures")


def test_the_unlisted_task_is_one_without_its_lists(suite: Path, backend: Backend) -> None:
    spoil(suite / "sums")
    (suite / "sums/tests/test_sums.py").write_text(HIDDEN)
    record(suite / "sums", backend)
    task = Task.from_folder(suite / "sums", suite / "repos", unlisted=True)
    assert task.expected == ()
    assert WorkspaceState(task.base) != task.gold
