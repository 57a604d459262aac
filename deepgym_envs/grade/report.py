"""What a test run claims to have seen: parsed strictly from untrusted bytes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from deepgym_envs.strict_json import read_json, write_json

Outcome = Literal["passed", "failed", "error", "skipped", "xfailed", "twice"]
MAX_LINE = 200_000
MAX_ROWS = 200_000


@dataclass(frozen=True)
class TestReport:
    """Outcomes by node id, in the order of the run.

    ``broken`` holds files and folders that could not be collected, ``details`` the end of the traceback of
    what failed. ``complete`` tells that pytest said it had finished, ``malformed`` that some of the bytes
    were not a report, or that they were too many.
    """

    __test__ = False

    outcomes: Mapping[str, Outcome]
    broken: tuple[str, ...]
    details: Mapping[str, str]
    complete: bool
    malformed: bool

    @property
    def passed(self) -> tuple[str, ...]:
        """Ids of the tests that passed."""
        return tuple(node for node, outcome in self.outcomes.items() if outcome == "passed")

    @property
    def failed(self) -> tuple[str, ...]:
        """Ids of what did not pass and was not skipped, broken files included."""
        good = ("passed", "skipped", "xfailed")
        return (*self.broken, *(node for node, outcome in self.outcomes.items() if outcome not in good))

    def to_json(self) -> str:
        """One line of ASCII; ``from_json`` takes it back."""
        values = {**vars(self), "outcomes": dict(self.outcomes), "details": dict(self.details)}
        return write_json("report", values)

    @classmethod
    def from_json(cls, text: str) -> TestReport:
        """The report that ``to_json`` wrote.

        Raises:
            ValueError: it is not one.
        """
        match read_json(text, "report"):
            case {
                "outcomes": dict(outcomes), "broken": list(broken), "details": dict(details),
                "complete": bool(complete), "malformed": bool(malformed), **rest,
            } if (
                not rest
                and all(isinstance(seen, str) and seen in get_args(Outcome) for seen in outcomes.values())
                and all(isinstance(part, str) for part in (*broken, *details.values()))
            ):  # fmt: skip
                return cls(outcomes, tuple(broken), details, complete, malformed)
        raise ValueError("this is not a report of tests")


def parse_report(data: bytes, *, overflow: bool = False) -> TestReport:
    """Read what the launcher wrote; never raises.

    A test has passed if its setup, call and teardown were each reported once and passed, and nothing else was
    reported of it.
    """
    phases: dict[str, list[tuple[str, str]]] = {}
    broken: list[str] = []
    details: dict[str, str] = {}
    complete, malformed = False, overflow
    for row in _rows(data):
        match row:
            case {"test": str(node), "when": str(when), "outcome": str(outcome), "detail": str(detail)}:
                malformed = malformed or complete
                phases.setdefault(node, []).append((when, outcome))
                if detail:
                    details[node] = detail
            case {"broken": str(node), "detail": str(detail)}:
                broken.append(node)
                details[node] = detail
            case {"exit": int(), "collected": int()} if not complete:
                complete = True
            case _:
                malformed = True
    outcomes = {node: _outcome(seen) for node, seen in phases.items()}
    return TestReport(outcomes, tuple(dict.fromkeys(broken)), details, complete, malformed)


def _rows(data: bytes) -> Iterator[Any]:
    lines = data.split(b"\n", MAX_ROWS)
    if len(lines) > MAX_ROWS and lines.pop():
        yield None  # more rows than any suite has: seconds of parsing that the code under test could cause
    for line in lines:
        if not line:
            continue
        try:
            yield json.loads(line) if len(line) <= MAX_LINE else None
        except (ValueError, RecursionError):
            yield None


def _outcome(seen: Sequence[tuple[str, str]]) -> Outcome:
    stages = [when for when, _ in seen]
    if len(set(stages)) != len(stages):
        return "twice"
    results = dict(seen)
    if results == {"setup": "passed", "call": "passed", "teardown": "passed"}:
        return "passed"
    if "failed" in (results.get("setup"), results.get("teardown")):
        return "error"
    for outcome in ("failed", "skipped", "xfailed"):
        if outcome in results.values():
            return outcome
    return "error"
