"""Where metrics go. Any function of (metrics, step) is a sink; three are ready-made.

``lambda metrics, step: run.log(dict(metrics), step=step)`` is one for Weights & Biases, trackio and the like.
"""

from deepgym_wrappers.sinks.contract import MetricSink, send
from deepgym_wrappers.sinks.json_lines import JsonLinesSink
from deepgym_wrappers.sinks.prometheus import PrometheusSink
from deepgym_wrappers.sinks.tensorboard import TensorBoardSink

__all__ = ["JsonLinesSink", "MetricSink", "PrometheusSink", "TensorBoardSink", "send"]
