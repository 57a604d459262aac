"""Draws the trainings of ``dense_vs_sparse``, and writes their table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.plots import COLOURS, STYLE

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


def draw(runs: Runs, folder: Path) -> None:
    """Write dense_vs_sparse.svg (what is solved, by episodes) and dense_vs_sparse-kl.svg (proxy and gold).

    Raises:
        ModuleNotFoundError: there is no matplotlib; the extra ``bench`` brings it.
    """
    import matplotlib as mpl  # noqa: PLC0415 - an extra, which tables do not need
    from matplotlib.figure import Figure  # noqa: PLC0415

    tasks = list(dict.fromkeys(run["task"] for run in runs))
    with mpl.rc_context(STYLE):
        learning = Figure(figsize=(3.2 * len(tasks), 3.0), layout="constrained")
        for number, task in enumerate(tasks):
            axes = learning.add_subplot(1, len(tasks), number + 1, ylim=(0, 1.02), title=task)
            for colour, (reward, label) in zip(COLOURS, LABELS.items(), strict=False):
                _band(axes, curves(runs, task, reward, "solved"), colour, label)
            axes.set_xlabel("episodes")
            if not number:
                axes.set_ylabel("solved")
                axes.legend(frameon=False, fontsize=8)
        distance = Figure(figsize=(3.2 * len(LABELS), 2.8), layout="constrained")
        for number, (reward, label) in enumerate(LABELS.items()):
            axes = distance.add_subplot(1, len(LABELS), number + 1, ylim=(0, 1.02), title=label)
            for task in tasks:
                d = np.sqrt(curves(runs, task, reward, "kl").mean(axis=0))
                proxy = curves(runs, task, reward, "proxy").mean(axis=0)
                axes.plot(d, proxy / max(1.0, proxy.max()), color=COLOURS[2], linewidth=4, alpha=0.4)
                axes.plot(
                    d, curves(runs, task, reward, "solved").mean(axis=0), color=COLOURS[0], linewidth=1.5
                )
            axes.set_xlabel("√KL from the first policy")
            if not number:
                axes.plot(
                    [],
                    [],
                    color=COLOURS[2],
                    linewidth=4,
                    alpha=0.4,
                    label="proxy: what is trained for",
                )
                axes.plot([], [], color=COLOURS[0], label="gold: solved")
                axes.legend(frameon=False, fontsize=8)
        for name, figure in (("dense_vs_sparse", learning), ("dense_vs_sparse-kl", distance)):
            figure.savefig(folder / f"{name}.svg", format="svg", metadata={"Date": None})


def _band(axes: Any, values: NDArray[np.float64], colour: str, label: str) -> None:
    """Mean and interval over seeds, by episodes."""
    episodes = np.arange(1, values.shape[1] + 1) * 64
    middle, low, high = np.array([interval(column) for column in values.T]).T
    axes.fill_between(episodes, low, high, color=colour, alpha=0.18, linewidth=0)
    axes.plot(episodes, middle, color=colour, linewidth=1.6, label=label)
