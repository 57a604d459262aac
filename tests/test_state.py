"""Workspaces as values."""

from __future__ import annotations

import hashlib
import os
import pickle
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepgym_envs.state import File, Tree, WorkspaceState, check_path, glob_pattern, is_state_path

from .strategies import contents, files, paths, states, trees

BASE = Tree({"a.py": File(b"a"), "bin/run": File(b"run", executable=True), "p/q/r": File(b"deep")})


@given(paths)
def test_a_path_of_good_parts_is_accepted_as_it_is(path: str) -> None:
    assert check_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/a",
        "a/",
        "a//b",
        ".",
        "..",
        "./a",
        "a/.",
        "a/../b",
        "../a",
        "a\0b",
        "a/\0",
        "\ud800",
        "a/b\udfff",
    ],
)
def test_a_path_that_is_not_canonical_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match=r"path|NUL|part|file name"):
        check_path(path)


@given(st.text(max_size=12))
def test_any_text_is_a_path_inside_or_refused(text: str) -> None:
    try:
        check_path(text)
    except ValueError:
        return
    assert os.path.normpath(text) == text
    assert not text.startswith("/")
    assert ".." not in text.split("/")


def test_paths_have_a_greatest_length_and_depth() -> None:
    check_path("/".join(["d"] * 64))
    check_path("é" * 127)
    for path in ("/".join(["d"] * 65), "x" * 256, "é" * 128, "/".join(["x" * 200] * 6)):
        with pytest.raises(ValueError, match="too long"):
            check_path(path)


@pytest.mark.parametrize(
    ("glob", "yes", "no"),
    [
        ("*.py", ["a.py", ".py"], ["d/a.py", "a.pyc"]),
        ("**/*.py", ["a.py", "d/e/a.py"], ["a.txt"]),
        ("d/**", ["d/a", "d/e/f", "d/new\nline"], ["d", "dd/a"]),
        ("a?c", ["abc", "aéc"], ["ac", "a/c", "abbc"]),
        ("a[b].+(c)", ["a[b].+(c)"], ["ab.+(c)"]),
        ("**", ["a", "a/b"], []),
    ],
)
def test_globs_mean_whole_paths(glob: str, yes: list[str], no: list[str]) -> None:
    pattern = glob_pattern(glob)
    assert [path for path in yes if not pattern.fullmatch(path)] == []
    assert [path for path in no if pattern.fullmatch(path)] == []


def test_caches_and_version_control_are_no_state() -> None:
    for path in (
        ".git/config",
        ".git",
        "a/__pycache__/x.py",
        "x.pyc",
        "a/x.pyo",
        ".pytest_cache/v",
        "a/.mypy_cache/x",
    ):
        assert not is_state_path(path)
    for path in (".gitignore", "git/x", "x.py", "pycache/x", "a.pyc.txt"):
        assert is_state_path(path)


def test_a_tree_refuses_a_file_that_is_also_a_folder() -> None:
    with pytest.raises(ValueError, match="'a' is both a file and a folder"):
        Tree({"a": File(b""), "a.b": File(b""), "a/b": File(b"")})


@given(trees())
def test_equal_trees_are_equal_values_in_whatever_order_they_are_made(tree: Tree) -> None:
    again = Tree(dict(reversed(list(tree.items()))))
    assert again == tree
    assert hash(again) == hash(tree)
    assert list(again) == sorted(tree)


@given(trees(), paths, files)
def test_any_difference_changes_a_trees_digest(tree: Tree, path: str, file: File) -> None:
    try:
        other = Tree({**tree, path: file})
    except ValueError:
        return
    assert (other.digest == tree.digest) == (tree.get(path) == file)
    assert (other == tree) == (dict(other) == dict(tree))


def test_digests_stay_what_they_are() -> None:
    """Stored runs, caches and images refer to them."""
    assert BASE.digest.startswith("5ef7fcc3"), BASE.digest
    assert WorkspaceState(BASE).with_file("a.py", b"b").digest.startswith("6e9584ab")
    assert len(BASE.digest) == 64


def test_paths_and_contents_cannot_pass_for_each_other() -> None:
    one = Tree({"ab": File(b"c"), "d": File(b"")})
    for other in ({"a": File(b"bc"), "d": File(b"")}, {"ab": File(b"c")}, {"abc": File(b""), "d": File(b"")}):
        assert Tree(other).digest != one.digest
    assert File(b"x", executable=True).digest != File(b"x").digest
    assert File(b"-x").digest != File(b"x").digest


@given(trees())
def test_a_tree_survives_being_written_and_read(tree: Tree) -> None:
    with tempfile.TemporaryDirectory() as folder:
        tree.write_to(Path(folder))
        assert Tree.from_folder(Path(folder)) == tree


def test_reading_a_folder_leaves_out_caches_and_refuses_links(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "config").write_text("x")
    (tmp_path / "x.pyc").write_text("x")
    (tmp_path / "kept.py").write_text("x")
    assert list(Tree.from_folder(tmp_path)) == ["kept.py"]
    for target in ("kept.py", "/etc", "nowhere"):
        (tmp_path / "link").symlink_to(target)
        with pytest.raises(ValueError, match="link: only regular files and folders"):
            Tree.from_folder(tmp_path)
        (tmp_path / "link").unlink()
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(ValueError, match="fifo: only regular"):
        Tree.from_folder(tmp_path)


def test_reading_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Tree.from_folder(tmp_path / "none")


@settings(max_examples=40)
@given(states())
def test_a_state_holds_exactly_its_tree(state: WorkspaceState) -> None:
    tree = state.tree()
    for path in {*state.base, *state.changes}:
        assert state.get(path) == tree.get(path)
    assert {path for path in {*state.base, *tree} if state.base.get(path) != tree.get(path)} == set(
        state.changes
    )
    assert state.changed_paths == tuple(sorted(state.changes))
    assert state.changed_bytes == sum(len(tree[path].data) for path in state.changes if path in tree)


@settings(max_examples=40)
@given(states(), paths, contents)
def test_equal_workspaces_are_equal_values_however_they_came_about(
    state: WorkspaceState, path: str, data: bytes
) -> None:
    before = state.get(path)
    there = state.with_file(path, data)
    back = there.with_file(
        path, before.data if before else None, executable=bool(before and before.executable)
    )
    assert back == state
    assert hash(back) == hash(state)
    assert (there == state) == (there.get(path) == before)


@settings(max_examples=40)
@given(states())
def test_a_change_that_changes_nothing_is_no_change(state: WorkspaceState) -> None:
    again = WorkspaceState(state.base, {**state.base, **state.changes})
    assert again == state
    assert dict(again.changes) == dict(state.changes)
    assert WorkspaceState(state.base, dict(state.base)) == WorkspaceState(state.base)


@settings(max_examples=40)
@given(states(), st.dictionaries(paths, st.none() | contents, max_size=4))
def test_with_files_is_with_file_for_each(state: WorkspaceState, new: dict[str, bytes | None]) -> None:
    one_by_one = state
    for path, data in new.items():
        one_by_one = one_by_one.with_file(path, data)
    assert state.with_files(new) == one_by_one


@settings(max_examples=40)
@given(states(), st.sets(paths, max_size=4))
def test_only_keeps_what_it_is_told(state: WorkspaceState, wanted: set[str]) -> None:
    kept = state.only(wanted.__contains__)
    assert dict(kept.changes) == {path: file for path, file in state.changes.items() if path in wanted}
    assert state.only(lambda _: True) == state
    assert state.only(lambda _: False) == WorkspaceState(state.base)


@settings(max_examples=40)
@given(states())
def test_states_and_trees_survive_pickling(state: WorkspaceState) -> None:
    state.digest  # noqa: B018 - kept values must not stand in the way
    again = pickle.loads(pickle.dumps(state))
    assert again == state
    assert dict(again.changes) == dict(state.changes)
    assert pickle.loads(pickle.dumps(state.base)) == state.base


def test_an_edit_keeps_the_mode_of_a_file() -> None:
    state = WorkspaceState(BASE)
    assert state.with_file("bin/run", b"new").get("bin/run") == File(b"new", executable=True)
    assert state.with_files({"bin/run": b"new"}).get("bin/run") == File(b"new", executable=True)
    assert state.with_file("bin/run", b"new", executable=False).get("bin/run") == File(b"new")
    assert state.with_file("new", b"new").get("new") == File(b"new")


def test_caches_never_become_part_of_a_state() -> None:
    state = WorkspaceState(BASE)
    assert state.with_files({".git/config": b"x", "p/__pycache__/x.py": b"x", "x.pyc": b"x"}) == state


def test_values_cannot_be_changed() -> None:
    state = WorkspaceState(BASE).with_file("a.py", b"b")
    with pytest.raises(AttributeError):
        state.base = BASE  # type: ignore[misc]
    with pytest.raises(TypeError):
        state.changes["x"] = None  # type: ignore[index]
    with pytest.raises(TypeError):
        BASE["x"] = File(b"")  # type: ignore[index]


def test_a_state_refuses_paths_outside() -> None:
    for path in ("../x", "/x", "a/../../x"):
        with pytest.raises(ValueError, match=r"part|relative"):
            WorkspaceState(BASE).with_file(path, b"")


def test_a_state_that_cannot_be_has_no_tree() -> None:
    with pytest.raises(ValueError, match="both a file and a folder"):
        WorkspaceState(BASE).with_file("p", b"").tree()


def test_a_file_whose_digest_was_asked_for_is_the_same_value() -> None:
    file, same = File(b"x", executable=True), File(b"x", executable=True)
    assert file.digest == hashlib.sha256(b"xx").digest()
    assert (file, hash(file), repr(file)) == (same, hash(same), repr(same))
    copied = pickle.loads(pickle.dumps(file))
    assert (copied, copied.digest) == (file, same.digest)


def test_a_state_of_which_everything_is_kept_is_itself() -> None:
    state = WorkspaceState(Tree({"a": File(b"")})).with_file("a", b"1")
    assert state.only(lambda path: path == "a") is state
