"""Diffs as text say what git says of them."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepgym_envs.patch import apply_patch, make_patch
from deepgym_envs.state import File, Tree, WorkspaceState
from deepgym_envs.unified_diff import diff_of, parse_diff, reverse_diff

LINES = st.lists(
    st.sampled_from(["a", "b", "c", "", "-- a/x", "++ b/x", "@@ -1 +1 @@", "\\", "é\x0c", "\r"]), max_size=25
)
TEXTS = st.builds(lambda lines, end: "\n".join(lines) + end, LINES, st.sampled_from(["", "\n"]))
PATHS = st.sampled_from(["x.py", "a b/x y.py", 'q"uote\\.py', "größe\n.py", "-x"])


def tree(path: str, text: str | None) -> Tree:
    return Tree({} if text is None else {path: File(text.encode())})


@settings(max_examples=40, deadline=None)
@given(PATHS, st.none() | TEXTS, st.none() | TEXTS)
def test_a_diff_of_two_texts_leads_from_one_to_the_other(path: str, old: str | None, new: str | None) -> None:
    diff = diff_of(path, old, new)
    assert apply_patch(tree(path, old), diff.encode()) == tree(path, new)
    assert (old == new) or [file.path for file in parse_diff(diff)] == [path]


def test_long_texts_are_compared_in_bounded_time() -> None:
    old = "".join(f"{number % 300}\n" for number in range(60_000))
    new = "first\n" + old[1000:-5000] + "last"
    assert apply_patch(tree("x", old), diff_of("x", old, new).encode()) == tree("x", new)
    one_more = old.replace("299\n0\n", "299\nnew\n0\n", 1)
    assert len(diff_of("x", old, one_more).splitlines()) < 20


@settings(max_examples=30, deadline=None)
@given(PATHS, TEXTS, TEXTS)
def test_what_git_writes_is_read_and_turned_round(path: str, old: str, new: str) -> None:
    state = WorkspaceState(tree(path, old)).with_file(path, new.encode())
    diff = make_patch(state).decode()
    assert [file.path for file in parse_diff(diff)] == list(state.changed_paths)
    assert apply_patch(state.tree(), reverse_diff(diff).encode()) == state.base


def test_files_that_come_go_and_move_are_told_apart() -> None:
    state = WorkspaceState(Tree({"old.py": File(b"x\n"), "mode": File(b"x\n"), "bin": File(b"\0")}))
    state = state.with_file("new.py", b"y\n").with_file("old.py", None).with_file("bin", b"\0\1")
    state = state.with_file("mode", b"x\n", executable=True).with_file("empty", b"")
    found = {file.path: file for file in parse_diff(make_patch(state).decode())}
    assert (found["new.py"].old, found["old.py"].new, found["empty"].old) == (None, None, None)
    assert found["bin"].binary
    assert found["mode"].mode_only
    moved = "diff --git a/p/x.py b/q/y.py\nsimilarity index 100%\nrename from p/x.py\nrename to q/y.py\n"
    assert [(file.old, file.new) for file in parse_diff(moved)] == [("p/x.py", "q/y.py")]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n-a\n+b\n", "cut off"),
        ("--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n*b\n", "cut off"),
        ("--- a/x\n+++ b/x\n@@ whatever\n", "not a hunk"),
        ("--- x\n+++ x\n@@ -1 +1 @@\n-a\n+b\n", "does not begin with"),
        ("--- a/../x\n+++ b/../x\n@@ -1 +1 @@\n-a\n+b\n", "'..'"),
        ('--- "a/\\056\\056/x"\n+++ "b/\\056\\056/x"\n@@ -1 +1 @@\n-a\n+b\n', "'..'"),
        ("--- /dev/null\n+++ /dev/null\n@@ -1 +1 @@\n-a\n+b\n", "without a path"),
        ("diff --git a/x b/x\nnew file mode 120000\n", "link"),
        ("diff --git a/x b/x\nnew file mode 160000\n", "submodule"),
        ("diff --git a/x b/y\nindex 1..2\n", "without a path"),
        (
            "diff --git a/x b/x\nindex 1..2 100644\nBinary files a/x and b/x differ\n",
            "write a binary file whole",
        ),
        ("diff --git a/x b/x\nindex 1..2 100644\nGIT binary patch\nliteral 99999999\nx\n", "at most 16 MiB"),
        (
            "diff --git a/x b/x\nindex 1..2 100644\nGIT binary patch\ndelta 9\nx\n",
            "write a binary file whole",
        ),
        ("diff --git a/x b/x\nrename from /etc/passwd\nrename to x\n", "not a path relative"),
    ],
)
def test_what_no_workspace_takes_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        parse_diff(text)


@pytest.mark.parametrize("change", [{"new.py": b"x\n"}, {"x.py": None}])
def test_only_files_that_stay_can_be_turned_round(change: dict[str, bytes | None]) -> None:
    state = WorkspaceState(Tree({"x.py": File(b"a\n")})).with_files(change)
    with pytest.raises(ValueError, match="cannot be turned round"):
        reverse_diff(make_patch(state).decode())


@given(
    st.text(),
    st.sampled_from(["", "--- a/x\n+++ b/x\n", "diff --git a/x b/x\n", "--- a/x\n+++ b/x\n@@ -1 +1 @@\n"]),
)
def test_any_text_is_a_diff_or_refused(text: str, begin: str) -> None:
    with suppress(ValueError):
        assert all(file.path for file in parse_diff(begin + text))
