"""How far a policy is from its reference, in nats: estimates from tokens, exact values, coefficients."""

from deepgym_envs.kl.best_of_n import best_of_n_kl, best_of_n_kl_of_binary
from deepgym_envs.kl.coefficient import (
    AdaptiveCoefficient,
    Coefficient,
    FixedCoefficient,
    LinearCoefficient,
)
from deepgym_envs.kl.estimators import DIRECTIONS, ESTIMATORS, Direction, Estimator, estimate, exact_kl
from deepgym_envs.kl.tokens import episode_sum, kl_per_token, log_ratio, step_sums, token_mean

__all__ = [
    "DIRECTIONS",
    "ESTIMATORS",
    "AdaptiveCoefficient",
    "Coefficient",
    "Direction",
    "Estimator",
    "FixedCoefficient",
    "LinearCoefficient",
    "best_of_n_kl",
    "best_of_n_kl_of_binary",
    "episode_sum",
    "estimate",
    "exact_kl",
    "kl_per_token",
    "log_ratio",
    "step_sums",
    "token_mean",
]
