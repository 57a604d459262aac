"""Rewards: potentials of states, the shaping that follows from them, and the terminal reward."""

from deepgym_envs.reward.potential import Potential, measured, visible_tests
from deepgym_envs.reward.shaping import shaping
from deepgym_envs.reward.terminal import terminal_reward

__all__ = ["Potential", "measured", "shaping", "terminal_reward", "visible_tests"]
