"""Files told by where their bytes stand in other files."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepgym_envs.pieces import SHORTEST, Piece, cut, paste

FILES = st.dictionaries(st.sampled_from("abc"), st.binary(max_size=200))


@given(st.binary(max_size=200), FILES)
def test_what_was_cut_is_pasted_as_it_was(target: bytes, sources: dict[str, bytes]) -> None:
    assert paste(cut(target, sources), sources) == target


@given(FILES, st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 200), st.integers(0, 200))))
def test_nothing_of_a_source_stands_in_ones_own_text(
    sources: dict[str, bytes], mixed: list[tuple[str, int, int]]
) -> None:
    target = b"".join(sources.get(name, b"")[start:end] for name, start, end in mixed)
    for piece in cut(target, sources):
        if isinstance(piece, str):
            own = piece.encode("utf-8", "surrogateescape")
            grams = {own[at : at + SHORTEST] for at in range(len(own) - SHORTEST + 1)}
            assert not any(gram in data for gram in grams for data in sources.values())


def test_a_file_that_is_the_same_is_one_piece() -> None:
    data = bytes(range(256)) * 40
    assert cut(data, {"other": b"x" * 9, "it": data}) == (("it", 0, len(data)),)


@pytest.mark.parametrize(
    ("piece", "complaint"),
    [
        (("b", 0, 1), "there is no b"),
        (("a", 0, 4), "a has no bytes 0 to 4"),
        (("a", 2, 2), "a has no bytes 2 to 2"),
        (("a", -1, 2), "a has no bytes -1 to 2"),
    ],
)
def test_a_piece_of_nothing_is_refused(piece: Piece, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        paste([piece], {"a": b"abc"})
