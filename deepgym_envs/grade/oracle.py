"""Asks the code under test in a box, and judges its answers on the host, which alone knows what is right.

What a box is sent are calls, under numbers drawn for this run. What comes back is a claim about plain values;
whoever forges it without solving the task has to guess values that were never where its code ran.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random, SystemRandom
from typing import Any

from deepgym_envs import plain
from deepgym_envs.grade.answer import complaint, steps_of
from deepgym_envs.grade.patterns import Patterns
from deepgym_envs.grade.report import Outcome, TestReport
from deepgym_envs.oracle_file import ORACLE, Case, is_case
from deepgym_envs.oracle_input import draw
from deepgym_envs.plain import NotPlain
from deepgym_envs.sandbox import Command, Completed, Sandbox
from deepgym_envs.task import Task

_CHILD = Path(__file__).with_name("oracle_child.py")
_REPORT_BYTES = 8 << 20
_MAX_ROWS = 100_000


@dataclass(frozen=True)
class Question:
    """A case with drawn values, under the ``number`` by which the box knows it."""

    number: str
    case: Case
    drawn: Mapping[str, Any]

    def as_sent(self) -> dict[str, Any]:
        """What enters the box: nothing of it says what is expected."""
        case, sent = self.case, {"id": self.number, "seconds": self.case.seconds}
        if case.run:
            return {**sent, "run": case.run, "stdin": case.stdin, "given": case.given, "files": [*case.files]}
        steps = [
            {
                "let": step.let,
                "target": step.target,
                "args": step.args if step.call else None,
                "kwargs": step.kwargs,
                "needs": step.needs,
                "show": (step.show or "") if number in case.shown else None,
            }
            for number, step in enumerate(case.steps)
        ]
        names = {name: plain.encode(value) for name, value in self.drawn.items()}
        return {**sent, "steps": steps, "names": names}


def run_oracle(
    box: Sandbox,
    task: Task,
    nodes: Sequence[str],
    *,
    detail_chars: int = 0,
    chance: Random | None = None,
) -> tuple[TestReport, Completed]:
    """Ask the code in the workspace the task's cases of ``nodes``, and judge what it answers.

    Order, numbers and drawn values come from ``chance``, by default fresh ones each time. With
    ``detail_chars`` the report tells what was wrong with an answer, in so many characters.
    """
    cases = list(task.oracle.select(nodes)) if task.oracle else []
    chance = chance or SystemRandom()
    asked = questions(cases, chance)
    job = {
        "cases": [question.as_sent() for question in chance.sample(asked, len(asked))],
        "pythonpath": list(task.recipe.install.pythonpath),
    }
    command = Command(
        argv=("python", "-I", "-B", "{files}/oracle_child.py"),
        seconds=task.limits.test_seconds,
        stdin=json.dumps(job).encode(),
        files={"oracle_child.py": _CHILD.read_bytes(), "plain.py": Path(plain.__file__).read_bytes()},
        output_bytes=task.limits.output_bytes,
        report_bytes=_REPORT_BYTES,
        warm=True,
    )
    done = box.run(command)
    report = judged(asked, done.report, overflow=done.report_overflow, detail_chars=detail_chars)
    return report, done


def questions(cases: Sequence[Case], chance: Random) -> list[Question]:
    """Each case, as often as it is to be asked, under numbers that say nothing."""
    asked = []
    for case in cases:
        for _ in range(case.draws):
            drawn = draw(case.draw, chance)
            asked += [Question(secrets.token_hex(8), case, drawn) for _ in range(case.repeat)]
    return asked


def judged(
    asked: Sequence[Question], data: bytes, *, overflow: bool = False, detail_chars: int = 0
) -> TestReport:
    """What the answers in ``data``, a box's report, are worth, whatever they are.

    A case passes if each of its questions was answered once and rightly. One with a question that was not
    answered at all is missing.

    Raises:
        SandboxError: this machine has no process left to try a pattern in.
    """
    answers, complete, malformed = _read(data, {question.number for question in asked})
    outcomes: dict[str, Outcome] = {}
    details: dict[str, str] = {}
    with Patterns() as patterns:
        for name, mine in _by_case(asked).items():
            if not all(question.number in answers for question in mine):
                continue
            wrong = next(_complaints(mine, answers, patterns), None)
            node = f"{ORACLE}::{name}"
            outcomes[node] = "failed" if wrong else "passed"
            if wrong and detail_chars:
                details[node] = f"E   {' '.join(wrong.split())}"[:detail_chars]
    return TestReport(outcomes, (), details, complete, malformed or overflow)


def together(
    tests: tuple[TestReport, Completed], oracle: tuple[TestReport, Completed]
) -> tuple[TestReport, Completed]:
    """One report, of a run of tests and of the oracle's run; what the tests claim of cases is tampering."""
    (first, done), (second, other) = tests, oracle
    report = TestReport(
        outcomes={**first.outcomes, **second.outcomes},
        broken=(*first.broken, *second.broken),
        details={**first.details, **second.details},
        complete=first.complete and second.complete,
        malformed=first.malformed or second.malformed or any(map(is_case, first.outcomes)),
    )
    timed_out = done.timed_out or other.timed_out
    return report, replace(
        done,
        exit_code=None if timed_out else done.exit_code or other.exit_code,
        timed_out=timed_out,
        output=done.output + other.output,
        omitted=done.omitted + other.omitted,
        report_overflow=done.report_overflow or other.report_overflow,
        seconds=done.seconds + other.seconds,
        warm=done.warm and other.warm,
        why_cold=done.why_cold or other.why_cold,
    )


def _by_case(asked: Sequence[Question]) -> dict[str, list[Question]]:
    found: dict[str, list[Question]] = {}
    for question in asked:
        found.setdefault(question.case.name, []).append(question)
    return found


def _read(data: bytes, numbers: set[str]) -> tuple[dict[str, list[Any] | str], bool, bool]:
    """Answers by number (or why there is none), whether they are complete, and whether they are malformed."""
    answers: dict[str, list[Any] | str] = {}
    complete = malformed = False
    lines = data.split(b"\n", _MAX_ROWS)
    if len(lines) > _MAX_ROWS:
        return {}, False, True
    for line in filter(None, lines):
        try:
            row = plain.loads(line.decode("ascii"))
            malformed = malformed or complete
            match row:
                case {"case": str(number), **rest} if number in numbers and number not in answers:
                    answers[number] = _answer(rest)
                case {"end": int(count), **rest} if not rest and count == len(answers) == len(numbers):
                    complete = True
                case _:
                    malformed = True
        except ValueError:
            malformed = True
    return answers, complete, malformed


def _answer(row: Mapping[Any, Any]) -> list[Any] | str:
    match row:
        case {"problem": str(problem), **rest} if not rest and problem in ("timeout", "died", "too_long"):
            return problem.replace("_", " ")
        case {"answer": str(text), **rest} if not rest:
            try:
                return steps_of(text)
            except NotPlain as error:
                return str(error)
    raise ValueError("this is no answer")


def _complaints(
    mine: Sequence[Question], answers: Mapping[str, list[Any] | str], patterns: Patterns
) -> Iterator[str]:
    first: dict[str, list[str]] = {}
    for question in mine:
        told = answers[question.number]
        if isinstance(told, str):
            yield f"no answer: {told}"
            continue
        wrong = complaint(question.case, question.drawn, told, patterns)
        if wrong:
            yield wrong
        given = [step.seen for step in told]
        if first.setdefault(plain.canonical(dict(question.drawn)), given) != given:
            yield "asked again, it answers otherwise"
