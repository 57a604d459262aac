"""What every agent is: something that is told of a task, and then asked for one action after another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from deepgym_envs.action import Action
from deepgym_envs.task import Task


class Agent(Protocol):
    """Plays one episode at a time; each thread has an agent of its own."""

    @property
    def name(self) -> str:
        """What the agent is called in results; two agents that act differently have different names."""

    def begin(self, task: Task, seed: int) -> None:
        """Forget what was before and make ready for an episode of ``task``.

        Whatever the agent draws at random it draws from ``seed``, so that the episode can be played again.
        Before a run this is called once for each of its tasks, so that what cannot be played is known at
        the start.

        Raises:
            TaskError: the agent cannot play this task; says why.
        """

    def act(self, observation: Mapping[str, Any], info: Mapping[str, Any]) -> Action:
        """The next action, given what ``reset`` or the last ``step`` of the environment returned."""
