"""Unified diffs of trees."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given, settings

from deepgym_envs.patch import apply_patch, make_patch, state_from_patch
from deepgym_envs.state import File, Tree, WorkspaceState

from .strategies import states

BASE = Tree({"a.txt": File(b"one\ntwo\nthree\n"), "d/b.txt": File(b"x\n")})


def patch(old: str, new: str, body: str = "@@ -1 +1 @@\n-x\n+y\n") -> bytes:
    return f"--- {old}\n+++ {new}\n{body}".encode()


def of(base: dict[str, File], after: dict[str, File]) -> WorkspaceState:
    return WorkspaceState(Tree(base), {**dict.fromkeys(base), **after})


@settings(max_examples=30)
@given(states())
@example(of({"a": File(b"x")}, {"a/b": File(b"x")}))
@example(of({"a/b": File(b"x\n")}, {"a": File(b"x\n")}))
@example(of({"a": File(b"x")}, {"a": File(b"x", executable=True)}))
@example(of({"a": File(b"x\n", executable=True)}, {"a": File(b"y\n")}))
@example(of({"a": File(b"")}, {}))
@example(of({}, {"a": File(b"")}))
@example(of({"a": File(b"")}, {"a": File(b"x")}))
@example(of({"a": File(b"x\n")}, {"a": File(b"")}))
@example(of({"a": File(b"\0\1")}, {"a": File(b"\0\2")}))
@example(of({"a": File(b"x\r\ny\n")}, {"a": File(b"x\ny\r\n")}))
@example(of({"a": File(b"x")}, {"a": File(b"x\n")}))
@example(
    of(
        {},
        {
            "größe 🎉.txt": File(b"x\n"),
            "new\nline\t": File(b"x\n"),
            "\udcff": File(b""),
            '"q" \\': File(b"x"),
        },
    )
)
@example(
    of(
        {},
        {
            "-rf": File(b"x\n"),
            "a b/c d": File(b"x\n"),
            " ": File(b"x\n"),
            "b/a": File(b""),
            "dev/null": File(b""),
        },
    )
)
@example(of({"same": File(b"moved\n")}, {"other": File(b"moved\n")}))
@example(
    of(
        {".gitattributes": File(b"* text eol=crlf\n")},
        {".gitattributes": File(b"* binary\n"), "a": File(b"x\r\n")},
    )
)
def test_applying_what_was_made_gives_the_state(state: WorkspaceState) -> None:
    assert state_from_patch(state.base, make_patch(state)) == state


def test_no_change_makes_an_empty_patch() -> None:
    assert make_patch(WorkspaceState(BASE)) == b""


def test_a_patch_reads_like_one_of_gits() -> None:
    text = make_patch(WorkspaceState(BASE).with_file("a.txt", b"one\n2\nthree\n")).decode()
    assert text.startswith("diff --git a/a.txt b/a.txt\nindex ")
    assert "--- a/a.txt\n+++ b/a.txt\n@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\n" in text


@pytest.mark.parametrize(
    "text",
    [
        patch("a/../x", "b/../x"),
        patch("/dev/null", "b/../../x", "@@ -0,0 +1 @@\n+y\n"),
        patch("/dev/null", "b//etc/deepgym-test", "@@ -0,0 +1 @@\n+y\n"),
        patch("/dev/null", "b/.git/hooks/post-checkout", "@@ -0,0 +1 @@\n+y\n"),
        b"diff --git a/l b/l\nnew file mode 120000\n--- /dev/null\n+++ b/l\n@@ -0,0 +1 @@\n+/etc\n\\ No newline at end of file\n",
        b"diff --git a/l b/l\nnew file mode 120000\n--- /dev/null\n+++ b/l\n@@ -0,0 +1 @@\n+/tmp\n\\ No newline at end of file\n"
        b"diff --git a/l/x b/l/x\nnew file mode 100644\n--- /dev/null\n+++ b/l/x\n@@ -0,0 +1 @@\n+y\n",
        b"diff --git a/d/b.txt b/../../b.txt\nsimilarity index 100%\nrename from d/b.txt\nrename to ../../b.txt\n",
        b"diff --git a/s b/s\nnew file mode 160000\n--- /dev/null\n+++ b/s\n@@ -0,0 +1 @@\n+Subproject commit "
        + b"0" * 40,
    ],
    ids=["parent", "parents", "double slash", "git folder", "link", "through a link", "rename", "submodule"],
)
def test_a_patch_that_leads_outside_is_refused_and_writes_nothing(text: bytes, tmp_path: Path) -> None:
    try:
        after = apply_patch(BASE, text)
    except ValueError:
        pass
    else:
        assert after == BASE  # left out, like everything that cannot be part of a tree
    assert not Path("/etc/deepgym-test").exists()
    assert not Path("/tmp/x").exists()


def test_an_absolute_path_loses_its_first_part_like_any_other(tmp_path: Path) -> None:
    after = apply_patch(BASE, patch("/dev/null", f"{tmp_path}/x", "@@ -0,0 +1 @@\n+y\n"))
    assert set(after) - set(BASE) == {f"{tmp_path}/x".lstrip("/")}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "text",
    [
        b"\n",
        b"nonsense\n",
        patch("a/d/b.txt", "b/d/b.txt", "@@ -1 +1 @@\n-z\n+y\n"),
        patch("a/none", "b/none"),
    ],
)
def test_a_patch_that_does_not_apply_says_why(text: bytes) -> None:
    with pytest.raises(ValueError, match="the patch does not apply: error: "):
        apply_patch(BASE, text)


def test_fuzz_is_not_tolerated() -> None:
    shifted = patch("a/a.txt", "b/a.txt", "@@ -1,3 +1,3 @@\n ONE\n-two\n+2\n three\n")
    with pytest.raises(ValueError, match="does not apply"):
        apply_patch(BASE, shifted)


@pytest.fixture
def hostile_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / ".gitconfig"
    config.write_text(
        "[core]\n\tautocrlf = true\n\teol = crlf\n\tattributesFile = ~/attributes\n\tfileMode = false\n"
        "[diff]\n\tnoprefix = true\n\tmnemonicPrefix = true\n\texternal = false\n\tcontext = 0\n\trenames = copies\n"
        "[color]\n\tui = always\n[apply]\n\twhitespace = error\n[user]\n\tname = Canary\n"
    )
    (tmp_path / "attributes").write_text("* text eol=crlf ident\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "core.autocrlf")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "true")
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("GIT_WORK_TREE", "/nowhere")
    monkeypatch.setenv("GIT_DIFF_OPTS", "-u0")
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", "/bin/false")


CHANGED = WorkspaceState(BASE).with_files({"a.txt": b"one\ntwo \n3\n$Id$\n", "n": b"\r\n", "d/b.txt": None})


@pytest.mark.usefixtures("hostile_settings")
def test_a_users_git_settings_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = make_patch(CHANGED)
    assert state_from_patch(BASE, theirs) == CHANGED
    monkeypatch.undo()
    assert make_patch(CHANGED) == theirs


def test_attributes_in_the_tree_change_nothing() -> None:
    rules = b"* text eol=crlf ident\n*.u working-tree-encoding=UTF-16\n*.b binary\n*.d -diff\n*.m merge=ours filter=lfs\n"
    names = ("a.txt", "b.u", "c.b", "d.d", "e.m")
    text = b"$Id: x $\none\ntwo\n"
    base = Tree(
        {
            ".gitattributes": File(rules),
            "d/.gitattributes": File(rules),
            **dict.fromkeys(names, File(text)),
        }
    )
    state = WorkspaceState(base).with_files(dict.fromkeys(names, text + b"three\n"))
    assert state_from_patch(base, make_patch(state)) == state
    assert make_patch(state).count(b"+three\n") == len(names)


def test_nothing_is_left_in_the_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    state_from_patch(BASE, make_patch(CHANGED))
    with pytest.raises(ValueError, match="does not apply"):
        apply_patch(BASE, b"nonsense")
    assert list(tmp_path.iterdir()) == []
