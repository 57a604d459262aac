"""What a verifier of whole traces is asked, and what it says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeVar, get_args, runtime_checkable

from deepgym_envs.advantage.arrays import LARGEST, number

Baseline = Literal["trajectory_mean", "none", "state_potential"]
Trace_contra = TypeVar("Trace_contra", contravariant=True)


@dataclass(frozen=True)
class VerifierSpec:
    """How traces are scored; the fields and defaults are those of orbit.

    - ``step_scoring``, ``terminal_scoring``: whether steps, and the end, are paid at all. (orbit never reads
      them.)
    - ``gamma`` in (0, 1]: the discount of the return; it must be the learner's own.
    - ``lambda_delta``, ``lambda_g``, ``lambda_env``, ``lambda_u``: weights, from 0, of the potential's
      differences, the local scores, the environment's own rewards and the terminal score.
    - ``process_weight_scale`` (from 0; below 1e-6 it counts as 1e-6) and ``process_weight_max`` (from 0): a
      step weighs ``clip((G - b) / scale, -max, max)``.
    - ``baseline_strategy``: what b is, see ``steps.baselines``.

    Raises:
        ValueError: a number is outside its range, or the strategy is not known.
    """

    kind: str = "static_trace"
    step_scoring: bool = True
    terminal_scoring: bool = True
    gamma: float = 0.99
    lambda_delta: float = 1.0
    lambda_g: float = 1.0
    lambda_env: float = 1.0
    lambda_u: float = 1.0
    process_weight_scale: float = 1.0
    process_weight_max: float = 4.0
    baseline_strategy: Baseline = "trajectory_mean"
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        number("gamma", self.gamma, 0, 1, above=True)
        for name in (
            "lambda_delta", "lambda_g", "lambda_env", "lambda_u",
            "process_weight_scale", "process_weight_max",
        ):  # fmt: skip
            number(name, getattr(self, name), 0, LARGEST)
        if self.baseline_strategy not in get_args(Baseline):
            known = ", ".join(map(repr, get_args(Baseline)))
            raise ValueError(f"baseline_strategy is {self.baseline_strategy!r}: expected one of {known}")


@dataclass(frozen=True)
class VerifierResult:
    """What a verifier makes of a trace of n steps; the fields are orbit's, but for ``baselines``.

    ``terminal_score`` is in [0, 1]. ``success`` is a score of at least 0.99, ``near_miss`` one that is no
    success and at least 0.5. ``first_error_index`` is that of the first wrong step, -1 if none was found, and
    ``switch_step`` the first that another policy should take over: the same, or n. The other fields hold one
    number a step: scores that went in, rewards, discounted returns G, what was subtracted of each, and
    clipped weights. ``baseline`` is the mean of ``baselines``. ``metadata`` holds ``return_terms``: what each
    term of the reward adds to the discounted return G_0.
    """

    terminal_score: float
    success: bool
    near_miss: bool
    first_error_index: int = -1
    switch_step: int = 0
    potentials: tuple[float, ...] = ()
    local_scores: tuple[float, ...] = ()
    env_rewards: tuple[float, ...] = ()
    process_rewards: tuple[float, ...] = ()
    process_returns: tuple[float, ...] = ()
    process_weights: tuple[float, ...] = ()
    baseline: float = 0.0
    baselines: tuple[float, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)


@runtime_checkable
class Verifier(Protocol[Trace_contra]):
    """Scores whole traces; the same trace always gets the same result.

    ``verify`` raises ``SandboxError`` for a trace that could not be judged: that is never a score of 0.
    """

    @property
    def spec(self) -> VerifierSpec:
        """How it scores."""

    def verify(self, trace: Trace_contra) -> VerifierResult:
        """The scores of ``trace``."""

    def locate_first_error(self, expected: Sequence[str], observed: Sequence[str]) -> int:
        """The index of the first step of ``observed`` that is not as ``expected``; -1 if there is none."""

    def state_hash(self, trace: Trace_contra) -> str:
        """SHA-256 of what the scores follow from, as 64 hexadecimal digits."""
