"""Several solutions of one task, graded side by side, and what a learner makes of them."""

from deepgym_envs.batch.completion import Completion
from deepgym_envs.batch.graded import GradedBatch, GroupStatistics, NoGradientWarning, Outcome
from deepgym_envs.batch.run import run_batch

__all__ = ["Completion", "GradedBatch", "GroupStatistics", "NoGradientWarning", "Outcome", "run_batch"]
