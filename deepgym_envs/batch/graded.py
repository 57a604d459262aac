"""The outcomes of a group of completions, their statistics, and advantages by every estimator."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from deepgym_envs.advantage import Batch, Settings, advantages, pass_at_k, varied
from deepgym_envs.advantage.arrays import Array, Mask, token_mask
from deepgym_envs.grade import Verdict


class NoGradientWarning(UserWarning):
    """The completions of a group tell nothing apart, so no estimator that compares them can learn from it."""


@dataclass(frozen=True)
class Outcome:
    """What became of one completion.

    ``reward`` is 1.0 or 0.0, and NaN for a ``masked`` one, of which nobody could tell; ``detail`` then says
    why. ``reason`` is the verdict's, or ``patch_does_not_apply``, ``not_a_text_patch`` or ``too_long`` for
    what is no solution by the policy's own doing, or ``masked``. ``verdict`` is None where there is none.
    """

    reward: float
    reason: str
    masked: bool = False
    detail: str = ""
    verdict: Verdict | None = None


@dataclass(frozen=True)
class GroupStatistics:
    """What the judged completions are like.

    ``mean`` is None if there is none, ``std`` if there are fewer than two; it has Bessel's correction, as in
    GRPO.
    """

    size: int
    judged: int
    passed: int
    mean: float | None
    std: float | None


@dataclass(frozen=True)
class GradedBatch:
    """N completions of one task, graded, in the order in which they were given.

    ``warning`` says why the group can give no gradient; it is empty if it can.
    """

    task: str
    outcomes: tuple[Outcome, ...]
    warning: str = ""

    @property
    def rewards(self) -> Array:
        """(N,): NaN where masked."""
        return np.array([outcome.reward for outcome in self.outcomes], dtype=np.float64)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why each has its reward; see ``Outcome``."""
        return tuple(outcome.reason for outcome in self.outcomes)

    @property
    def masked(self) -> Mask:
        """(N,): those of which nobody could tell; leave them out of the loss."""
        return np.array([outcome.masked for outcome in self.outcomes], dtype=np.bool_)

    @property
    def statistics(self) -> GroupStatistics:
        """Of those that were judged."""
        rewards = self.rewards[~self.masked]
        return GroupStatistics(
            size=len(self.outcomes),
            judged=rewards.size,
            passed=int((rewards == 1.0).sum()),
            mean=float(rewards.mean()) if rewards.size else None,
            std=float(rewards.std(ddof=1)) if rewards.size > 1 else None,
        )

    def pass_at_k(self, k: int) -> float:
        """Unbiased pass@k, from those that were judged; see ``advantage.pass_at_k``.

        Raises:
            ValueError: k is below 1, or there are fewer than k.
        """
        done = self.statistics
        return pass_at_k(done.judged, done.passed, k)

    def advantages(
        self,
        name: str,
        mask: npt.ArrayLike | None = None,
        *,
        values: npt.ArrayLike | None = None,
        baselines: npt.ArrayLike | None = None,
        potentials: npt.ArrayLike | None = None,
        settings: Settings | None = None,
    ) -> Array:
        """Advantages by the estimator ``name`` (``advantage.ADV_ESTIMATORS``); NaN in rows that are masked.

        Without ``mask`` a completion is one position, and the result (N,). With one, (N, T), True where the
        policy wrote, it is (N, T): a reward lies on the last position of its row, and what the policy did not
        write gets 0. NaN rows are no rewards of 0: leave them out of the loss, ``masked`` names them. They
        count in no mean. ``values`` (N, T), ``baselines`` (N,) and ``potentials`` (N, T), where T is 1
        without a mask, are for the estimators that need them (``advantage.Batch``).

        Raises:
            ValueError: as ``deepgym_envs.advantage.advantages``.
        """
        count = len(self.outcomes)
        where = np.ones((count, 1), dtype=np.bool_) if mask is None else token_mask(mask)
        if len(where) != count:
            raise ValueError(f"mask has shape {where.shape}: expected {count} rows, one a completion")
        judged = ~self.masked
        paid = np.zeros(where.shape)
        last = where.shape[1] - 1 - where[:, ::-1].argmax(axis=1)
        paid[judged, last[judged]] = self.rewards[judged]
        batch = Batch(
            rewards=paid, mask=where, groups=np.zeros(count, dtype=np.int64), judged=judged,
            values=values, baselines=baselines, potentials=potentials,
        )  # fmt: skip
        found = advantages(name, batch, settings)
        found[~judged] = math.nan
        return found[:, 0] if mask is None else found


def no_gradient(outcomes: tuple[Outcome, ...]) -> str:
    """Why these can give no gradient; empty if they can."""
    rewards = [outcome.reward for outcome in outcomes if not outcome.masked]
    if len(rewards) < 2:
        return f"only {len(rewards)} of {len(outcomes)} completions could be judged: nothing to compare with"
    if not varied(rewards, [0] * len(rewards)).any():
        what = "failed" if rewards[0] == 0.0 else "passed"
        hint = (
            "an always-passed task may be one that is always cheated" if what == "passed" else "sample more"
        )
        return f"all {len(rewards)} judged completions {what}: every advantage is 0; {hint}"
    return ""
