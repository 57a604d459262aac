"""Does an accepted fault make a difference? The same tests with other input, on it and on the reference.

Tests know how to reach the code: they have the folders, clocks and loops that it wants. So they are run, the
hidden and the visible ones and the oracle's cases, with other literals in them, and instead of asserting
anything they tell what they see, and what the faulty function gave, if it is a public one. A fault that is
seen is a real one. Of one that is not seen on any of ``n`` inputs, the rule of three says at 95 % that it
differs on less than ``3 / n`` of inputs like these. What no test looks at is not seen.

Texts of errors are not compared, nor is anything where the reference ends in a way that is no answer, such as
``TypeError``: such input is not legitimate.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from deepgym_envs.audit.weakness.inputs import (
    SLOW_SECONDS,
    Inputs,
    is_answer,
    steady,
    test_of,
    variations_wanted,
)
from deepgym_envs.audit.weakness.mutants import Fault, changed_sources, function_around
from deepgym_envs.audit.weakness.observation import Function, Look, Observation, Seen
from deepgym_envs.audit.weakness.observed import SEEN
from deepgym_envs.audit.weakness.other_inputs import neighbours
from deepgym_envs.audit.weakness.variations import Focus, Variation, Variations
from deepgym_envs.sandbox import Backend
from deepgym_envs.sandbox.contract import Closing
from deepgym_envs.syntax import parse_python
from deepgym_envs.task import Task
from deepgym_envs.text import clean

ENOUGH = 30
"""Inputs without a difference from which on a fault is called probably equivalent."""

_TEST_SECONDS = 3.0
_CONFIRMED = 5  # tests that saw a difference and are asked again, alone
_SHOWN_CHANGES, _SHOWN_CHARS = 4, 300
_RETURN = "return 0"  # the label of what the first function that was asked about gave
_EYE = re.compile(rf"{SEEN}\('[\d:]+', ")


@dataclass(frozen=True)
class Difference:
    """Input on which a fault is seen.

    ``test`` is its node id; ``changes`` are literals of the test that are others, with what they are instead
    (none: the test as it is). ``what`` was looked at, ``reference`` and ``fault`` are what was seen.
    """

    test: str
    changes: tuple[tuple[str, str], ...]
    what: str
    reference: str
    fault: str

    @property
    def text(self) -> str:
        """For a person to read."""
        shown = [f"{old} -> {new}" for old, new in self.changes[:_SHOWN_CHANGES]]
        more = len(self.changes) - len(shown)
        given = f", with {'; '.join(shown)}{f' and {more} more' if more else ''}" if shown else ""
        return f"{self.test}{given}\n{self.what}\n  reference: {self.reference}\n  fault:     {self.fault}"


@dataclass(frozen=True)
class Compared:
    """A fault on ``inputs`` that reached its function and were seen of both; None where it made no
    difference."""

    fault: Fault
    inputs: int
    difference: Difference | None = None

    @property
    def bound(self) -> float:
        """Upper limit, at 95 %, of the share of such inputs on which it differs: 3 / n, at most 1.

        B. D. Jovanovic and P. S. Levy, "A look at the rule of three", The American Statistician 51 (1997).
        """
        return 1.0 if self.difference else min(1.0, 3 / self.inputs) if self.inputs else 1.0

    @property
    def is_alike(self) -> bool:
        """Whether it is probably equivalent to the reference."""
        return self.difference is None and self.inputs >= ENOUGH


class Fuzzer(Closing):
    """Compares faults of one task's reference solution with it, on about ``inputs`` inputs each."""

    def __init__(self, task: Task, backend: Backend, *, inputs: int, seed: int) -> None:
        self._gold = task.gold.only(task.may_edit)
        self._sources = {path: new for path, _, new in changed_sources(task)}
        self._inputs = inputs
        self._chance = Random(seed)
        self._variations = Variations(task, seed)
        self._observation = Observation(task, backend, _TEST_SECONDS)

    def compare(self, faults: Sequence[Fault]) -> tuple[Compared, ...]:
        """What was seen of each.

        Raises:
            SandboxError: it could not be found out, for a reason that the code cannot have caused.
        """
        places = [self._function_of(fault) for fault in faults]
        functions = [place for place in dict.fromkeys(places) if place is not None]
        numbers = [None if place is None else functions.index(place) for place in places]
        inputs = self._steady_inputs(functions, numbers, self._focus(faults))
        return tuple(
            self._compared(fault, inputs.reaching(number), functions, number)
            for fault, number in zip(faults, numbers, strict=True)
        )

    def close(self) -> None:
        """Give the box up."""
        self._observation.close()

    def _function_of(self, fault: Fault) -> Function | None:
        span = function_around(self._sources[fault.path], fault.mutant.line)
        if span is None:
            return None
        parts = fault.mutant.function.split(".")
        hidden = any(part.startswith("_") and not part.endswith("__") for part in parts)
        return Function(fault.path, *span, is_public=not hidden)

    def _focus(self, faults: Sequence[Fault]) -> Focus:
        """The functions that have a fault, and the constants in the lines that are faulty."""
        callees: set[str] = set()
        literals: dict[str, None] = {}
        for fault in faults:
            names = fault.mutant.function.split(".")
            callees.update(names[-2:] if names[-1].startswith("__") else names[-1:])
            lines = range(fault.mutant.line, fault.mutant.end_line + 1)
            for node in ast.walk(parse_python(self._sources[fault.path])):
                if isinstance(node, ast.Constant) and node.lineno in lines:
                    literals |= dict.fromkeys(neighbours(node.value))
        return Focus(frozenset(callees), tuple(literals))

    def _steady_inputs(
        self, functions: Sequence[Function], numbers: Sequence[int | None], focus: Focus
    ) -> Inputs:
        """Inputs to which the reference gives an answer, the same one twice, with what they reach."""
        originals = self._variations.originals
        first = self._observation.look(self._gold, self._look(originals, functions=functions))
        usable = {
            node: seen
            for node, seen in first.items()
            if is_answer(seen) and seen.seconds <= SLOW_SECONDS and (seen.reached or None in numbers)
        }
        wanted = variations_wanted(usable, list(dict.fromkeys(numbers)), self._inputs)
        varied = [each for each in originals if each.path in {path for path, _ in wanted}]
        for original in tuple(varied):
            counts = {test: count for (path, test), count in wanted.items() if path == original.path}
            for number in range(1, max(counts.values()) + 1):
                tests = [test for test, count in counts.items() if count >= number]
                varied.append(self._variations.vary(original, number, tests, focus))
        look = self._look(varied, functions=functions)
        once, again = (self._observation.look(self._gold, look) for _ in range(2))
        return Inputs(varied, steady(once, again))

    def _look(
        self,
        varied: Sequence[Variation],
        nodes: Sequence[str] | None = None,
        functions: Sequence[Function] = (),
        *,
        show: bool = False,
    ) -> Look:
        files = {**self._variations.files, **{each.path: each.source for each in varied}}
        return Look(files, [each.path for each in varied], nodes, functions, show)

    def _compared(
        self, fault: Fault, inputs: Inputs, functions: Sequence[Function], number: int | None
    ) -> Compared:
        chosen = inputs.some(self._inputs, self._chance)
        if not chosen.seen:
            return Compared(fault, 0)
        look = self._look(chosen.varied, list(chosen.seen), functions)
        other = self._observation.look(fault.state, look)
        both = [node for node in chosen.seen if node in other]
        odd = [node for node in both if other[node].outcome(number) != chosen.seen[node].outcome(number)]
        for node in sorted(odd, key=chosen.oddness)[:_CONFIRMED]:
            own = () if number is None else (functions[number],)
            difference = self._confirmed(fault, node, chosen.variation(node), own)
            if difference is not None:
                return Compared(fault, len(both), difference)
        return Compared(fault, len(both))

    def _confirmed(
        self, fault: Fault, node: str, variation: Variation, function: tuple[Function, ...]
    ) -> Difference | None:
        """The difference, if it is there when that one input is tried alone."""
        look = self._look([variation], [node], function, show=True)
        right, wrong = (self._observation.look(state, look).get(node) for state in (self._gold, fault.state))
        if right is None or wrong is None or right.outcome(0) == wrong.outcome(0) or not is_answer(right):
            return None
        what, reference, found = _first_difference(right, wrong)
        gives = f"what {fault.mutant.function} gives"
        shown = gives if what == _RETURN else variation.file.expression(what)
        return Difference(
            node.replace(variation.path, variation.module, 1),
            tuple(variation.changed_in(test_of(node)[1])),
            shown or what,
            reference,
            found,
        )


def _first_difference(right: Seen, wrong: Seen) -> tuple[str, str, str]:
    """The label of the first value that differs, and both values; how the tests ended where none does."""
    for (label, value), (other_label, other) in zip(right.values, wrong.values, strict=False):
        if (label, value) != (other_label, other):
            # A function that raises seems to give None.
            if label != other_label or (label == _RETURN and right.how != wrong.how):
                break
            return label, _short(value), _short(other)
    if right.how != wrong.how:
        where = _short(_EYE.sub("(", right.where or wrong.where))
        return f"how it ended{f', at {where}' if where else ''}", clean(right.how), clean(wrong.how)
    return "what the test saw", f"{len(right.values)} values or more", "others, or another number of them"


def _short(text: str) -> str:
    text = clean(text)
    return text if len(text) <= _SHOWN_CHARS else f"{text[:_SHOWN_CHARS]}..."
