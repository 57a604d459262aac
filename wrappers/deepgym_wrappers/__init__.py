"""Gymnasium wrappers for DeepGym environments: one class, one idea, one file."""

from deepgym_wrappers.advantage_clip import AdvantageClip, VectorAdvantageClip
from deepgym_wrappers.advantages import AdvantageRule
from deepgym_wrappers.atif import atif_of
from deepgym_wrappers.confidence_reward import ConfidenceReward, VectorConfidenceReward
from deepgym_wrappers.episode_timings import EpisodeTimings
from deepgym_wrappers.format_reward import FormatReward, VectorFormatReward
from deepgym_wrappers.gated_reward import GatedReward, VectorGatedReward
from deepgym_wrappers.hack_penalty import HackPenalty, VectorHackPenalty
from deepgym_wrappers.hack_screen import HackScreen
from deepgym_wrappers.inoculation_prompt import InoculationPrompt, VectorInoculationPrompt
from deepgym_wrappers.kl import KLLogging, VectorKLLogging
from deepgym_wrappers.kl_meter import KLSettings
from deepgym_wrappers.overlong_penalty import OverlongPenalty, VectorOverlongPenalty
from deepgym_wrappers.record_trajectory import RecordTrajectory
from deepgym_wrappers.shaped_reward import ShapedReward, VectorShapedReward
from deepgym_wrappers.staleness_guard import StalenessGuard, VectorStalenessGuard
from deepgym_wrappers.tool_call_text import ToolCallText
from deepgym_wrappers.trajectory_file import append_trajectory, read_trajectories

__all__ = [
    "AdvantageClip",
    "AdvantageRule",
    "ConfidenceReward",
    "EpisodeTimings",
    "FormatReward",
    "GatedReward",
    "HackPenalty",
    "HackScreen",
    "InoculationPrompt",
    "KLLogging",
    "KLSettings",
    "OverlongPenalty",
    "RecordTrajectory",
    "ShapedReward",
    "StalenessGuard",
    "ToolCallText",
    "VectorAdvantageClip",
    "VectorConfidenceReward",
    "VectorFormatReward",
    "VectorGatedReward",
    "VectorHackPenalty",
    "VectorInoculationPrompt",
    "VectorKLLogging",
    "VectorOverlongPenalty",
    "VectorShapedReward",
    "VectorStalenessGuard",
    "append_trajectory",
    "atif_of",
    "read_trajectories",
]
