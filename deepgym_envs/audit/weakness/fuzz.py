"""Does an accepted fault make a difference? The same tests with other input, on it and on the reference.

Tests know how to reach the code: they have the folders, clocks and loops that it wants. So they are run, the
hidden and the visible ones and the oracle's cases, with other literals in them, and instead of asserting
anything they tell what they see. A fault that is seen is a real one. Of one that is not seen on any of ``n``
inputs, the rule of three says at 95 % that it differs on less than ``3 / n`` of inputs like these.

Texts of errors are not compared, nor is anything where the reference ends in a way that is no answer, such as
``TypeError``: such input is not legitimate.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random

from deepgym_envs.audit.weakness.mutants import Fault, changed_sources, function_around
from deepgym_envs.audit.weakness.observation import DIED, Look, Observation, Seen
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

_TEST_SECONDS, _SLOW_SECONDS = 3.0, 0.5
_MOST_VARIATIONS = 200  # of one test
_MOST_SECONDS = 20.0  # that one look at all of them should take
_CONFIRMED = 5  # tests that saw a difference and are asked again, alone
_SHOWN_CHANGES, _SHOWN_CHARS = 4, 300
_NO_ANSWER = frozenset((
    DIED, "__main__:TimeUp", "_pytest.outcomes:Skipped", "_pytest.outcomes:XFailed", "_pytest.outcomes:Exit",
    "_pytest.fixtures:FixtureLookupError",
    *(f"builtins:{name}" for name in (
        "TypeError", "AttributeError", "NameError", "UnboundLocalError", "RecursionError", "MemoryError",
        "AssertionError", "ImportError", "ModuleNotFoundError", "SyntaxError", "IndentationError",
        "SystemError", "NotImplementedError",
    )),
))  # fmt: skip

_EYE = re.compile(rf"{SEEN}\('[\d:]+', ")

Function = tuple[str, int, int]


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
        self._task = task
        self._gold = task.gold.only(task.may_edit)
        self._inputs = inputs
        self._chance = Random(seed)
        self._variations = Variations(task, seed)
        self._observation = Observation(task, backend, _TEST_SECONDS)
        self._known: dict[str, Seen | None] = {}

    def compare(self, faults: Sequence[Fault]) -> tuple[Compared, ...]:
        """What was seen of each.

        Raises:
            SandboxError: it could not be found out, for a reason that the code cannot have caused.
        """
        sources = {path: new for path, _, new in changed_sources(self._task)}
        functions = [_function_of(sources[fault.path], fault) for fault in faults]
        places = list(dict.fromkeys(place for place in functions if place is not None))
        inputs = self._steady_inputs(places, _focus(sources, faults))
        return tuple(
            self._compared(fault, _reaching(inputs, places, place))
            for fault, place in zip(faults, functions, strict=True)
        )

    def close(self) -> None:
        """Give the box up."""
        self._observation.close()

    def _steady_inputs(self, places: Sequence[Function], focus: Focus) -> _Inputs:
        """Inputs to which the reference gives an answer, the same one twice, with what they reach."""
        originals = self._variations.originals
        first = self._observation.look(self._gold, self._look(originals, functions=places))
        usable = {
            node: seen
            for node, seen in first.items()
            if _is_answer(seen) and seen.seconds <= _SLOW_SECONDS and (seen.reached or not places)
        }
        varied = [*_only(originals, usable), *self._varied(usable, places, focus)]
        look = self._look(varied, functions=places)
        once, again = (self._observation.look(self._gold, look) for _ in range(2))
        steady = {
            node: seen
            for node, seen in once.items()
            if _is_answer(seen) and node in again and again[node].outcome == seen.outcome
        }
        return _Inputs(varied, steady)

    def _varied(
        self, usable: Mapping[str, Seen], places: Sequence[Function], focus: Focus
    ) -> list[Variation]:
        """As many variations of each test as its functions need, and as there is time for."""
        numbers = range(len(places)) if places else [-1]
        of_function = {
            at: [n for n, seen in usable.items() if at in seen.reached or at < 0] for at in numbers
        }
        wanted: dict[tuple[str, str], int] = {}
        seconds: dict[tuple[str, str], float] = {}
        for node, seen in usable.items():
            test = _test_of(node)
            seconds[test] = seconds.get(test, 0.0) + seen.seconds
            for nodes in of_function.values():
                if node in nodes:
                    wanted[test] = max(wanted.get(test, 0), math.ceil(self._inputs / len(nodes)))
        whole = sum(min(count, _MOST_VARIATIONS) * seconds[test] for test, count in wanted.items())
        share = min(1.0, _MOST_SECONDS / whole) if whole else 1.0
        counts = {test: math.ceil(share * min(count, _MOST_VARIATIONS)) for test, count in wanted.items()}
        return [
            self._variations.vary(original, number, tests, focus)
            for original in self._variations.originals
            for number in range(1, _MOST_VARIATIONS + 1)
            if (
                tests := {
                    test for path, test in counts if path == original.path and counts[path, test] >= number
                }
            )
        ]

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

    def _compared(self, fault: Fault, inputs: _Inputs) -> Compared:
        chosen = inputs.some(self._inputs, self._chance)
        if not chosen.seen:
            return Compared(fault, 0)
        other = self._observation.look(fault.state, self._look(chosen.varied, list(chosen.seen)))
        both = [node for node in chosen.seen if node in other]
        odd = [node for node in both if other[node].outcome != chosen.seen[node].outcome]
        for node in sorted(odd, key=chosen.oddness)[:_CONFIRMED]:
            difference = self._confirmed(fault, node, chosen)
            if difference is not None:
                return Compared(fault, len(both), difference)
        return Compared(fault, len(both))

    def _confirmed(self, fault: Fault, node: str, inputs: _Inputs) -> Difference | None:
        """The difference, if it is there when that one input is tried alone."""
        variation = inputs.variation(node)
        look = self._look([variation], [node], show=True)
        if node not in self._known:
            self._known[node] = self._observation.look(self._gold, look).get(node)
        right, wrong = self._known[node], self._observation.look(fault.state, look).get(node)
        if right is None or wrong is None or right.outcome == wrong.outcome or not _is_answer(right):
            return None
        what, reference, found = _first_difference(right, wrong)
        return Difference(
            node.replace(variation.path, variation.module, 1),
            tuple(variation.changed_in(_test_of(node)[1])),
            variation.file.expression(what) or what,
            reference,
            found,
        )


@dataclass(frozen=True)
class _Inputs:
    """Files of tests, and what the reference showed to the tests in them that are of use."""

    varied: Sequence[Variation]
    seen: Mapping[str, Seen]

    def variation(self, node: str) -> Variation:
        path = node.partition("::")[0]
        return next(each for each in self.varied if each.path == path)

    def some(self, count: int, chance: Random) -> _Inputs:
        """``count`` of them, the tests as they are first."""
        plain = [node for node in self.seen if not self.variation(node).changes]
        others = [node for node in self.seen if node not in set(plain)]
        chosen = {*plain[:count], *chance.sample(others, min(len(others), max(0, count - len(plain))))}
        seen = {node: seen for node, seen in self.seen.items() if node in chosen}
        return _Inputs(_only(self.varied, seen), seen)

    def oddness(self, node: str) -> tuple[bool, int]:
        """Small for the input that says most: a test that comes to its end, with few changes."""
        return self.seen[node].how != "passed", len(self.variation(node).changed_in(_test_of(node)[1]))


def _reaching(inputs: _Inputs, places: Sequence[Function], place: Function | None) -> _Inputs:
    """Inputs that enter the function at ``place``; all where a fault is in none."""
    if place is None:
        return inputs
    number = places.index(place)
    return replace(inputs, seen={node: seen for node, seen in inputs.seen.items() if number in seen.reached})


def _only(varied: Sequence[Variation], nodes: Mapping[str, Seen]) -> list[Variation]:
    """Those files that have one of ``nodes``."""
    paths = {_test_of(node)[0] for node in nodes}
    return [each for each in varied if each.path in paths]


def _test_of(node: str) -> tuple[str, str]:
    """The file of a node id, and the test's name in it without the case."""
    path, _, rest = node.partition("::")
    return path, rest.partition("[")[0]


def _is_answer(seen: Seen) -> bool:
    return seen.how not in _NO_ANSWER


def _function_of(source: str, fault: Fault) -> Function | None:
    span = function_around(source, fault.mutant.line)
    return (fault.path, *span) if span else None


def _focus(sources: Mapping[str, str], faults: Sequence[Fault]) -> Focus:
    """The functions that have a fault, and the constants in the lines that are faulty."""
    callees, literals = set(), []
    for fault in faults:
        names = fault.mutant.function.split(".")
        callees.update(names[-2:] if names[-1].startswith("__") else names[-1:])
        for node in ast.walk(parse_python(sources[fault.path])):
            if isinstance(node, ast.Constant) and fault.mutant.line <= node.lineno <= fault.mutant.end_line:
                literals += neighbours(node.value)
    return Focus(frozenset(callees), tuple(dict.fromkeys(literals)))


def _first_difference(right: Seen, wrong: Seen) -> tuple[str, str, str]:
    """The label of the first value that differs, and both values; how the tests ended where none does."""
    for (label, value), (other_label, other) in zip(right.values, wrong.values, strict=False):
        if (label, value) != (other_label, other):
            if label != other_label:
                break
            return label, _short(value), _short(other)
    if right.how != wrong.how:
        where = _short(_EYE.sub("(", right.where or wrong.where))
        return f"how it ended{f', at {where}' if where else ''}", clean(right.how), clean(wrong.how)
    return "what the test saw", f"{len(right.values)} values or more", "others, or another number of them"


def _short(text: str) -> str:
    text = clean(text)
    return text if len(text) <= _SHOWN_CHARS else f"{text[:_SHOWN_CHARS]}..."
