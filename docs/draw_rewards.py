"""Draws docs/rewards.svg: what shaping pays at each step of three episodes of one task, played in real boxes.

::

    python docs/draw_rewards.py
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path
from xml.sax.saxutils import escape

from deepgym_envs.action import Action, ReadFile, Submit, WriteFile
from deepgym_envs.agents.scripted import own_script
from deepgym_envs.env import SweEnv
from deepgym_envs.reward import hidden_tests
from deepgym_envs.sandbox import BackendName
from deepgym_envs.suite import load_task
from deepgym_envs.task import Task

TASK, STEPS, TIMES = "starter/hoardfile-use-order", 20, 3
LEFT, TOP, COLUMN, UNIT, PANEL = 70, 34, 30, 60, 150
UP, DOWN, SUM = "#2a9d8f", "#c8553d", "#333"


@dataclass(frozen=True)
class Episode:
    """The potential that an episode began with, what shaping paid at each step, and whether it was solved."""

    name: str
    first: float
    shaping: tuple[float, ...]
    solved: bool


def episodes(sandbox: BackendName = "auto") -> tuple[Episode, ...]:
    """Plays the task's script, to which two of the episodes add something once all is solved.

    The potential is the share of the hidden tests that pass, measured after each change; gamma is 1.
    """
    task = load_task(TASK)
    limits = task.limits.model_copy(update={"steps": STEPS})
    task = replace(task, manifest=task.manifest.model_copy(update={"limits": limits}))
    env = SweEnv(task, sandbox, potential=hidden_tests, measure="every_step")
    try:
        return tuple(_played(env, name, actions) for name, actions in _ways(task))
    finally:
        env.close()


def _ways(task: Task) -> Iterator[tuple[str, Sequence[Action]]]:
    script = [action for action in own_script(task, "direct") if not isinstance(action, Submit)]
    path, data = next(iter(task.gold_files().items()))
    good = WriteFile(path=path, content=(data or b"").decode())
    bad = WriteFile(path=path, content="def (:\n")
    read = ReadFile(path=path)
    yield "honest", [*script, Submit()]
    yield "break and fix", [*script, *[bad, good] * TIMES, Submit()]
    yield "loiter, and never submit", [*script, *[read] * (STEPS - len(script))]


def _played(env: SweEnv, name: str, actions: Sequence[Action]) -> Episode:
    _, info = env.reset(seed=0)
    first, paid = float(info["potential"]), []
    for action in actions:
        *_, info = env.step(action.encode())
        paid.append(float(info["reward_terms"]["shaping"]))
    return Episode(name, first, tuple(paid), bool(info["passed"]))


def drawing(played: Sequence[Episode]) -> str:
    """The picture as SVG: a bar is what a step is paid, the line what all have been paid so far."""
    width, height = LEFT + STEPS * COLUMN + 20, TOP + len(played) * PANEL + 10
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
        'font-size="13">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        f'<text x="{LEFT}" y="20">{escape(TASK)}: what shaping pays at each step (bars), and in all '
        "(line)</text>",
    ]
    for number, episode in enumerate(played):
        parts += _panel(episode, TOP + number * PANEL + 75)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _panel(episode: Episode, zero: float) -> Iterator[str]:
    right = LEFT + STEPS * COLUMN
    end = zero + episode.first * UNIT
    yield f'<text x="{LEFT}" y="{zero - 48:g}" font-weight="bold">{escape(episode.name)}</text>'
    yield f'<path d="M{LEFT} {zero:g}H{right}" stroke="#999"/>'
    yield f'<path d="M{LEFT} {end:.1f}H{right}" stroke="{SUM}" stroke-dasharray="3 4"/>'
    yield f'<text x="{LEFT - 6}" y="{zero + 4:g}" text-anchor="end">0</text>'
    yield f'<text x="{LEFT - 6}" y="{end + 8:.1f}" text-anchor="end">{-episode.first:.2f}</text>'
    line = f"M{LEFT} {zero:g}"
    for step, (paid, total) in enumerate(zip(episode.shaping, accumulate(episode.shaping), strict=True)):
        x, tall = LEFT + step * COLUMN, abs(paid) * UNIT
        if round(paid, 3):
            yield (
                f'<rect x="{x + 6}" y="{zero - (tall if paid > 0 else 0):.1f}" width="{COLUMN - 12}" '
                f'height="{tall:.1f}" fill="{UP if paid > 0 else DOWN}"><title>{paid:+.3f}</title></rect>'
            )
        line += f"H{x + COLUMN / 2:g}V{zero - total * UNIT:.1f}"
    yield f'<path d="{line}" fill="none" stroke="{SUM}" stroke-width="1.5"/>'


if __name__ == "__main__":
    Path(__file__).with_name("rewards.svg").write_text(drawing(episodes()), encoding="utf-8")
