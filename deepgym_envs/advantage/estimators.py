"""Advantage estimators by the names under which trainers know them.

>>> batch = Batch(rewards=[[0, 1], [0, 0]], mask=[[1, 1], [1, 1]], groups=[0, 0])
>>> advantages("dr_grpo", batch)
array([[ 0.5,  0.5],
       [-0.5, -0.5]])
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from deepgym_envs.advantage.arrays import Array, flags, token_mask
from deepgym_envs.advantage.outcome import (
    EPSILON,
    Groups,
    dr_grpo,
    gpg,
    grpo,
    grpo_passk,
    maxrl,
    opo,
    rloo,
    to_tokens,
)
from deepgym_envs.advantage.returns import (
    gae,
    reinforce_plus_plus,
    reinforce_plus_plus_baseline,
    remax,
    token_rewards,
    turn_pbrs,
    whiten,
)


@dataclass(frozen=True, eq=False)
class Batch:
    """Trajectories, as arrays; only ``rewards`` and ``mask`` are needed by every estimator.

    - ``rewards`` (B, T): each on a position of the mask, such as the last token of its turn.
    - ``mask`` (B, T): positions that the policy has generated.
    - ``groups`` (B,): the prompt of each row, by number or name.
    - ``values`` (B, T): a critic's (``gae``).
    - ``baselines`` (B,): rewards of greedy answers (``remax``).
    - ``potentials`` (B, T): phi of the state in which the position's turn began (``turn_pbrs``).
    - ``judged`` (B,): False where nobody could tell what the trajectory is worth (``info["masked"]``). Such
      a row counts in no mean and gets 0, as TRL does where every reward function returns None.
    """

    rewards: npt.ArrayLike
    mask: npt.ArrayLike
    groups: Groups | None = None
    values: npt.ArrayLike | None = None
    baselines: npt.ArrayLike | None = None
    potentials: npt.ArrayLike | None = None
    judged: npt.ArrayLike | None = None


@dataclass(frozen=True)
class Settings:
    """``gamma`` in (0, 1] is the discount, ``lam`` in [0, 1] that of ``gae``'s trace.

    ``epsilon`` in [1e-12, 1] is added to what is divided by.
    """

    gamma: float = 1.0
    lam: float = 1.0
    epsilon: float = EPSILON


Estimator: TypeAlias = Callable[[Batch, Settings], Array]


def advantages(name: str, batch: Batch, settings: Settings | None = None) -> Array:
    """The advantage of each position, (B, T): exactly 0 where the mask does not hold or a row was not judged.

    Estimators of whole trajectories add up the rewards of a row and give each of its positions the same.

    Raises:
        ValueError: there is no such estimator, the batch lacks what it needs, or an array has a wrong
            shape or value; the message says which would do.
    """
    if name not in ADV_ESTIMATORS:
        raise ValueError(f"no estimator is called {name!r}: expected one of {', '.join(ADV_ESTIMATORS)}")
    mask = token_mask(batch.mask)
    rows = len(mask)
    judged = np.ones(rows, dtype=np.bool_) if batch.judged is None else flags("judged", batch.judged, rows)
    empty = judged & ~mask.any(axis=1)
    if empty.any():
        raise ValueError(
            f"mask[{empty.argmax()}] holds no position: expected one, or judged to be False there"
        )
    result = np.zeros(mask.shape)
    if judged.any():
        result[judged] = ADV_ESTIMATORS[name](_only(batch, judged), settings or Settings())
    return result


def _only(batch: Batch, rows: npt.NDArray[np.bool_]) -> Batch:
    def chosen(name: str, value: npt.ArrayLike) -> npt.NDArray[np.generic]:
        array = np.asarray(value)
        if array.shape[:1] != rows.shape:
            raise ValueError(f"{name} has shape {array.shape}: expected {rows.size} rows, as the mask has")
        return array[rows]

    def chosen_or_none(name: str, value: npt.ArrayLike | None) -> npt.NDArray[np.generic] | None:
        return None if value is None else chosen(name, value)

    return Batch(
        rewards=chosen("rewards", batch.rewards),
        mask=chosen("mask", batch.mask),
        groups=chosen_or_none("groups", batch.groups),
        values=chosen_or_none("values", batch.values),
        baselines=chosen_or_none("baselines", batch.baselines),
        potentials=chosen_or_none("potentials", batch.potentials),
    )


def _needed(value: npt.ArrayLike | None, name: str, shape: str) -> npt.ArrayLike:
    if value is None:
        raise ValueError(f"this estimator needs {name} of shape {shape}")
    return value


def _groups(batch: Batch) -> Groups:
    return np.asarray(_needed(batch.groups, "groups", "(B,)"))


def _totals(batch: Batch) -> Array:
    return np.asarray(token_rewards(batch.rewards, token_mask(batch.mask)).sum(axis=1))


def _whole(per_row: Callable[[Batch, Settings], Array]) -> Estimator:
    """From one advantage a row to one a position."""
    return lambda batch, settings: to_tokens(per_row(batch, settings), token_mask(batch.mask))


def _gae(batch: Batch, settings: Settings) -> Array:
    values = _needed(batch.values, "values", "(B, T)")
    raw = gae(batch.rewards, values, batch.mask, gamma=settings.gamma, lam=settings.lam)
    return whiten(raw, batch.mask)


def _turn_pbrs(batch: Batch, settings: Settings) -> Array:
    potentials = _needed(batch.potentials, "potentials", "(B, T)")
    return turn_pbrs(batch.rewards, potentials, _groups(batch), batch.mask, gamma=settings.gamma)


ADV_ESTIMATORS: Mapping[str, Estimator] = MappingProxyType(
    {
        "gae": _gae,
        "grpo": _whole(lambda b, s: grpo(_totals(b), _groups(b), epsilon=s.epsilon)),
        "dr_grpo": _whole(lambda b, _: dr_grpo(_totals(b), _groups(b))),
        "rloo": _whole(lambda b, _: rloo(_totals(b), _groups(b))),
        "reinforce_plus_plus": lambda b, s: reinforce_plus_plus(b.rewards, b.mask, gamma=s.gamma),
        "reinforce_plus_plus_baseline": lambda b, _: reinforce_plus_plus_baseline(
            _totals(b), _groups(b), b.mask
        ),
        "remax": lambda b, _: remax(b.rewards, _needed(b.baselines, "baselines", "(B,)"), b.mask),
        "opo": _whole(lambda b, _: opo(_totals(b), token_mask(b.mask).sum(axis=1), _groups(b))),
        "gpg": _whole(lambda b, _: gpg(_totals(b), _groups(b))),
        "grpo_passk": _whole(lambda b, s: grpo_passk(_totals(b), _groups(b), epsilon=s.epsilon)),
        "maxrl": _whole(lambda b, s: maxrl(_totals(b), _groups(b), epsilon=s.epsilon)),
        "turn_pbrs": _turn_pbrs,
    }
)
"""By verl's ``algorithm.adv_estimator``; ``gae`` whitens, as verl's does. ``dr_grpo`` is OpenRLHF's name,
``maxrl`` SkyRL's, ``turn_pbrs`` ours."""
