"""Finds out which twins a task's hidden tests can have, by trying them.

A wrong copy is fit if it fails by an assertion of its own on the reference solution, each time and whatever
runs before it, and fails at the base just where the right one does: or it would tell whoever runs the base's
code which copy is wrong.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from random import Random

from deepgym_envs.authoring.mutant_values import SECONDS, Observed, observe
from deepgym_envs.authoring.proposals import Proposal, Proposals
from deepgym_envs.authoring.sites import Site, sites
from deepgym_envs.authoring.tells import alone, failed_line
from deepgym_envs.errors import TaskError
from deepgym_envs.grade import Deck, SecretRandom, TaskRun, TaskRuns
from deepgym_envs.grade.deck import PLACES, path_of, split_case
from deepgym_envs.grade.test_file import Copy, TestFile
from deepgym_envs.sandbox import Backend
from deepgym_envs.state import WorkspaceState
from deepgym_envs.task import Task
from deepgym_envs.twin import NO_TWINS, Change, Place, TestTwins, Twins, file_digest

REPEATS = 3  # how often each copy is run on the solution
DRAWS = 6  # whole draws that the solution must pass, one after the other
TRIED = 4  # wrong values at each place
KEPT, KEPT_OF_CASE = 4, 2  # changes, of a whole test and of one of its cases
_CASES = 24  # of a test, that get twins of their own
_CASES_TRIED = 12  # of a test, where only some tests are looked at
_BATCH = 100  # copies that are run at a time
_FRAME = re.compile(r'^ *File "(.*)", line \d+, in (\S+)$', re.MULTILINE)
_ASSERTING = re.compile(r"[/\\](_pytest|unittest)[/\\]")
_ERROR = re.compile(r"^(AssertionError|Failed)\b", re.MULTILINE)


def find_twins(task: Task, backend: Backend, seed: int = 0, most: int | None = None) -> Twins:
    """The twins of ``task``'s hidden tests that were seen to be fit, in the order of the tests.

    The same for the same ``seed``, but for what depends on time or chance in the tests. A task of kind
    ``tests`` has none. ``most`` tries to find them for so many tests that fail at the base, drawn by chance,
    and for a third as many others, and for some cases of each; None for all.

    Raises:
        TaskError: the hidden tests do not pass on the reference solution.
        SandboxError: they could not be run.
    """
    if task.manifest.kind == "tests":
        return NO_TWINS
    chance = Random(f"twins {seed} {task.id}")
    paths = dict.fromkeys(path for path in map(path_of, task.expected) if path.endswith(".py"))
    files = {path: TestFile(task.hidden[path]) for path in paths}
    found = _places(task, files, most, chance)
    # Nobody has read what a mutant does, so none is run where nothing would keep it.
    seconds = 0.0 if backend.name == "local" else SECONDS
    with TaskRuns(task, backend) as runs:
        observed = observe(task, runs, files, found, chance, seconds)
        trials = list(_trials(files, found, observed, chance))
        fit: dict[str, list[_Fit]] = {}
        for start in range(0, len(trials), _BATCH):
            for tried in _tried(task, runs, files, trials[start : start + _BATCH], chance):
                fit.setdefault(tried.trial.test, []).append(tried)
        tests = [_of_test(test, tried) for test, tried in fit.items()]
        digests = {path: file_digest(task.hidden[path]) for path in files}
        return _confirmed(task, runs, Twins(files=digests, tests=tuple(tests)), chance)


def coins_at_most(hidden: Mapping[str, bytes], failing: Collection[str]) -> int:
    """How many coins the twins of ``failing`` tests can be worth, by what is written in them alone.

    Tests that no file of ``hidden`` defines, or whose file cannot be read, have no twins.
    """
    cases = Counter(split_case(node)[0] for node in failing)
    coins = 0
    for path in {path_of(test) for test in cases} & hidden.keys():
        try:
            file = TestFile(hidden[path])
        except ValueError:
            continue
        for name in file.tests.keys() - file.fixed:
            number = cases[f"{path}::{name}"]
            places = [site for site in sites(file, name) if site.sort == "value"] if number else []
            of_cases = sum(site.by_case for site in places)
            lines = len({site.at[0] for site in places if not site.by_case})
            coins += max(min(number, of_cases), min(PLACES, lines))
    return coins


@dataclass(frozen=True)
class _Trial:
    """A copy to be tried: of ``test``, under ``name``, with what is ``proposed`` at ``site``."""

    test: str
    name: str
    site: Site
    proposed: Proposal

    @property
    def node(self) -> str:
        return f"{self.test.rpartition('::')[0]}::{self.name}"

    @property
    def copies(self) -> Iterator[Copy]:
        """What is run for it: the wrong copy; and one that passes unless the exception that is expected in
        that is a kind of the right one, which a right solution might raise."""
        test, right, wrong = _name(self.test), self.site.expression, self.proposed.wrong
        yield Copy(test, self.name, ((self.site.at, wrong),))
        if self.site.sort == "exception":
            narrow = f"{wrong} if issubclass({wrong}, {right}) else {right}"
            yield Copy(test, f"{self.name}_narrow", ((self.site.at, narrow),))


@dataclass(frozen=True)
class _Fit:
    """A copy that failed as it should, in the cases ``fails``, of a test that has ``cases``."""

    trial: _Trial
    cases: tuple[str, ...]
    fails: Mapping[int, str]

    @property
    def nodes(self) -> list[str]:
        """What has to fail."""
        return [self.trial.node + case for case in self.fails.values()]


def _places(
    task: Task, files: Mapping[str, TestFile], most: int | None, chance: Random
) -> Mapping[str, Sequence[Site]]:
    """The places of each test of the task that may have copies."""
    failing = list(dict.fromkeys(split_case(node)[0] for node in task.manifest.tests.fail_to_pass))
    expected = dict.fromkeys(split_case(node)[0] for node in task.expected)
    if most is not None:
        others = [test for test in expected if test not in failing]
        chosen = chance.sample(failing, min(most, len(failing)))
        expected = dict.fromkeys([*chosen, *chance.sample(others, min(most // 3, len(others)))])
    found = {
        f"{path}::{test}": sites(file, test)
        for path, file in files.items()
        for test in file.tests
        if f"{path}::{test}" in expected and test not in file.fixed
    }
    if most is None:
        return found
    cases: dict[str, list[str]] = {test: [] for test in found}
    for test, case in map(split_case, task.manifest.tests.fail_to_pass):
        cases.setdefault(test, []).append(case)
    return {test: _some(places, cases[test], chance) for test, places in found.items()}


def _some(places: Sequence[Site], failing: Sequence[str], chance: Random) -> Sequence[Site]:
    """Not the places of all cases, as each copy has every case of its test; first of those whose value is
    part of the id of a ``failing`` case."""
    of_cases = [site for site in places if site.by_case]
    near = [site for site in of_cases if any(site.expression.strip("'\"") in case for case in failing)]
    far = [site for site in of_cases if site not in near]
    chosen = [*chance.sample(near, len(near)), *chance.sample(far, len(far))][:_CASES_TRIED]
    return [site for site in places if not site.by_case or site in chosen]


def _trials(
    files: Mapping[str, TestFile], found: Mapping[str, Sequence[Site]], observed: Observed, chance: Random
) -> Iterator[_Trial]:
    number = 0
    for path, file in files.items():
        own = {test: places for test, places in found.items() if path_of(test) == path}
        proposals = Proposals(own, observed, chance)
        for test, places in own.items():
            for site in places:
                for proposal in islice(proposals.at(test, file.tests[_name(test)], site), TRIED):
                    number += 1
                    yield _Trial(test, f"test_{number:06d}", site, proposal)


def _tried(
    task: Task, runs: TaskRuns, files: Mapping[str, TestFile], trials: Sequence[_Trial], chance: Random
) -> Iterator[_Fit]:
    """Those of ``trials`` that are fit."""
    gold = task.gold.only(task.may_edit)
    tests = dict.fromkeys(trial.test for trial in trials)
    copies = [(path_of(test), Copy(_name(test), test.rpartition("::")[2])) for test in tests]
    copies += [(path_of(trial.test), copy) for trial in trials for copy in trial.copies]
    written = _written(task, files, copies)
    first = runs.tried(gold, _nodes(copies), written)
    if not first.report.complete:
        raise TaskError(f"{task.id}: tests/: do not come to their end with the solution and twins in them")
    cases = _cases(first)
    found = [fit for trial in trials if (fit := _fit(trial, first, cases)) is not None]
    nodes = [node for fit in found for node in fit.nodes]
    for _ in range(REPEATS - 1 if nodes else 0):
        again = runs.tried(gold, chance.sample(nodes, len(nodes)), written)
        found = [fit for fit in found if all(again.outcome(node) == "failed" for node in fit.nodes)]
    if found:
        yield from _untold(task, runs, files, found)


def _untold(
    task: Task, runs: TaskRuns, files: Mapping[str, TestFile], found: Sequence[_Fit]
) -> Iterator[_Fit]:
    """Those of ``found`` that do at the base as the right copy does, wherever that fails there as well.

    Whoever has the base's code can try each assertion by itself, so that is what is done here.
    """
    copies = []
    for fit in found:
        path, test, site = path_of(fit.trial.test), _name(fit.trial.test), fit.trial.site
        others = alone(files[path].tests[test], site.at)
        change = site.at, fit.trial.proposed.wrong
        copies.append((path, Copy(test, fit.trial.name, (change,))))
        copies.append((path, Copy(test, f"{fit.trial.name}_alone", (*others, change))))
        copies.append((path, Copy(test, f"{fit.trial.name}_right", others)))
    written = _written(task, files, copies)
    there = {path: TestFile(written[path]) for path in dict(copies)}
    base = runs.tried(WorkspaceState(task.base), _nodes(copies), written)

    def seen(node: str) -> tuple[str, int | None]:
        path, _, name = split_case(node)[0].partition("::")
        return base.outcome(node), failed_line(base.report.details.get(node, ""), there[path].tests[name])

    for fit in found:
        test, node = fit.trial.test, fit.trial.node
        cases = [(fit.cases[number], case) for number, case in fit.fails.items()]
        failing = [pair for pair in cases if test + pair[0] in task.manifest.tests.fail_to_pass]
        if all(
            "passed" not in (base.outcome(node + wrong), base.outcome(f"{node}_alone{wrong}"))
            for _, wrong in cases
        ) and all(seen(f"{node}_right{right}") == seen(f"{node}_alone{wrong}") for right, wrong in failing):
            yield fit


def _written(
    task: Task, files: Mapping[str, TestFile], copies: Sequence[tuple[str, Copy]]
) -> Mapping[str, bytes]:
    """The hidden files, with ``copies`` in those that they belong to."""
    by_path: dict[str, list[Copy]] = {}
    for path, copy in copies:
        by_path.setdefault(path, []).append(copy)
    return {**task.hidden, **{path: files[path].written(its) for path, its in by_path.items()}}


def _nodes(copies: Sequence[tuple[str, Copy]]) -> list[str]:
    """The node ids of ``copies``: the rest of a file may take longer than all of them."""
    return [f"{f'{path}::{copy.test}'.rpartition('::')[0]}::{copy.name}" for path, copy in copies]


def _name(test: str) -> str:
    return test.partition("::")[2]


def _cases(run: TaskRun) -> Mapping[str, Sequence[str]]:
    """Of each test that was run, the ids of its cases in their order."""
    cases: dict[str, list[str]] = {}
    for node in run.report.outcomes:
        test, case = split_case(node)
        cases.setdefault(test, []).append(case)
    return cases


def _fit(trial: _Trial, run: TaskRun, cases: Mapping[str, Sequence[str]]) -> _Fit | None:
    """What is known of a copy after its first run; None if it is not fit."""
    right, wrong = cases.get(trial.test, ()), cases.get(trial.node, ())
    if len(right) != len(wrong):
        return None
    fails: dict[int, str] = {}
    for number, (case, other) in enumerate(zip(right, wrong, strict=True)):
        outcome = run.outcome(trial.node + other)
        if (
            outcome == "failed"
            and run.outcome(trial.test + case) == "passed"
            and _by_itself(trial, run, other)
            and run.outcome(f"{trial.node}_narrow{case}") in ("passed", "missing")
        ):
            fails[number] = other
        elif outcome != run.outcome(trial.test + case) or case != other:
            return None
    return _Fit(trial, tuple(right), fails) if fails else None


def _by_itself(trial: _Trial, run: TaskRun, case: str) -> bool:
    """Whether a copy failed by an assertion of its own, or of a function for that, not in what it calls."""
    if trial.site.sort == "exception":
        return True  # where another type is expected, the right exception comes from below
    told = run.report.details.get(trial.node + case, "")
    frames = [name for path, name in _FRAME.findall(told) if not _ASSERTING.search(path)]
    while frames and frames[-1].startswith("assert"):
        frames.pop()
    return frames[-1:] in ([trial.name], []) and _ERROR.search(told) is not None


def _of_test(test: str, found: Sequence[_Fit]) -> TestTwins:
    """The best of what is fit for one test: cases of their own, or else one change of the whole test."""
    separate = [fit for fit in found if fit.trial.site.by_case]
    sort = found[0].trial.site.sort  # they come with the best sort first
    if separate:
        kept = [fit for own in list(_by_place(separate))[:_CASES] for fit in _best(own)[:KEPT_OF_CASE]]
    else:
        same = [fit for fit in found if fit.trial.site.sort == sort]
        kept = list(_in_turns(_best(same)))[:KEPT]
    changes = (
        Change(
            at=fit.trial.site.at,
            wrong=fit.trial.proposed.wrong,
            fails=dict(fit.fails),
            by_case=bool(separate),
            weak=fit.trial.site.sort != "value" or fit.trial.proposed.told,
            mutants=fit.trial.proposed.mutants,
        )
        for fit in kept
    )
    return TestTwins(test=test, cases=found[0].cases, changes=tuple(changes))


def _best(found: Sequence[_Fit]) -> Sequence[_Fit]:
    """Those that the base's code does not tell, or else all; of each place those that mutants gave, or else
    all."""
    untold = [fit for fit in found if not fit.trial.proposed.told] or found
    given = {fit.trial.site.at for fit in untold if fit.trial.proposed.mutants}
    return [fit for fit in untold if fit.trial.proposed.mutants or fit.trial.site.at not in given]


def _by_place(found: Sequence[_Fit]) -> Collection[Sequence[_Fit]]:
    by_place: dict[Place, list[_Fit]] = {}
    for fit in found:
        by_place.setdefault(fit.trial.site.at, []).append(fit)
    return by_place.values()


def _in_turns(found: Sequence[_Fit]) -> Iterator[_Fit]:
    """One of each place, then the second of each, and so on."""
    by_place = _by_place(found)
    for number in range(max(map(len, by_place))):
        yield from (each[number] for each in by_place if number < len(each))


def _confirmed(task: Task, runs: TaskRuns, twins: Twins, chance: Random) -> Twins:
    """``twins`` without those of tests that did otherwise in a whole draw than when they were tried."""
    gold = task.gold.only(task.may_edit)
    steady = 0
    while steady < DRAWS and twins.tests:
        draw = Deck(replace(task, content=replace(task.files, twins=twins))).draw(
            SecretRandom(chance.randbytes(16))
        )
        run = runs.drawn(gold, draw)
        steady += 1
        if run.reason != "passed":
            steady = 0
            odd = {draw.copies[node] for node, demand in draw.demands.items() if run.outcome(node) != demand}
            twins = _without(twins, {split_case(node)[0] for node in odd})
    return twins


def _without(twins: Twins, tests: Collection[str]) -> Twins:
    """``twins`` without those of ``tests``; of whole files, where they have none themselves."""
    left = [each for each in twins.tests if each.test not in tests]
    if len(left) == len(twins.tests):
        files = set(map(path_of, tests)) or set(twins.files)
        left = [each for each in left if path_of(each.test) not in files]
    return twins.model_copy(update={"tests": tuple(left)})
