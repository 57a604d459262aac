"""Rewards over a whole trace: one for each step, and what decides which of several solutions is handed in.

docs/process-rewards.md has the formulas, their sources, and what can be farmed.
"""

from deepgym_envs.process_reward.decomposed import Bonus, DecomposedReward, Gate, checks_of, decomposed_reward
from deepgym_envs.process_reward.hybrid import Candidate, best_at_k, execution_free_score, hybrid_choice
from deepgym_envs.process_reward.spec import Baseline, Verifier, VerifierResult, VerifierSpec
from deepgym_envs.process_reward.steps import Form, StepScores, process_rewards, verified
from deepgym_envs.process_reward.trace import Trace, TraceVerifier
from deepgym_envs.process_reward.trajectory_verifier import TrajectoryVerifier

__all__ = [
    "Baseline",
    "Bonus",
    "Candidate",
    "DecomposedReward",
    "Form",
    "Gate",
    "StepScores",
    "Trace",
    "TraceVerifier",
    "TrajectoryVerifier",
    "Verifier",
    "VerifierResult",
    "VerifierSpec",
    "best_at_k",
    "checks_of",
    "decomposed_reward",
    "execution_free_score",
    "hybrid_choice",
    "process_rewards",
    "verified",
]
