"""Which of several solutions to hand in: tests and a judge that runs nothing, combined as R2E-Gym does.

Jain et al., "R2E-Gym" (arXiv:2504.07164), as its ``verifier_evals.ipynb`` has it: of n candidates keep the
max(3, n // 2) that the judge likes best; of these the ones that pass most regression tests; of these the ones
with the best score on generated tests; of these the one that the judge likes best. Either verifier alone was
right for 42 to 43 % of SWE-bench Verified, both together for 51 % (best of 26).

It is a way to choose, not a reward: as an addend a judge's score can be earned without solving anything
(``decomposed``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb, fsum, isfinite

from deepgym_envs.advantage.arrays import flags, vector

LEAST_KEPT = 3


@dataclass(frozen=True)
class Candidate:
    """One solution, by what verifiers say of it; more is better, and only the order counts.

    ``execution_free`` in [0, 1] is a judge's that runs nothing (``execution_free_score``), ``regression`` how
    many of the tests that passed before still do, ``generated`` its score on tests that were written for the
    task.

    Raises:
        ValueError: a score is not finite, or the judge's not in [0, 1].
    """

    name: str
    execution_free: float
    regression: float
    generated: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.execution_free <= 1:
            raise ValueError(f"{self.name}: execution_free is {self.execution_free}: expected [0, 1]")
        for score, value in (("regression", self.regression), ("generated", self.generated)):
            if not isfinite(value):
                raise ValueError(f"{self.name}: {score} is {value}: expected a finite number")


def execution_free_score(yes: Sequence[float], no: Sequence[float]) -> float:
    """The mean of P(YES) / (P(YES) + P(NO)) over samples of a judge that was asked whether a patch is right.

    >>> round(execution_free_score([0.6, 0.2], [0.2, 0.2]), 3)
    0.625

    Raises:
        ValueError: there are none, or other shapes; a probability is negative; both of a sample are 0.
    """
    said = vector("yes", yes)
    against = vector("no", no, said.size)
    if (said < 0).any() or (against < 0).any() or (said + against <= 0).any():
        raise ValueError("yes and no hold probabilities: expected none below 0, and no sample with both 0")
    return float((said / (said + against)).mean())


def hybrid_choice(candidates: Sequence[Candidate]) -> int:
    """The index of the candidate to hand in; of those that are alike in all scores, the first.

    >>> hybrid_choice([Candidate("a", 0.9, 7), Candidate("b", 0.8, 9), Candidate("c", 0.7, 9, 0.5)])
    2

    Raises:
        ValueError: there is none.
    """
    if not candidates:
        raise ValueError("candidates is empty: expected at least one")
    kept = _by_judge(candidates)[: _kept(len(candidates))]
    return max(kept, key=lambda index: _key(candidates, index))


def best_at_k(candidates: Sequence[Candidate], correct: Sequence[bool], k: int) -> float:
    """The chance that ``hybrid_choice`` is correct among k candidates drawn from these without replacement.

    Its mean over draws of n >= k independent candidates is exactly best@k, as pass@k's estimate is pass@k
    (Chen et al., arXiv:2107.03374), which it never exceeds. Nothing is drawn: subsets are counted, in exact
    integers, in O(n^3) steps.

    With m = max(3, k // 2), a candidate i is chosen from a subset just if w < m of it are before i in the
    judge's order, all of them with a worse key (regression, generated, judge), and of those after i the first
    m - 1 - w have worse keys too.

    >>> pool = [Candidate("a", 0.9, 1), Candidate("b", 0.5, 2), Candidate("c", 0.1, 3)]
    >>> [best_at_k(pool, [False, False, True], k) for k in (1, 2, 3)]
    [0.3333333333333333, 0.6666666666666666, 1.0]

    Raises:
        ValueError: the lengths differ, ``correct`` is not yes or no, or not 1 <= k <= n.
    """
    count = len(candidates)
    right = flags("correct", correct, count)
    if not 1 <= k <= count:
        raise ValueError(f"k is {k}: expected a whole number in [1, {count}], the number of candidates")
    order = _by_judge(candidates)
    keys = [_key(candidates, index) for index in order]
    shares = [
        _subsets_won(keys, place, k) / comb(count, k) for place, index in enumerate(order) if right[index]
    ]
    return min(1.0, fsum(shares))


def _subsets_won(keys: Sequence[tuple[float, ...]], place: int, k: int) -> int:
    """Of the k-subsets, how many are won by the candidate at ``place`` of the judge's order."""
    kept = _kept(k)
    mine, after = keys[place], keys[place + 1 :]
    worse_before = sum(key < mine for key in keys[:place])
    won = 0
    for before in range(min(kept - 1, k - 1, worse_before) + 1):
        rivals = min(kept - 1 - before, k - 1 - before)  # of those after it, so many are kept as well
        won += comb(worse_before, before) * _rests(mine, after, k - 1 - before, rivals)
    return won


def _rests(mine: tuple[float, ...], after: Sequence[tuple[float, ...]], size: int, rivals: int) -> int:
    """Subsets of ``size`` of those after, of which the first ``rivals`` are worse."""
    if rivals == 0:
        return comb(len(after), size)
    found = worse = 0
    for place, key in enumerate(after):
        if key < mine:  # as the last of the rivals
            found += comb(worse, rivals - 1) * comb(len(after) - place - 1, size - rivals)
            worse += 1
    return found


def _kept(count: int) -> int:
    return max(LEAST_KEPT, count // 2)


def _by_judge(candidates: Sequence[Candidate]) -> list[int]:
    """Indices, best first; of equals the first given comes first."""
    return sorted(range(len(candidates)), key=lambda index: (-candidates[index].execution_free, index))


def _key(candidates: Sequence[Candidate], index: int) -> tuple[float, ...]:
    one = candidates[index]
    return one.regression, one.generated, one.execution_free, -index
