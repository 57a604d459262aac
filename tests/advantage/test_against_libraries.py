"""Ours are the numbers of verl, TRL, SkyRL, OpenRLHF and ms-swift to 1e-6, or the difference is known."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from deepgym_envs.advantage import (
    Batch,
    PolicyLoss,
    Recipe,
    Settings,
    advantages,
    cispo,
    dpo,
    dppo_kl,
    dppo_tv,
    dr_grpo,
    gae,
    grpo,
    gspo,
    policy_loss,
    ppo_clip,
    real,
    rloo,
    sapo,
)
from deepgym_envs.advantage.arrays import Array
from deepgym_envs.advantage.token_losses import TokenLossFunction
from tests.advantage.reference import REFERENCE, SETTINGS, TOLERANCE, furthest, given, groups

LOW, HIGH, DUAL, LENGTH = (SETTINGS[name] for name in ("low", "high", "dual", "length"))
MASKS = ("plain", "holes")
TOTALS = ("grpo", "dr_grpo", "rloo", "opo", "gpg", "grpo_passk", "reinforce_plus_plus_baseline")


def _batch(mask: str, kind: str) -> Batch:
    return Batch(
        rewards=given(f"rewards_{kind}_{mask}"),
        mask=given(mask),
        groups=groups(),
        values=given("values"),
        baselines=given("baselines"),
    )


def _named(name: str, mask: str, kind: str = "last") -> Callable[[], Array]:
    settings = Settings(gamma=SETTINGS["gamma"], lam=SETTINGS["lam"])
    return lambda: advantages(name, _batch(mask, kind), settings)


def _returns(mask: str) -> Array:
    """What a critic is to learn, on positions of the mask."""
    where, values = given(mask), given("values")
    paid = given(f"rewards_spread_{mask}")
    raw = gae(paid, values, where, gamma=SETTINGS["gamma"], lam=SETTINGS["lam"])
    return (raw + values) * where


def _alone(name: str) -> Array:
    """The last row has a group to itself."""
    return advantages(name, dataclasses.replace(_batch("plain", "last"), groups=[*groups()[:-1], 2]))


def _rows(scale: Any, judged: str) -> Callable[[], Array]:
    def run() -> Array:
        known = np.ones(8, dtype=bool)
        known[[1, 6]] = judged == "all"
        result = np.zeros(8)
        names = np.array(groups())[known]
        totals = given("totals")[known]
        result[known] = (
            rloo(totals, names) if scale is None else grpo(totals, names, scale=scale, epsilon=1e-4)
        )
        return result

    return run


ADVANTAGES: dict[str, Callable[[], Array]] = {
    **{f"verl/{name}/{mask}": _named(name, mask) for name in TOTALS for mask in MASKS},
    **{
        f"verl/{name}/{mask}": _named(name, mask, "spread")
        for name in ("reinforce_plus_plus", "remax", "gae")
        for mask in MASKS
    },
    **{f"verl/gae_returns/{mask}": partial(_returns, mask) for mask in MASKS},
    **{
        f"trl/grpo_{scale}/{judged}": _rows(scale, judged)
        for scale in ("group", "batch", "none")
        for judged in ("all", "some")
    },
    **{f"trl/rloo/{judged}": _rows(None, judged) for judged in ("all", "some")},
    **{f"skyrl/{name}/{mask}": _named(name, mask) for name in ("grpo", "rloo", "maxrl") for mask in MASKS},
    "skyrl/reinforce_plus_plus/plain": _named("reinforce_plus_plus", "plain", "spread"),
    "skyrl/gae_returns/plain": partial(_returns, "plain"),
    "openrlhf/gae_returns/plain": partial(_returns, "plain"),
    "openrlhf/rloo": lambda: rloo(given("totals"), groups()),
    "openrlhf/dr_grpo": lambda: dr_grpo(given("totals"), groups()),
    "openrlhf/group_norm": lambda: grpo(given("totals"), groups(), epsilon=1e-9),
    "verl/rloo_vectorized/alone": partial(_alone, "rloo"),
}
DIFFERENT: dict[str, Callable[[], Array]] = {
    "skyrl/reinforce_plus_plus/holes": _named("reinforce_plus_plus", "holes", "spread"),
    "skyrl/gae_returns/holes": partial(_returns, "holes"),
    "openrlhf/gae_returns/holes": partial(_returns, "holes"),
}

PPO = partial(ppo_clip, low=LOW, high=HIGH)
DUAL_CLIP = partial(ppo_clip, low=LOW, high=HIGH, dual=DUAL)
GSPO = partial(gspo, low=LOW, high=HIGH)
TV = partial(dppo_tv, low=SETTINGS["divergence_low"], high=SETTINGS["divergence_high"], cap=DUAL)
KL = partial(dppo_kl, low=SETTINGS["divergence_low"], high=SETTINGS["divergence_high"], cap=DUAL)
BOUND_BELOW = partial(cispo, low=LOW, high=HIGH)
MODES = ("token-mean", "token-sum", "seq-mean-token-sum", "seq-mean-token-sum-norm", "seq-mean-token-mean")


def _loss(tokens: TokenLossFunction, mode: str, *, per_row: bool = False) -> Callable[[], PolicyLoss]:
    def run() -> PolicyLoss:
        where = given("holes")
        paid = given("row_advantages")[:, None] * where if per_row else given("token_advantages")
        recipe = Recipe(tokens, mode)
        return policy_loss(recipe, given("logp"), given("old_logp"), paid, where, length=LENGTH)

    return run


def _real(correct: list[int]) -> Callable[[], PolicyLoss]:
    return lambda: real(
        given("logp"), given("old_logp"), correct, groups(), given("holes"), tau=SETTINGS["real_tau"]
    )


def _dpo(smoothing: float) -> PolicyLoss:
    pairs = [given(name) for name in ("chosen", "rejected", "chosen_ref", "rejected_ref")]
    loss = dpo(*pairs, beta=0.3, label_smoothing=smoothing)
    return PolicyLoss(loss.value, loss.slopes, 0.0)


LOSSES: dict[str, Callable[[], PolicyLoss]] = {
    **{f"verl/ppo_clip/{mode}": _loss(DUAL_CLIP, mode) for mode in MODES},
    "verl/gspo/seq-mean-token-mean": _loss(GSPO, "seq-mean-token-mean"),
    "verl/cispo/token-mean": _loss(BOUND_BELOW, "token-mean"),
    "verl/sapo/seq-mean-token-mean": _loss(sapo, "seq-mean-token-mean"),
    "verl/dppo_tv/token-mean": _loss(TV, "token-mean"),
    "verl/dppo_kl/token-mean": _loss(KL, "token-mean"),
    "trl/grpo": _loss(PPO, "seq-mean-token-mean", per_row=True),
    "trl/grpo_delta": _loss(DUAL_CLIP, "seq-mean-token-mean", per_row=True),
    "trl/bnpo": _loss(PPO, "token-mean", per_row=True),
    "trl/dapo": _loss(PPO, "token-mean", per_row=True),
    "trl/dr_grpo": _loss(PPO, "seq-mean-token-sum-norm", per_row=True),
    "trl/gspo": _loss(GSPO, "seq-mean-token-mean", per_row=True),
    "trl/cispo": _loss(partial(cispo, high=HIGH), "token-mean", per_row=True),
    "trl/sapo": _loss(sapo, "seq-mean-token-mean", per_row=True),
    "skyrl/regular": _loss(PPO, "token-sum"),
    "skyrl/dual_clip": _loss(DUAL_CLIP, "token-sum"),
    "skyrl/gspo": _loss(GSPO, "token-sum"),
    "skyrl/cispo": _loss(BOUND_BELOW, "token-sum"),
    "skyrl/sapo": _loss(sapo, "token-sum"),
    "openrlhf/ppo": _loss(PPO, "token-mean"),
    "openrlhf/dual_clip": _loss(DUAL_CLIP, "token-mean"),
    "openrlhf/seq_mean": _loss(PPO, "seq-mean-token-mean"),
    "openrlhf/gspo": _loss(GSPO, "seq-mean-token-mean", per_row=True),
    "openrlhf/dpo_0": partial(_dpo, 0.0),
    "openrlhf/dpo_0.1": partial(_dpo, 0.1),
    "swift/real_mixed": _real([1, 0, 0, 1, 0, 1, 1, 1]),
    "swift/real_one_group": _real([1, 0, 0, 1, 1, 1, 1, 1]),
}

SAME_GRADIENT = {
    "skyrl/binary_tv": _loss(partial(TV, cap=20), "token-sum"),
    "skyrl/binary_kl": _loss(partial(KL, cap=20), "token-sum"),
}


@pytest.mark.parametrize("name", ADVANTAGES)
def test_advantages_are_those_of_the_library(name: str) -> None:
    assert furthest(ADVANTAGES[name](), REFERENCE["advantages"][name]) <= TOLERANCE


@pytest.mark.parametrize("name", LOSSES)
def test_losses_and_their_gradients_are_those_of_the_library(name: str) -> None:
    loss, theirs = LOSSES[name](), REFERENCE["losses"][name]
    # SkyRL exponentiates in single precision, whatever it is given, and adds the tokens up.
    assert loss.value == pytest.approx(theirs["value"], rel=TOLERANCE, abs=TOLERANCE)
    assert furthest(loss.gradient, theirs["gradient"]) <= TOLERANCE


@pytest.mark.parametrize("name", DIFFERENT)
def test_where_a_tool_has_spoken_skyrl_and_openrlhf_do_otherwise(name: str) -> None:
    assert furthest(DIFFERENT[name](), REFERENCE["advantages"][name]) > 0.01


@pytest.mark.parametrize("name", SAME_GRADIENT)
def test_skyrl_writes_the_loss_of_dppo_otherwise_and_has_the_same_gradient(name: str) -> None:
    loss, theirs = SAME_GRADIENT[name](), REFERENCE["losses"][name]
    assert loss.clip_fraction > 0
    assert furthest(loss.gradient, theirs["gradient"]) <= TOLERANCE
    assert abs(loss.value - theirs["value"]) > 0.01


def test_verl_pays_a_group_of_one_its_raw_reward_and_ours_nothing() -> None:
    ours, theirs = _alone("grpo"), np.array(REFERENCE["advantages"]["verl/grpo/alone"])
    assert furthest(ours[:-1], theirs[:-1]) <= TOLERANCE
    assert not ours[-1].any()
    assert theirs[-1, 0] == pytest.approx(given("totals")[-1], abs=1e-5)


def test_verl_bounds_cispo_from_below_and_the_paper_does_not() -> None:
    ours = _loss(partial(cispo, high=HIGH), "token-mean")()
    assert abs(ours.value - REFERENCE["losses"]["verl/cispo/token-mean"]["value"]) > 0.001


def test_all_that_was_written_down_is_compared() -> None:
    assert set(REFERENCE["advantages"]) == {*ADVANTAGES, *DIFFERENT, "verl/grpo/alone"}
    assert set(REFERENCE["losses"]) == {*LOSSES, *SAME_GRADIENT}


def test_the_batch_reaches_every_bound() -> None:
    """Else agreement on what is clipped would say nothing."""
    for name in ("verl/ppo_clip/token-mean", "trl/grpo_delta", "trl/cispo", "verl/dppo_tv/token-mean"):
        assert 0 < LOSSES[name]().clip_fraction < 1
    free, held = _loss(PPO, "token-mean")(), _loss(DUAL_CLIP, "token-mean")()
    assert free.value != held.value
