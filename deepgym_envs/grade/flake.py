"""Two results for one state that differ: the tests, or the code under test, are not steady."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from deepgym_envs.grade.key import ResultKey
from deepgym_envs.grade.report import TestReport
from deepgym_envs.grade.verdict import Verdict
from deepgym_envs.strict_json import read_json, write_json
from deepgym_envs.text import clean, shorten

T = TypeVar("T")
_MAX_TESTS = 20
_MAX_CHARS = 200
_CUT_SHORT = ("timeout", "crashed", "box_lost", "malformed_report", "does_not_fit")


@dataclass(frozen=True)
class Flake:
    """The same question about the same state had two answers.

    ``task`` and ``state`` are digests. ``first`` is in short the answer that stays, ``other`` the one that
    came later; ``tests`` are those that differ, the first 20 of them, made fit to be printed.
    """

    task: str
    state: str
    asked: str
    first: str
    other: str
    tests: tuple[str, ...] = ()

    @property
    def key(self) -> ResultKey:
        """What the results are called in a memory."""
        return self.task, self.state, self.asked

    def to_json(self) -> str:
        """One line of ASCII; ``from_json`` takes it back."""
        return write_json("flake", vars(self))

    @classmethod
    def from_json(cls, text: str) -> Flake:
        """The flake that ``to_json`` wrote. Raises ``ValueError`` if it is not one."""
        match read_json(text, "flake"):
            case {
                "task": str(task), "state": str(state), "asked": str(asked), "first": str(first),
                "other": str(other), "tests": list(tests), **rest,
            } if not rest and all(isinstance(test, str) for test in tests):  # fmt: skip
                return cls(task, state, asked, first, other, tuple(tests))
        raise ValueError("this is not a flake")


def compare(key: ResultKey, first: object, other: object) -> Flake | None:
    """How two results under ``key`` differ; None if they say the same.

    Of a run that was cut short the tests that it did not come to are no difference.
    """
    if isinstance(first, Verdict) and isinstance(other, Verdict):
        cut = first.reason in _CUT_SHORT or other.reason in _CUT_SHORT
        tests = _differing(first.tests, other.tests, ended=not cut)
        differ = first.reason != other.reason
    elif isinstance(first, TestReport) and isinstance(other, TestReport):
        tests = _differing(_outcomes(first), _outcomes(other), ended=first.complete and other.complete)
        differ = (first.complete, first.malformed) != (other.complete, other.malformed)
    else:
        tests, differ = (), first != other
    return Flake(*key, _short(first), _short(other), tests) if tests or differ else None


def stricter(first: T, other: T) -> T:
    """Of two results for one state the one to go by: a verdict passes only if both do."""
    doubted = isinstance(first, Verdict) and isinstance(other, Verdict) and first.passed and not other.passed
    return other if doubted else first


def _outcomes(report: TestReport) -> Mapping[str, str]:
    return {**report.outcomes, **dict.fromkeys(report.broken, "broken")}


def _differing(first: Mapping[str, str], other: Mapping[str, str], *, ended: bool) -> tuple[str, ...]:
    found = []
    for node in dict.fromkeys((*first, *other)):
        seen = {first.get(node, "missing"), other.get(node, "missing")}
        if len(seen) > 1 and (ended or "missing" not in seen):
            found.append(_line(node))
        if len(found) == _MAX_TESTS:
            break
    return tuple(found)


def _short(result: object) -> str:
    if isinstance(result, Verdict):
        return result.reason
    if isinstance(result, TestReport):
        end = "" if result.complete and not result.malformed else ", not to its end"
        return f"{len(result.passed)} passed, {len(result.failed)} failed{end}"
    return _line(repr(result))


def _line(text: str) -> str:
    line = " ".join(clean(text[: 10 * _MAX_CHARS]).split())
    printable = "".join(char if char.isprintable() else "\ufffd" for char in line)
    return shorten(printable, _MAX_CHARS).replace("\n", " ")
