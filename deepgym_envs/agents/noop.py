"""The agent that does nothing: whatever it solves is no task."""

# ruff: noqa: ARG002 - the arguments are the protocol's

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deepgym_envs.action import Action, Submit
from deepgym_envs.task import Task


class NoopAgent:
    """Hands the repository in as it is."""

    name = "noop"

    def begin(self, task: Task, seed: int) -> None:
        """See ``Agent.begin``."""

    def act(self, observation: Mapping[str, Any], info: Mapping[str, Any]) -> Action:
        """See ``Agent.act``."""
        return Submit()
