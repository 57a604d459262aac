"""Potentials: how good a state looks, in [0, 1], as a function of the state's value alone."""

from __future__ import annotations

from typing import Protocol

from deepgym_envs.errors import ModelError, SandboxError
from deepgym_envs.grade import Grader
from deepgym_envs.reward.shaping import shaping
from deepgym_envs.state import WorkspaceState


class Potential(Protocol):
    """Maps a state to [0, 1]; the same state must always give the same number.

    One with an attribute ``key``, a text that no other potential has and that changes whenever the function
    does, is asked once for each state that a memory knows of. Whatever a potential asks of the grader is
    remembered in any case.
    """

    def __call__(self, grader: Grader, state: WorkspaceState) -> float:
        """The potential of ``state``; ``grader`` runs tests on it, in its clean box and remembered.

        Raises:
            SandboxError: it could not be measured, for a reason that the code under test cannot have caused.
            ModelError: the same, where a model was asked.
        """


def measured(potential: Potential, grader: Grader, state: WorkspaceState) -> float:
    """The potential of ``state``, from memory if it is known there.

    Raises:
        SandboxError: it could not be measured, for a reason that the code under test cannot have caused, or
            because a model gave no answer.
        ValueError: what the potential gave is not in [0, 1].
        TypeError: its ``key`` is no text.
    """

    def measure() -> float:
        try:
            phi = float(potential(grader, state))
        except ModelError as error:
            raise SandboxError(f"the potential could not be measured: {error}") from None
        shaping(1.0, phi, 0.0)  # refuses a number that is no potential before it is remembered or paid
        return phi

    key = getattr(potential, "key", None)
    if key is None:
        return measure()
    if not isinstance(key, str) or not key:
        raise TypeError(f"the key of a potential is a text, not {key!r}")
    return grader.measured(key, state, float, measure)


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
