"""How far choosing the best of n samples goes from the policy that they come from."""

from __future__ import annotations

import math
from numbers import Integral


def best_of_n_kl(n: int) -> float:
    """log n - (n - 1) / n: KL(best of n || policy) in nats, for scores without ties.

    N. Stiennon and others, "Learning to summarize from human feedback" (2020), appendix G.3. Where scores
    tie, as a verdict of 0 or 1 does, it is only an upper bound (A. Beirami and others, "Theoretical
    guarantees on the best-of-n alignment policy", 2024): see ``best_of_n_kl_of_binary``.

    >>> best_of_n_kl(1), round(best_of_n_kl(64), 4)
    (0.0, 3.1745)

    Raises:
        ValueError: n is below 1 or no whole number.
    """
    _check(n)
    return math.log(n) - (n - 1) / n


def best_of_n_kl_of_binary(n: int, pass_rate: float) -> float:
    """KL(best of n || policy) in nats where samples pass or fail and ties are broken uniformly.

    With p = ``pass_rate``, the probability that one sample passes, and q = 1 - (1 - p)^n, that one of n
    does::

        q log(q / p) + (1 - q) log((1 - q) / (1 - p))

    which is at most log(1 / p): among samples that pass, the best of n is a sample of the policy. Where all
    pass, or none, there is nothing to choose and it is 0.

    >>> round(best_of_n_kl_of_binary(64, 0.1), 4), round(best_of_n_kl_of_binary(16, 0.5), 4)
    (2.2909, 0.693)
    >>> best_of_n_kl_of_binary(4, 0.0)
    0.0

    Raises:
        ValueError: n is below 1 or no whole number, or the rate is not in [0, 1].
    """
    _check(n)
    if not 0 <= pass_rate <= 1:
        raise ValueError(f"pass_rate must be in [0, 1], not {pass_rate}")
    if pass_rate in (0, 1) or n == 1:
        return 0.0
    log_fail = math.log1p(-pass_rate)
    some = -math.expm1(n * log_fail)
    none = math.exp(n * log_fail)
    return max(0.0, some * math.log(some / pass_rate) + none * (n - 1) * log_fail)


def _check(n: int) -> None:
    if isinstance(n, bool) or not isinstance(n, Integral) or n < 1:
        raise ValueError(f"n must be a whole number from 1, not {n}")
