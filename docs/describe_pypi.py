"""Prints what docs/tasks.md says of the suite ``pypi`` in figures, from what lies beside its tasks.

::

    python docs/describe_pypi.py
"""

from __future__ import annotations

import json
import statistics
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from deepgym_envs.recipe import SdistSource
from deepgym_envs.suite import load_suite
from deepgym_envs.task import Difficulty, Task

SUITE = Path(__file__).parent.parent / "tasks" / "pypi"
SOURCES = {
    "release": "releases",
    "seeded": "seeded bugs",
    "undone": "past fixes undone",
    "history": "history",
}


@dataclass(frozen=True)
class Proved:
    """A task, and the record of how it was found to be fit."""

    task: Task
    record: Mapping[str, Any]


def suite(folder: Path = SUITE) -> Sequence[Proved]:
    """The tasks in their order; none is put together for it."""
    return [
        Proved(task, json.loads((folder / task.id.partition("/")[2] / "record.json").read_text()))
        for task in load_suite(folder)
    ]


def headline(proved: Sequence[Proved]) -> str:
    """How many there are, in one line."""
    packages = {_package(each.task) for each in proved}
    released = sum(each.record["source"] == "release" for each in proved)
    return (
        f"{len(proved)} tasks of {len(packages)} packages that people use: "
        f"{released} are what their authors mended between two releases"
    )


def by_package(proved: Sequence[Proved]) -> str:
    """How many tasks of each package there are, by where they come from."""
    counts = Counter((_package(each.task), str(each.record["source"])) for each in proved)
    found = [name for name in SOURCES if any(source == name for _, source in counts)]
    rows = [
        (package, *(str(counts[package, source] or "") for source in found))
        for package in sorted({package for package, _ in counts})
    ]
    whole = ("**all**", *(str(sum(counts[p, s] for p, s in counts if s == source)) for source in found))
    return _table(("package", *(SOURCES[source] for source in found)), (*rows, whole))


def _package(task: Task) -> str:
    """Its name; older releases have recipes of other names, with a pytest of their time."""
    source = task.recipe.source
    return source.name if isinstance(source, SdistSource) else task.recipe.name


def funnel(folder: Path = SUITE) -> str:
    """What became of the candidates, and of the releases that gave none."""
    lines = [json.loads(line) for line in (folder / "generated.jsonl").read_text().splitlines()]
    codes = Counter("a task" if "task" in line else f"`{line['code']}`" for line in lines)
    return _table(
        ("became of candidates", "number"), [(code, str(number)) for code, number in codes.most_common()]
    )


def spread(proved: Sequence[Proved]) -> str:
    """How the tasks differ, in figures that no solver is needed for."""
    figures = [each.record["figures"] for each in proved]
    measured = [each.task.figures for each in proved if each.task.figures is not None]
    rows = {
        "lines that the solution changes": [each.lines for each in measured],
        "functions": [each.functions for each in measured],
        "files": [each.files for each in measured],
        "tests that begin to pass": [each["fail_to_pass"] for each in figures],
        "tests that stay": [each["pass_to_pass"] for each in figures],
        "seconds of the hidden tests": [each["median_seconds"] for each in figures],
        "MiB of memory of the hidden tests": [each["memory_mb"] for each in figures if "memory_mb" in each],
        "chance of a made-up report": [each["forge_probability"] for each in figures],
        "mutation score": [each["mutation_score"] for each in figures if "mutation_score" in each],
    }
    names = ("", "least", "a quarter below", "median", "three quarters below", "most")
    return _table(
        names, [(name, *map(_short, _quartiles(values))) for name, values in rows.items() if values]
    )


def levels(proved: Sequence[Proved]) -> str:
    """How many are easy, medium, hard."""
    counts = Counter(each.task.manifest.difficulty for each in proved)
    return ", ".join(f"{counts[level]} {level}" for level in get_args(Difficulty))


def _quartiles(values: Sequence[float]) -> Sequence[float]:
    return [min(values), *statistics.quantiles(values, n=4, method="inclusive"), max(values)]


def _short(value: float) -> str:
    return f"{value:.2g}" if value < 1 else f"{value:.0f}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    everything = suite()
    sys.stdout.write(
        "\n".join(
            (
                headline(everything),
                by_package(everything),
                funnel(),
                spread(everything),
                levels(everything) + "\n",
            )
        )
    )
