"""The posterior of a pass rate: exact where a sum can say so, and cautious about what never fails."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepgym_envs.advantage import Difficulty
from deepgym_envs.advantage.difficulty import incomplete_beta

COUNT = st.integers(0, 60)


@given(COUNT, COUNT, st.floats(0.001, 0.999))
def test_below_is_the_tail_of_a_binomial(passes: int, fails: int, rate: float) -> None:
    """For whole counts I_x(a, b) = P(Binomial(a + b - 1, x) >= a) (DLMF 8.17.5)."""
    trials = passes + fails + 1
    tail = math.fsum(
        math.comb(trials, hits) * rate**hits * (1 - rate) ** (trials - hits)
        for hits in range(passes + 1, trials + 1)
    )
    assert Difficulty(passes, fails).below(rate) == pytest.approx(tail, abs=1e-10)


@pytest.mark.parametrize("count", [1e3, 1e6, 1e8])
def test_many_trials_lose_no_precision(count: float) -> None:
    assert Difficulty(count, count).below(0.5) == pytest.approx(0.5, abs=1e-6)
    deviation = 0.5 / math.sqrt(2 * count)
    assert Difficulty(count, count).below(0.5 + 1.959964 * deviation) == pytest.approx(0.975, abs=1e-3)


@given(st.floats(0.5, 80), st.floats(0.5, 80), st.floats(0, 1))
def test_the_two_tails_add_up_to_one(a: float, b: float, x: float) -> None:
    assert incomplete_beta(a, b, x) + incomplete_beta(b, a, 1 - x) == pytest.approx(1, abs=1e-9)


@given(st.floats(0, 40), st.floats(0, 40), st.integers(1, 16))
def test_informative_is_the_mean_over_the_posterior(passes: float, fails: float, group: int) -> None:
    a, b = 1 + passes, 1 + fails
    found = Difficulty(passes, fails).informative(group)
    log_beta = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)

    def moment(right: float, wrong: float) -> float:
        return math.exp(
            math.lgamma(a + right) + math.lgamma(b + wrong) - math.lgamma(a + b + right + wrong) + log_beta
        )

    assert found == pytest.approx(1 - moment(group, 0) - moment(0, group), abs=1e-9)


def test_a_group_of_one_tells_nothing() -> None:
    assert Difficulty(3, 4).informative(1) == pytest.approx(0)


@pytest.mark.parametrize(
    ("passes", "fails", "wanted"),
    [(0, 0, "train"), (4, 4, "train"), (8, 0, "train"), (39, 1, "train"), (0, 8, "train"), (0, 200, "too hard"), (99, 1, "too easy"), (40, 0, "audit")],
)  # fmt: skip
def test_verdicts(passes: int, fails: int, wanted: str) -> None:
    assert Difficulty().observed(passes=passes, fails=fails).verdict() == wanted


def test_a_prompt_that_somebody_has_looked_at_needs_no_second_audit() -> None:
    assert Difficulty(audited=True).observed(passes=40, fails=0).verdict() == "too easy"


def test_one_fail_ever_seen_tells_a_prompt_from_one_that_is_always_passed() -> None:
    """Even when it has faded: a cheat would not have failed."""
    prompt = Difficulty().observed(passes=0, fails=1)
    for _ in range(60):
        prompt = prompt.observed(passes=8, fails=0, keep=0.9)
    assert prompt.verdict() == "too easy"


def test_old_trials_fade() -> None:
    prompt = Difficulty().observed(passes=0, fails=100).observed(passes=10, fails=0, keep=0.0)
    assert (prompt.passes, prompt.fails) == (10, 0)
    assert prompt.mean == pytest.approx(11 / 12)


def test_bad_input_is_refused() -> None:
    with pytest.raises(ValueError, match="passes is -1: expected a count"):
        Difficulty(passes=-1)
    with pytest.raises(ValueError, match="fails is nan: expected a count"):
        Difficulty(fails=math.nan)
    with pytest.raises(ValueError, match=r"keep 1.5: expected counts from 0, and a share in \[0, 1\]"):
        Difficulty().observed(passes=1, fails=1, keep=1.5)
    with pytest.raises(ValueError, match="rate is nan"):
        Difficulty().below(math.nan)
    with pytest.raises(ValueError, match="group is 0"):
        Difficulty().informative(0)
    with pytest.raises(ValueError, match=r"hard is 0\.9, easy 0\.1"):
        Difficulty().verdict(hard=0.9, easy=0.1)
