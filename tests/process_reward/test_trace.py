"""Traces of texts: what takes the place of scores that are missing, and where they first go wrong."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import pytest

from deepgym_envs.process_reward import Trace, TraceVerifier, TrajectoryVerifier, Verifier, VerifierSpec
from deepgym_envs.process_reward.trace import MOST_CHARS

TRACE = Trace(
    task_id="sum", prompt="2 + 2?", response="It is 4.", student_steps=("a = 2", "b = a + 2", "4"),
    environment="arithmetic", expected_steps=("a = 2", "b = a + 2", "4"), reference="It is  4.",
    potentials=(0.2, 0.5, 1.0), local_scores=(0.1, 0.0, 0.3), env_rewards=(0.0, -0.1, 0.0),
    terminal_score=1.0,
)  # fmt: skip


def test_both_verifiers_keep_the_protocol() -> None:
    for verifier in (TraceVerifier(), TrajectoryVerifier()):
        assert isinstance(verifier, Verifier)
    assert not isinstance(object(), Verifier)


def test_form_orbit_gives_orbits_golden_vector_of_a_trace() -> None:
    result = TraceVerifier(form="orbit").verify(TRACE)
    assert result.process_rewards == pytest.approx([0.3, 0.2, 1.8])
    assert result.process_weights == pytest.approx([0.247453, -0.032727, -0.214727], abs=1e-6)
    assert result.first_error_index == -1


def test_the_policy_invariant_form_is_the_default() -> None:
    assert TraceVerifier().verify(TRACE).metadata["form"] == "policy_invariant"
    assert TraceVerifier().spec == VerifierSpec()


def test_missing_potentials_are_the_progress_so_far() -> None:
    result = TraceVerifier().verify(replace(TRACE, potentials=None))
    assert result.potentials == pytest.approx([2 * 5 / 22, 2 * 15 / 32, 1.0])


def test_missing_local_scores_are_nothing_and_the_potentials_again_in_form_orbit() -> None:
    trace = replace(TRACE, local_scores=None)
    assert TraceVerifier().verify(trace).local_scores == (0.0, 0.0, 0.0)
    assert TraceVerifier(form="orbit").verify(trace).local_scores == (0.2, 0.5, 1.0)


def test_likeness_is_paid_in_form_orbit_alone() -> None:
    trace = replace(TRACE, terminal_score=None, response="It is 5.", reference="It is 4.")
    ours, orbits = TraceVerifier().verify(trace), TraceVerifier(form="orbit").verify(trace)
    assert (ours.terminal_score, ours.success, ours.near_miss) == (0.0, False, True)
    assert (orbits.terminal_score, orbits.success, orbits.near_miss) == (0.875, False, True)


def test_a_response_that_is_the_reference_but_for_white_space_is_a_success() -> None:
    for form in ("policy_invariant", "orbit"):
        result = TraceVerifier(form=form).verify(replace(TRACE, terminal_score=None))
        assert (result.terminal_score, result.success) == (1.0, True)


@pytest.mark.parametrize(
    ("steps", "error"),
    [
        (("a = 2", "b = a + 3", "4"), 1),
        (("a  = 2", "b = a + 2 ", "4"), -1),
        (("a = 2",), 0),
        (("a = 2", "b = a + 2", "4", "so 5"), 3),
    ],
)
def test_the_first_error_is_the_first_step_that_is_not_as_expected(
    steps: tuple[str, ...], error: int
) -> None:
    trace = replace(
        TRACE, student_steps=steps, potentials=[0.5] * len(steps), local_scores=None, env_rewards=None
    )
    result = TraceVerifier().verify(trace)
    assert result.first_error_index == error
    assert result.switch_step == (error if error >= 0 else len(steps))


def test_a_state_is_the_hash_of_what_the_policy_saw_and_did() -> None:
    known = {
        "environment": "arithmetic", "task_id": "sum", "prompt": "2 + 2?", "response": "It is 4.",
        "student_steps": ["a = 2", "b = a + 2", "4"],
    }  # fmt: skip
    wanted = hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()
    assert TraceVerifier().state_hash(TRACE) == wanted
    assert TraceVerifier().state_hash(replace(TRACE, potentials=None)) == wanted
    assert TraceVerifier().state_hash(replace(TRACE, response="5")) != wanted


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"student_steps": ()}, "student_steps is empty"),
        ({"potentials": None, "expected_steps": ()}, "potentials is None, and there are no expected_steps"),
        ({"terminal_score": None, "reference": ""}, "terminal_score is None, and there is no reference"),
        ({"potentials": (0.1, 0.2)}, r"potentials has shape \(2,\): expected \(3,\)"),
        ({"local_scores": (0.1,)}, r"local_scores has shape \(1,\): expected \(3,\)"),
        (
            {"terminal_score": None, "response": "x" * (MOST_CHARS + 1)},
            "the observed text has 20001 characters",
        ),
    ],
)
def test_what_cannot_be_scored_is_refused(changes: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        TraceVerifier().verify(replace(TRACE, **changes))  # type: ignore[arg-type]
