"""The share of the hidden tests that pass: a potential for training, from tests that the agent never sees."""

from __future__ import annotations

import math
from collections.abc import Sequence, Set

from deepgym_envs.grade import Grader
from deepgym_envs.state import WorkspaceState


def hidden_tests(grader: Grader, state: WorkspaceState) -> float:
    """Share of all hidden tests listed by the task that pass.

    For a task of kind ``tests``: the share of the right implementations that the agent's tests accept, times
    the share of the wrong ones that they refuse. So tests that refuse everything have 0.

    Privileged: for training alone, never for an agent's prompt. The tests run in the grading box, as they
    are: unlike the verdict, this number can be forged by code that takes over the process of its tests. As
    the potential is 0 at the end, a forged one cannot raise a return; it misleads single steps and critics.

    Raises:
        SandboxError: the tests could not be run, for a reason that the code under test cannot have caused.
    """
    return _share(grader, state, grader.task.expected)


def fail_to_pass(grader: Grader, state: WorkspaceState) -> float:
    """Share of the hidden tests that fail at the base and pass once the task is solved, so the base has 0.

    What goes wrong with the others is not seen. All else is as for ``hidden_tests``, and for a task of kind
    ``tests`` the number too.
    """
    tests = grader.task.manifest.tests
    wanted = grader.task.expected if grader.task.manifest.kind == "tests" else tests.fail_to_pass
    return _share(grader, state, wanted)


def _share(grader: Grader, state: WorkspaceState, wanted: Sequence[str]) -> float:
    if not wanted:
        return 0.0
    passed = set(grader.hidden(state).passed)
    if grader.task.manifest.kind == "tests":
        wrong = {node for node in wanted if node.startswith("wrong-")}
        sides: tuple[Set[str], ...] = wrong, set(wanted) - wrong
    else:
        sides = (set(wanted),)
    return math.prod(len(side & passed) / len(side) for side in sides if side)
