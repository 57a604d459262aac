"""What the run of a draw claimed, in as few words as decide its verdict, so that it can be judged again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deepgym_envs.grade.report import Outcome, TestReport
from deepgym_envs.sandbox import Completed

_LETTERS: Mapping[Outcome, str] = {
    "passed": ".", "failed": "F", "error": "E", "skipped": "s", "xfailed": "x", "twice": "2",
}  # fmt: skip
_OUTCOMES: Mapping[str, Outcome] = {letter: outcome for outcome, letter in _LETTERS.items()}
_MISSING = "-"


@dataclass(frozen=True)
class Claim:
    """What a box reported of one draw.

    ``seed`` is the draw's secret as hexadecimal digits: told once the grading is over, it makes the same draw
    again (``deck_of(task).draw(SecretRandom(bytes.fromhex(seed)))``). ``place`` identifies what the box was
    made of, empty where its backend does not tell. ``vector`` has a letter for each test that was drawn, in
    the draw's order: ``.`` passed, ``F`` failed, ``E`` error, ``s`` skipped, ``x`` xfailed, ``2`` reported
    twice, ``-`` not at all; it is empty where nothing was run. ``others`` counts tests that nobody asked for,
    ``broken`` what could not be collected; the rest is as in ``TestReport`` and ``Completed``.
    """

    seed: str
    place: str = ""
    vector: str = ""
    others: int = 0
    broken: int = 0
    complete: bool = False
    malformed: bool = False
    timed_out: bool = False
    exit_code: int | None = None

    @classmethod
    def of(cls, seed: bytes, place: str, nodes: Sequence[str], report: TestReport, done: Completed) -> Claim:
        """What ``report`` and ``done`` say of ``nodes``, the tests of the draw that ``seed`` makes."""
        seen = report.outcomes
        return cls(
            seed.hex(),
            place,
            "".join(_LETTERS[seen[node]] if node in seen else _MISSING for node in nodes),
            others=len(seen.keys() - set(nodes)),
            broken=len(report.broken),
            complete=report.complete,
            malformed=report.malformed,
            timed_out=done.timed_out,
            exit_code=done.exit_code,
        )

    @classmethod
    def from_plain(cls, values: Mapping[str, Any]) -> Claim:
        """The claim whose ``vars`` these are.

        Raises:
            ValueError: they are those of none.
        """
        match dict(values):
            case {
                "seed": str(seed), "place": str(place), "vector": str(vector), "others": int(others),
                "broken": int(broken), "complete": bool(complete), "malformed": bool(malformed),
                "timed_out": bool(timed_out), "exit_code": int() | None as exit_code, **rest,
            } if (
                not rest
                and len(seed) == 64
                and set(seed) <= set("0123456789abcdef")
                and set(vector) <= {*_OUTCOMES, _MISSING}
                and not any(isinstance(number, bool) for number in (others, broken, exit_code))
                and min(others, broken) >= 0
            ):  # fmt: skip
                return cls(seed, place, vector, others, broken, complete, malformed, timed_out, exit_code)
        raise ValueError("this is not a claim about a draw")

    def told(self, nodes: Sequence[str]) -> tuple[TestReport, Completed]:
        """The report and the end of the run, as far as they decide, where ``nodes`` are the draw's tests.

        Raises:
            ValueError: the vector is of more or fewer tests.
        """
        if len(self.vector) != len(nodes):
            raise ValueError(f"a vector of {len(self.vector)} outcomes for {len(nodes)} tests")
        outcomes = {
            node: _OUTCOMES[letter]
            for node, letter in zip(nodes, self.vector, strict=True)
            if letter != _MISSING
        }
        outcomes.update({f" nobody asked for {number}": "passed" for number in range(min(self.others, 1))})
        broken = ("broken",) * min(self.broken, 1)
        report = TestReport(outcomes, broken, {}, self.complete, self.malformed)
        done = Completed(
            self.exit_code, b"", 0, b"", report_overflow=False, timed_out=self.timed_out, seconds=0.0
        )
        return report, done
