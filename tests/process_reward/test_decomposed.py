"""A learned score never outvotes an exact check."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepgym_envs import SandboxError, Verdict
from deepgym_envs.errors import ModelError
from deepgym_envs.process_reward import Bonus, Gate, checks_of, decomposed_reward

SCORES = st.floats(0, 1)
CHECKS = st.dictionaries(st.text(max_size=3), st.booleans(), min_size=1, max_size=5)


@given(CHECKS, SCORES, st.integers(1, 5), SCORES, st.floats(0, 0.5))
def test_no_score_lifts_a_failed_check_above_a_passed_one(
    checks: dict[str, bool], loved: float, count: int, hated: float, size: float
) -> None:
    failed = decomposed_reward({**checks, "hidden_tests": False}, loved, rule=Bonus(size))
    passed = decomposed_reward({str(n): True for n in range(count)}, hated, rule=Bonus(size))
    assert failed.reward + (1 - size) <= passed.reward + 1e-12
    assert failed.reward == 0.0
    assert not failed.passed
    assert passed.passed
    assert 0.5 <= passed.reward <= 1.0 + 1e-12


@given(CHECKS, SCORES, SCORES, SCORES)
def test_a_gate_only_ever_takes_away(
    checks: dict[str, bool], loved: float, score: float, threshold: float
) -> None:
    failed = decomposed_reward({**checks, "hidden_tests": False}, loved, rule=Gate(threshold))
    decided = decomposed_reward({"hidden_tests": True}, score, rule=Gate(threshold))
    assert failed.reward == 0.0
    assert decided.reward == float(score >= threshold) >= failed.reward
    assert decided.vetoed == (score < threshold)
    assert decided.passed != decided.vetoed


@given(CHECKS, SCORES, st.sampled_from([Gate(), Bonus()]))
def test_the_terms_sum_to_the_reward(checks: dict[str, bool], score: float, rule: Gate | Bonus) -> None:
    paid = decomposed_reward(checks, score, rule=rule)
    assert math.fsum(paid.terms.values()) == paid.reward
    assert paid.failed == tuple(name for name, held in checks.items() if not held)


def test_without_a_score_the_checks_decide_alone() -> None:
    assert decomposed_reward({"a": True, "b": True}).reward == 1.0
    assert decomposed_reward({"a": True, "b": False}).failed == ("b",)


def test_a_model_is_asked_only_where_no_check_has_decided() -> None:
    asked: list[str] = []

    def judge() -> float:
        asked.append("a question")
        return 0.75

    assert decomposed_reward({"a": False}, judge, rule=Gate()).score is None
    assert asked == []
    assert decomposed_reward({"a": True}, judge, rule=Gate()).score == 0.75
    assert len(asked) == 1


@pytest.mark.parametrize("score", [math.nan, -0.1, 1.1, math.inf, "high", None])
def test_a_score_that_is_none_is_the_models_fault(score: object) -> None:
    answer: Callable[[], float] = lambda: score  # type: ignore[assignment,return-value]  # noqa: E731
    with pytest.raises(ModelError, match=r"expected a number in \[0, 1\]; mask the sample"):
        decomposed_reward({"a": True}, answer, rule=Bonus())


def test_a_check_that_could_not_be_made_is_never_a_failure() -> None:
    with pytest.raises(SandboxError, match="'builds' could not be made; mask"):
        decomposed_reward({"hidden_tests": False, "builds": None})


def test_what_decides_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="checks is empty"):
        decomposed_reward({})
    with pytest.raises(ValueError, match="expected True, False, or None"):
        decomposed_reward({"a": 1})  # type: ignore[dict-item]
    with pytest.raises(ValueError, match="score and rule belong together"):
        decomposed_reward({"a": True}, 0.5)
    with pytest.raises(ValueError, match=r"size is 0\.6"):
        Bonus(0.6)
    with pytest.raises(ValueError, match="threshold is nan"):
        Gate(math.nan)


def test_a_verdict_gives_its_checks_by_name() -> None:
    flags = ("sign:frames:a.py", "outside_editable:b.py")
    verdict = Verdict(1.0, True, "passed", "made/a", "0" * 64, flags)
    assert checks_of(verdict) == {"hidden_tests": True}
    assert checks_of(verdict, refuse=("sign:frames", "sign:exit", "outside_editable", "flaky", "out")) == {
        "hidden_tests": True,
        "no_sign:frames": False,
        "no_sign:exit": True,
        "no_outside_editable": False,
        "no_flaky": True,
        "no_out": True,
    }
