"""How likely it is that answers to an oracle's cases are right by guessing.

A report can be forged; an answer that is not known has to be guessed. These are bounds for one who knows the
task's text and all calls, but neither solves the task nor has seen the values. They are deliberately high:

- What has few usual outcomes (a bool, None, an exception, nothing of something, 0, 1) counts 1/2.
- What is said in the calls or the instruction counts 1/2: a forger would try it.
- Whole numbers count 1/10 below 10, 1/100 below 1,000, 1/1,000 beyond; a date, a Decimal or a float 1/100.
- A text counts 1/10 up to 3 characters, 1/100 up to 8, and 2**-20 beyond.
- A container counts as the different values in it together (not the keys), no less than 2**-20.
- A property that must be true, and a program's text that must match, count 1: there may be a trick.

Of values that are the same in several cases one counts: who guesses the one has guessed all.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from deepgym_envs.oracle_file import Case, Step
from deepgym_envs.plain import canonical, decode

LEAST = 2.0**-20
_FEW = 0.5


def guess_bound(case: Case, told: str = "") -> float:
    """A bound on the chance that an answer to ``case`` is right by guessing; ``told`` is what a forger read.

    Of several values in it the likeliest one counts: the base's code, which a forger has, may give the rest.
    """
    return max(_bounds(case, told).values(), default=1.0)


def forge_bound(cases: Iterable[Case], told: str = "") -> float:
    """A bound on the chance that answers to all ``cases`` are right by guessing."""
    found: dict[str, float] = {}
    for case in cases:
        bounds = _bounds(case, told)
        if bounds:
            value = max(bounds, key=lambda text: bounds[text])
            found[value] = bounds[value]
    return math.prod(found.values())


def _bounds(case: Case, told: str) -> dict[str, float]:
    """A bound for each value that ``case`` expects, by its canonical text."""
    said = {part for form in _said(case) for part in _atoms(decode(form, _Anything()), keys=True)}
    known = told + "\n".join(str(part) for part in said)
    found = {}
    for form in _expected(case):
        value = decode(form)
        found[canonical(value)] = max(LEAST, _bound(value, known))
    for step in case.steps:
        if step.raises:
            found[step.raises] = _FEW
    return found


class _Anything(dict[str, Any]):
    """Names that all stand for nothing."""

    def __contains__(self, _: object) -> bool:
        return True

    def __missing__(self, _: str) -> None:
        return None


def _expected(case: Case) -> Iterator[Any]:
    yield from (step.expect for step in case.steps if step.expect is not None)
    if case.run:
        texts = (case.stdout, case.stderr, *case.files.values())
        yield from (text for text in texts if isinstance(text, str | dict))


def _said(case: Case) -> Iterator[Any]:
    for step in case.steps:
        yield from _arguments(step)
    yield from (*case.run, case.stdin, *case.given.values())


def _arguments(step: Step) -> Iterator[Any]:
    yield from step.args
    yield from step.kwargs.values()


def _atoms(value: Any, *, keys: bool) -> Iterator[Any]:
    if isinstance(value, dict):
        for key, part in value.items():
            yield from _atoms(key, keys=keys) if keys else ()
            yield from _atoms(part, keys=keys)
    elif isinstance(value, list | tuple | set | frozenset):
        for part in value:
            yield from _atoms(part, keys=keys)
    else:
        yield value


def _bound(value: Any, known: str) -> float:
    if value is None or isinstance(value, bool) or value in (0, 1) or not _size(value):
        return _FEW
    if isinstance(value, list | tuple | set | frozenset | dict):
        different = {canonical(part): part for part in _atoms(value, keys=False)}
        return min(_FEW, math.prod(_bound(part, known) for part in different.values()))
    if str(value) in known or (isinstance(value, bytes) and repr(value)[2:-1] in known):
        return _FEW
    if isinstance(value, int):
        return 0.1 if abs(value) < 10 else 0.01 if abs(value) < 1_000 else 0.001
    if isinstance(value, str | bytes):
        return 0.1 if len(value) <= 3 else 0.01 if len(value) <= 8 else LEAST
    return 0.01


def _size(value: Any) -> int:
    return 1 if isinstance(value, int | float | Decimal) or not hasattr(value, "__len__") else len(value)
