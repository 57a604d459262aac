"""A verifier of episodes: potentials that were measured as they were played, and the verdict at the end."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from itertools import pairwise

from deepgym_envs.errors import SandboxError
from deepgym_envs.process_reward.spec import VerifierResult, VerifierSpec
from deepgym_envs.process_reward.steps import Form, StepScores, first_difference, verified
from deepgym_envs.trajectory import Trajectory


class TrajectoryVerifier:
    """Scores a ``Trajectory``; implements ``Verifier``.

    Potentials are those of its states, the terminal score is 1 if the hidden tests passed, else 0, so there
    are no near misses. Rewards
    that it holds already are not paid again: they are the environment's own shaping and terminal reward. Of
    an episode that was played with ``measure="never"`` all potentials are 0.

    The first error of an episode that failed is the first step after which the potential was lower than
    before it. That is where the tests began to fail, which may be later than where the mistake was made:
    ``deepgym_envs.step_labels`` finds that out by trying.
    """

    def __init__(self, spec: VerifierSpec | None = None, *, form: Form = "policy_invariant") -> None:
        self._spec = spec or VerifierSpec(kind="trajectory")
        self._form: Form = form

    @property
    def spec(self) -> VerifierSpec:
        """See ``Verifier.spec``."""
        return self._spec

    def verify(self, trace: Trajectory) -> VerifierResult:
        """See ``Verifier.verify``.

        Raises:
            SandboxError: the episode is masked or was not judged, so nobody can say what it is worth.
        """
        if trace.masked or trace.judgement is None or not trace.steps:
            why = trace.error or "it has no verdict"
            raise SandboxError(f"{trace.task} episode {trace.index} was not judged: {why}; leave it out")
        potentials = [step.potential for step in trace.steps]
        scores = StepScores(float(trace.passed), potentials, start=trace.start_potential)
        error = -1 if trace.passed else _first_loss([trace.start_potential, *potentials[:-1]])
        return verified(scores, self._spec, form=self._form, first_error=error)

    def locate_first_error(self, expected: Sequence[str], observed: Sequence[str]) -> int:
        """See ``Verifier.locate_first_error``: of digests of states, the first that is not the expected one.

        Where one is the beginning of the other, it is the index at which the shorter one ends.
        """
        return first_difference(expected, observed)

    def state_hash(self, trace: Trajectory) -> str:
        """See ``Verifier.state_hash``: of the task, and of each state with its potential, in order."""
        visited = [
            (trace.start_state, trace.start_potential),
            *((step.state, step.potential) for step in trace.steps),
        ]
        known = {"task": trace.task_digest, "passed": trace.passed, "visited": visited}
        return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()


def _first_loss(potentials: Sequence[float]) -> int:
    """The first step after which the potential, given for the states before each step, has fallen."""
    pairs = enumerate(pairwise(potentials))
    return next((step for step, (before, after) in pairs if after < before), -1)
