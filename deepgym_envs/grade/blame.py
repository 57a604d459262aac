"""Whose fault it is that a box was lost: decided here, for graders, validation and environments alike."""

from __future__ import annotations

from deepgym_envs.errors import BoxLost
from deepgym_envs.sandbox import Backend


def excuse(lost: BoxLost, backend: Backend) -> str | None:
    """Why the loss says nothing about the code in the box; None where that code has to answer for it.

    Code is excused if none had run since the box was last known to be clean, or if the host itself sees that
    ``backend``, where the box is from, is gone. Nothing that comes out of a box is asked.
    """
    return backend.problem() if lost.after_agent_code else str(lost)
