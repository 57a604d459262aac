"""What a sink is."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Protocol


class MetricSink(Protocol):
    """Takes metrics by name, such as ``kl/k3``, and the number of what they are of, which rises.

    What it raises reaches whoever stepped the environment. Whoever made a sink closes it: several wrappers
    may share one.
    """

    def __call__(self, metrics: Mapping[str, float], step: int, /) -> None:
        """Keep or pass on ``metrics``, which are finite."""


def send(sinks: Iterable[MetricSink], metrics: Mapping[str, float], step: int) -> None:
    """Give all ``sinks`` the same.

    >>> send([print], {"kl": 0.5}, 3)
    {'kl': 0.5} 3

    Raises:
        ValueError: a metric is not finite.
    """
    broken = {name: value for name, value in metrics.items() if not math.isfinite(value)}
    if broken:
        raise ValueError(f"metrics must be finite, not {broken}")
    for sink in sinks:
        sink(metrics, step)
