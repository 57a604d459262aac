"""Draws what the benchmarks measured, as SVG files beside docs/performance.md."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.measurement import OURS

OWN, OTHER = "#2a9d8f", "#b0b0b0"
COLOURS = ("#2a9d8f", "#e9a23b", "#c8553d", "#33658a", "#7b6d8d", "#9a9a9a", "#5f4b32", "#86bbd8", "#111111")
# So that text stays text, and the same figures give the same file.
STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "deepgym-envs",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def draw(results: Mapping[str, Any], folder: Path) -> None:
    """Write a file for each benchmark in ``results`` that has a plot."""
    drawings: dict[str, Callable[[Mapping[str, Any]], Figure]] = {
        "step": _bars,
        "reset": _bars,
        "run_tests": _phases,
        "episodes": _rates,
        "growth": _growth,
        "soak": _resident,
    }
    with mpl.rc_context(STYLE):
        for name, drawing in drawings.items():
            if name in results:
                figure = drawing(results[name])
                place = folder / f"performance-{name}.svg"
                figure.savefig(place, format="svg", metadata={"Date": None}, bbox_inches="tight")


def _axes(width: float, height: float, columns: int = 1) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, [figure.add_subplot(1, columns, number + 1) for number in range(columns)]


def _bars(result: Mapping[str, Any]) -> Figure:
    """Medians on a logarithmic scale, with a line to the 95th percentile."""
    compared = {what: by for what, by in result["times"].items() if len(by) > 1}
    rows = [(what, who, row) for what, by in compared.items() for who, row in by.items()]
    figure, [axes] = _axes(8, 0.6 + 0.24 * (len(rows) + len(compared)))
    place, places, labels = 0.0, [], []
    last = ""
    for what, who, row in rows:
        place -= 2.0 if what != last else 1.0
        if what != last:
            axes.text(
                0.0, place + 0.8, what, transform=axes.get_yaxis_transform(), weight="bold", va="center"
            )
        last = what
        axes.barh(place, row["p50"], color=OWN if who == OURS else OTHER, height=0.8)
        axes.plot([row["p50"], max(row["p50"], row["p95"])], [place, place], color="#444444", linewidth=1)
        axes.text(max(row["p50"], row["p95"]) * 1.1, place, f"{row['p50']:.3g}", va="center")
        places.append(place)
        labels.append(who)
    axes.set_yticks(places, labels)
    axes.set_xscale("log")
    axes.set_ylim(place - 0.7, -0.6)
    axes.set_xlabel("ms: median, and the line to the 95th percentile")
    return figure


def _phases(result: Mapping[str, Any]) -> Figure:
    """Where the time of a run of the tests goes, by repository and by whom."""
    profile, names = result["figures"]["profile_ms"], list(result["figures"]["phases"])
    rows = [(f"{repo}, {who}", phases) for repo, by in profile.items() for who, phases in by.items()]
    figure, [axes] = _axes(8, 1 + 0.28 * len(rows))
    for number, name in enumerate(names):
        left = [sum(max(0.0, phases[other]) for other in names[:number]) for _, phases in rows]
        widths = [max(0.0, phases[name]) for _, phases in rows]
        axes.barh(range(len(rows)), widths, left=left, color=COLOURS[number], label=name, height=0.75)
    axes.set_yticks(range(len(rows)), [label for label, _ in rows])
    axes.invert_yaxis()
    axes.set_xlabel("ms of a run of the repository's tests")
    figure.legend(loc="outside upper center", ncols=len(names), frameon=False)
    return figure


def _rates(result: Mapping[str, Any]) -> Figure:
    """Episodes a second and processor time of one, by the number of environments."""
    figure, [rate, cpu] = _axes(8, 3.2, columns=2)
    for number, (name, rows) in enumerate(result["figures"]["rates"].items()):
        many = [row["environments"] for row in rows]
        rate.plot(
            many, [row["a_second"] for row in rows], "o-", color=COLOURS[number], label=f"{name} solutions"
        )
        if all("cpu_seconds_whole_machine" in row for row in rows):
            spent = [row["cpu_seconds_whole_machine"] * 1e3 for row in rows]
            cpu.plot(many, spent, "o-", color=COLOURS[number], label=f"{name} solutions")
    for axes, label in ((rate, "episodes a second, in total"), (cpu, "ms of processor time an episode")):
        axes.set_xscale("log", base=2)
        axes.set_xticks(many, [f"{one:g}" for one in many])
        axes.set_xlabel("environments")
        axes.set_ylabel(label)
        axes.set_ylim(bottom=0)
    rate.legend(frameon=False)
    return figure


def _growth(result: Mapping[str, Any]) -> Figure:
    """Milliseconds by the number of files, and by that of changed files, both logarithmic."""
    figure, both = _axes(9, 4.2, columns=2)
    names = (("p50_ms_by_files", "files in the repository"), ("p50_ms_by_changed_files", "changed files"))
    colours: dict[str, str] = {}
    for axes, (name, label) in zip(both, names, strict=True):
        for what, by_whom in result["figures"][name].items():
            colour = colours.setdefault(what, COLOURS[len(colours) % len(COLOURS)])
            for who, points in by_whom.items():
                line = "o-" if who == OURS else "s:"
                shown = what if who == OURS else f"{what} ({who})"
                axes.plot(*zip(*points, strict=True), line, color=colour, label=shown, markersize=3)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlabel(label)
        axes.set_ylabel("ms, median")
        axes.legend(frameon=False, fontsize=7, loc="upper center", bbox_to_anchor=(0.5, -0.18))
    return figure


def _resident(result: Mapping[str, Any]) -> Figure:
    """Memory of the process that plays, by episodes."""
    figure, [axes] = _axes(7, 2.4)
    axes.plot(*zip(*result["figures"]["resident_mb"], strict=True), color=OWN)
    axes.set_xlabel("episodes")
    axes.set_ylabel("MB, this process")
    axes.set_ylim(bottom=0)
    return figure
