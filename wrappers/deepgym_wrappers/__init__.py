"""Gymnasium wrappers for DeepGym environments: one class, one idea, one file."""

from deepgym_wrappers.advantage_clip import AdvantageClip, VectorAdvantageClip
from deepgym_wrappers.advantages import AdvantageRule
from deepgym_wrappers.episode_timings import EpisodeTimings
from deepgym_wrappers.hack_screen import HackScreen
from deepgym_wrappers.kl import KLLogging, VectorKLLogging
from deepgym_wrappers.kl_meter import KLSettings
from deepgym_wrappers.tool_call_text import ToolCallText

__all__ = [
    "AdvantageClip",
    "AdvantageRule",
    "EpisodeTimings",
    "HackScreen",
    "KLLogging",
    "KLSettings",
    "ToolCallText",
    "VectorAdvantageClip",
    "VectorKLLogging",
]
