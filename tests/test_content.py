"""Tasks that are cut out of releases."""

from __future__ import annotations

import json
import pickle
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from deepgym_envs import load_suite
from deepgym_envs.content import Content, Cut, Patched, cut_out, parse_cut
from deepgym_envs.errors import TaskError
from deepgym_envs.patch import state_from_patch
from deepgym_envs.recipe import BundledSource, RepoRecipe, SdistSource
from deepgym_envs.source import release_tree
from deepgym_envs.state import File, Tree, WorkspaceState
from deepgym_envs.task import Task
from deepgym_envs.task_writer import write_task
from deepgym_envs.twin import Change, TestTwins, Twins, file_digest

from .releases import FolderIndex
from .tiny import MakeTiny, make_tiny

FIXTURES = (make_tiny,)
RECIPE = RepoRecipe(name="shop", summary="", license="MIT", source=BundledSource(kind="bundled"))
OLD = "def total(prices):\n    result = 0\n    for price in prices:\n        result = price\n    return result\n"
NEW = OLD.replace("result = price", "result += price")
OLD_TESTS = "from shop import total\n\ndef test_of_one_price_alone():\n    assert total([17]) == 17\n"
NEW_TESTS = OLD_TESTS + "\ndef test_of_several_prices():\n    assert total([17, 4]) == 21\n"


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: Path) -> FolderIndex:
    assert cache
    index = FolderIndex(tmp_path / "index")
    for name, value in index.environment.items():
        monkeypatch.setenv(name, value)
    return index


@pytest.fixture
def releases(index: FolderIndex) -> Mapping[str, SdistSource]:
    return {
        "before": index.add("shop", "1.0", {"shop.py": OLD, "tests/test_shop.py": OLD_TESTS}),
        "after": index.add("shop", "1.1", {"shop.py": NEW, "tests/test_shop.py": NEW_TESTS}),
    }


def twins() -> Twins:
    change = Change(at=(7, 11, 7, 33), wrong="total([17, 4]) == 22", fails={0: ""})
    test = TestTwins(test="test_shop.py::test_of_several_prices", cases=("",), changes=(change,))
    return Twins(files={"test_shop.py": file_digest(NEW_TESTS.encode())}, tests=(test,))


def made(releases: Mapping[str, SdistSource]) -> Cut:
    base = Tree({path: file for path, file in release_tree(releases["before"]).items() if path != "PKG-INFO"})
    solution = WorkspaceState(base).with_file("shop.py", NEW.encode())
    return cut_out(releases, base, solution, {"test_shop.py": NEW_TESTS.encode()}, twins())


def test_the_files_come_back_from_the_releases(releases: Mapping[str, SdistSource]) -> None:
    content = parse_cut(made(releases).as_json(), "x").content(RECIPE, "x")
    assert content.source is not None
    assert sorted(content.source) == ["shop.py", "tests/test_shop.py"]
    assert content.hidden == {"test_shop.py": NEW_TESTS.encode()}
    assert content.twins == twins()
    assert b"+        result += price" in content.solution_patch


def test_nothing_of_the_releases_is_in_the_cut(releases: Mapping[str, SdistSource]) -> None:
    text = made(releases).as_json().decode()
    for line in {*NEW.splitlines(), *NEW_TESTS.splitlines()}:
        assert len(line) < 16 or line.strip() not in text


def test_a_cut_task_is_read_without_its_releases_and_graded_like_any_other(
    releases: Mapping[str, SdistSource], index: FolderIndex, tmp_path: Path, make_tiny: MakeTiny
) -> None:
    tiny = make_tiny("whole")
    hidden = tiny.manifest.tests.model_copy(
        update={"fail_to_pass": ("test_shop.py::test_of_several_prices",), "pass_to_pass": ()}
    )
    manifest = tiny.manifest.model_copy(update={"tests": hidden, "id": "shops/cut", "editable": ("shop.py",)})
    recipe = tiny.recipe.model_copy(update={"source": releases["before"], "name": "tiny"})
    task = replace(tiny, manifest=manifest, recipe=recipe, content=made(releases))
    write_task(task, tmp_path / "shops")
    for archive in index.folder.iterdir():
        archive.rename(archive.with_suffix(".away"))
    (again,) = load_suite(tmp_path / "shops")
    assert (again.id, again.expected) == ("shops/cut", task.expected)
    assert isinstance(again.content, Cut)
    assert again.gold.get("shop.py") == File(NEW.encode())  # the releases are in the cache
    assert again.digest == task.digest == pickle.loads(pickle.dumps(again)).digest


def test_a_release_that_cannot_be_had_is_told_when_it_is_needed(
    releases: Mapping[str, SdistSource], make_tiny: MakeTiny
) -> None:
    gone = {**releases, "after": releases["after"].model_copy(update={"sha256": "0" * 64})}
    cut = made(releases).model_copy(update={"releases": gone})
    task = replace(make_tiny("gone"), content=cut)
    with pytest.raises(TaskError, match=r"shop==1\.1: the package index has another file"):
        _ = task.base


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"digest": "0" * 64}, "digest: other files come of the releases; generate the task again"),
        ({"sources": ["before:nowhere.py"]}, "does not fit together"),
        ({"solution": {"shop.py": [[99, 0, 1]]}}, "a piece names a source beyond the"),
        ({"solution": {"../shop.py": ["x"]}}, "does not fit together"),
        ({"releases": {"after": None}}, "releases.after"),
        ({"tests": {}}, "tests"),
        ({"base": {"shop.py": [[0, 5, 4]]}}, "has no bytes 5 to 4"),
        ({"base": {"shop.py": [[0, -5, 4]]}}, "greater than or equal to 0"),
    ],
)
def test_a_cut_that_does_not_fit_is_the_tasks_fault(
    releases: Mapping[str, SdistSource], change: dict[str, object], complaint: str
) -> None:
    data = json.dumps({**json.loads(made(releases).as_json()), **change}).encode()
    with pytest.raises(TaskError, match=complaint):
        parse_cut(data, "cut.json").content(RECIPE, "cut.json")


def test_blanks_and_bytes_of_a_files_own_text_come_back(releases: Mapping[str, SdistSource]) -> None:
    base = release_tree(releases["before"])
    solution = WorkspaceState(base).with_file("shop.py", b"  \n" + OLD.encode() + b" \xff\t\n\n")
    cut = cut_out(releases, base, solution, {"test_shop.py": b" "})
    content = parse_cut(cut.as_json(), "x").content(RECIPE, "x")
    assert state_from_patch(base, content.solution_patch) == solution
    assert content.hidden == {"test_shop.py": b" "}


def test_what_is_not_json_is_the_tasks_fault() -> None:
    with pytest.raises(TaskError, match=r"cut\.json: not JSON"):
        parse_cut(b"[" * 100_000, "cut.json")


def test_blanks_of_a_pieces_own_text_are_kept(releases: Mapping[str, SdistSource]) -> None:
    base = release_tree(releases["before"])
    changed = OLD.replace("result = price", "result = \t price  ").replace("return result\n", "\n \n")
    cut = cut_out(
        releases, base, WorkspaceState(base).with_file("shop.py", changed.encode()), {"t.py": b" \n"}
    )
    content = parse_cut(cut.as_json(), "x").content(RECIPE, "x")
    assert content.hidden == {"t.py": b" \n"}
    assert b"result = \t price  \n" in content.solution_patch


def test_a_folder_says_only_once_what_is_in_it(
    releases: Mapping[str, SdistSource], tmp_path: Path, make_tiny: MakeTiny
) -> None:
    task = make_tiny("both")
    assert isinstance(task.content, Content)
    place = write_task(task, tmp_path / "made")
    (place / "cut.json").write_bytes(made(releases).as_json())
    with pytest.raises(TaskError, match=r"solution\.patch: cut\.json says what is in it"):
        Task.from_folder(place, place.parent / "repos")


PATCHED = {"solution.patch": b"--- a/shop.py\n+++ b/shop.py\n@@ -1 +1 @@\n-a\n+b\n", "tests.patch": b""}


@pytest.mark.parametrize(
    ("files", "complaint"),
    [
        ({"tests.patch": b"--- a/x\n+++ b/x\n@@ -1,2 +1 @@\n-a\n"}, r"tests\.patch: .*cut off"),
        ({"tests.patch": b"\xff"}, r"tests\.patch: "),
        ({"tests/test_x.py": b"x = 1\n"}, r"tests: tests\.patch says what is in it"),
        ({"cut.json": b"{}"}, r"solution\.patch: cut\.json says what is in it"),
        ({"solution.patch": b""}, r"solution\.patch: empty"),
        ({"task.toml": b"kind"}, "implementations judge a task of kind 'tests'"),
    ],
)
def test_a_patched_folder_that_does_not_fit_is_the_tasks_fault(
    tmp_path: Path, make_tiny: MakeTiny, files: Mapping[str, bytes], complaint: str
) -> None:
    place = write_task(make_tiny("patched"), tmp_path)
    shutil.rmtree(place / "tests")
    manifest = (place / "task.toml").read_bytes()
    if "task.toml" in files:
        about = manifest.partition(b"[tests]")[0].replace(b'"bug"', b'"tests"')
        files = {"task.toml": about + b'[tests]\nfail_to_pass = ["wrong-x"]\n'}
    for name, data in {**PATCHED, **files}.items():
        (place / name).parent.mkdir(exist_ok=True)
        (place / name).write_bytes(data)
    with pytest.raises(TaskError, match=complaint):
        Task.from_folder(place, tmp_path / "repos")


def test_a_patch_for_another_commit_is_told_when_it_is_needed(tmp_path: Path, make_tiny: MakeTiny) -> None:
    tiny = make_tiny("elsewhere")
    patched = Patched(b"", PATCHED["solution.patch"], PATCHED["solution.patch"], {"test_hidden.py"})
    with pytest.raises(TaskError, match=r"base\.patch: .*made for another commit"):
        _ = replace(tiny, content=patched).base
    with pytest.raises(TaskError, match=r"the repository has no test_hidden\.py"):
        _ = replace(tiny, content=replace(patched, base=b"")).hidden
