"""Potentials: how good a state looks, in [0, 1], as a function of the state's value alone."""

from __future__ import annotations

from typing import Protocol

from deepgym_envs.grade import Grader
from deepgym_envs.state import WorkspaceState


class Potential(Protocol):
    """Maps a state to [0, 1]; the same state must always give the same number."""

    def __call__(self, grader: Grader, state: WorkspaceState) -> float:
        """The potential of ``state``; ``grader`` runs tests on it, in its clean box and remembered.

        Raises:
            SandboxError: it could not be measured, for a reason that the code under test cannot have caused.
        """


def visible_tests(grader: Grader, state: WorkspaceState) -> float:
    """Share of the visible tests that pass, counted over those that the base has.

    The tests are the base's own, so deleting or weakening one gains nothing. A file that cannot be collected
    at the base counts as one test, which passes once it can be collected and nothing in it fails.
    """
    base = grader.visible(WorkspaceState(state.base))
    expected = {*base.outcomes, *base.broken}
    if not expected:
        return 0.0
    now = grader.visible(state)
    good = set(now.passed)
    for file in base.broken:
        inside = [outcome for node, outcome in now.outcomes.items() if node.startswith(f"{file}::")]
        if file not in now.broken and inside and all(outcome in ("passed", "skipped") for outcome in inside):
            good.add(file)
    return len(good & expected) / len(expected)
