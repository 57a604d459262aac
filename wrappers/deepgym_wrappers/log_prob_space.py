"""The space of actions that bring the log-probabilities of their tokens along."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces

TOKEN_KEYS = ("logp_policy", "logp_reference", "mask")


class Tokens(spaces.Sequence):
    """Arrays of the shape (tokens,), of any length, with values in [low, high].

    Gymnasium's own ``Sequence`` of scalars is meant for elements that are arrays, and warns of others.
    """

    def __init__(self, low: float, high: float, dtype: type[np.generic]) -> None:
        super().__init__(spaces.Box(low, high, (), dtype), stack=True)
        self._bounds = low, high

    def contains(self, x: Any) -> bool:
        """Whether ``x`` is such an array, or can be made one."""
        try:
            found = np.asarray(x, dtype=np.float64)
        except (TypeError, ValueError):
            return False
        low, high = self._bounds
        return found.ndim == 1 and bool(((found >= low) & (found <= high)).all())


class LogProbSpace(spaces.Dict):
    """``action`` of ``inner``, and ``logp_policy``, ``logp_reference`` and ``mask`` of its tokens.

    For ``rows`` environments side by side each of the three is a tuple of as many arrays; without, one array.
    Samples have equally many of each.
    """

    def __init__(self, inner: gym.Space[Any], rows: int | None = None) -> None:
        bounds: dict[str, tuple[float, float, type[np.generic]]] = {
            "logp_policy": (-np.inf, 0.0, np.float64),
            "logp_reference": (-np.inf, 0.0, np.float64),
            "mask": (0, 1, np.int8),
        }
        tokens: dict[str, gym.Space[Any]] = {
            name: Tokens(*bound) if rows is None else spaces.Tuple([Tokens(*bound) for _ in range(rows)])
            for name, bound in bounds.items()
        }
        super().__init__({"action": inner, **tokens})
        self._rows = rows

    def sample(self, mask: Any = None, probability: Any = None) -> dict[str, Any]:
        """An action, and the log-probabilities of as many tokens as there are in the mask."""
        drawn = super().sample(mask, probability)
        columns = [drawn[name] if self._rows is not None else (drawn[name],) for name in TOKEN_KEYS]
        shortest = [min(map(len, row)) for row in zip(*columns, strict=True)]
        for name, column in zip(TOKEN_KEYS, columns, strict=True):
            cut = tuple(values[:length] for values, length in zip(column, shortest, strict=True))
            drawn[name] = cut if self._rows is not None else cut[0]
        return drawn
