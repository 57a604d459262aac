"""From scores of n steps to rewards, discounted returns and weights.

With phi_0 the potential of the state in which a trace begins, phi_i+1 that after step i, and L_i, E_i, U the
local, environment and terminal scores, the default form is ::

    r_i = lambda_delta (gamma phi_i+1 - phi_i) + lambda_g L_i + lambda_env E_i + [i = n - 1] lambda_u U

where phi_n is 0, whatever was measured there (Ng, Harada and Russell, ICML 1999, equation 2; Grzes, AAMAS
2017). What the potential adds to the return is then ``-lambda_delta phi_0``, whatever the trace did. Form
``orbit`` is what orbit pays: no gamma on phi_i+1, phi_0 = 0, and phi_n as measured, which rewards a trace for
swinging to and fro, and for failing in a promising state.

>>> scores = StepScores(1.0, (0.2, 0.5, 1.0), (0.1, 0.0, 0.3), (0.0, -0.1, 0.0))
>>> process_rewards(scores, form="orbit").round(3)
array([0.3, 0.2, 1.8])
>>> process_rewards(scores).round(3)
array([0.298, 0.195, 0.8  ])
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from deepgym_envs.advantage.arrays import Array, number, shares, vector
from deepgym_envs.advantage.returns import returns_to_go
from deepgym_envs.process_reward.spec import VerifierResult, VerifierSpec

Form = Literal["policy_invariant", "orbit"]
SUCCESS = 0.99
NEAR_MISS = 0.5
_LEAST_SCALE = 1e-6


@dataclass(frozen=True, eq=False)
class StepScores:
    """What is known of n steps, n >= 1.

    ``terminal`` in [0, 1]; ``potentials`` (n,) in [0, 1], each of the state after its step (in form ``orbit``
    any finite numbers); ``local`` and ``environment`` (n,) finite, by default 0: they are rewards in their
    own right, and no form keeps a trace from collecting one again and again. ``start`` in [0, 1] is the
    potential of the state before the first step; form ``orbit`` knows none.

    Raises:
        ValueError: a shape or a number is another; says which was expected.
    """

    terminal: float
    potentials: npt.ArrayLike
    local: npt.ArrayLike | None = None
    environment: npt.ArrayLike | None = None
    start: float = 0.0

    def __post_init__(self) -> None:
        number("terminal_score", self.terminal, 0, 1)
        number("start potential", self.start, 0, 1)
        steps = vector("potentials", self.potentials).size
        for name, scores in (("local_scores", self.local), ("env_rewards", self.environment)):
            if scores is not None:
                vector(name, scores, steps)


def process_rewards(
    scores: StepScores, spec: VerifierSpec | None = None, *, form: Form = "policy_invariant"
) -> Array:
    """The reward of each step, (n,); see this module.

    Raises:
        ValueError: the form is not known, or a potential is not in [0, 1].
    """
    return np.asarray(sum(_terms(scores, spec or VerifierSpec(), form).values()))


def verified(
    scores: StepScores,
    spec: VerifierSpec | None = None,
    *,
    form: Form = "policy_invariant",
    first_error: int = -1,
    closeness: float | None = None,
) -> VerifierResult:
    """The result for these scores; ``first_error`` is the index of the first wrong step, -1 if there is none.

    ``closeness`` in [0, 1] decides whether a failure was a near miss; by default the terminal score does.

    Raises:
        ValueError: as ``process_rewards``, or ``first_error`` is no step.
    """
    chosen = spec or VerifierSpec()
    terms = _terms(scores, chosen, form)
    rewards = np.asarray(sum(terms.values()))
    count = rewards.size
    if not -1 <= first_error < count:
        raise ValueError(f"first_error is {first_error}: expected a step in [0, {count - 1}], or -1 for none")
    returns = _returns(rewards, chosen)
    expected = baselines(scores, returns, chosen, form)
    scale, most = max(chosen.process_weight_scale, _LEAST_SCALE), chosen.process_weight_max
    success = scores.terminal >= SUCCESS
    close = scores.terminal if closeness is None else number("closeness", closeness, 0, 1)
    return VerifierResult(
        terminal_score=float(scores.terminal),
        success=success,
        near_miss=not success and close >= NEAR_MISS,
        first_error_index=first_error,
        switch_step=first_error if first_error >= 0 else count,
        potentials=_plain(scores.potentials),
        local_scores=_plain(_or_zeros(scores.local, count)),
        env_rewards=_plain(_or_zeros(scores.environment, count)),
        process_rewards=_plain(rewards),
        process_returns=_plain(returns),
        process_weights=_plain(np.clip((returns - expected) / scale, -most, most)),
        baseline=float(expected.mean()),
        baselines=_plain(expected),
        metadata={
            "form": form,
            "return_terms": {name: float(_returns(term, chosen)[0]) for name, term in terms.items()},
        },
    )


def baselines(scores: StepScores, returns: Array, spec: VerifierSpec, form: Form) -> Array:
    """What is subtracted of each step's return, (n,).

    - ``trajectory_mean``: the mean of all n returns, 0 for n = 1, as in orbit. It depends on the actions that
      it judges, so the gradient is biased; it tells steps of one trace apart, not good traces from bad.
    - ``none``: 0.
    - ``state_potential``: (lambda_u - lambda_delta) phi_i, with phi_i of the state before the step: what
      shaping leaves of a value of about lambda_u phi (V' = V - Phi, Ng et al.). It depends on the state
      alone, so it adds no bias. With equal weights it is 0, for shaping is that baseline already.
    """
    if spec.baseline_strategy == "trajectory_mean":
        return np.full(returns.size, returns.mean() if returns.size > 1 else 0.0)
    if spec.baseline_strategy == "none":
        return np.zeros(returns.size)
    return (spec.lambda_u - spec.lambda_delta) * _before(scores, form)


def first_difference(expected: Sequence[str], observed: Sequence[str]) -> int:
    """The first index at which two lists differ, which may be where the shorter one ends; -1 if nowhere.

    >>> first_difference(["a", "b"], ["a", "c"]), first_difference(["a"], []), first_difference([], [])
    (1, 0, -1)
    """
    for index, (wanted, seen) in enumerate(zip(expected, observed, strict=False)):
        if wanted != seen:
            return index
    return -1 if len(expected) == len(observed) else min(len(expected), len(observed))


def _terms(scores: StepScores, spec: VerifierSpec, form: Form) -> Mapping[str, Array]:
    """What each term pays for each step, (n,), in the order in which they are added up."""
    if form not in get_args(Form):
        raise ValueError(f"form is {form!r}: expected one of {', '.join(map(repr, get_args(Form)))}")
    after = vector("potentials", scores.potentials)
    before = _before(scores, form)
    if form == "policy_invariant":
        after = spec.gamma * np.append(shares("potentials", scores.potentials)[:-1], 0.0)
    terms = {
        "delta": spec.lambda_delta * (after - before),
        "local": spec.lambda_g * vector("local_scores", _or_zeros(scores.local, after.size)),
        "environment": spec.lambda_env * vector("env_rewards", _or_zeros(scores.environment, after.size)),
    }
    if not spec.step_scoring:
        terms = {name: np.zeros(after.size) for name in terms}
    end = np.zeros(after.size)
    end[-1] = spec.lambda_u * scores.terminal if spec.terminal_scoring else 0.0
    return {**terms, "terminal": end}


def _before(scores: StepScores, form: Form) -> Array:
    """The potential of the state before each step, (n,)."""
    start = scores.start if form == "policy_invariant" else 0.0
    return np.concatenate([[start], vector("potentials", scores.potentials)[:-1]])


def _returns(rewards: Array, spec: VerifierSpec) -> Array:
    return np.asarray(returns_to_go(rewards[None, :], np.ones((1, rewards.size)), gamma=spec.gamma)[0])


def _or_zeros(scores: npt.ArrayLike | None, count: int) -> npt.ArrayLike:
    return np.zeros(count) if scores is None else scores


def _plain(values: npt.ArrayLike) -> tuple[float, ...]:
    return tuple(map(float, np.asarray(values).tolist()))
