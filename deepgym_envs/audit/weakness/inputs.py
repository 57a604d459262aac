"""Inputs to which the reference gives a steady answer, and which functions each of them enters."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random

from deepgym_envs.audit.weakness.observation import DIED, Seen
from deepgym_envs.audit.weakness.variations import Variation

SLOW_SECONDS = 0.5  # tests that take longer are left out
_MOST_VARIATIONS = 200  # of one test
_MOST_SECONDS = 20.0  # that one look at all of them should take
_NO_ANSWER = frozenset((
    DIED, "__main__:TimeUp", "_pytest.outcomes:Skipped", "_pytest.outcomes:XFailed", "_pytest.outcomes:Exit",
    "_pytest.fixtures:FixtureLookupError",
    *(f"builtins:{name}" for name in (
        "TypeError", "AttributeError", "NameError", "UnboundLocalError", "RecursionError", "MemoryError",
        "AssertionError", "ImportError", "ModuleNotFoundError", "SyntaxError", "IndentationError",
        "SystemError", "NotImplementedError",
    )),
))  # fmt: skip

Test = tuple[str, str]
"""The file of a test, and its name there without the case."""


@dataclass(frozen=True)
class Inputs:
    """Files of tests, and by node id what the reference showed to the tests in them that are of use."""

    varied: Sequence[Variation]
    seen: Mapping[str, Seen]

    def variation(self, node: str) -> Variation:
        """The file that a test is in."""
        path = test_of(node)[0]
        return next(each for each in self.varied if each.path == path)

    def reaching(self, function: int | None) -> Inputs:
        """Those that enter the function of that number; all where it is None."""
        if function is None:
            return self
        return self._only({node: seen for node, seen in self.seen.items() if function in seen.reached})

    def some(self, count: int, chance: Random) -> Inputs:
        """``count`` of them, the tests as they are first."""
        plain = [node for node in self.seen if not self.variation(node).changes][:count]
        others = [node for node in self.seen if self.variation(node).changes]
        chosen = {*plain, *chance.sample(others, min(len(others), count - len(plain)))}
        return self._only({node: seen for node, seen in self.seen.items() if node in chosen})

    def oddness(self, node: str) -> tuple[bool, int]:
        """Small for the input that says most: a test that comes to its end, with few changes."""
        return self.seen[node].how != "passed", len(self.variation(node).changed_in(test_of(node)[1]))

    def _only(self, seen: Mapping[str, Seen]) -> Inputs:
        paths = {test_of(node)[0] for node in seen}
        return Inputs([each for each in self.varied if each.path in paths], seen)


def test_of(node: str) -> Test:
    """The test that a node id is a case of."""
    path, _, rest = node.partition("::")
    return path, rest.partition("[")[0]


def is_answer(seen: Seen) -> bool:
    """Whether a test ended in a way that input which is legitimate leads to."""
    return seen.how not in _NO_ANSWER


def steady(once: Mapping[str, Seen], again: Mapping[str, Seen]) -> Mapping[str, Seen]:
    """What was seen of tests to which an answer is given, the same one both times."""
    both = {node: (seen, again[node]) for node, seen in once.items() if node in again and is_answer(seen)}
    return {
        node: replace(one, returned=dict(one.returned.items() & other.returned.items()))
        for node, (one, other) in both.items()
        if one.outcome() == other.outcome()
    }


def variations_wanted(
    seen: Mapping[str, Seen], functions: Sequence[int | None], inputs: int
) -> Mapping[Test, int]:
    """How often to vary each test, so that about ``inputs`` cases reach each of ``functions`` (None: any case
    does); less where all of it would take too long."""
    wanted: dict[Test, int] = {}
    for function in functions:
        nodes = [node for node, each in seen.items() if function is None or function in each.reached]
        for node in nodes:
            most = min(_MOST_VARIATIONS, math.ceil(inputs / len(nodes)))
            wanted[test_of(node)] = max(wanted.get(test_of(node), 0), most)
    whole = sum(wanted.get(test_of(node), 0) * each.seconds for node, each in seen.items())
    share = min(1.0, _MOST_SECONDS / whole) if whole else 1.0
    return {test: math.ceil(share * count) for test, count in wanted.items()}
