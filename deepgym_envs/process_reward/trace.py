"""A verifier of traces that somebody wrote down: a prompt, a response, and the steps between them."""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from deepgym_envs.advantage.arrays import vector
from deepgym_envs.process_reward.spec import VerifierResult, VerifierSpec
from deepgym_envs.process_reward.steps import Form, StepScores, first_difference, verified

MOST_CHARS = 20_000
"""Longer texts are not compared: the time that it takes grows with the square of their length."""


@dataclass(frozen=True)
class Trace:
    """What a policy did, as texts, with the scores that are known.

    ``potentials``, ``local_scores`` and ``env_rewards`` (n,) belong to the n ``student_steps``;
    ``terminal_score`` is in [0, 1]. Where they are None, ``TraceVerifier`` says what takes their place.
    ``expected_steps`` and ``reference`` are steps and a response that are known to be right.
    """

    task_id: str
    prompt: str
    response: str
    student_steps: tuple[str, ...]
    environment: str = ""
    expected_steps: tuple[str, ...] = ()
    reference: str = ""
    potentials: Sequence[float] | None = None
    local_scores: Sequence[float] | None = None
    env_rewards: Sequence[float] | None = None
    terminal_score: float | None = None
    start_potential: float = 0.0


class TraceVerifier:
    """Scores a ``Trace`` by what it holds, and by likeness to what was expected; implements ``Verifier``.

    Missing potentials are ``progress_score`` of the steps so far. A missing terminal score is 1 for a
    response that is the reference but for white space, else 0: likeness is no reward, for it can be had
    without being right. Missing local scores are 0.

    Form ``orbit`` gives orbit's numbers: there a missing terminal score is the likeness, and missing local
    scores are the potentials again. Both can be farmed; see docs/process-rewards.md.

    >>> trace = Trace("t", "2 + 2?", "4", ("2 + 2 = 4", "so 4"), potentials=[0.5, 1.0], terminal_score=1)
    >>> TraceVerifier().verify(trace).process_rewards
    (0.495, 0.5)
    """

    def __init__(self, spec: VerifierSpec | None = None, *, form: Form = "policy_invariant") -> None:
        self._spec = spec or VerifierSpec()
        self._form: Form = form

    @property
    def spec(self) -> VerifierSpec:
        """See ``Verifier.spec``."""
        return self._spec

    def verify(self, trace: Trace) -> VerifierResult:
        """See ``Verifier.verify``.

        Raises:
            ValueError: there is no step; a score is missing and nothing was expected; a text that is to be
                compared is too long; or as ``StepScores``.
        """
        if not trace.student_steps:
            raise ValueError("student_steps is empty: expected at least one step")
        orbit = self._form == "orbit"
        potentials = vector("potentials", self._potentials(trace), len(trace.student_steps)).tolist()
        terminal, close = self._terminal(trace)
        local = trace.local_scores
        scores = StepScores(
            terminal=terminal,
            potentials=potentials,
            local=potentials if orbit and local is None else local,
            environment=trace.env_rewards,
            start=trace.start_potential,
        )
        error = -1
        if trace.expected_steps:
            found = self.locate_first_error(trace.expected_steps, trace.student_steps)
            error = min(found, len(trace.student_steps) - 1)
        return verified(scores, self._spec, form=self._form, first_error=error, closeness=close)

    def locate_first_error(self, expected: Sequence[str], observed: Sequence[str]) -> int:
        """See ``Verifier.locate_first_error``: white space counts for nothing.

        Where one is the beginning of the other, it is the index at which the shorter one ends.

        >>> TraceVerifier().locate_first_error(["a = 1", "b = 2"], ["a  = 1", "b = 3"])
        1
        """
        return first_difference(list(map(_squeezed, expected)), list(map(_squeezed, observed)))

    def state_hash(self, trace: Trace) -> str:
        """See ``Verifier.state_hash``: of environment, task, prompt, response and steps, as in orbit."""
        known = {
            "environment": trace.environment,
            "task_id": trace.task_id,
            "prompt": trace.prompt,
            "response": trace.response,
            "student_steps": list(trace.student_steps),
        }
        return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()

    def _potentials(self, trace: Trace) -> Sequence[float]:
        if trace.potentials is not None:
            return trace.potentials
        if not trace.expected_steps:
            raise ValueError(
                "potentials is None, and there are no expected_steps to compare with: give either"
            )
        wanted = "\n".join(trace.expected_steps)
        ends = range(1, len(trace.student_steps) + 1)
        return [progress_score(wanted, "\n".join(trace.student_steps[:end])) for end in ends]

    def _terminal(self, trace: Trace) -> tuple[float, float | None]:
        """The terminal score, and how near the response was where that is another number."""
        if trace.terminal_score is not None:
            return trace.terminal_score, None
        if not trace.reference:
            raise ValueError("terminal_score is None, and there is no reference to compare with: give either")
        if _squeezed(trace.reference) == _squeezed(trace.response):
            return 1.0, None
        close = progress_score(trace.reference, trace.response)
        return (close, None) if self._form == "orbit" else (0.0, close)


def progress_score(expected: str, observed: str) -> float:
    """How alike two texts are, in [0, 1]: difflib's ratio, as in orbit. A guess: it knows nothing of meaning.

    >>> progress_score("abcd", "bcde")
    0.75

    Raises:
        ValueError: a text has more than ``MOST_CHARS`` characters.
    """
    for name, text in (("expected", expected), ("observed", observed)):
        if len(text) > MOST_CHARS:
            raise ValueError(
                f"the {name} text has {len(text)} characters: expected at most {MOST_CHARS}; "
                "give scores of your own"
            )
    return difflib.SequenceMatcher(None, expected, observed).ratio()


def _squeezed(text: str) -> str:
    return " ".join(text.split())
