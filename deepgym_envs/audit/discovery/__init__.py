"""Does reinforcement learning discover a hack? A small policy is trained on what a grader pays."""

from deepgym_envs.audit.discovery.grammar import Grammar, grammar_of
from deepgym_envs.audit.discovery.report import DiscoveryReport, Play, Window
from deepgym_envs.audit.discovery.train import discover

__all__ = ["DiscoveryReport", "Grammar", "Play", "Window", "discover", "grammar_of"]
