"""Draws what is run for one grading: the hidden tests and their twins, under names that nobody can guess.

Of each test that has twins two copies are run, one of which is wrong; or more, where few tests fail at the
base: expected values at two or three places of the test are right or wrong in all combinations, and one copy
has them all right. A report is believed only if it has exactly the outcomes that the draw demands, the
failures of the wrong copies among them. Code that makes everything pass (it patches pytest, forges the
report, returns an object that is equal to everything, or reads what it is compared with) makes the wrong
copies pass too. Which copy is the right one is known to the host alone: names, order and the places of the
changes are drawn from a secret that enters no box.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from random import Random
from typing import Literal

from deepgym_envs.grade.blind import forge_bound
from deepgym_envs.grade.test_file import Copy, TestFile
from deepgym_envs.task import Task
from deepgym_envs.twin import Change, Place, TestTwins

KEPT_TWINS = 12  # of tests that pass at the base too, which guard against less: at most so many
COINS = 8  # wanted of a whole draw; where fewer tests than this fail at the base, each has several
PLACES = 3  # of one test that are right or wrong by coins of their own, in 2**3 copies

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
    these to a right copy. ``guesses`` is how many fair coins decided which copy is right, of tests that fail
    at the base. ``blind`` is the chance that all answers to an oracle's cases are guessed, of
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
        failing = {split_case(node)[0] for node in self._failing}
        self._broken = frozenset(
            test for test, each in self._twins.items() if each.changes and test in failing
        )

    def draw(self, secret: Random) -> Draw:
        """One draw; the same for the same state of ``secret``."""
        files = dict(self._task.hidden)
        nodes: list[str] = []
        demands: dict[str, Demand] = {}
        copies: dict[str, str] = {}
        tests: dict[str, str] = {}
        guesses = 0
        used = self._used(secret)
        places = min(PLACES, -(-COINS // (len(used & self._broken) or 1)))
        by_file: dict[str, list[str]] = {}
        for test in self._cases:
            by_file.setdefault(path_of(test), []).append(test)
        for path in secret.sample(list(by_file), len(by_file)):
            hands = [
                self._hand(test, secret, places if test in self._broken else 1 if test in used else 0)
                for test in by_file[path]
            ]
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
        kept = [test for test, twins in self._twins.items() if twins.changes and test not in self._broken]
        return self._broken.union(secret.sample(kept, min(len(kept), KEPT_TWINS)))

    def _is_free(self, test: str) -> bool:
        """Whether a test may have another name, and a copy."""
        path, _, name = test.partition("::")
        file = self._files.get(path)
        return file is not None and name in file.tests and name not in file.fixed

    def _hand(self, test: str, secret: Random, places: int) -> _Hand:
        """The copies of ``test``, in which so many places may be wrong; of 0 it has one, which is right."""
        cases = self._cases[test]
        if not self._is_free(test):
            return _alone(test, test, cases, ())
        home, _, _ = test.rpartition("::")
        changes = _independent(self._twins[test], secret, places) if places else ()
        made = _mixed(changes, secret)
        nodes = [f"{home}::test_{secret.getrandbits(48):012x}" for _ in made]
        if not changes:
            return _alone(test, nodes[0], cases, (_copy(test, nodes[0], ()),))
        return _dealt(test, self._twins[test], cases, changes, dict(zip(nodes, made, strict=True)))


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
    test: str,
    twins: TestTwins,
    cases: Sequence[str],
    changes: Sequence[Change],
    made: Mapping[str, Collection[Change]],
) -> _Hand:
    """What comes of the copies ``made`` of a test, by their nodes, with some of the ``changes`` in each."""
    demands: dict[str, Demand] = {}
    copies: dict[str, str] = {}
    tests: dict[str, str] = {}
    for case in cases:
        number = twins.cases.index(case)
        whole = not any(change.by_case for change in changes if number not in change.fails)
        for node, its in made.items():
            wrong = [change.fails[number] for change in its if number in change.fails]
            if wrong:
                demands[node + wrong[0]] = "failed"
                copies[node + wrong[0]] = test + case
            elif test + case not in tests or whole:  # all are run, lest it tells which are changed
                demands[node + case] = "passed"
                copies[node + case] = test + case
                tests.setdefault(test + case, node + case)
    coins = [
        [test + case for case in cases if twins.cases.index(case) in change.fails and not change.weak]
        for change in changes
    ]
    there = tuple(
        _copy(test, node, tuple((change.at, change.wrong) for change in its)) for node, its in made.items()
    )
    return _Hand(there, demands, copies, tests, coins)


def _independent(twins: TestTwins, secret: Random, places: int) -> Sequence[Change]:
    """Changes that are made independently of each other: of cases of their own, or else at up to ``places``
    places of the whole test."""
    order = secret.sample(twins.changes, len(twins.changes))
    separate = [change for change in order if change.by_case]
    if not separate:
        return _of_whole(twins, order, places)
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


def _of_whole(twins: TestTwins, order: Sequence[Change], places: int) -> Sequence[Change]:
    """The first of ``order``, and others on other lines that can be wrong together with it."""
    found = list(order[:1])
    for change in order[1:]:
        apart = all(change.at[0] > each.at[2] or change.at[2] < each.at[0] for each in found)
        plain = not any(
            each.weak or any(twins.cases[number] != case for number, case in each.fails.items())
            for each in (*found, change)
        )
        if apart and plain and len(found) < places:
            found.append(change)
    return found


def _mixed(changes: Sequence[Change], secret: Random) -> Sequence[Collection[Change]]:
    """Which of ``changes`` are in each copy, in no order that tells anything.

    Those of cases of their own are in one of two copies each, drawn by a coin; others come in all
    combinations.
    """
    if any(change.by_case for change in changes):
        sides = [secret.getrandbits(1) for _ in changes]
        return [
            [change for change, its in zip(changes, sides, strict=True) if its == side] for side in (0, 1)
        ]
    some = [list(chosen) for size in range(len(changes) + 1) for chosen in combinations(changes, size)]
    return secret.sample(some, len(some))


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
