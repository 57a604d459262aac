"""Changes taken apart and put together again."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepgym_envs.generate.hunks import Hunk, apply_hunks, hunks_of, minimise
from deepgym_envs.state import File, Tree, WorkspaceState

LINES = st.lists(
    st.sampled_from([b"a", b"b", b"c", b"\n", b"a\n", b"b\r\n", b"c\r", b"\xff\n", b"\0\n"]), max_size=30
)
FILES = st.builds(File, LINES.map(b"".join), st.booleans())
TREES = st.dictionaries(st.sampled_from(["a.py", "b.py", "c"]), FILES)
CHANGES = st.dictionaries(st.sampled_from(["a.py", "b.py", "c", "d"]), st.none() | FILES)
NUMBERED = tuple(Hunk("a.py", number, number + 1, (b"x\n",)) for number in range(12))


@given(TREES, CHANGES)
def test_all_hunks_make_the_whole_change(
    files: Mapping[str, File], changes: Mapping[str, File | None]
) -> None:
    base = Tree(files)
    assert apply_hunks(base, hunks_of(base, changes)) == WorkspaceState(base, changes)


@given(TREES, CHANGES)
def test_no_hunks_change_nothing(files: Mapping[str, File], changes: Mapping[str, File | None]) -> None:
    base = Tree(files)
    assert not apply_hunks(base, ()).changes
    assert not hunks_of(base, {path: base.get(path) for path in changes})


@given(TREES, CHANGES)
def test_every_hunk_changes_its_file_alone_and_the_others_miss_it(
    files: Mapping[str, File], changes: Mapping[str, File | None]
) -> None:
    base = Tree(files)
    hunks = hunks_of(base, changes)
    for hunk in hunks:
        others = [each for each in hunks if each is not hunk]
        alone, rest = apply_hunks(base, [hunk]), apply_hunks(base, others)
        assert alone.changed_paths == (hunk.path,)
        assert rest != WorkspaceState(base, changes)


@given(st.sets(st.sampled_from(NUMBERED)))
def test_the_least_is_what_cannot_be_left_out(needed: set[Hunk]) -> None:
    least = minimise(NUMBERED, lambda kept: needed <= set(kept), most_runs=1_000)
    assert set(least) == needed or (not needed and len(least) == 1)


@given(st.functions(like=lambda _: ..., returns=st.booleans(), pure=True))  # type: ignore[misc]
def test_what_is_left_was_accepted_and_would_not_be_without_any_one_of_it(accepts: object) -> None:
    def passes(kept: tuple[Hunk, ...]) -> bool:
        return kept == NUMBERED or bool(accepts(kept))  # type: ignore[operator]

    least = minimise(NUMBERED, passes, most_runs=10_000)
    assert passes(least)
    for hunk in least if len(least) > 1 else ():
        assert not passes(tuple(each for each in least if each is not hunk))


@given(st.sets(st.sampled_from(NUMBERED)), st.integers(0, 40))
def test_nobody_is_asked_more_often_than_allowed_nor_twice_the_same(needed: set[Hunk], most: int) -> None:
    asked: list[tuple[Hunk, ...]] = []

    def passes(kept: tuple[Hunk, ...]) -> bool:
        asked.append(kept)
        return needed <= set(kept)

    least = minimise(NUMBERED, passes, most_runs=most)
    assert needed <= set(least)
    assert len(asked) <= most
    assert len(set(asked)) == len(asked)


def test_a_file_that_is_new_or_gone_is_one_hunk() -> None:
    base = Tree({"old.py": File(b"a\nb\n")})
    new, old = hunks_of(base, {"old.py": None, "new.py": File(b"a\nb\n", executable=True)})
    assert (new.path, new.new_lines, new.executable) == ("new.py", (b"a\n", b"b\n"), True)
    assert (old.path, old.new_lines) == ("old.py", None)


def test_a_file_that_is_not_text_is_one_hunk() -> None:
    base = Tree({"image": File(b"\0a\nb\nc\nd\ne\n")})
    (hunk,) = hunks_of(base, {"image": File(b"\0x\nb\nc\nd\nx\n")})
    assert hunk.new_lines == (b"\0x\nb\nc\nd\nx\n",)


def test_a_mode_is_changed_apart_from_the_text() -> None:
    base = Tree({"run": File(b"a\n")})
    hunks = hunks_of(base, {"run": File(b"b\n", executable=True)})
    assert len(hunks) == 2
    assert apply_hunks(base, hunks[:1]).get("run") == File(b"a\n", executable=True)
    assert apply_hunks(base, hunks[1:]).get("run") == File(b"b\n")


def test_a_large_rewrite_is_not_compared_line_by_line() -> None:
    old = b"".join(b"%d\n" % (number % 7) for number in range(30_000))
    new = b"".join(b"%d\n" % (number % 5) for number in range(30_000))
    base = Tree({"a": File(old)})
    hunks = hunks_of(base, {"a": File(new)})
    assert len(hunks) == 1
    assert apply_hunks(base, hunks).get("a") == File(new)


@pytest.mark.parametrize(
    "hunks",
    [
        [Hunk("a", 0, 9, ())],
        [Hunk("a", 1, 0, ())],
        [Hunk("a", -1, 0, ())],
        [Hunk("a", 0, 2, ()), Hunk("a", 1, 2, ())],
        [Hunk("a", 0, 2, None), Hunk("a", 0, 1, ())],
        [Hunk("b", 0, 0, None)],
    ],
)
def test_hunks_that_do_not_fit_are_refused(hunks: list[Hunk]) -> None:
    with pytest.raises(ValueError, match=r"cannot be changed|is deleted"):
        apply_hunks(Tree({"a": File(b"a\nb\n")}), hunks)
