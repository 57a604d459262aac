"""Runs whose truth is known: honest ones go on, over-optimised and cheating ones are stopped."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepgym_envs.overoptimisation import Checkpoint, Curve, Rules, assess, patch_entropy

TASKS = 40


def run(
    gold: Any, proxy: Any, *, seed: int = 0, paired: bool = False, noise: float = 0.05
) -> list[Checkpoint]:
    """Checkpoints one apart in d, with means given and each task a little better or worse, always alike."""
    random = np.random.default_rng(seed)
    ease = random.normal(scale=0.2, size=(2, TASKS))
    found = []
    for step, (high, low) in enumerate(zip(proxy, gold, strict=True)):
        scores = (
            np.array([[high], [low]])
            + ease[[0, 0 if paired else 1]]
            + random.normal(scale=noise, size=(2, TASKS))
        )
        found.append(Checkpoint(step, float(step), tuple(scores[0]), tuple(scores[1]), paired))
    return found


RISES = [0.1 * d for d in range(9)]
TURNS = Curve("best_of_n", 0.2, 0.025).gold(range(9)).tolist()


def test_a_policy_whose_gold_rises_with_the_proxy_goes_on() -> None:
    checkpoints = run(RISES, RISES)
    for end in range(1, len(checkpoints) + 1):
        found = assess(checkpoints[:end], Rules(form="best_of_n", stop_on=("slope", "gap")))
        assert (found.stop, found.alarms) == (False, ())


def test_past_the_peak_it_stops_and_says_why() -> None:
    """The true peak is at d = 4: the cautious rule stops no later than the sure one, and both after the rise."""
    checkpoints = run(TURNS, RISES)
    rules = Rules(form="best_of_n")
    stops = {}
    for reason in ("peak", "slope", "gap"):
        only = replace(rules, stop_on=(reason,))
        stops[reason] = next(end for end in range(1, 10) if assess(checkpoints[:end], only).stop) - 1
    assert 4 <= stops["peak"] <= stops["slope"] <= 6
    assert stops["gap"] <= 8
    found = assess(checkpoints, rules)
    assert found.reasons == ("slope", "gap", "peak")
    assert found.fit is not None
    assert found.fit.peak[0] <= 4 <= found.fit.peak[1]
    assert found.gap == pytest.approx(RISES[-1] - TURNS[-1], abs=0.2)


def test_a_reason_that_does_not_stop_is_told_all_the_same() -> None:
    found = assess(run(TURNS, RISES), Rules(form="best_of_n", stop_on=()))
    assert not found.stop
    assert "slope" in found.reasons


def test_a_cheat_that_is_discovered_is_heard_at_once() -> None:
    proxy = [0.2, 0.25, 0.3, 0.35, 0.8]
    gold = [0.2, 0.25, 0.3, 0.35, 0.4]
    checkpoints = run(gold, proxy, paired=True)
    assert assess(checkpoints[:4]).alarms == ()
    assert assess(checkpoints).alarms == ("jump",)


@pytest.mark.parametrize("expected", [0.0, None])
def test_a_gap_that_grows_slowly_stops_it_before_any_jump(expected: float | None) -> None:
    gold = [0.2] * 20
    checkpoints = run(gold, [0.2 + 0.02 * step for step in range(20)], paired=True)
    rules = Rules(expected_gap=expected, stop_on=("gap",))
    end = next(end for end in range(1, 21) if assess(checkpoints[:end], rules).stop)
    assert 3 < end < 15
    assert all("jump" not in assess(checkpoints[:number], rules).alarms for number in range(1, end + 1))


def test_only_a_known_gap_sees_a_cheat_that_was_there_from_the_beginning() -> None:
    checkpoints = run([0.2] * 10, [0.6] * 10, paired=True)
    assert "gap" in assess(checkpoints, Rules(expected_gap=0.0)).reasons
    assert "gap" not in assess(checkpoints, Rules()).reasons


def test_tasks_that_are_harder_from_the_beginning_are_no_gap_that_grows() -> None:
    """Held-out tasks of another difficulty, 100 runs of 30 checkpoints: false alarms are as rare as they should be."""
    alarms = 0
    for seed in range(100):
        checkpoints = run([0.2] * 30, [0.5] * 30, seed=seed, noise=0.3)
        alarms += assess(checkpoints, Rules(least=1000)).cusum > 5
    assert alarms <= 8


def test_one_task_that_differs_is_no_alarm_where_all_were_equal() -> None:
    same = (0.5,) * TASKS
    checkpoints = [Checkpoint(0, 0.0, same, same, paired=True)]
    checkpoints.append(Checkpoint(1, 1.0, (*same[1:], 1.0), same, paired=True))
    found = assess(checkpoints, Rules(expected_gap=0.0))
    assert (found.reasons, found.alarms) == ((), ())
    assert 0 <= found.cusum < 1


def test_more_failures_of_the_infrastructure_are_heard() -> None:
    plain = run(RISES, RISES)[:3]
    steady = [replace(one, episodes=200, failures=4) for one in plain]
    assert assess(steady).alarms == ()
    assert assess([*steady[:2], replace(steady[2], failures=40)]).alarms == ("infrastructure",)
    assert assess([*steady[:2], replace(steady[2], episodes=0, failures=0)]).alarms == ()


def test_patches_that_become_alike_are_heard() -> None:
    plain = run(RISES, RISES)[:3]
    entropies = [0.9, None, 0.4]
    assert assess([replace(one, entropy=e) for one, e in zip(plain, entropies, strict=True)]).alarms == (
        "entropy",
    )
    assert (
        assess([replace(one, entropy=e) for one, e in zip(plain, entropies[:2], strict=False)]).alarms == ()
    )


def test_no_curve_is_fitted_to_too_little() -> None:
    checkpoints = run(RISES, RISES)
    assert assess(checkpoints[:1]).fit is None
    assert assess(checkpoints[:3]).fit is None
    assert assess([replace(one, d=0.0) for one in checkpoints]).fit is None
    assert assess(checkpoints[:4]).fit is not None


@given(
    st.dictionaries(st.text(max_size=2), st.lists(st.sampled_from("abc"), min_size=2, max_size=6), min_size=1)
)
def test_entropy_is_a_share(patches: dict[str, list[str]]) -> None:
    found = patch_entropy(patches)
    assert 0 <= found <= 1
    assert (found == 0) == all(len(set(digests)) == 1 for digests in patches.values())


def test_entropy_of_patches_that_all_differ_is_1() -> None:
    assert patch_entropy({"a": "xyz", "b": "xy"}) == pytest.approx(1)
    with pytest.raises(ValueError, match="a task with at least two patches"):
        patch_entropy({"a": ["x"], "b": []})


GOOD = Checkpoint(1, 1.0, (0.1, 0.2), (0.1, 0.2))
START = replace(GOOD, step=0, d=0.0)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"d": -1.0}, "d must be at least 0 and finite, not -1.0"),
        ({"d": float("nan")}, "d must be at least 0"),
        ({"proxy": ()}, r"proxy needs finite scores of at least 2 tasks, not \(\)"),
        ({"gold": (0.1, float("nan"))}, "gold needs finite scores"),
        ({"gold": (0.1, 0.2, 0.3), "paired": True}, "as many, not 2 and 3"),
        ({"episodes": 1, "failures": 2}, "2 failures of 1 episodes"),
        ({"entropy": float("nan")}, r"entropy must be in \[0, 1\]"),
    ],
)
def test_a_checkpoint_that_cannot_be_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        replace(GOOD, **changes)


@pytest.mark.parametrize(
    ("checkpoints", "words"),
    [
        ([], "no checkpoint"),
        ([GOOD], "the initial policy, at d = 0, not 1.0"),
        ([START, START], "steps must rise, 0 follows 0"),
        ([START, replace(GOOD, gold=(0.1, 0.2, 0.3))], "gold has 2 tasks at step 0 and 3 at step 1"),
    ],
)
def test_checkpoints_that_do_not_fit_together_are_refused(checkpoints: list[Checkpoint], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        assess(checkpoints)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"form": "gp"}, "form must be one of"),
        ({"confidence": 95.0}, "confidence must be in"),
        ({"slack": -0.5}, "slack must be at least 0"),
        ({"stop_on": ("time",)}, "stop_on holds"),
        ({"least": 1}, "at least 2 checkpoints"),
        ({"expected_gap": float("nan")}, "expected_gap must be finite or None"),
        ({"bound": 0.0}, "bound must be above 0"),
        ({"jump": float("inf")}, "jump must be above 0"),
        ({"entropy_share": 1.0}, "entropy_share must be in"),
    ],
)
def test_rules_out_of_range_are_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Rules(**settings)
