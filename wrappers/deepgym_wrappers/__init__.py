"""Gymnasium wrappers for DeepGym environments: one class, one idea, one file."""

from deepgym_wrappers.episode_timings import EpisodeTimings
from deepgym_wrappers.hack_screen import HackScreen
from deepgym_wrappers.tool_call_text import ToolCallText

__all__ = ["EpisodeTimings", "HackScreen", "ToolCallText"]
