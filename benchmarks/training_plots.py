"""Draws the trainings of ``dense_vs_sparse``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from benchmarks.plots import COLOURS, STYLE
from benchmarks.training_table import LABELS, Runs, curves, interval


def draw(runs: Runs, folder: Path) -> None:
    """Write dense_vs_sparse.svg (what is solved, by episodes) and dense_vs_sparse-kl.svg (proxy and gold)."""
    tasks = list(dict.fromkeys(run["task"] for run in runs))
    with mpl.rc_context(STYLE):
        for name, figure in (
            ("dense_vs_sparse", _learning(runs, tasks)),
            ("dense_vs_sparse-kl", _distance(runs, tasks)),
        ):
            figure.savefig(folder / f"{name}.svg", format="svg", metadata={"Date": None})


def _learning(runs: Runs, tasks: Sequence[str]) -> Figure:
    """What is solved, by episodes: a panel for each task."""
    figure = Figure(figsize=(3.2 * len(tasks), 3.0), layout="constrained")
    for number, task in enumerate(tasks):
        axes = figure.add_subplot(1, len(tasks), number + 1, ylim=(0, 1.02), title=task)
        for colour, (reward, label) in zip(COLOURS, LABELS.items(), strict=False):
            _band(axes, curves(runs, task, reward, "solved"), colour, label)
        axes.set_xlabel("episodes")
        if not number:
            axes.set_ylabel("solved")
            axes.legend(frameon=False, fontsize=8)
    return figure


def _distance(runs: Runs, tasks: Sequence[str]) -> Figure:
    """Proxy and gold, by the distance from the first policy: a panel for each reward."""
    figure = Figure(figsize=(3.2 * len(LABELS), 2.8), layout="constrained")
    for number, (reward, label) in enumerate(LABELS.items()):
        axes = figure.add_subplot(1, len(LABELS), number + 1, ylim=(0, 1.02), title=label)
        for task in tasks:
            d = np.sqrt(curves(runs, task, reward, "kl").mean(axis=0))
            proxy = curves(runs, task, reward, "proxy").mean(axis=0)
            axes.plot(d, proxy / max(1.0, proxy.max()), color=COLOURS[2], linewidth=4, alpha=0.4)
            axes.plot(d, curves(runs, task, reward, "solved").mean(axis=0), color=COLOURS[0], linewidth=1.5)
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
    return figure


def _band(axes: Axes, values: NDArray[np.float64], colour: str, label: str) -> None:
    """Mean and interval over seeds, by episodes."""
    episodes = np.arange(1, values.shape[1] + 1) * 64
    middle, low, high = np.array([interval(column) for column in values.T]).T
    axes.fill_between(episodes, low, high, color=colour, alpha=0.18, linewidth=0)
    axes.plot(episodes, middle, color=colour, linewidth=1.6, label=label)
