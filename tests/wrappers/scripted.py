"""An environment that does what is written down, for tests of wrappers that look at nothing but rewards and ends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium as gym
from gymnasium import spaces

Episode = Sequence[tuple[float, bool]]
"""Of each step its reward, and whether the infrastructure fails in it; the last one ends the episode."""


class ScriptedEnv(gym.Env[Any, Any]):
    """Plays ``episodes`` one after the other, from the first again when all are played."""

    def __init__(self, episodes: Sequence[Episode]) -> None:
        self.observation_space = spaces.Discrete(100)
        self.action_space = spaces.Discrete(2)
        self._episodes = episodes
        self._number, self._step = -1, 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[int, dict[str, Any]]:
        super().reset(seed=seed)
        self._number, self._step = self._number + 1, 0
        return 0, {"masked": False}

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        episode = self._episodes[self._number % len(self._episodes)]
        reward, masked = episode[self._step]
        self._step += 1
        over = self._step == len(episode)
        return self._step, reward, over and not masked, over and masked, {"masked": masked}


def rewards(*values: float, masked: bool = False) -> Episode:
    """An episode with these rewards, which ends masked or not."""
    return [(value, masked and number == len(values)) for number, value in enumerate(values, start=1)]
