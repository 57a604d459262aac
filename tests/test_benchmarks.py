"""Every benchmark runs and prints what it promises; what is made of the figures is made of them alone."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks import peers
from benchmarks.measurement import OURS, Aim, Result, Timing, in_turns, in_words, timing, timings
from benchmarks.page import fill
from benchmarks.reset import COMMAND, EDITS
from benchmarks.soak import counted, settled

ROOT = Path(__file__).parent.parent
PLOTS = ("step", "reset", "run_tests", "episodes", "growth", "soak")
# By benchmark: the least that it can be asked for, the operations and the figures that it promises, and the
# number of its aims.
TINY: dict[str, tuple[str, set[str], set[str], int]] = {
    "step": ("--rounds 1", {"read a file", "edit a file", "run the command true"}, set(), 4),
    "reset": ("--rounds 1 --files 10", {EDITS, COMMAND}, set(), 4),
    "run_tests": (
        "--rounds 1 --repositories 1",
        {"run_tests"},
        {"overhead_ms", "profile_ms", "phases", "warm_share"},
        1,
    ),
    "grade": (
        "--rounds 1",
        {"verdict on a known state", "verdict on a new state"},
        {"own_time_of_hidden_tests_ms"},
        3,
    ),
    "fork": (
        "--rounds 1 --files 10 --branches 2 --alive 1",
        {"fork", "go back to a snapshot"},
        {"forks alive"},
        1,
    ),
    "episodes": (
        "--rounds 1 --environments 1 --group 1 --tasks 1",
        {"one episode after the other"},
        {"rates", "ms_an_episode_by_kind"},
        2,
    ),
    "growth": (
        "--rounds 1 --sizes 10 --changed 1 2",
        set(),
        {"p50_ms_by_files", "p50_ms_by_changed_files"},
        0,
    ),
    "soak": (
        "--episodes 6 --environments 2 --tasks 1 --shared",
        set(),
        {"before", "after", "grown", "played", "resident_mb"},
        2,
    ),
}


@functools.cache
def run(name: str, options: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{name}", "--json", *options.split()],
        cwd=ROOT, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.docker
@pytest.mark.slow
@pytest.mark.parametrize("name", TINY)
def test_a_benchmark_prints_what_it_promises(name: str) -> None:
    options, operations, figures, aims = TINY[name]
    found = run(name, options)
    assert found["benchmark"] == name
    assert operations <= found["times"].keys()
    assert figures <= found["figures"].keys()
    assert len(found["aims"]) == aims
    assert all(row["p50"] > 0 and row["n"] > 0 for by in found["times"].values() for row in by.values())


@pytest.mark.docker
@pytest.mark.slow
def test_the_memory_of_an_idle_box_is_measured_on_every_sandbox_that_there_is() -> None:
    found = run("memory", "--environments 2 --idle 0")
    assert found["figures"]["docker"]["after a reset and a read"]["charged"] > 0
    assert "bwrap" in found["figures"] or any("bwrap was not measured" in note for note in found["notes"])


@pytest.mark.docker
@pytest.mark.slow
def test_the_phases_of_a_test_run_sum_to_its_whole() -> None:
    figures = run("run_tests", "--rounds 1 --repositories 1")["figures"]
    [profile], [warm] = figures["profile_ms"].values(), figures["warm_share"].values()
    assert warm == 1
    for phases in profile.values():
        parts = sum(phases.values()) - phases["total"]
        assert parts == pytest.approx(phases["total"], abs=0.1)
        assert min(phases.values()) > -1


@pytest.mark.docker
def test_the_soak_sees_what_is_left_open() -> None:
    before = counted({"nobody/nothing"}, shared=True)
    assert settled({"nobody/nothing"}, before, shared=True, patience=0) == before
    descriptor = os.open(os.devnull, os.O_RDONLY)
    try:
        after = settled({"nobody/nothing"}, before, shared=True, patience=0)
    finally:
        os.close(descriptor)
    name = "descriptors of this process"
    assert after[name] == before[name] + 1


def test_operations_take_turns_and_the_first_turn_does_not_count() -> None:
    order: list[str] = []

    def operation(name: str) -> float:
        order.append(name)
        return float(len(order))

    samples = in_turns({("do", "a"): lambda: operation("a"), ("do", "b"): lambda: operation("b")}, 2, burst=2)
    assert order == ["a", "a", "b", "b"] * 3
    assert samples == {("do", "a"): [5, 6, 9, 10], ("do", "b"): [7, 8, 11, 12]}


def test_a_timing_is_the_median_in_milliseconds_and_no_more_than_the_longest() -> None:
    assert timing([0.001, 0.002, 0.009]) == Timing(2.0, 9.0, 3)
    assert timing([0.5]) == Timing(500.0, 500.0, 1)


def test_an_aim_says_whether_it_was_met() -> None:
    fast = Aim("a read", 0.5, 0.6, "ms", peer="docker exec", ratio=100)
    assert fast.in_words() == "met: a read: 0.5 ms (aim: at most 0.6); 100 times as good as docker exec"
    assert not replace(fast, measured=0.7).met
    assert not Aim("episodes", 3, 10, "1/s", at_least=True).met


def test_a_ratio_that_is_aimed_at_is_that_of_the_medians() -> None:
    times = timings({("read", OURS): [0.001], ("read", "other"): [0.05]})
    time, ratio = Result("step", {}, times).aimed("read", 2, "other", at_least_ratio=80)
    assert (time.met, time.ratio, ratio.measured, ratio.met) == (True, 50, 50, False)


def test_a_result_in_words_names_every_number() -> None:
    times = timings({("read", OURS): [0.001], ("read", "other"): [0.05]})
    said = in_words(Result("step", {"rounds": 1}, times, notes=["it rained"]))
    assert "other                                        50.00     50.00    50.0x" in said
    assert said.endswith("note: it rained")


@pytest.mark.parametrize(
    ("program", "why"), [("raise SystemExit('no engine')", "no engine"), ("pass", "it did not answer")]
)
def test_a_peer_that_does_not_start_is_named_with_the_reason(
    program: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} -c "{program}"\n')
    python.chmod(0o755)
    monkeypatch.setenv("DEEPGYM_CACHE", str(tmp_path))
    for name, pin in peers.PINS.items():
        folder = tmp_path / f"peers-{sys.version_info.major}.{sys.version_info.minor}" / f"{name}-{pin}"
        (folder / "bin").mkdir(parents=True)
        (folder / "bin" / "python").symlink_to(python)
        (folder / "installed").touch()
    with peers.peers(True, "image", "/folder", "path") as found:
        assert found.running == {}
    assert found.notes == [f"{name} {pin}: not measured: {why}" for name, pin in peers.PINS.items()]


def test_the_page_shows_the_figures_that_lie_beside_it() -> None:
    results = json.loads((ROOT / "docs" / "performance.json").read_text())
    page = (ROOT / "docs" / "performance.md").read_text()
    assert fill(page, results) == page


def test_a_page_without_figures_says_so() -> None:
    page = "<!-- measured: soak -->\nold\n<!-- end -->"
    assert fill(page, {"benchmarks": {}}) == "<!-- measured: soak -->\nNot measured yet.\n<!-- end -->"


@pytest.mark.parametrize("name", PLOTS)
def test_a_plot_of_the_page_is_there_and_small(name: str) -> None:
    plot = ROOT / "docs" / f"performance-{name}.svg"
    measured = name in json.loads((ROOT / "docs" / "performance.json").read_text())["benchmarks"]
    assert plot.exists() == measured
    assert not measured or plot.stat().st_size < 200_000
