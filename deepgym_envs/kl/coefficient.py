"""What a nat costs: coefficients of a KL penalty as frozen values, each of which says what comes next."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Protocol


class Coefficient(Protocol):
    """A coefficient, and how it answers to what was measured."""

    @property
    def value(self) -> float:
        """Reward per nat, at least 0."""

    def updated(self, kl: float, episodes: int) -> Coefficient:
        """The coefficient after ``episodes`` more, in which the mean divergence per episode was ``kl`` nats.

        Raises:
            ValueError: ``kl`` is not finite, or ``episodes`` is below 1.
        """


@dataclass(frozen=True)
class FixedCoefficient:
    """The same for ever.

    >>> FixedCoefficient(0.1).updated(kl=50.0, episodes=8).value
    0.1
    """

    value: float

    def __post_init__(self) -> None:
        _check_amounts(value=self.value)

    def updated(self, kl: float, episodes: int) -> FixedCoefficient:
        """Itself."""
        _check_measured(kl, episodes)
        return self


@dataclass(frozen=True)
class LinearCoefficient:
    """From ``start`` to ``end`` in equal parts over ``length`` episodes, and ``end`` from then on.

    >>> LinearCoefficient(0.2, 0.0, length=100).updated(kl=1.0, episodes=25).value
    0.15000000000000002
    """

    start: float
    end: float
    length: int
    done: int = 0

    def __post_init__(self) -> None:
        _check_amounts(start=self.start, end=self.end)
        if self.length < 1 or self.done < 0:
            raise ValueError(f"length must be at least 1 and done at least 0, not {self.length}, {self.done}")

    @property
    def value(self) -> float:
        """Reward per nat."""
        share = min(1.0, self.done / self.length)
        return self.start * (1 - share) + self.end * share

    def updated(self, kl: float, episodes: int) -> LinearCoefficient:
        """The same, further on."""
        _check_measured(kl, episodes)
        return replace(self, done=self.done + episodes)


@dataclass(frozen=True)
class AdaptiveCoefficient:
    """Grows while the divergence is above ``target`` nats per episode, and shrinks while it is below.

    After n episodes with a mean divergence of ``kl``::

        error = clip(kl / target - 1, -clip, clip)
        value <- value (1 + error n / horizon)

    D. M. Ziegler and others, "Fine-tuning language models from human preferences" (2019), section 2.2, whose
    gain of 0.1 for each batch is n / ``horizon`` here, as in its code and in TRL's and verl's.

    >>> AdaptiveCoefficient(0.1, target=6.0, horizon=1000).updated(kl=60.0, episodes=100).value
    0.10200000000000001
    """

    value: float
    target: float
    horizon: int = 10_000
    clip: float = 0.2

    def __post_init__(self) -> None:
        _check_amounts(value=self.value)
        if not 0 < self.target < math.inf:
            raise ValueError(f"target must be above 0 and finite, not {self.target}")
        if self.horizon < 1:
            raise ValueError(f"horizon must be at least 1 episode, not {self.horizon}")
        if not 0 < self.clip <= 1:
            raise ValueError(f"clip must be in (0, 1], not {self.clip}")

    def updated(self, kl: float, episodes: int) -> AdaptiveCoefficient:
        """The coefficient for what comes next.

        Raises:
            ValueError: ``kl`` is not finite, ``episodes`` is below 1, or so many that one update could make
                the coefficient negative: ``horizon / clip`` or more.
        """
        _check_measured(kl, episodes)
        if episodes * self.clip >= self.horizon:
            raise ValueError(
                f"an update may span fewer than {self.horizon / self.clip:g} episodes, not {episodes}; "
                "take a longer horizon"
            )
        error = min(max(kl / self.target - 1, -self.clip), self.clip)
        return replace(self, value=self.value * (1 + error * episodes / self.horizon))


def _check_amounts(**amounts: float) -> None:
    for name, amount in amounts.items():
        if not 0 <= amount < math.inf:
            raise ValueError(f"{name} must be at least 0 and finite, not {amount}")


def _check_measured(kl: float, episodes: int) -> None:
    if not math.isfinite(kl):
        raise ValueError(f"kl must be finite, not {kl}")
    if episodes < 1:
        raise ValueError(f"episodes must be at least 1, not {episodes}")
