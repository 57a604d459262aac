"""What a pass is worth when the verifier errs.

``false_positive`` is the share of wrong solutions that pass, ``false_negative`` that of right ones that fail;
both come from labelled solutions (twins, mutants, references), not from training. Their sum must be below 1:
otherwise a pass says nothing, or the opposite (Youden's J = 1 - FP - FN is not above 0).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from deepgym_envs.advantage.arrays import Array, number, shares, vector


def rogan_gladen(observed: npt.ArrayLike, false_positive: float, false_negative: float) -> Array:
    """The true pass rate behind an observed one: (o - FP) / (1 - FP - FN), held within [0, 1]. (N,) -> (N,)

    Rogan and Gladen, American Journal of Epidemiology 107 (1978). Monotone, so the ends of an interval of
    the observed rate (``deepgym_envs.statistics.wilson``) become those of the true one, as long as FP and FN
    are known.

    >>> rogan_gladen([0.068, 0.04], 0.05, 0.05).round(3)
    array([0.02, 0.  ])
    """
    rates = shares("observed", observed)
    return np.clip((rates - false_positive) / _youden(false_positive, false_negative), 0.0, 1.0)


def positive_predictive_value(rate: npt.ArrayLike, false_positive: float, false_negative: float) -> Array:
    """The share of passes that are true: PPV = p (1 - FN) / (p (1 - FN) + (1 - p) FP). (N,) -> (N,)

    Bayes' rule. At a low true pass rate most of what is rewarded is false, unless FP is far below it.

    >>> positive_predictive_value([0.02, 0.5], 0.05, 0.05).round(2)
    array([0.28, 0.95])

    Raises:
        ValueError: nothing ever passes (p = 0 and FP = 0), so no share of the passes exists.
    """
    rates = shares("rate", rate)
    _youden(false_positive, false_negative)
    true = rates * (1 - false_negative)
    passing = true + (1 - rates) * false_positive
    if (passing <= 0).any():
        raise ValueError("rate and false_positive are both 0: expected one above 0, for nothing ever passes")
    return true / passing


def corrected_rewards(rewards: npt.ArrayLike, false_positive: float, false_negative: float) -> Array:
    """Rewards whose mean is that of the truth: (r - FP) / (1 - FP - FN) for r = 0 or 1. (B,) -> (B,)

    The unbiased estimator of learning with noisy labels (Natarajan et al., NIPS 2013, lemma 1). Within a
    group it moves and scales all rewards alike: ``grpo`` does not change at all, ``dr_grpo`` and ``rloo`` by
    the factor 1 / J. It matters where tasks with different verifiers are mixed.

    >>> corrected_rewards([1, 0], 0.1, 0.1)
    array([ 1.125, -0.125])
    """
    youden = _youden(false_positive, false_negative)
    return (vector("rewards", rewards) - false_positive) / youden


def _youden(false_positive: float, false_negative: float) -> float:
    number("false_positive", false_positive, 0, 1)
    number("false_negative", false_negative, 0, 1)
    youden = 1 - false_positive - false_negative
    if youden < 1e-9:
        raise ValueError(
            f"false_positive + false_negative is {false_positive + false_negative:g}: "
            "expected less than 1, else a pass is no sign of a right solution"
        )
    return youden
