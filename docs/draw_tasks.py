"""Draws docs/tasks.svg: the tasks of the suite ``starter`` by kind and points, with the bounds of difficulty.

::

    python docs/draw_tasks.py
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import get_args
from xml.sax.saxutils import escape

from deepgym_envs.figures import EASY, MEDIUM, points
from deepgym_envs.suite import load_suite
from deepgym_envs.task import Difficulty, Kind, Task

MOST = 11
LEFT, TOP, COLUMN, ROW = 140, 40, 48, 30
COLOURS: dict[Difficulty, str] = {"easy": "#2a9d8f", "medium": "#e9a23b", "hard": "#c8553d"}
BANDS: dict[Difficulty, tuple[int, int]] = {
    "easy": (0, EASY),
    "medium": (EASY + 1, MEDIUM),
    "hard": (MEDIUM + 1, MOST),
}


def drawing(tasks: Sequence[Task]) -> str:
    """The picture as SVG; a dot is a task, and its title its name."""
    kinds = get_args(Kind)
    width, height = LEFT + (MOST + 1) * COLUMN + 20, TOP + len(kinds) * ROW + 40
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
        'font-size="13">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
    ]
    counts = Counter(task.manifest.difficulty for task in tasks)
    for level, (first, last) in BANDS.items():
        start, wide = LEFT + first * COLUMN, (last - first + 1) * COLUMN
        parts.append(
            f'<rect x="{start}" y="{TOP}" width="{wide}" height="{len(kinds) * ROW}" fill="{COLOURS[level]}" '
            f'opacity="0.13"/><text x="{start + wide / 2:g}" y="{TOP - 12}" text-anchor="middle">'
            f"{level}: {counts[level]}</text>"
        )
    for row, kind in enumerate(kinds):
        y = TOP + row * ROW + ROW / 2
        parts.append(f'<text x="{LEFT - 10}" y="{y + 4:g}" text-anchor="end">{escape(kind)}</text>')
        parts += _dots([task for task in tasks if task.manifest.kind == kind], y)
    for number in range(MOST + 1):
        x = LEFT + number * COLUMN + COLUMN / 2
        parts.append(f'<text x="{x:g}" y="{height - 22}" text-anchor="middle">{number}</text>')
    parts.append(f'<text x="{LEFT - 10}" y="{height - 22}" text-anchor="end">points</text></svg>')
    return "\n".join(parts) + "\n"


def _dots(tasks: Sequence[Task], y: float) -> list[str]:
    cells: dict[int, list[Task]] = {}
    for task in tasks:
        if task.figures is not None:
            cells.setdefault(points(task.figures), []).append(task)
    dots = []
    for number, together in cells.items():
        for place, task in enumerate(together):
            x = LEFT + number * COLUMN + COLUMN / 2 + (place - (len(together) - 1) / 2) * 13
            dots.append(
                f'<circle cx="{x:g}" cy="{y:g}" r="5" fill="{COLOURS[task.manifest.difficulty]}">'
                f"<title>{escape(task.id)}</title></circle>"
            )
    return dots


if __name__ == "__main__":
    Path(__file__).with_name("tasks.svg").write_text(drawing(load_suite("starter")), encoding="utf-8")
