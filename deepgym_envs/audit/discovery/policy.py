"""A small policy and its gradient: softmax over edits, trained by groups of episodes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
_SMALL = 1e-4


@dataclass(frozen=True)
class Decisions:
    """What was decided in B turns.

    ``features`` (B, F) describe the situation, ``open`` (B, N) which of N edits could be chosen, at least one
    in each row, ``chosen`` (B,) which was, and ``advantages`` (B,) how much better its episode went than
    others of its group.
    """

    features: Floats
    open: NDArray[np.bool_]
    chosen: NDArray[np.intp]
    advantages: Floats


def probabilities(weights: Floats, features: Floats, allowed: NDArray[np.bool_]) -> Floats:
    """``pi(a|x) = exp(x W_a) / sum_b exp(x W_b)`` over what is allowed, 0 for the rest; shape (B, N).

    >>> probabilities(np.zeros((1, 3)), np.ones((1, 1)), np.array([[True, False, True]])).tolist()
    [[0.5, 0.0, 0.5]]
    """
    scores = np.where(allowed, features @ weights, -np.inf)
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares: Floats = powers / powers.sum(axis=1, keepdims=True)
    return shares


def group_advantages(rewards: Floats) -> Floats:
    """``A_i = (r_i - mean(r)) / (std(r) + 1e-4)`` over one group, with the standard deviation of the group.

    Shao et al., "DeepSeekMath" (2024), section 4.1.2, outcome supervision; the small number, which keeps a
    group of equal rewards at 0, is that of TRL's GRPO trainer.

    >>> group_advantages(np.array([1.0, 0.0])).round(3).tolist(), group_advantages(np.ones(2)).tolist()
    ([1.0, -1.0], [0.0, 0.0])
    """
    advantages: Floats = (rewards - rewards.mean()) / (rewards.std() + _SMALL)
    return advantages


def objective(weights: Floats, decisions: Decisions, entropy: float) -> float:
    """What is to be maximised: ``1/B sum_t [A_t log pi(a_t|x_t) + entropy * H(pi(.|x_t))]``.

    With one step for each group the policy is the one that played, so that the ratio in GRPO's objective is 1
    and nothing is ever clipped: its gradient is that of REINFORCE (Williams, Machine Learning 8, 1992) with
    the group for a baseline. There is no penalty for leaving a reference policy. ``H(pi) = -sum pi log pi``
    as in Mnih et al. (ICML 2016), section 4.
    """
    shares = probabilities(weights, decisions.features, decisions.open)
    rows = np.arange(len(shares))
    gained = decisions.advantages * np.log(shares[rows, decisions.chosen])
    return float(np.mean(gained + entropy * _entropies(shares)))


def gradient(weights: Floats, decisions: Decisions, entropy: float) -> Floats:
    """The derivative of ``objective`` by ``weights``, of their shape (F, N).

    By the scores z = xW it is ``A (e_a - pi) - entropy * pi (log pi + H)``, and by W that times x.
    """
    shares = probabilities(weights, decisions.features, decisions.open)
    by_score = -decisions.advantages[:, None] * shares
    by_score[np.arange(len(shares)), decisions.chosen] += decisions.advantages
    by_score -= entropy * shares * (_logarithms(shares) + _entropies(shares)[:, None])
    by_weight: Floats = decisions.features.T @ by_score / len(shares)
    return by_weight


def _logarithms(shares: Floats) -> Floats:
    """Their logarithms; 0 where a share is 0, whose product with it is then 0 as in the limit."""
    return np.log(shares, out=np.zeros_like(shares), where=shares > 0)


def _entropies(shares: Floats) -> Floats:
    entropies: Floats = -(shares * _logarithms(shares)).sum(axis=1)
    return entropies


class SoftmaxPolicy:
    """Chooses among ``edits`` by ``features`` numbers, at first all alike; learns by gradient ascent.

    Args:
        rate: the length of a step, in units of the gradient.
        entropy: weight of the entropy, which keeps the policy from settling at once.
    """

    def __init__(self, features: int, edits: int, *, rate: float = 4.0, entropy: float = 0.01) -> None:
        self.weights: Floats = np.zeros((features, edits))
        self._rate = rate
        self._entropy = entropy

    def choose(self, features: Floats, allowed: NDArray[np.bool_], random: np.random.Generator) -> int:
        """One of the edits that are allowed, drawn as often as the policy has it."""
        shares = probabilities(self.weights, features[None], allowed[None])[0]
        return int(random.choice(len(shares), p=shares))

    def learn(self, decisions: Decisions) -> None:
        """One step uphill: ``W += rate * gradient``."""
        self.weights = self.weights + self._rate * gradient(self.weights, decisions, self._entropy)
