"""Whether a state changes the places that the reference solution changes."""

from __future__ import annotations

from collections.abc import Set

from deepgym_envs.figures import functions_touched
from deepgym_envs.grade import Grader
from deepgym_envs.state import WorkspaceState


def localisation(grader: Grader, state: WorkspaceState) -> float:
    """Mean of F1 over files and F1 over functions, between what ``state`` and the reference solution change.

    ``F1 = 2 |A & B| / (|A| + |B|)``; the base has 0, the reference solution 1. Only what counts of a state is
    looked at, and nothing is run. Where the reference solution changes no function of Python's, files alone
    count. Privileged: it knows the solution, so it is for training alone.
    """
    task = grader.task
    mine, gold = grader.judged_part(state), grader.judged_part(task.gold)
    files = _f1(set(mine.changes), set(gold.changes))
    wanted = functions_touched(gold)
    return (files + _f1(functions_touched(mine), wanted)) / 2 if wanted else files


def _f1(found: Set[object], wanted: Set[object]) -> float:
    both = len(found) + len(wanted)
    return 2 * len(found & wanted) / both if both else 0.0
