"""Actions as a language model writes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium as gym
from gymnasium.utils import RecordConstructorArgs

from deepgym_envs.spaces import Unicode


class ToolCallText(gym.ActionWrapper[Any, str, Mapping[str, Any] | str], RecordConstructorArgs):
    """Makes the action one text: a tool call in JSON, as OpenAI's and Anthropic's interfaces have it.

    ``{"name": ..., "arguments": {...}}``, ``{"name": ..., "input": {...}}``, one inside ``function``, or a
    list with one of them. Text that is no tool call is an action like any other: the environment says in
    its observation what was wrong, and a step is used. Observation and ``info`` are the environment's own.

    ``max_length`` is that of the action space, in characters; longer text is still understood.

    >>> import gymnasium as gym, deepgym_envs
    >>> from deepgym_envs.testing import FakeBackend
    >>> task = deepgym_envs.load_suite("starter")[0]
    >>> made = gym.make("deepgym_envs/SWE-v0", task=task, sandbox=FakeBackend(), measure="never")
    >>> env = ToolCallText(made)
    >>> _ = env.reset(seed=1)
    >>> observation, reward, terminated, truncated, info = env.step('{"name": "list_files", "arguments": {}}')
    >>> info["tool"], int(observation["ok"])
    ('list_files', 1)
    >>> observation, *_, info = env.step("I will look at the files.")
    >>> int(observation["ok"]), observation["output"][:9]
    (0, 'not JSON:')
    >>> env.close()
    """

    def __init__(self, env: gym.Env[Any, Any], max_length: int = 2_000_000) -> None:
        RecordConstructorArgs.__init__(self, max_length=max_length)
        gym.ActionWrapper.__init__(self, env)
        self.action_space = Unicode(max_length)

    def action(self, action: str) -> str:
        """The text itself, which the environment reads, so that it also words what is wrong with it."""
        return action
