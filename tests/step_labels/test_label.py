"""Labels, intervals and first errors follow from counts."""

# ruff: noqa: TID252 - the tests are no package that could be named

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepgym_envs.statistics import wilson
from deepgym_envs.step_labels import Continuations, LabelledEpisode

from ..episodes import episode

COUNTS = st.integers(0, 4).flatmap(lambda judged: st.tuples(st.integers(0, judged), st.just(judged)))


def labelled(*solved: int, judged: int = 4) -> LabelledEpisode:
    """An episode whose states were seen to be solved so many times; the first one is its start."""
    start, *steps = (Continuations("0" * 64, count, judged) for count in solved)
    return LabelledEpisode(episode(), "policy", start, tuple(steps))


@pytest.mark.parametrize(
    ("solved", "error"),
    [
        ((4, 3, 0, 0), 1),
        ((1, 0, 0), 0),
        ((4, 4, 4), -1),
        ((0, 0, 0), -1),
        ((4, 0, 2, 0), 2),
        ((4, 0, 4), -1),
        ((0, 2, 0), 1),
    ],
    ids=["later", "at once", "none", "hopeless", "after bad luck", "solved after bad luck", "from nothing"],
)
def test_the_first_error_is_the_step_after_which_nothing_succeeds(
    solved: tuple[int, ...], error: int
) -> None:
    assert labelled(*solved).first_error == error


@given(st.lists(COUNTS, min_size=2, max_size=8))
def test_before_a_first_error_something_succeeds_and_after_it_nothing(counts: list[tuple[int, int]]) -> None:
    start, *steps = (Continuations("0" * 64, *count) for count in counts)
    done = LabelledEpisode(episode(), "policy", start, tuple(steps))
    error = done.first_error
    if error is None:
        assert any(judged == 0 for _, judged in counts)
    elif error >= 0:
        assert counts[error][0] > 0
        assert not any(solved for solved, _ in counts[error + 1 :])
    else:
        assert counts[-1][0] > 0 or not any(solved for solved, _ in counts)


def test_a_share_has_wilsons_interval_and_a_verdict_none() -> None:
    assert Continuations("0" * 64, 3, 4).interval == wilson(3, 4)
    assert Continuations("0" * 64, 1, 1, final=True).interval == (1.0, 1.0)


@pytest.mark.parametrize(("threshold", "label"), [(0.0, True), (0.49, True), (0.5, False)])
def test_a_label_is_a_share_above_the_threshold(threshold: float, label: bool) -> None:
    assert Continuations("0" * 64, 2, 4).label(threshold) is label


@pytest.mark.parametrize("threshold", [-0.1, 1.0, float("nan")])
def test_a_threshold_that_no_share_can_tell_apart_is_refused(threshold: float) -> None:
    with pytest.raises(ValueError, match=r"expected a number in \[0, 1\)"):
        Continuations("0" * 64, 2, 4).label(threshold)
