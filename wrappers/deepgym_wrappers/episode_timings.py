"""How long steps and episodes take."""

from __future__ import annotations

import time
from typing import Any, SupportsFloat

import gymnasium as gym
from gymnasium.utils import RecordConstructorArgs


class EpisodeTimings(gym.Wrapper[Any, Any, Any, Any], RecordConstructorArgs):
    """Adds ``info["timings"]``: how long the last call took, and the episode since its reset began.

    ``step_seconds`` is the wall-clock time of this ``reset`` or ``step``, ``episode_seconds`` that since
    the last ``reset`` was called, both in seconds. They stand in no environment's own ``info``, because two
    episodes with the same actions have the same ``info``.

    >>> import gymnasium as gym, deepgym_envs
    >>> from deepgym_envs.testing import FakeBackend
    >>> task = deepgym_envs.load_suite("starter")[0]
    >>> made = gym.make("deepgym_envs/SWE-v0", task=task, sandbox=FakeBackend(), measure="never")
    >>> env = EpisodeTimings(made)
    >>> _, info = env.reset(seed=1)
    >>> sorted(info["timings"])
    ['episode_seconds', 'step_seconds']
    >>> env.close()
    """

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        RecordConstructorArgs.__init__(self)
        gym.Wrapper.__init__(self, env)
        self._episode_began = time.perf_counter()

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """See ``gymnasium.Env.reset``; the episode's time begins here."""
        self._episode_began = began = time.perf_counter()
        observation, info = self.env.reset(seed=seed, options=options)
        return observation, self._timed(info, began)

    def step(self, action: Any) -> tuple[Any, SupportsFloat, bool, bool, dict[str, Any]]:
        """See ``gymnasium.Env.step``."""
        began = time.perf_counter()
        observation, reward, terminated, truncated, info = self.env.step(action)
        return observation, reward, terminated, truncated, self._timed(info, began)

    def _timed(self, info: dict[str, Any], began: float) -> dict[str, Any]:
        now = time.perf_counter()
        return {
            **info,
            "timings": {"step_seconds": now - began, "episode_seconds": now - self._episode_began},
        }
