"""What a benchmark measures, and how it is printed: operations that take turns, their medians, and aims."""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

OURS = "deepgym-envs"
# What is done and by whom, to what does it once and gives the seconds that it took.
Operations = Mapping[tuple[str, str], Callable[[], float]]
Samples = dict[tuple[str, str], list[float]]


@dataclass(frozen=True)
class Timing:
    """Median and 95th percentile, in milliseconds, of ``n`` times."""

    p50: float
    p95: float
    n: int


@dataclass(frozen=True)
class Aim:
    """A number that was aimed at, and the one that was measured, in ``unit``.

    ``ratio`` says how many times as good as ``peer``'s the measure is.
    """

    what: str
    measured: float
    aim: float
    unit: str
    at_least: bool = False
    peer: str = ""
    ratio: float | None = None

    @property
    def met(self) -> bool:
        """Whether what was measured is as good as was aimed at."""
        return self.measured >= self.aim if self.at_least else self.measured <= self.aim

    def in_words(self) -> str:
        """The aim, the measure and the judgement in one line."""
        bound = "at least" if self.at_least else "at most"
        judgement = "met" if self.met else "MISSED"
        beside = f"; {self.ratio:.3g} times as good as {self.peer}" if self.ratio is not None else ""
        return (
            f"{judgement}: {self.what}: {self.measured:.3g} {self.unit} (aim: {bound} {self.aim:g}){beside}"
        )


@dataclass(frozen=True)
class Result:
    """What one benchmark found out.

    ``times`` holds for each operation who took how long. ``figures`` holds what is no time of an operation,
    as plain JSON values. ``notes`` say what a reader must know, such as which peer could not be run and why.
    """

    benchmark: str
    settings: Mapping[str, Any]
    times: Mapping[str, Mapping[str, Timing]] = field(default_factory=dict)
    figures: Mapping[str, Any] = field(default_factory=dict)
    aims: Sequence[Aim] = ()
    notes: Sequence[str] = ()
    failed: bool = False

    def aimed(self, what: str, aim: float, peer: str, *, at_least_ratio: float | None = None) -> list[Aim]:
        """The aim of ``aim`` milliseconds for our median of ``what``, and that of a ratio to ``peer``."""
        ours, ratio = self.times[what][OURS].p50, self.times[what][peer].p50 / self.times[what][OURS].p50
        aims = [Aim(f"{what}, p50", ours, aim, "ms", peer=peer, ratio=ratio)]
        if at_least_ratio is not None:
            aims.append(Aim(f"{what}: {peer} / ours", ratio, at_least_ratio, "times", at_least=True))
        return aims

    def as_json(self) -> dict[str, Any]:
        """As plain JSON values; each aim says whether it was met."""
        return {**asdict(self), "aims": [{**asdict(aim), "met": aim.met} for aim in self.aims]}


def arguments(
    description: str | None, *, rounds: int | None = None, peers: bool = False
) -> argparse.ArgumentParser:
    """A parser of what benchmarks take: ``--json``, ``--rounds`` with that default, ``--peers``."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    if rounds is not None:
        told = "turns of each operation (default: %(default)s)"
        parser.add_argument("--rounds", type=positive, default=rounds, help=told)
    if peers:
        parser.add_argument("--peers", action="store_true", help="measure other packages too; installs them")
    parser.add_argument("--json", action="store_true", help="print all that was found out")
    return parser


def positive(text: str) -> int:
    """A whole number above 0, from the command line."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def finish(result: Result, *, as_json: bool) -> int:
    """Print what was found out; the exit status."""
    print(json.dumps(result.as_json(), indent=2) if as_json else in_words(result))
    return 1 if result.failed else 0


def timed(operation: Callable[[], object]) -> float:
    """Seconds that one call takes."""
    before = time.perf_counter()
    operation()
    return time.perf_counter() - before


def timing(seconds: Sequence[float]) -> Timing:
    """Of one or more times."""
    cuts = statistics.quantiles(seconds, n=20) if len(seconds) > 1 else [seconds[0]]
    return Timing(statistics.median(seconds) * 1e3, min(cuts[-1], max(seconds)) * 1e3, len(seconds))


def in_turns(operations: Operations, rounds: int, burst: int = 1) -> Samples:
    """Seconds of each operation, ``burst`` times in each round, after one round to warm up.

    They take turns, so that a slow moment of the machine hits each alike.
    """
    samples: Samples = {key: [] for key in operations}
    for turn in range(-1, rounds):
        for key, operation in operations.items():
            seconds = [operation() for _ in range(burst)]
            if turn >= 0:
                samples[key] += seconds
    return samples


def timings(samples: Samples) -> dict[str, dict[str, Timing]]:
    """The samples by operation and by whom."""
    found: dict[str, dict[str, Timing]] = {}
    for (what, who), seconds in samples.items():
        found.setdefault(what, {})[who] = timing(seconds)
    return found


def in_words(result: Result) -> str:
    """A result as a table."""
    rows = [f"{result.benchmark}: " + ", ".join(f"{key} {value}" for key, value in result.settings.items())]
    if result.times:
        rows += ["", f"{'':44}{'p50 ms':>10}{'p95 ms':>10}{'ratio':>9}"]
    for what, by_whom in result.times.items():
        rows.append(what)
        for who, row in by_whom.items():
            ratio = f"{row.p50 / by_whom[OURS].p50:8.1f}x" if OURS in by_whom and who != OURS else ""
            rows.append(f"    {who:40}{row.p50:10.2f}{row.p95:10.2f}{ratio}")
    for name, value in result.figures.items():
        rows += ["", f"{name}: {json.dumps(value, indent=2)}"]
    rows += ["", *(aim.in_words() for aim in result.aims)] if result.aims else []
    rows += ["", *(f"note: {note}" for note in result.notes)] if result.notes else []
    return "\n".join(rows)
