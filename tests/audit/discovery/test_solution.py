"""A solution taken apart: pieces that make it up again, each needed, and near misses that miss."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepgym_envs import Task, TaskError, WorkspaceState
from deepgym_envs.audit.discovery.solution import MOST_PIECES, pieces_of, written
from deepgym_envs.grade import Verdict
from deepgym_envs.grade.verdict import Reason
from deepgym_envs.patch import make_patch
from deepgym_envs.state import File, Tree

from .two import MODULE, TWO_BUGS, judged, two

FIXTURES = (two,)
LINES = st.lists(
    st.sampled_from([b"a = 1\n", b"b = 2\n", b"\n", b"c = [\n", b"# d\r\n", b"\x0ce"]), max_size=12
)


def changed(task: Task, old: bytes, new: bytes) -> Task:
    """The task with another module and another solution."""
    base = Tree({**task.base, MODULE: File(old)})
    patch = make_patch(WorkspaceState(base).with_file(MODULE, new))
    return replace(task, content=replace(task.files, source=base, solution_patch=patch))


def verdict(reason: Reason, _: WorkspaceState) -> Verdict:
    return Verdict(float(reason == "passed"), reason == "passed", reason, "made/two", "")


@settings(max_examples=40)
@given(LINES, LINES)
def test_all_pieces_together_are_the_solution(two: Task, old: list[bytes], new: list[bytes]) -> None:
    task = changed(two, b"".join(old), b"".join(new))
    if not task.gold.changes:
        return
    pieces = pieces_of(task, partial(verdict, "tests_failed"))
    blocks = [block for piece in pieces for block in piece.right]
    assert 1 <= len(pieces) <= MOST_PIECES
    assert WorkspaceState(task.base).with_files(written(task.base, blocks)) == task.gold


def test_each_change_is_a_piece(two: Task) -> None:
    pieces = pieces_of(two, partial(judged, two))
    assert [[block.lines for block in piece.right] for piece in pieces] == [
        [(b"    return a + b\n",)],
        [(b"    return 2 * a\n",)],
    ]


def test_what_no_test_misses_goes_with_a_neighbour(two: Task) -> None:
    text = TWO_BUGS.encode()
    gold = text.replace(b"a * b", b"a + b").replace(b"return a\n", b"return 2 * a\n")
    [add, double] = pieces_of(changed(two, text, b"# Numbers.\n\n" + gold), partial(judged, two))
    assert [len(add.right), len(double.right)] == [2, 1]


def test_a_near_miss_is_nearly_right_and_refused(two: Task) -> None:
    for piece in pieces_of(two, partial(judged, two)):
        [miss] = piece.versions[1:]
        assert miss != piece.right
        others = [other.right for other in pieces_of(two, partial(judged, two)) if other.right != piece.right]
        files = written(two.base, [*miss, *(block for part in others for block in part)])
        state = WorkspaceState(two.base).with_files(files)
        assert judged(two, state).reason == "tests_failed"


@pytest.mark.parametrize("reason", ["passed", "timeout"])
def test_a_mutant_that_passes_or_hangs_is_no_near_miss(two: Task, reason: Reason) -> None:
    pieces = pieces_of(two, partial(verdict, reason))
    assert all(len(piece.versions) == 1 for piece in pieces)


def test_a_solution_that_deletes_a_file_cannot_be_taken_apart(two: Task) -> None:
    state = WorkspaceState(two.base).with_file("tiny/__init__.py", None)
    task = replace(two, content=replace(two.files, source=two.base, solution_patch=make_patch(state)))
    with pytest.raises(TaskError, match="cannot be taken apart"):
        pieces_of(task, partial(judged, two))
