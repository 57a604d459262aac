"""Policy losses by the names under which trainers know them: a loss of each token, and how they are added.

These are references in float64, to check a trainer against; a trainer differentiates its own.

>>> loss = policy_loss("grpo", [[-1.0, -2.0]], [[-1.0, -2.0]], [[0.5, 0.5]], [[1, 1]])
>>> loss.value
-0.5
>>> loss.gradient
array([[-0.25, -0.25]])
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from deepgym_envs.advantage.aggregation import token_weights
from deepgym_envs.advantage.arrays import Array, token_mask
from deepgym_envs.advantage.token_losses import (
    TokenLossFunction,
    cispo,
    dppo_kl,
    dppo_tv,
    gspo,
    ppo_clip,
    sapo,
)


@dataclass(frozen=True)
class Recipe:
    """A loss of tokens and an aggregation (``AGGREGATIONS``); other bounds with ``functools.partial``."""

    tokens: TokenLossFunction
    aggregation: str


@dataclass(frozen=True, eq=False)
class PolicyLoss:
    """``gradient`` (B, T) is that of ``value`` by ``logp``; ``clip_fraction`` the share of tokens clipped."""

    value: float
    gradient: Array
    clip_fraction: float


def policy_loss(
    recipe: str | Recipe,
    logp: npt.ArrayLike,
    old_logp: npt.ArrayLike,
    advantages: npt.ArrayLike,
    mask: npt.ArrayLike,
    *,
    length: float | None = None,
) -> PolicyLoss:
    """A loss to be minimised, all arrays (B, T); ``length`` as in ``token_weights``.

    Raises:
        ValueError: there is no such loss, or an array has a wrong shape or value.
    """
    if isinstance(recipe, str):
        if recipe not in POLICY_LOSSES:
            raise ValueError(f"no loss is called {recipe!r}: expected one of {', '.join(POLICY_LOSSES)}")
        recipe = POLICY_LOSSES[recipe]
    weights = token_weights(mask, recipe.aggregation, length=length)
    tokens = recipe.tokens(logp, old_logp, advantages, mask)
    return PolicyLoss(
        value=float((tokens.value * weights).sum()),
        gradient=tokens.slope * weights,
        clip_fraction=float(np.count_nonzero(tokens.clipped) / np.count_nonzero(token_mask(mask))),
    )


POLICY_LOSSES: Mapping[str, Recipe] = MappingProxyType(
    {
        "ppo": Recipe(ppo_clip, "token-mean"),
        "grpo": Recipe(ppo_clip, "seq-mean-token-mean"),
        "dr_grpo": Recipe(ppo_clip, "seq-mean-token-sum-norm"),
        "dapo": Recipe(partial(ppo_clip, high=0.28), "token-mean"),
        "gspo": Recipe(gspo, "seq-mean-token-mean"),
        "cispo": Recipe(cispo, "token-mean"),
        "sapo": Recipe(sapo, "seq-mean-token-mean"),
        "dppo_tv": Recipe(dppo_tv, "token-mean"),
        "dppo_kl": Recipe(dppo_kl, "token-mean"),
    }
)
"""Each as its paper has it. ``real`` and ``dpo`` are losses of whole rows and stand by themselves."""
