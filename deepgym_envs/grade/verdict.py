"""The verdict: a function, computed on the host, of what a box claims about the hidden tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from deepgym_envs.grade.claim import Claim
from deepgym_envs.grade.deck import Demand
from deepgym_envs.grade.report import Outcome, TestReport
from deepgym_envs.sandbox import Completed
from deepgym_envs.strict_json import read_json, write_json

Reason = Literal[
    "passed",  # every expected test was seen to pass exactly once
    "tests_failed",  # some did not pass
    "tests_missing",  # some were not reported at all
    "unexpected_tests",  # tests were reported that nobody asked for: tampering
    "twin_passed",  # all tests passed, and so did a wrong copy of one, which cannot: tampering
    "malformed_report",  # the report is not one: tampering
    "timeout",  # the tests' time ran out
    "crashed",  # the process ended before pytest did
    "does_not_fit",  # the files are more than the workspace holds
    "box_lost",  # the box died while the agent's code ran in it
]


@dataclass(frozen=True)
class Verdict:
    """What the hidden tests say of a state.

    ``reward`` is 1.0 or 0.0. ``flags`` name what was noticed and did not decide, such as changed files
    outside what the task allows. ``forge_probability`` is the chance that a report was believed which
    code made up that cannot tell right from wrong copies of tests (``deepgym_envs.grade.deck``): 2 to the
    power of minus the number of copies that were drawn, 1.0 where the task has none. ``claim`` is what the
    one grading that found this out went by; it takes no part in comparisons.
    """

    reward: float
    passed: bool
    reason: Reason
    task: str
    state: str
    flags: tuple[str, ...] = ()
    tests: Mapping[str, Outcome | Literal["missing"]] = field(default_factory=dict)
    forge_probability: float = 1.0
    claim: Claim | None = field(default=None, compare=False, repr=False)

    def to_json(self) -> str:
        """One line of ASCII; ``from_json`` takes it back."""
        claim = vars(self.claim) if self.claim is not None else None
        return write_json("verdict", {**vars(self), "tests": dict(self.tests), "claim": claim})

    @classmethod
    def from_json(cls, text: str) -> Verdict:
        """The verdict that ``to_json`` wrote.

        Raises:
            ValueError: it is not one, or one that no grader gives: the reward must be that of the reason.
        """
        match read_json(text, "verdict"):
            case {
                "reward": float(reward), "passed": bool(passed), "reason": str(reason), "task": str(task),
                "state": str(state), "flags": list(flags), "tests": dict(tests),
                "forge_probability": float(forged), "claim": dict() | None as claim, **rest,
            } if (
                not rest
                and reason in get_args(Reason)
                and reward == float(passed) == float(reason == "passed")
                and 0.0 <= forged <= 1.0
                and all(isinstance(flag, str) for flag in flags)
                and all(isinstance(seen, str) and seen in _SEEN for seen in tests.values())
            ):  # fmt: skip
                return cls(
                    reward, passed, reason, task, state, tuple(flags), tests, forged,  # type: ignore[arg-type]
                    Claim.from_plain(claim) if claim is not None else None,
                )  # fmt: skip
        raise ValueError("this is not a verdict that a grader gives")


_SEEN = (*get_args(Outcome), "missing")


def judge(demands: Mapping[str, Demand], report: TestReport, done: Completed) -> Reason:
    """Why the run passes or does not; anything but ``passed`` is a fail.

    It passes only if every test of ``demands`` was seen to do as demanded, each reported once, none besides
    them, in a well-formed report of a run that ended by itself with the status that goes with it.
    """
    right = [node for node, demand in demands.items() if demand == "passed"]
    twins = [node for node, demand in demands.items() if demand == "failed"]
    seen = report.outcomes
    if done.timed_out:
        return "timeout"
    if report.malformed:
        return "malformed_report"
    if seen.keys() - demands.keys():
        return "unexpected_tests"
    if not report.complete:
        return "crashed"
    if any(seen.get(node, "passed") != "passed" for node in right) or report.broken:
        return "tests_failed"
    if demands.keys() - seen.keys() or not right:
        return "tests_missing"
    outcomes = {seen[node] for node in twins}
    if outcomes - {"failed"}:
        return "twin_passed" if "passed" in outcomes else "tests_failed"
    return "passed" if done.exit_code == int(bool(twins)) else "crashed"
