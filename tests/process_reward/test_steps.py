"""Rewards, returns and weights of steps: orbit's numbers, and why they are not the default."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepgym_envs.process_reward import StepScores, VerifierSpec, process_rewards, verified

GOLDEN = StepScores(1.0, [0.2, 0.5, 1.0], [0.1, 0.0, 0.3], [0.0, -0.1, 0.0])
SHARES = st.floats(0, 1)
GAMMAS = st.floats(0.01, 1)
COUNT = 8


def test_form_orbit_gives_orbits_golden_vector() -> None:
    result = verified(GOLDEN, form="orbit")
    assert result.process_rewards == pytest.approx([0.3, 0.2, 1.8])
    assert result.process_returns == pytest.approx([2.26218, 1.982, 1.8])
    assert result.baseline == pytest.approx(2.014727, abs=1e-6)
    assert result.process_weights == pytest.approx([0.247453, -0.032727, -0.214727], abs=1e-6)
    assert (result.success, result.near_miss, result.first_error_index, result.switch_step) == (
        True,
        False,
        -1,
        3,
    )


def test_the_default_form_is_the_formula() -> None:
    rewards = process_rewards(GOLDEN)
    assert rewards == pytest.approx([0.99 * 0.2 + 0.1, 0.99 * 0.5 - 0.2 - 0.1, -0.5 + 0.3 + 1.0])
    assert verified(GOLDEN).process_rewards == tuple(rewards.tolist())


def test_each_weight_scales_its_own_term() -> None:
    spec = VerifierSpec(lambda_delta=2, lambda_g=3, lambda_env=5, lambda_u=7)
    plain = verified(GOLDEN).metadata["return_terms"]
    scaled = verified(GOLDEN, spec).metadata["return_terms"]
    assert scaled == pytest.approx({
        "delta": 2 * plain["delta"], "local": 3 * plain["local"],
        "environment": 5 * plain["environment"], "terminal": 7 * plain["terminal"],
    })  # fmt: skip
    assert sum(scaled.values()) == pytest.approx(verified(GOLDEN, spec).process_returns[0])


@given(st.lists(SHARES, min_size=1, max_size=30), SHARES, SHARES, GAMMAS, st.floats(0, 10))
def test_what_the_potential_adds_is_minus_its_first_value_whatever_the_trace_did(
    potentials: list[float], start: float, terminal: float, gamma: float, weight: float
) -> None:
    spec = VerifierSpec(gamma=gamma, lambda_delta=weight)
    result = verified(StepScores(terminal, potentials, start=start), spec)
    paid = gamma ** (len(potentials) - 1) * terminal
    assert result.process_returns[0] == pytest.approx(paid - weight * start, abs=1e-9)


def _return(
    form: str, potentials: list[float], terminal: float = 0.0, local: list[float] | None = None
) -> float:
    scores = StepScores(terminal, potentials, local)
    return verified(scores, form=form).process_returns[0]  # type: ignore[arg-type]


def test_swinging_pays_more_than_arriving_in_form_orbit_and_nothing_by_default() -> None:
    swinging, arriving = [0.0, 1.0] * (COUNT // 2), [0.0] * (COUNT - 1) + [1.0]
    assert _return("orbit", swinging) == pytest.approx(0.961, abs=1e-3)
    assert _return("orbit", arriving) == pytest.approx(0.932, abs=1e-3)
    assert _return("policy_invariant", swinging) == pytest.approx(0.0, abs=1e-12)
    assert _return("policy_invariant", arriving) == 0.0


def test_staying_in_one_state_pays_in_form_orbit_and_costs_by_default() -> None:
    farmed = [_return("orbit", [0.5] * n, 0.5, [0.5] * n) for n in (1, 5, 20)]
    assert farmed == pytest.approx([1.5, 3.43, 10.0], abs=0.02)
    honest = [_return("policy_invariant", [0.5] * n, 0.5) for n in (1, 5, 20)]
    assert honest == pytest.approx([0.5, 0.5 * 0.99**4, 0.5 * 0.99**19])


def test_failing_in_a_promising_state_pays_in_form_orbit_and_nothing_by_default() -> None:
    assert _return("orbit", [0.3, 0.6, 0.9]) == pytest.approx(0.3 + 0.3 * 0.99 + 0.3 * 0.99**2)
    assert _return("policy_invariant", [0.3, 0.6, 0.9]) == pytest.approx(0.0, abs=1e-12)


def test_local_scores_are_rewards_of_their_own_in_every_form() -> None:
    paid = [_return("policy_invariant", [0.5] * n, 0.0, [0.5] * n) for n in (1, 20)]
    assert paid[1] > 10 * paid[0]


def test_steps_and_the_end_can_be_left_unpaid() -> None:
    assert process_rewards(GOLDEN, VerifierSpec(step_scoring=False)).tolist() == [0.0, 0.0, 1.0]
    assert process_rewards(GOLDEN, VerifierSpec(terminal_scoring=False))[-1] == pytest.approx(-0.2)


def test_weights_are_scaled_and_clipped() -> None:
    spec = VerifierSpec(baseline_strategy="none", process_weight_scale=0.5, process_weight_max=3)
    result = verified(GOLDEN, spec)
    assert (result.baseline, result.baselines) == (0.0, (0.0, 0.0, 0.0))
    assert result.process_weights == pytest.approx([2.55026, 1.974, 1.6])
    assert verified(GOLDEN, replace(spec, process_weight_max=2)).process_weights[0] == 2.0
    huge = verified(GOLDEN, replace(spec, process_weight_scale=0))
    assert huge.process_weights == (3.0, 3.0, 3.0)


def test_a_trace_of_one_step_has_no_mean_to_compare_with() -> None:
    assert verified(StepScores(1.0, [0.5])).baseline == 0.0


@given(st.lists(SHARES, min_size=1, max_size=10), SHARES, GAMMAS)
def test_with_equal_weights_shaping_is_the_baseline_of_the_state_already(
    potentials: list[float], start: float, gamma: float
) -> None:
    shaped = VerifierSpec(gamma=gamma, baseline_strategy="state_potential")
    plain = replace(shaped, lambda_delta=0.0)
    scores = StepScores(1.0, potentials, start=start)
    assert verified(scores, shaped).baselines == (0.0,) * len(potentials)
    assert verified(scores, plain).baselines == pytest.approx([start, *potentials[:-1]])
    assert verified(scores, shaped).process_weights == pytest.approx(verified(scores, plain).process_weights)


@pytest.mark.parametrize(
    ("terminal", "closeness", "success", "near"),
    [(0.99, None, True, False), (0.98, None, False, True), (0.5, None, False, True),
     (0.49, None, False, False), (0.0, 0.7, False, True), (1.0, 0.7, True, False)],
)  # fmt: skip
def test_success_and_near_misses_have_bounds(
    terminal: float, closeness: float | None, success: bool, near: bool
) -> None:
    result = verified(StepScores(terminal, [0.0]), closeness=closeness)
    assert (result.success, result.near_miss) == (success, near)


def test_another_policy_takes_over_at_the_first_error() -> None:
    result = verified(GOLDEN, first_error=1)
    assert (result.first_error_index, result.switch_step) == (1, 1)
    with pytest.raises(ValueError, match=r"first_error is 3: expected a step in \[0, 2\]"):
        verified(GOLDEN, first_error=3)


def test_tuples_and_arrays_count_like_lists() -> None:
    for kind in (tuple, np.array):
        scores = StepScores(1.0, kind([0.2, 0.5, 1.0]), kind([0.1, 0.0, 0.3]), kind([0.0, -0.1, 0.0]))
        assert verified(scores, form="orbit") == verified(GOLDEN, form="orbit")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"terminal": math.nan}, "terminal_score is nan: expected a number in [0, 1]"),
        ({"terminal": 1.5}, "terminal_score is 1.5"),
        ({"potentials": [0.1, math.nan]}, "potentials[1] is nan: expected finite numbers"),
        ({"potentials": []}, "potentials has shape (0,)"),
        ({"potentials": [[0.1]]}, "potentials has shape (1, 1)"),
        ({"local": [0.1]}, "local_scores has shape (1,): expected (2,)"),
        ({"environment": [0.1, math.inf]}, "env_rewards[1] is inf"),
        ({"environment": ["a", "b"]}, "env_rewards is no array of numbers"),
        ({"start": -0.1}, "start potential is -0.1"),
    ],
)
def test_a_score_that_is_none_is_refused_by_name(arguments: dict[str, object], said: str) -> None:
    good = {"terminal": 1.0, "potentials": [0.1, 0.2]}
    with pytest.raises(ValueError) as raised:  # noqa: PT011 - what it says is looked at below
        StepScores(**{**good, **arguments})  # type: ignore[arg-type]
    assert said in str(raised.value)


def test_a_potential_out_of_range_is_refused_by_default_and_paid_in_form_orbit() -> None:
    scores = StepScores(1.0, [0.2, 1.5])
    with pytest.raises(ValueError, match=r"potentials\[1\] is 1.5: expected numbers in \[0, 1\]"):
        process_rewards(scores)
    assert process_rewards(scores, form="orbit")[1] == pytest.approx(2.3)


def test_an_unknown_form_or_closeness_is_refused() -> None:
    with pytest.raises(ValueError, match="form is 'ours': expected one of 'policy_invariant', 'orbit'"):
        process_rewards(GOLDEN, form="ours")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="closeness is nan"):
        verified(GOLDEN, closeness=math.nan)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"gamma": 0.0}, "gamma is 0.0"),
        ({"gamma": math.nan}, "gamma is nan"),
        ({"lambda_g": -1.0}, "lambda_g is -1.0"),
        ({"process_weight_max": math.inf}, "process_weight_max is inf"),
        ({"baseline_strategy": "mean"}, "baseline_strategy is 'mean': expected one of 'trajectory_mean'"),
    ],
)
def test_a_setting_out_of_range_is_refused_by_name(changes: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError) as raised:  # noqa: PT011 - what it says is looked at below
        VerifierSpec(**changes)  # type: ignore[arg-type]
    assert said in str(raised.value)


def test_the_defaults_are_orbits() -> None:
    spec = VerifierSpec()
    assert (spec.kind, spec.step_scoring, spec.terminal_scoring, spec.gamma) == (
        "static_trace",
        True,
        True,
        0.99,
    )
    assert (spec.lambda_delta, spec.lambda_g, spec.lambda_env, spec.lambda_u) == (1, 1, 1, 1)
    assert (spec.process_weight_scale, spec.process_weight_max) == (1, 4)
    assert (spec.baseline_strategy, spec.metadata) == ("trajectory_mean", {})
