"""When more training on a proxy makes the real thing worse: curves, and a monitor that says when to stop."""

from deepgym_envs.overoptimisation.curve import Curve, CurveFit, Form, Interval, distance, fit_curve
from deepgym_envs.overoptimisation.cusum import average_run_length, cusum
from deepgym_envs.overoptimisation.monitor import (
    Alarm,
    Assessment,
    Checkpoint,
    Rules,
    StopReason,
    assess,
    patch_entropy,
)

__all__ = [
    "Alarm",
    "Assessment",
    "Checkpoint",
    "Curve",
    "CurveFit",
    "Form",
    "Interval",
    "Rules",
    "StopReason",
    "assess",
    "average_run_length",
    "cusum",
    "distance",
    "fit_curve",
    "patch_entropy",
]
