"""Draws what is run for one grading: the hidden tests and their twins, under names that nobody can guess.

Of each test that has twins two copies are run, one of which is wrong. A report is believed only if it has
exactly the outcomes that the draw demands, the failures of the wrong copies among them. Code that makes
everything pass (it patches pytest, forges the report, returns an object that is equal to everything, or
reads what it is compared with) makes the wrong copies pass too. Which copy is the wrong one is known to the
host alone: names, order and the place of the change are drawn from a secret that enters no box.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import Literal

from deepgym_envs.grade.blind import forge_bound
from deepgym_envs.grade.test_file import Copy, TestFile
from deepgym_envs.task import Task
from deepgym_envs.twin import Change, Place, TestTwins

KEPT_TWINS = 12  # of tests that pass at the base too, which guard against less: at most so many

Demand = Literal["passed", "failed"]


class SecretRandom(Random):
    """Random numbers from SHA-256 in counter mode: who sees some of them learns nothing about others.

    ``random.Random`` gives its whole state away in its numbers, and these name the tests in the box.

    >>> SecretRandom(b"key").random() == SecretRandom(b"key").random()
    True
    """

    def __new__(cls, key: bytes) -> SecretRandom:  # noqa: ARG004 - the base class would seed itself with it
        """A generator."""
        return super().__new__(cls)

    def __init__(self, key: bytes) -> None:
        self._key = hashlib.sha256(b"draw " + key).digest()
        self._blocks = 0

    def getrandbits(self, k: int, /) -> int:
        """``k`` random bits."""
        size = (k + 7) // 8
        data = b""
        while len(data) < size:
            self._blocks += 1
            data += hashlib.sha256(self._key + self._blocks.to_bytes(8, "big")).digest()
        return int.from_bytes(data[:size], "big") >> (size * 8 - k)

    def random(self) -> float:
        """A number in [0, 1)."""
        return self.getrandbits(53) / (1 << 53)


@dataclass(frozen=True)
class Draw:
    """What goes into the box for one grading, and what has to come of it.

    ``files`` are the hidden files as they are written, ``nodes`` the tests to run, in that order. ``demands``
    is what must be seen of each, ``copies`` which of the task's tests it is a copy of; ``tests`` maps each of
    these to a right copy. ``guesses`` is how often a fair coin decided which of two copies is right, of a
    test that fails at the base. ``blind`` is the chance that all answers to an oracle's cases are guessed, of
    those that the base gets wrong.
    """

    files: Mapping[str, bytes]
    nodes: tuple[str, ...]
    demands: Mapping[str, Demand]
    copies: Mapping[str, str]
    tests: Mapping[str, str]
    guesses: int
    blind: float = 1.0

    @property
    def forge_probability(self) -> float:
        """Chance that a report is believed which was made by one who can neither tell right from wrong copies
        nor knows an answer; 1 if there are none."""
        return self.blind * 0.5**self.guesses


@lru_cache(maxsize=256)
def deck_of(task: Task) -> Deck:
    """The deck of a task; reading its tests takes some milliseconds, which all who grade it share."""
    return Deck(task)


class Deck:
    """The hidden tests of ``task`` and their twins, from which one draw is made for each grading."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._failing = frozenset(task.manifest.tests.fail_to_pass)
        oracle = task.oracle.select(task.manifest.tests.fail_to_pass) if task.oracle else ()
        self._blind = forge_bound(oracle, task.instruction)
        cases: dict[str, list[str]] = {}
        for node in task.expected:
            test, case = split_case(node)
            cases.setdefault(test, []).append(case)
        self._cases: Mapping[str, Sequence[str]] = cases
        twins = {test: each for test, each in task.twins.of(task.hidden).items() if test in cases}
        self._files = {path: TestFile(task.hidden[path]) for path in {path_of(test) for test in twins}}
        self._twins = {
            test: _of_cases(each, cases[test])
            for test, each in twins.items()
            if self._is_free(test) and set(cases[test]) <= set(each.cases)
        }

    def draw(self, secret: Random) -> Draw:
        """One draw; the same for the same state of ``secret``."""
        used = self._used(secret)
        files = dict(self._task.hidden)
        nodes: list[str] = []
        demands: dict[str, Demand] = {}
        copies: dict[str, str] = {}
        tests: dict[str, str] = {}
        guesses = 0
        by_file: dict[str, list[str]] = {}
        for test in self._cases:
            by_file.setdefault(path_of(test), []).append(test)
        for path in secret.sample(list(by_file), len(by_file)):
            hands = [self._hand(test, test in used, secret) for test in by_file[path]]
            made = [copy for hand in hands for copy in hand.made]
            if made:
                files[path] = self._files[path].written(secret.sample(made, len(made)))
            run = [node for hand in hands for node in hand.demands]
            nodes += secret.sample(run, len(run))
            for hand in hands:
                demands |= hand.demands
                copies |= hand.copies
                tests |= hand.tests
                guesses += sum(not self._failing.isdisjoint(decided) for decided in hand.coins)
        return Draw(files, tuple(nodes), demands, copies, tests, guesses, self._blind)

    def _used(self, secret: Random) -> frozenset[str]:
        """Tests whose twins are used: all that fail at the base, and some that do not."""
        usable = [test for test, twins in self._twins.items() if twins.changes]
        failing = {split_case(node)[0] for node in self._failing}
        kept = [test for test in usable if test not in failing]
        return frozenset({*secret.sample(kept, min(len(kept), KEPT_TWINS)), *failing.intersection(usable)})

    def _is_free(self, test: str) -> bool:
        """Whether a test may have another name, and a copy."""
        path, _, name = test.partition("::")
        file = self._files.get(path)
        return file is not None and name in file.tests and name not in file.fixed

    def _hand(self, test: str, twinned: bool, secret: Random) -> _Hand:
        cases = self._cases[test]
        if not self._is_free(test):
            return _alone(test, test, cases, ())
        home, _, _ = test.rpartition("::")
        first, second = (f"{home}::test_{secret.getrandbits(48):012x}" for _ in range(2))
        if not twinned:
            return _alone(test, first, cases, (_copy(test, first, ()),))
        return _dealt(test, self._twins[test], cases, (first, second), secret)


@dataclass(frozen=True)
class _Hand:
    """What is drawn for one test: the copies that are ``made`` of it, and for each coin that was thrown the
    tests of the task whose right copy it decided; the rest is as in ``Draw``."""

    made: tuple[Copy, ...]
    demands: Mapping[str, Demand]
    copies: Mapping[str, str]
    tests: Mapping[str, str]
    coins: Sequence[Sequence[str]] = ()


def _alone(test: str, node: str, cases: Sequence[str], made: tuple[Copy, ...]) -> _Hand:
    """A test without a twin, which runs as ``node``."""
    tests = {test + case: node + case for case in cases}
    copies = {copy: own for own, copy in tests.items()}
    return _Hand(made, dict.fromkeys(copies, "passed"), copies, tests)


def _dealt(
    test: str, twins: TestTwins, cases: Sequence[str], nodes: tuple[str, str], secret: Random
) -> _Hand:
    """Two copies, and for each change one of them that has it."""
    changes = _independent(twins, secret)
    sides = [secret.getrandbits(1) for _ in changes]
    demands: dict[str, Demand] = {}
    copies: dict[str, str] = {}
    tests: dict[str, str] = {}
    coins: list[list[str]] = [[] for _ in changes]
    for case in cases:
        number = twins.cases.index(case)
        right = 0
        for change, side, coin in zip(changes, sides, coins, strict=True):
            other = nodes[side] + change.fails.get(number, case)
            if number in change.fails:
                demands[other] = "failed"
                if not change.weak:
                    coin.append(test + case)
            elif not change.by_case:  # it runs in both, lest it tells which one is changed
                demands[other] = "passed"
            else:
                continue
            copies[other] = test + case
            right = 1 - side
        tests[test + case] = nodes[right] + case
        demands[nodes[right] + case] = "passed"
        copies[nodes[right] + case] = test + case
    made = [
        tuple((change.at, change.wrong) for change, its in zip(changes, sides, strict=True) if its == side)
        for side in (0, 1)
    ]
    two = tuple(_copy(test, node, changed) for node, changed in zip(nodes, made, strict=True))
    return _Hand(two, demands, copies, tests, coins)


def _independent(twins: TestTwins, secret: Random) -> Sequence[Change]:
    """One change of the whole test, or as many as there can be of cases of their own."""
    order = secret.sample(twins.changes, len(twins.changes))
    separate = [change for change in order if change.by_case]
    if not separate:
        return order[:1]
    found = []
    taken: set[int] = set()
    names = set(twins.cases)
    for change in separate:
        new = {case for number, case in change.fails.items() if case != twins.cases[number]}
        if taken.isdisjoint(change.fails) and names.isdisjoint(new):
            taken |= set(change.fails)
            names |= new
            found.append(change)
    return found


def _of_cases(twins: TestTwins, cases: Sequence[str]) -> TestTwins:
    """What is left of ``twins`` if only ``cases`` are run."""
    numbers = {twins.cases.index(case) for case in cases}
    left = (
        change.model_copy(update={"fails": {n: case for n, case in change.fails.items() if n in numbers}})
        for change in twins.changes
    )
    return twins.model_copy(update={"changes": tuple(change for change in left if change.fails)})


def _copy(test: str, node: str, changes: tuple[tuple[Place, str], ...]) -> Copy:
    return Copy(test.partition("::")[2], node.rpartition("::")[2], changes)


def path_of(node: str) -> str:
    """The file of a node id."""
    return node.partition("::")[0]


def split_case(node: str) -> tuple[str, str]:
    """A node id's test, and its case: ``"t.py::test_x[1-a]"`` is ``("t.py::test_x", "[1-a]")``."""
    path, colons, rest = node.partition("::")
    name, bracket, case = rest.partition("[")
    return path + colons + name, bracket + case
