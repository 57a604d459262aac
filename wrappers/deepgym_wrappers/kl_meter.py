"""Adds up the divergence of episodes and what it costs: what both forms of ``KLLogging`` share."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from deepgym_envs.kl import (
    DIRECTIONS,
    ESTIMATORS,
    Coefficient,
    Direction,
    Estimator,
    FixedCoefficient,
    estimate,
    log_ratio,
)
from deepgym_wrappers.sinks import MetricSink, send

Kind: TypeAlias = tuple[Direction, Estimator]
KINDS: tuple[Kind, ...] = tuple(
    (direction, estimator) for direction in DIRECTIONS for estimator in ESTIMATORS
)
FREE = FixedCoefficient(0.0)


@dataclass(frozen=True)
class KLSettings:
    """What is made of the divergence.

    ``estimator`` and ``direction`` name the one that is charged, budgeted and controlled, in nats per
    episode; all others are logged beside it. k1 is the usual choice: in a reward it alone gives the
    divergence's own gradient, but what it charges for a step can be negative. k3 never is.

    With ``penalty`` each step's reward is lowered by ``coefficient`` times its estimate. ``coefficient`` is
    updated with the mean of every ``episodes_per_update`` finished episodes; masked ones do not count.
    ``budget`` is the number of nats above which an episode raises the alarm. ``limit`` bounds what one token
    may count: see ``deepgym_envs.kl.estimate``.

    >>> from deepgym_envs.kl import AdaptiveCoefficient
    >>> KLSettings(penalty=True, coefficient=AdaptiveCoefficient(0.05, target=6.0)).coefficient.value
    0.05

    Raises:
        ValueError: a setting is out of range.
    """

    estimator: Estimator = "k1"
    direction: Direction = "reverse"
    penalty: bool = False
    coefficient: Coefficient = FREE
    episodes_per_update: int = 1
    budget: float | None = None
    limit: float | None = None

    def __post_init__(self) -> None:
        estimate(0.0, self.estimator, self.direction, limit=self.limit)
        if self.budget is not None and not 0 < self.budget < math.inf:
            raise ValueError(f"budget must be above 0 and finite, or None, not {self.budget}")
        # The first update would refuse too many episodes only after as many were played.
        self.coefficient.updated(0.0, self.episodes_per_update)

    @property
    def charged(self) -> Kind:
        """Direction and estimator of what is charged."""
        return self.direction, self.estimator


@dataclass(frozen=True)
class Measured:
    """Estimates for the tokens of one step: for each kind an array of the shape (tokens,)."""

    estimates: Mapping[Kind, NDArray[np.float64]]

    @property
    def tokens(self) -> int:
        """How many tokens counted."""
        return len(self.estimates[KINDS[0]])

    def sums(self) -> dict[Kind, float]:
        """The step's sum of each kind."""
        return {kind: float(values.sum()) for kind, values in self.estimates.items()}


@dataclass
class _Episode:
    """What an episode has so far."""

    sums: dict[Kind, float]
    tokens: int = 0
    penalty: float = 0.0
    steps: int = 0


class KLMeter:
    """The divergence of ``episodes`` that are played side by side, each known by its number.

    In a step: ``measure`` before the environment sees the action, ``count`` for each episode after it, then
    ``end`` for those that are over, so that all are charged by the same coefficient.
    """

    def __init__(self, settings: KLSettings, sinks: Sequence[MetricSink], episodes: int) -> None:
        self.settings = settings
        self._sinks = tuple(sinks)
        self._coefficient = settings.coefficient
        self._episodes = [_Episode(dict.fromkeys(KINDS, 0.0)) for _ in range(episodes)]
        self._since_update: list[float] = []
        self._finished = 0

    def measure(self, policy: Any, reference: Any, mask: Any) -> Measured:
        """Estimates from log-probabilities of the shape (tokens,) and a mask of the same, or None.

        Raises:
            ValueError: they do not fit together, or one is none; nothing has been counted then.
        """
        ratios = log_ratio(policy, reference, mask)
        if ratios.ndim != 1:
            raise ValueError(
                f"the log-probabilities of a step must have the shape (tokens,), not {ratios.shape}"
            )
        kept = ratios if mask is None else ratios[np.asarray(mask, dtype=np.bool_)]
        limit = self.settings.limit
        return Measured({(way, name): estimate(kept, name, way, limit=limit) for way, name in KINDS})

    def begin(self, number: int) -> dict[str, Any]:
        """Begin episode ``number`` anew; ``info["kl"]`` of its reset."""
        self._episodes[number] = _Episode(dict.fromkeys(KINDS, 0.0))
        return self._info(self._episodes[number], self.measure((), (), None), 0.0)

    def count(self, number: int, measured: Measured, *, masked: bool) -> tuple[float, dict[str, Any]]:
        """Add a step to an episode: what it is charged, and its ``info["kl"]``.

        A step that was masked is charged nothing, for its reward says nothing.
        """
        episode, sums = self._episodes[number], measured.sums()
        charged = self.settings.penalty and not masked
        penalty = self._coefficient.value * sums[self.settings.charged] if charged else 0.0
        episode.sums = {kind: episode.sums[kind] + sums[kind] for kind in KINDS}
        episode.tokens += measured.tokens
        episode.penalty += penalty
        episode.steps += 1
        return penalty, self._info(episode, measured, penalty)

    def end(self, number: int, *, masked: bool) -> None:
        """Log an episode that is over, and let the coefficient answer; a masked one is left out."""
        if masked:
            return
        episode = self._episodes[number]
        self._finished += 1
        metrics = self._metrics(episode)
        self._since_update.append(episode.sums[self.settings.charged])
        if len(self._since_update) == self.settings.episodes_per_update:
            mean = sum(self._since_update) / len(self._since_update)
            self._coefficient = self._coefficient.updated(mean, len(self._since_update))
            self._since_update = []
        send(self._sinks, metrics, self._finished)

    def _over_budget(self, episode: _Episode) -> bool:
        budget = self.settings.budget
        return budget is not None and episode.sums[self.settings.charged] > budget

    def _info(self, episode: _Episode, measured: Measured, penalty: float) -> dict[str, Any]:
        # Tuples, because Gymnasium's vectors take arrays of one shape only, and steps differ in length.
        step = measured.sums()
        found: dict[str, Any] = {
            direction: {
                "token": {name: tuple(measured.estimates[direction, name].tolist()) for name in ESTIMATORS},
                "step": {name: step[direction, name] for name in ESTIMATORS},
                "episode": {name: episode.sums[direction, name] for name in ESTIMATORS},
            }
            for direction in DIRECTIONS
        }
        return {
            **found,
            "tokens": measured.tokens,
            "episode_tokens": episode.tokens,
            "coefficient": self._coefficient.value,
            "penalty": penalty,
            "alarm": self._over_budget(episode),
        }

    def _metrics(self, episode: _Episode) -> dict[str, float]:
        charged = episode.sums[self.settings.charged]
        return {
            "kl": charged,
            "kl/per_token": charged / max(episode.tokens, 1),
            **{f"kl/{name}": episode.sums["reverse", name] for name in ESTIMATORS},
            **{f"kl/forward/{name}": episode.sums["forward", name] for name in ESTIMATORS},
            "kl/coef": self._coefficient.value,
            "kl/penalty": episode.penalty,
            "kl/alarm": float(self._over_budget(episode)),
            "kl/tokens": float(episode.tokens),
            "kl/steps": float(episode.steps),
        }
