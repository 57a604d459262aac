"""The environment's spaces: any text is an element, and one flat dict holds every action."""

from __future__ import annotations

import string
from typing import Any

import numpy as np
from gymnasium import spaces

from deepgym_envs.action import MAX_LINE_NUMBER, MAX_TEXT, tools

# The greatest that a task's limits can allow.
MAX_OUTPUT = 10_001_000
MAX_STEPS = 10_000


class Unicode(spaces.Text):
    """A string of up to ``max_length`` characters, whichever they are.

    Gymnasium's own ``Text`` knows a fixed alphabet; what a program prints does not. Samples are printable
    ASCII.
    """

    def __init__(
        self, max_length: int, *, min_length: int = 0, seed: int | np.random.Generator | None = None
    ) -> None:
        super().__init__(max_length, min_length=min_length, charset=string.printable, seed=seed)

    def contains(self, x: Any) -> bool:
        """Whether ``x`` is a string of fitting length."""
        return isinstance(x, str) and self.min_length <= len(x) <= self.max_length

    def sample(self, mask: Any = None, probability: Any = None) -> str:
        """A short random string; masks are not supported and must be None."""
        if mask is not None or probability is not None:
            raise ValueError("Unicode has no alphabet to mask")
        length = int(self.np_random.integers(self.min_length, min(self.max_length, self.min_length + 32) + 1))
        return "".join(self.np_random.choice(list(string.printable), size=length))

    def __repr__(self) -> str:
        return f"Unicode({self.max_length})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Unicode) and (self.min_length, self.max_length) == (
            other.min_length,
            other.max_length,
        )

    __hash__ = None  # type: ignore[assignment]


def action_space(*, commands: bool) -> spaces.Dict:
    """One flat dict: the number of the tool, and every field that some tool has.

    ``Action.encode`` makes elements of it. ``confidence`` below 0 means that none is given.
    """
    path, text = Unicode(1024), Unicode(MAX_TEXT)
    return spaces.Dict(
        {
            "tool": spaces.Discrete(len(tools(commands=commands))),
            "path": path,
            "glob": path,
            "pattern": Unicode(2000),
            "start": spaces.Discrete(MAX_LINE_NUMBER + 1),
            "end": spaces.Discrete(MAX_LINE_NUMBER + 1),
            "context": spaces.Discrete(21),
            "old": text,
            "new": text,
            "content": text,
            "tests": Unicode(205_000),
            "command": Unicode(100_000),
            "confidence": spaces.Box(-1.0, 1.0, (), np.float32),
        }
    )


def observation_space() -> spaces.Dict:
    """What the agent is told after each step; one space for all tasks, so that they fit into one vector.

    - ``instruction``: the task's text, the same in every step;
    - ``output``: what the action gave, shortened to about the task's ``output_bytes``;
    - ``ok``: 0 when the action could not be carried out (``output`` says why), else 1;
    - ``tests``: int32 (passed, failed) of the last ``run_tests``, (-1, -1) before the first;
    - ``steps_left``: int32, actions until the budget ends.
    """
    return spaces.Dict(
        {
            "instruction": Unicode(1_000_000),
            "output": Unicode(MAX_OUTPUT),
            "ok": spaces.Discrete(2),
            "tests": spaces.Box(-1, 10_000_000, (2,), np.int32),
            "steps_left": spaces.Box(0, MAX_STEPS, (), np.int32),
        }
    )
