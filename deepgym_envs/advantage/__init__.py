"""Advantages, policy losses, filters and samplers, as references in float64 numpy: no environment needed.

docs/advantages.md lists them by name, formula, source and the libraries that they agree with.
"""

from deepgym_envs.advantage.aggregation import AGGREGATIONS, aggregate, token_weights
from deepgym_envs.advantage.difficulty import Difficulty, Verdict
from deepgym_envs.advantage.estimators import ADV_ESTIMATORS, Batch, Settings, advantages
from deepgym_envs.advantage.filters import dynamic_sampling, no_positive_resampling, varied
from deepgym_envs.advantage.losses import POLICY_LOSSES, PolicyLoss, Recipe, policy_loss
from deepgym_envs.advantage.monitors import collapse, diversity
from deepgym_envs.advantage.noise import corrected_rewards, positive_predictive_value, rogan_gladen
from deepgym_envs.advantage.outcome import dr_grpo, gpg, grpo, grpo_passk, maxrl, opo, rloo
from deepgym_envs.advantage.passk import pass_at_k, passk_advantages
from deepgym_envs.advantage.returns import (
    gae,
    reinforce_plus_plus,
    reinforce_plus_plus_baseline,
    remax,
    returns_to_go,
    turn_pbrs,
    whiten,
)
from deepgym_envs.advantage.samplers import curriculum, resample_on_correct
from deepgym_envs.advantage.sequence_losses import PairLoss, dpo, real
from deepgym_envs.advantage.token_losses import (
    TokenLoss,
    cispo,
    dppo_kl,
    dppo_tv,
    gspo,
    ppo_clip,
    sapo,
)

__all__ = [
    "ADV_ESTIMATORS",
    "AGGREGATIONS",
    "POLICY_LOSSES",
    "Batch",
    "Difficulty",
    "PairLoss",
    "PolicyLoss",
    "Recipe",
    "Settings",
    "TokenLoss",
    "Verdict",
    "advantages",
    "aggregate",
    "cispo",
    "collapse",
    "corrected_rewards",
    "curriculum",
    "diversity",
    "dpo",
    "dppo_kl",
    "dppo_tv",
    "dr_grpo",
    "dynamic_sampling",
    "gae",
    "gpg",
    "grpo",
    "grpo_passk",
    "gspo",
    "maxrl",
    "no_positive_resampling",
    "opo",
    "pass_at_k",
    "passk_advantages",
    "policy_loss",
    "positive_predictive_value",
    "ppo_clip",
    "real",
    "reinforce_plus_plus",
    "reinforce_plus_plus_baseline",
    "remax",
    "resample_on_correct",
    "returns_to_go",
    "rloo",
    "rogan_gladen",
    "sapo",
    "token_weights",
    "turn_pbrs",
    "varied",
    "whiten",
]
