"""How hard a prompt is for the policy, as a distribution and not as a share of a few trials.

The pass rate has a Beta posterior (Gelman et al., Bayesian Data Analysis, section 2.4): Beta(1 + passes,
1 + fails) from a uniform prior. Old trials fade, for the policy that made them is gone.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

Verdict: TypeAlias = Literal["train", "too hard", "too easy", "audit"]


@dataclass(frozen=True)
class Difficulty:
    """A prompt's trials: ``passes`` and ``fails`` are counts from 0, and fractions once they fade.

    ``failed`` tells of a fail that may have faded since; ``audited`` that somebody has looked at how the
    prompt is passed.

    >>> Difficulty().observed(passes=1, fails=7).mean
    0.2
    """

    passes: float = 0.0
    fails: float = 0.0
    failed: bool = False
    audited: bool = False

    def __post_init__(self) -> None:
        for name, value in (("passes", self.passes), ("fails", self.fails)):
            if not 0 <= value <= 1e9:
                raise ValueError(f"{name} is {value}: expected a count from 0 to 1e9")

    @property
    def mean(self) -> float:
        """The expected pass rate."""
        return (1 + self.passes) / (2 + self.passes + self.fails)

    def observed(self, *, passes: int, fails: int, keep: float = 1.0) -> Difficulty:
        """After more trials; ``keep`` in [0, 1] is the share of weight that the earlier ones retain."""
        if not 0 <= keep <= 1 or passes < 0 or fails < 0:
            raise ValueError(
                f"passes is {passes}, fails {fails}, keep {keep}: "
                "expected counts from 0, and a share in [0, 1]"
            )
        return replace(
            self,
            passes=keep * self.passes + passes,
            fails=keep * self.fails + fails,
            failed=self.failed or self.fails > 0 or fails > 0,
        )

    def below(self, rate: float) -> float:
        """P(pass rate < rate); ``rate`` in [0, 1].

        >>> round(Difficulty(passes=0, fails=9).below(0.5), 6)
        0.999023
        """
        if not 0 <= rate <= 1:
            raise ValueError(f"rate is {rate}: expected a number in [0, 1]")
        return incomplete_beta(1 + self.passes, 1 + self.fails, rate)

    def informative(self, group: int) -> float:
        """The chance that ``group`` new trials are not all alike: 1 - E[p^G] - E[(1 - p)^G], in [0, 1].

        With p known it is 1 - p^G - (1 - p)^G, at most at p = 1/2. The posterior's moments are products:
        E[p^G] = prod (a + i) / (a + b + i).

        >>> round(Difficulty().informative(8), 4)
        0.7778
        """
        if group < 1:
            raise ValueError(f"group is {group}: expected a whole number from 1")
        right, wrong = 1 + self.passes, 1 + self.fails
        all_right = math.prod((right + i) / (right + wrong + i) for i in range(group))
        all_wrong = math.prod((wrong + i) / (right + wrong + i) for i in range(group))
        return max(0.0, 1.0 - all_right - all_wrong)

    def verdict(self, *, hard: float = 0.02, easy: float = 0.9, confidence: float = 0.95) -> Verdict:
        """What to do with the prompt. One that never failed is looked at before it goes: cheats never fail.

        - ``too easy``: P(rate > easy) >= confidence; but ``audit`` where no trial failed and nobody looked;
        - ``too hard``: P(rate < hard) >= confidence;
        - ``train``: neither.

        >>> Difficulty().observed(passes=40, fails=0).verdict()
        'audit'
        >>> Difficulty(audited=True).observed(passes=40, fails=0).verdict()
        'too easy'
        """
        if not (0 <= hard < easy <= 1 and 0.5 < confidence < 1):
            raise ValueError(
                f"hard is {hard}, easy {easy}, confidence {confidence}: "
                "expected 0 <= hard < easy <= 1 and a confidence between 0.5 and 1"
            )
        if 1 - self.below(easy) >= confidence:
            known = self.audited or self.failed or self.fails > 0
            return "too easy" if known else "audit"
        return "too hard" if self.below(hard) >= confidence else "train"


def incomplete_beta(a: float, b: float, x: float) -> float:
    """The regularised incomplete beta function I_x(a, b), for a, b > 0 and x in [0, 1].

    DLMF 8.17.22, a continued fraction, evaluated by Lentz's method (Thompson and Barnett 1986); for x above
    (a + 1) / (a + b + 2), where it converges slowly, by I_x(a, b) = 1 - I_1-x(b, a).

    >>> round(incomplete_beta(2, 3, 0.5), 12)
    0.6875
    """
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1.0 - _lower_tail(b, a, 1 - x)
    return _lower_tail(a, b, x)


def _lower_tail(a: float, b: float, x: float) -> float:
    front = a * math.log(x) + b * math.log1p(-x) + math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    tiny = 1e-300
    ratio, above, below = 1.0, 1.0, 0.0
    for term in _terms(a, b, x):
        below = 1.0 / _away_from_zero(1.0 + term * below, tiny)
        above = _away_from_zero(1.0 + term / above, tiny)
        ratio *= above * below
        if abs(above * below - 1.0) < 1e-15:
            break
    return min(1.0, math.exp(front) / (a * ratio))


def _terms(a: float, b: float, x: float) -> Iterator[float]:
    """d_1, d_2, ... of DLMF 8.17.23; enough of them for counts as large as a Difficulty may hold."""
    for m in range(200_000):
        if m:
            yield m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        yield -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))


def _away_from_zero(value: float, tiny: float) -> float:
    return value if abs(value) > tiny else tiny
