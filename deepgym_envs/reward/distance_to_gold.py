"""How far a state has come from the base to the reference solution."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from deepgym_envs.grade import Grader
from deepgym_envs.state import File, WorkspaceState

_MOST_BYTES = 4 << 20


def distance_to_gold(grader: Grader, state: WorkspaceState) -> float:
    """``max(0, 1 - d(state, gold) / d(base, gold))``: the base has 0, the reference solution 1.

    ``d`` counts, over all files that either changes, the pairs of neighbouring lines that only one of two
    texts has (q-gram distance for q = 2: Ukkonen, Theoretical Computer Science 92, 1992). It knows the order
    of lines and takes linear time, whatever an agent writes. Spaces at the end of a line do not count, and a
    file of more than 4 MiB is taken to have nothing of another. Only what counts of a state is looked at, and
    nothing is run. Privileged: it knows the solution, so it is for training alone, and another solution that
    is right may be far away.
    """
    mine, gold = grader.judged_part(state), grader.judged_part(grader.task.gold)
    whole = _distance(WorkspaceState(gold.base), gold)
    if not whole:  # modes of files, spaces, or nothing
        return float(mine == gold and bool(gold.changes))
    return max(0.0, 1 - _distance(mine, gold) / whole)


def _distance(one: WorkspaceState, other: WorkspaceState) -> int:
    total = 0
    for path in one.changes.keys() | other.changes.keys():
        first, second = one.get(path), other.get(path)
        if first == second:
            continue
        if any(file and len(file.data) > _MOST_BYTES for file in (first, second)):
            total += sum(file.data.count(b"\n") + 2 for file in (first, second) if file)
        else:
            left, right = _pairs(first), _pairs(second)
            total += (left - right).total() + (right - left).total()
    return total


def _pairs(file: File | None) -> Counter[tuple[bytes | None, bytes | None]]:
    if file is None:
        return Counter()
    lines = [line.rstrip() for line in file.data.split(b"\n")]
    return Counter(pairwise([None, *lines, None]))
