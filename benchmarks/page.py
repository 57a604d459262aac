"""Fills the tables of docs/performance.md from what the benchmarks measured."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from benchmarks.measurement import OURS

_PLACE = re.compile(r"(<!-- measured: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_TIMES = ("step", "reset", "run_tests", "grade", "fork", "episodes")


def fill(page: str, results: Mapping[str, Any]) -> str:
    """``page`` with everything between its marks replaced.

    Raises:
        KeyError: a mark names no table.
    """
    tables: dict[str, Callable[[], str]] = {
        "machine": lambda: _machine(results.get("machine", {})),
        "aims": lambda: _aims(results["benchmarks"]),
        "phases": lambda: _phases(results["benchmarks"].get("run_tests")),
        "rates": lambda: _rates(results["benchmarks"].get("episodes")),
        "memory": lambda: _memory(results["benchmarks"].get("memory")),
        "growth": lambda: _growth(results["benchmarks"].get("growth")),
        "soak": lambda: _soak(results["benchmarks"].get("soak")),
    }
    for name in _TIMES:
        tables[f"{name}_times"] = lambda name=name: _times(results["benchmarks"].get(name))  # type: ignore[misc]
    return _PLACE.sub(lambda match: f"{match[1]}{tables[match[2]]()}\n{match[3]}", page)


def _table(heads: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    heads = list(heads)
    lines = [heads, ["---"] + ["--:"] * (len(heads) - 1), *([str(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _command(result: Mapping[str, Any]) -> str:
    notes = f" ({'; '.join(result['notes'])})" if result["notes"] else ""
    return f"\n\n`{result['command']}`{notes}"


def _machine(machine: Mapping[str, Any]) -> str:
    if not machine:
        return "Not measured yet."
    return (
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gb']} GB, "
        f"Linux {machine['linux']}, {machine['engine']}, Python {machine['python']}, "
        f"deepgym-envs {machine['deepgym_envs']}; load {machine['load_at_start']} when it began."
    )


def _aims(results: Mapping[str, Any]) -> str:
    rows = []
    for name, result in results.items():
        for aim in result["aims"]:
            bound = "≥" if aim["at_least"] else "≤"
            peer = f"{_number(aim['ratio'])} × {aim['peer']}" if aim["ratio"] is not None else ""
            aimed, measured = (f"{_number(aim[key])} {aim['unit']}" for key in ("aim", "measured"))
            judgement = "met" if aim["met"] else "**missed**"
            rows.append([f"{name}: {aim['what']}", measured, f"{bound} {aimed}", judgement, peer])
    return _table(["", "measured", "aim", "", "as good as"], rows) if rows else "Not measured yet."


def _times(result: Mapping[str, Any] | None) -> str:
    if result is None:
        return "Not measured yet."
    rows = []
    for what, by_whom in result["times"].items():
        ours = by_whom.get(OURS)
        for who, row in by_whom.items():
            ratio = f"{_number(row['p50'] / ours['p50'])} ×" if ours and who != OURS else ""
            rows.append([f"{what}: {who}", _number(row["p50"]), _number(row["p95"]), ratio])
    return _table(["", "p50 ms", "p95 ms", "ratio"], rows) + _command(result)


def _phases(result: Mapping[str, Any] | None) -> str:
    if result is None:
        return "Not measured yet."
    profile, meaning = result["figures"]["profile_ms"], result["figures"]["phases"]
    names = [*meaning, "total"]
    rows = [
        [f"{repository}: {who}", *(_number(phases[name]) for name in names)]
        for repository, by_whom in profile.items()
        for who, phases in by_whom.items()
    ]
    explained = "\n".join(f"- {name}: {what}" for name, what in meaning.items())
    return f"{_table(['ms', *names], rows)}\n\n{explained}"


def _rates(result: Mapping[str, Any] | None) -> str:
    if result is None:
        return "Not measured yet."
    rates = result["figures"]["rates"]
    columns = {"a second": "a_second", "a second and core": "a_second_and_core", "steps": "steps"}
    cpu = {
        "CPU s, this process": "cpu_seconds_this_process",
        "containers": "cpu_seconds_containers",
        "whole machine": "cpu_seconds_whole_machine",
    }
    rows = [
        [
            f"{row['environments']:.0f}, {name} solutions",
            *(_number(row.get(key)) for key in (columns | cpu).values()),
        ]
        for name, by_number in rates.items()
        for row in by_number
    ]
    kinds, steps = (
        ", ".join(f"{name} {_number(ms)}" for name, ms in result["figures"][figure].items())
        for figure in ("ms_an_episode_by_kind", "ms_by_step")
    )
    return (
        f"{_table(['environments', *columns, *cpu], rows)}\n\n"
        f"Milliseconds that an episode takes up, by kind of task, new solutions: {kinds}.\n\n"
        f"Milliseconds of each step of one, alone, where `submit` is the verdict on a new state: {steps}."
    )


def _memory(result: Mapping[str, Any] | None) -> str:
    if result is None:
        return "Not measured yet."
    rows, others = [], []
    heads = ["processes", "anonymous", "pss", "charged", "keeper"]
    for sandbox, found in result["figures"].items():
        boxes = {name: value for name, value in found.items() if isinstance(value, dict)} or {"": found}
        for when, box in boxes.items():
            label = f"{sandbox}, {when}" if when else sandbox
            rows.append([label, *(_number(box.get(head)) for head in heads)])
        others += [
            f"- {sandbox}: {name}: {_number(value)}"
            for name, value in found.items()
            if when and not isinstance(value, dict)
        ]
    return f"{_table(['MB a box', *heads], rows)}\n\n" + "\n".join(others) + _command(result)


def _growth(result: Mapping[str, Any] | None) -> str:
    if result is None:
        return "Not measured yet."
    tables = []
    for name, head in (("p50_ms_by_files", "files"), ("p50_ms_by_changed_files", "changed files")):
        series = {
            f"{what}: {who}": dict(points)
            for what, by_whom in result["figures"][name].items()
            for who, points in by_whom.items()
        }
        sizes = sorted({size for points in series.values() for size in points})
        rows = [[what, *(_number(points.get(size)) for size in sizes)] for what, points in series.items()]
        tables.append(_table([f"p50 ms by {head}", *(f"{size:,}" for size in sizes)], rows))
    return "\n\n".join(tables) + _command(result)


def _soak(result: Mapping[str, Any] | None) -> str:
    if result is None:
        return "Not measured yet."
    figures = result["figures"]
    counts = _table(
        ["", "before", "after"],
        ([name, number, figures["after"][name]] for name, number in figures["before"].items()),
    )
    played = ", ".join(f"{number:,} {what}" for what, number in figures["played"].items())
    plot = "![Memory of the process that plays, by episodes](performance-soak.svg)"
    return f"{plot}\n\n{counts}\n\nPlayed in {_number(figures['seconds'])} s: {played}.{_command(result)}"
