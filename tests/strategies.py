"""Hypothesis strategies for paths, files, trees and states."""

from __future__ import annotations

import os

from hypothesis import strategies as st

from deepgym_envs.state import File, Tree, WorkspaceState, check_path, is_state_path


def _good(path: str) -> bool:
    try:
        check_path(path)
    except ValueError:
        return False
    return is_state_path(path)


_plain = st.text("abc", min_size=1, max_size=2)
_odd = st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=8)
_raw = st.binary(min_size=1, max_size=6).filter(lambda raw: not {0, ord("/")} & set(raw)).map(os.fsdecode)
parts = st.one_of(_plain, _plain, _odd, _raw)
paths = st.lists(parts, min_size=1, max_size=3).map("/".join).filter(_good)
contents = st.one_of(
    st.binary(max_size=40),
    st.lists(st.sampled_from([b"a\n", b"b\n", b"c\r\n", b"$Id$\n", b" \n"]), max_size=12).map(b"".join),
    st.just(b"no newline"),
)
files = st.builds(File, contents, st.booleans())


@st.composite
def trees(draw: st.DrawFn, max_size: int = 8) -> Tree:
    """A tree; of two paths that cannot stand side by side the first stays."""
    kept: dict[str, File] = {}
    for path, file in draw(st.dictionaries(paths, files, max_size=max_size)).items():
        above = {path[:cut] for cut in range(len(path)) if path[cut] == "/"}
        if not above & kept.keys() and not any(other.startswith(path + "/") for other in kept):
            kept[path] = file
    return Tree(kept)


@st.composite
def states(draw: st.DrawFn) -> WorkspaceState:
    """A state whose files can stand side by side: another tree over a base that shares some files with it."""
    base, after = draw(trees()), dict(draw(trees()))
    for path in draw(st.sets(st.sampled_from(sorted(base)), max_size=4)) if base else ():
        after.setdefault(path, base[path])
        after[path] = draw(st.one_of(st.just(base[path]), files))
    try:
        whole = Tree(after)
    except ValueError:
        whole = Tree({path: file for path, file in base.items() if draw(st.booleans())})
    return WorkspaceState(base, {**dict.fromkeys(base), **whole})
