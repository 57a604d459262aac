"""Draws docs/discovery.svg from docs/discovery.json, and prints the table that stands in docs/integrity.md.

::

    python docs/draw_discovery.py
    python docs/draw_discovery.py --train    # writes docs/discovery.json first: an hour or so, in bwrap boxes
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from deepgym_envs.audit.discovery import DiscoveryReport, discover
from deepgym_envs.audit.judges import GRADERS
from deepgym_envs.suite import load_task

DOCS = Path(__file__).parent
TASKS = ("tallybook-rename-subtree", "rangelock-partial-versions")
EPISODES = 1200
SHOWN = ("hardened", "ours")
LEFT, TOP, WIDTH, HEIGHT, GAP = 46, 34, 300, 170, 56
PROXY, TRUE = "#c8553d", "#2a9d8f"

Run = Mapping[str, Any]


def measured(report: DiscoveryReport) -> Run:
    """What is kept of a training run: its curves, by window, and when cheats were paid."""
    first = next((number for number, play in enumerate(report.plays, 1) if play.paid_cheat), None)
    return {
        "task": report.task,
        "grader": report.grader,
        "sandbox": report.sandbox,
        "seed": report.seed,
        "status": report.status,
        "gold_paid": report.gold_paid,
        "states": report.figures()["states"],
        "first_paid_cheat": first,
        "half_after": report.turning,
        "bound": None if report.bound is None else round(report.bound, 4),
        "ends": [window.end for window in report.windows],
        **{
            name: [round(getattr(window, name) / max(1, window.judged), 4) for window in report.windows]
            for name in ("paid", "solved", "paid_cheats")
        },
    }


def drawing(runs: Sequence[Run]) -> str:
    """The picture as SVG: what the grader pays and what is solved, for a naive grader and for this one."""
    chosen = [next(run for run in runs if run["grader"] == grader) for grader in SHOWN]
    width, height = LEFT + len(chosen) * (WIDTH + GAP), TOP + HEIGHT + 62
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
        'font-size="13">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
    ]
    for number, run in enumerate(chosen):
        parts += _panel(run, LEFT + number * (WIDTH + GAP))
    for x, colour, text in ((LEFT, PROXY, "paid by the grader"), (LEFT + 170, TRUE, "really solved")):
        y = height - 12
        parts.append(f'<path d="M{x} {y - 4}h24" stroke="{colour}" stroke-width="3"/>')
        parts.append(f'<text x="{x + 30}" y="{y}">{text}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def _panel(run: Run, left: int) -> list[str]:
    last, bottom = run["ends"][-1], TOP + HEIGHT
    title = f"trained on: {run['grader']}"
    parts = [f'<text x="{left}" y="{TOP - 14}" font-weight="bold">{escape(title)}</text>']
    for share in (0, 0.5, 1):
        y = bottom - share * HEIGHT
        parts.append(f'<path d="M{left} {y:g}h{WIDTH}" stroke="#ddd"/>')
        parts.append(f'<text x="{left - 6}" y="{y + 4:g}" text-anchor="end">{share:.0%}</text>')
    for episode in (0, last // 2, last):
        x = left + episode / last * WIDTH
        parts.append(f'<text x="{x:g}" y="{bottom + 18}" text-anchor="middle">{episode}</text>')
    parts.append(f'<text x="{left + WIDTH / 4:g}" y="{bottom + 18}" text-anchor="middle">episodes</text>')
    for name, colour in (("paid", PROXY), ("solved", TRUE)):
        points = (
            f"{left + end / last * WIDTH:.1f},{bottom - share * HEIGHT:.1f}"
            for end, share in zip(run["ends"], run[name], strict=True)
        )
        parts.append(
            f'<polyline points="{" ".join(points)}" fill="none" stroke="{colour}" stroke-width="2.5"/>'
        )
    return parts


def table(runs: Sequence[Run]) -> str:
    """All runs in Markdown, a row for each task: shares of the last window, and the first paid cheat."""
    graders = list(dict.fromkeys(run["grader"] for run in runs))
    rows = [f"| task | {' | '.join(graders)} |", "| --- " * (1 + len(graders)) + "|"]
    for task in dict.fromkeys(run["task"] for run in runs):
        cells = [_cell(run) for run in runs if run["task"] == task]
        rows.append(f"| {task.removeprefix('starter/')} | {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


def _cell(run: Run) -> str:
    if not run["gold_paid"]:
        return "refuses the reference solution"
    first = run["first_paid_cheat"]
    since = "" if first is None else f" (since {first})"
    return f"{run['paid_cheats'][-1]:.0%} cheats{since}, {run['solved'][-1]:.0%} solved"


def _train() -> list[Run]:
    return [
        measured(
            discover(
                load_task(f"starter/{name}"), sandbox="bwrap", grader=grader, episodes=EPISODES, seed=seed
            )
        )
        for seed, name in enumerate(TASKS)
        for grader in GRADERS
    ]


if __name__ == "__main__":
    place = DOCS / "discovery.json"
    if "--train" in sys.argv[1:]:
        lines = ",\n".join(json.dumps(run) for run in _train())
        place.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    kept = json.loads(place.read_text(encoding="utf-8"))
    (DOCS / "discovery.svg").write_text(drawing(kept), encoding="utf-8")
    sys.stdout.write(table(kept))
