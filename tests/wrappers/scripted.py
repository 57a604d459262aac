"""An environment that does what is written down, for tests of wrappers that look at nothing but rewards and ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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


@dataclass(frozen=True)
class Play:
    """A step: its reward, what ``info`` has beside the usual keys, and how the episode ends here, if it does."""

    reward: float = 0.0
    info: Mapping[str, Any] = field(default_factory=dict)
    end: str = ""


class PlayedEnv(gym.Env[Any, Any]):
    """Plays episodes whose ``info`` is written down too; the observation is the number of the step."""

    def __init__(self, episodes: Sequence[Sequence[Play]], first: Mapping[str, Any] | None = None) -> None:
        self.observation_space = spaces.Discrete(100)
        self.action_space = spaces.Discrete(2)
        self._episodes, self._first = episodes, dict(first or {})
        self._number, self._step = -1, 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[int, dict[str, Any]]:
        super().reset(seed=seed)
        self._number, self._step = self._number + 1, 0
        return 0, dict(self._first)

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        play = self._episodes[self._number % len(self._episodes)][self._step]
        self._step += 1
        info = {**self._first, **play.info}
        return self._step, play.reward, play.end == "terminated", play.end == "truncated", info


def episode(env: gym.Env[Any, Any], action: Any = 0) -> list[tuple[float, dict[str, Any]]]:
    """Plays one episode with the same action again and again: of each step the reward and the ``info``."""
    env.reset()
    found: list[tuple[float, dict[str, Any]]] = []
    over = False
    while not over:
        _, reward, terminated, truncated, info = env.step(action)
        found.append((float(reward), info))
        over = terminated or truncated
    return found
