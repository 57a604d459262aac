"""Asks all questions and writes docs/performance.json, the tables of docs/performance.md and the plots.

    python -m benchmarks [--quick] [--peers] [--soak] [--only NAME ...] [--redraw] [--out FOLDER]

Each benchmark is a process of its own; one that fails is named, and the others go on. ``--redraw`` measures
nothing. Plots need matplotlib: ``pip install -e '.[bench]'``.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.machine import description
from benchmarks.page import fill

_CHECKOUT = Path(__file__).resolve().parent.parent
QUICK: dict[str, list[str]] = {
    "step": ["--rounds", "10"],
    "reset": ["--rounds", "4"],
    "run_tests": ["--rounds", "3", "--repositories", "3"],
    "grade": ["--rounds", "3"],
    "fork": ["--rounds", "4", "--alive", "4"],
    "episodes": ["--environments", "1", "2", "4", "--tasks", "8", "--group", "2", "--rounds", "2"],
    "memory": [],
    "growth": ["--rounds", "2", "--sizes", "10", "100", "1000", "--changed", "1", "10", "100"],
}
FULL: dict[str, list[str]] = {
    "step": ["--rounds", "40"],
    "reset": ["--rounds", "15"],
    "run_tests": ["--rounds", "7"],
    "grade": ["--rounds", "10"],
    "fork": ["--rounds", "12"],
    "episodes": [],
    "memory": ["--environments", "8"],
    "growth": ["--rounds", "7"],
}
WITH_PEERS = ("step", "reset", "episodes")
SOAK = ["--episodes", "5000"]


def main() -> int:
    """Measure, write and draw; 1 if a benchmark failed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="fewer rounds: four minutes, not fourteen")
    parser.add_argument("--peers", action="store_true", help="measure other packages too; installs them once")
    parser.add_argument("--soak", action="store_true", help="play 5,000 episodes too, which takes long")
    parser.add_argument("--only", nargs="+", choices=[*FULL, "soak"], help="the others keep their figures")
    parser.add_argument("--redraw", action="store_true", help="write page and plots from the last figures")
    parser.add_argument("--out", type=Path, default=_CHECKOUT / "docs")
    given = parser.parse_args()
    figures = given.out / "performance.json"
    results: dict[str, Any] = {"benchmarks": {}}
    if figures.exists():
        results = json.loads(figures.read_text(encoding="utf-8"))
    failed: list[str] = []
    if not given.redraw:
        results["machine"] = description()
        failed = _measure(_chosen(given), results["benchmarks"])
        measured = results["benchmarks"]
        results["benchmarks"] = {name: measured[name] for name in (*FULL, "soak") if name in measured}
        text = _compact(results) + "\n"
        figures.write_text(text, encoding="utf-8")
        results = json.loads(text)  # rounded, so that drawing again gives the same
    page = given.out / "performance.md"
    if page.exists():
        page.write_text(fill(page.read_text(encoding="utf-8"), results), encoding="utf-8")
    _draw(results["benchmarks"], given.out)
    for name in failed:
        print(f"{name} failed; its figures are left out or not good", file=sys.stderr)
    return 1 if failed else 0


def _chosen(given: argparse.Namespace) -> dict[str, list[str]]:
    chosen = dict(QUICK if given.quick else FULL)
    if given.soak or "soak" in (given.only or ()):
        chosen["soak"] = SOAK
    chosen = {name: options for name, options in chosen.items() if not given.only or name in given.only}
    return {
        name: [*options, *(["--peers"] if given.peers and name in WITH_PEERS else [])]
        for name, options in chosen.items()
    }


def _measure(chosen: dict[str, list[str]], results: dict[str, Any]) -> list[str]:
    """Put what each benchmark prints into ``results``; the names of those that failed."""
    failed = []
    for name, options in chosen.items():
        began = time.monotonic()
        print(f"{name} ...", file=sys.stderr, flush=True)
        done = subprocess.run(
            [sys.executable, "-m", f"benchmarks.{name}", "--json", *options],
            cwd=_CHECKOUT, stdout=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
        results.pop(name, None)
        if done.returncode != 0:
            failed.append(name)
        if done.stdout.strip():
            results[name] = json.loads(done.stdout)
            results[name]["command"] = f"python -m benchmarks.{name} {' '.join(options)}".strip()
        print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return failed


def _compact(results: dict[str, Any]) -> str:
    """As JSON, rounded to four digits, a list of numbers on one line."""

    def rounded(value: Any) -> Any:
        if isinstance(value, float):
            return float(f"{value:.4g}")
        if isinstance(value, dict):
            return {key: rounded(inner) for key, inner in value.items()}
        return [rounded(inner) for inner in value] if isinstance(value, list) else value

    rows = [f"{json.dumps('machine')}: {json.dumps(rounded(results['machine']))}"]
    for name, result in results["benchmarks"].items():
        inner = ",\n".join(f"    {json.dumps(key)}: {json.dumps(rounded(result[key]))}" for key in result)
        rows.append(f"{json.dumps(name)}: {{\n{inner}\n  }}")
    first, *others = rows
    body = ",\n  ".join(others)
    return f'{{\n{first},\n"benchmarks": {{\n  {body}\n}}\n}}'


def _draw(results: dict[str, Any], folder: Path) -> None:
    try:
        from benchmarks.plots import draw  # noqa: PLC0415 - matplotlib is there only for those who draw
    except ImportError:
        print("matplotlib is not installed, so no plots: pip install -e '.[bench]'", file=sys.stderr)
        return
    draw(results, folder)


if __name__ == "__main__":
    sys.exit(main())
