"""A potential that somebody has learned: from the task's instruction and a diff to a number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from deepgym_envs.grade import Grader
from deepgym_envs.patch import make_patch
from deepgym_envs.state import WorkspaceState

Score: TypeAlias = Callable[[str, str], float]
"""From the instruction of a task and a unified diff to a number in [0, 1]."""


@dataclass(frozen=True)
class Learned:
    """What ``score`` says of the task's instruction and of the diff from the base to what counts of a state.

    ``key`` names the model and its version: a number is remembered under it, so a model that samples is asked
    once for a state, and one that was trained further needs another key. The diff is empty at the base. It is
    the agent's text: a model can be talked to by it, which moves single steps but never the sum of shaping.

    >>> halfway = Learned(lambda instruction, diff: 0.5 if diff else 0.0, key="any change 1")

    Raises:
        ValueError: there is no key.
    """

    score: Score
    key: str

    def __post_init__(self) -> None:
        if not self.key:
            raise ValueError("a learned potential needs a key: the name of the model and its version")

    def __call__(self, grader: Grader, state: WorkspaceState) -> float:
        diff = make_patch(grader.judged_part(state)).decode("utf-8", "replace")
        return self.score(grader.task.instruction, diff)
