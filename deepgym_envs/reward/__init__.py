"""Rewards: potentials of states, folds and the shaping that follow from them, and the terminal reward."""

from deepgym_envs.reward.builds_and_imports import BuildsAndImports, builds_and_imports
from deepgym_envs.reward.distance_to_gold import distance_to_gold
from deepgym_envs.reward.fold import Decaying, Fold, best_so_far, folded, latest
from deepgym_envs.reward.hidden_tests import fail_to_pass, hidden_tests
from deepgym_envs.reward.http_score import HttpScore
from deepgym_envs.reward.learned import Learned, Score
from deepgym_envs.reward.localisation import localisation
from deepgym_envs.reward.potential import Potential, measured, visible_tests
from deepgym_envs.reward.shaping import shaping
from deepgym_envs.reward.static_checks import StaticChecks
from deepgym_envs.reward.suspiciousness import suspiciousness
from deepgym_envs.reward.terminal import terminal_reward
from deepgym_envs.reward.weighted import Weighted, weighted

__all__ = [
    "BuildsAndImports",
    "Decaying",
    "Fold",
    "HttpScore",
    "Learned",
    "Potential",
    "Score",
    "StaticChecks",
    "Weighted",
    "best_so_far",
    "builds_and_imports",
    "distance_to_gold",
    "fail_to_pass",
    "folded",
    "hidden_tests",
    "latest",
    "localisation",
    "measured",
    "shaping",
    "suspiciousness",
    "terminal_reward",
    "visible_tests",
    "weighted",
]
