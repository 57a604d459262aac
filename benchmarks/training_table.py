"""The table of the trainings of ``dense_vs_sparse``: what was solved, with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

LABELS = {
    "terminal": "verdict alone",
    "pbrs": "shaping, by turns",
    "gains": "each gain paid",
    "share": "share paid each turn",
}
LAST = 3  # points at the end, of which the table tells
_RESAMPLES = 2000

Runs = Sequence[Mapping[str, Any]]


def interval(values: NDArray[np.float64]) -> tuple[float, float, float]:
    """Mean over seeds, and its 95 % interval by the percentile bootstrap, always from the same resamples."""
    drawn = np.random.default_rng(0).choice(values, (_RESAMPLES, len(values))).mean(axis=1)
    low, high = np.percentile(drawn, [2.5, 97.5])
    return float(values.mean()), float(low), float(high)


def curves(runs: Runs, task: str, reward: str, name: str) -> NDArray[np.float64]:
    """One number of every point, (seeds, points)."""
    chosen = [run for run in runs if (run["task"], run["reward"]) == (task, reward)]
    return np.array([[point[name] for point in run["points"]] for run in chosen])


def table(runs: Runs) -> str:
    """Shares solved and returns at the end, in Markdown: means over seeds with their intervals."""
    lines = [
        "| task | reward | solved, in all | solved at the end | turns at the end | return at the end |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for task in dict.fromkeys(run["task"] for run in runs):
        for reward, label in LABELS.items():
            solved = curves(runs, task, reward, "solved")
            turns, proxy = (curves(runs, task, reward, name)[:, -LAST:].mean() for name in ("turns", "proxy"))
            cells = [_share(solved.mean(axis=1)), _share(solved[:, -LAST:].mean(axis=1))]
            lines.append(f"| `{task}` | {label} | {' | '.join(cells)} | {turns:.1f} | {proxy:.2f} |")
    return "\n".join(lines) + "\n"


def _share(values: NDArray[np.float64]) -> str:
    mean, low, high = interval(values)
    return f"{mean:.0%} ({low:.0%} to {high:.0%})"
