"""What the authors of a package mended between two of its releases, one problem at a time.

The tests of the later release run on the source of the earlier one. Of those that fail there and pass later,
one is taken at a time; the change between the releases is made as small as it can be with that test still
passing, and whatever else passes with it belongs to the same task. So each hunk of a solution is needed.
Problems whose tests compare so little that a made-up report would be believed come together in one task.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, pairwise
from random import Random

from packaging.utils import canonicalize_name

from deepgym_envs.authoring.twins import coins_at_most
from deepgym_envs.content import BEFORE
from deepgym_envs.generate.candidate import Candidate, Refusal, Rejected
from deepgym_envs.generate.environment import import_roots, make_recipe, recipe_of_time, with_metadata
from deepgym_envs.generate.hunks import Hunk, apply_hunks, hunks_of, minimise
from deepgym_envs.generate.missing_names import collected_before
from deepgym_envs.generate.probe import probe_task
from deepgym_envs.grade import TaskRun, TaskRuns
from deepgym_envs.layout import hidden_tests, role, tests_of
from deepgym_envs.package_index import releases
from deepgym_envs.recipe import RepoRecipe, SdistSource
from deepgym_envs.sandbox import Backend
from deepgym_envs.source import release_tree
from deepgym_envs.state import File, Tree, WorkspaceState
from deepgym_envs.task import Kind

AFTER = "after"
MOST_SECONDS = 30.0
MOST_RUNS = 120  # to make one change small
MOST_HUNKS = 400
ALONE = 4  # coins that the tests of a fix may be worth, so that it is tried as a task of its own
HOPED = 6  # and those of the fixes of one task, where they come together
TOGETHER = 4  # fixes in one task


@dataclass(frozen=True)
class Pair:
    """Two consecutive releases, and when the later one was uploaded, if the index tells it."""

    before: SdistSource
    after: SdistSource
    uploaded: datetime | None = None


def pairs_of_releases(name: str, count: int) -> Sequence[Pair]:
    """The last ``count`` pairs of consecutive final releases of the package ``name``, the newest first.

    Raises:
        Rejected: it has no two.
    """
    found = [
        (SdistSource(kind="sdist", name=each.name, version=each.version, sha256=each.sha256), each.uploaded)
        for each in releases(name)
        if each.sha256
    ]
    if len(found) < 2:
        raise Rejected("no_release", "the index has less than two source releases of it")
    pairs = [Pair(before, after, uploaded) for (before, _), (after, uploaded) in pairwise(found)]
    return pairs[::-1][:count]


def released_fixes(
    pair: Pair, usual: RepoRecipe | None, backend: Backend, *, count: int, seed: int = 0
) -> Iterator[Candidate | Refusal]:
    """Up to ``count`` candidates from what changed between two releases; in the place of one that cannot be
    made, what it would have been called and why.

    Without a ``usual`` recipe one is made from the later release's metadata. Tests run with a pytest of their
    time.

    Raises:
        Rejected: no task can be made of these releases.
        SandboxError: the tests could not be run.
    """
    before, after = pair.before, pair.after
    old, new = release_tree(before), release_tree(after)
    recipe = recipe_of_time(new, usual or make_recipe(new, after), pair.uploaded)
    base = with_metadata(old, recipe)
    changes = _changes(base, new)
    tests = hidden_tests(new, tests_of(new))
    hunks = hunks_of(base, changes)
    if not hunks or not tests:
        raise Rejected("no_change", "no source differs between the releases")
    if len(hunks) > MOST_HUNKS:
        raise Rejected("too_large", f"{len(hunks)} hunks differ between the releases")
    tests = collected_before(recipe, base, tests, backend)
    with TaskRuns(probe_task(recipe, base, tests), backend) as runs:
        split = _Split(runs, base, hunks, Random(f"releases {seed} {before.name} {before.version}"))
        fixes: list[_Fix] = []
        for number, fix in zip(range(count), split.fixes(), strict=False):
            if isinstance(fix, Rejected):
                yield Refusal(f"{canonicalize_name(before.name)}-{before.version}-{number}", fix)
            else:
                fixes.append(fix)
        for group in _groups(fixes, tests):
            whole = group[0] if len(group) == 1 else split.together(group)
            for fix in group if whole is None else (whole,):
                yield _candidate(before, after, recipe, base, tests, fix)


@dataclass(frozen=True)
class _Fix:
    """The hunks of a fix, the tests that it makes pass, by problem, and how many runs it took to find it."""

    hunks: tuple[Hunk, ...]
    problems: tuple[tuple[str, ...], ...]
    kind: Kind
    runs: int

    @property
    def tests(self) -> tuple[str, ...]:
        """All that it makes pass."""
        return tuple(chain.from_iterable(self.problems))


def _groups(fixes: Sequence[_Fix], tests: Mapping[str, bytes]) -> Iterator[Sequence[_Fix]]:
    """What becomes one task: a fix whose tests compare enough, or a few that lie near each other.

    One whose tests compare nothing stays alone: in a report that is true of the others, it could be made up.
    """
    worth = {fix: coins_at_most(tests, fix.tests) for fix in fixes}
    group: list[_Fix] = []
    for fix in sorted(fixes, key=lambda each: (each.hunks[0].path, each.hunks[0].old_start)):
        if not 0 < worth[fix] < ALONE:
            yield [fix]
            continue
        group.append(fix)
        if len(group) == TOGETHER or sum(worth[each] for each in group) >= HOPED:
            yield group
            group = []
    if group:
        yield group


class _Split:
    """Takes a change between releases apart into fixes that stand alone."""

    def __init__(self, runs: TaskRuns, base: Tree, hunks: tuple[Hunk, ...], chance: Random) -> None:
        self._runs, self._base, self._hunks = runs, base, hunks
        self._solved = self._whole(runs.hidden(apply_hunks(base, hunks)))
        self._before = self._whole(runs.hidden(WorkspaceState(base)))
        failing = [
            node for node in self._solved.report.passed if self._before.outcome(node) in ("failed", "error")
        ]
        self._left = chance.sample(failing, len(failing))
        self._keeping = [
            node for node in self._solved.report.passed if self._before.outcome(node) == "passed"
        ]
        if not failing:
            broken = self._before.report.broken
            said = f"{broken[0]} cannot be collected before" if broken else "no test fails before"
            raise Rejected("not_collected" if broken else "nothing_fails", said)

    @staticmethod
    def _whole(run: TaskRun) -> TaskRun:
        if not run.report.complete:
            raise Rejected("not_ended", f"the tests do not end ({run.reason})")
        if run.seconds > MOST_SECONDS:
            raise Rejected("too_slow", f"the tests take {run.seconds:.0f} s")
        return run

    def fixes(self) -> Iterator[_Fix | Rejected]:
        """One fix at a time, until every test that fails before belongs to one."""
        while self._left:
            test = self._left[0]
            try:
                yield self._fix(test)
            except Rejected as why:
                self._left.remove(test)
                yield why

    def _fix(self, test: str) -> _Fix:
        counted = self._runs.count
        hunks = self._smallest((test,), self._hunks)
        run = self._runs.hidden(apply_hunks(self._base, hunks), [*self._left, *self._keeping])
        harmed = [node for node in self._keeping if run.outcome(node) != "passed"]
        if harmed:
            hunks = self._smallest((test, *harmed), self._hunks)
            run = self._runs.hidden(apply_hunks(self._base, hunks), [*self._left, *self._keeping])
            if any(run.outcome(node) != "passed" for node in self._keeping):
                raise Rejected("solution_fails", f"what mends {test} alone breaks what other tests ask for")
        passing = tuple(node for node in self._left if run.outcome(node) == "passed")
        if test not in passing:
            raise Rejected("flaky", f"{test} passes at times")
        self._left = [node for node in self._left if node not in passing]
        return _Fix(hunks, (passing,), self._kind(passing), self._runs.count - counted)

    def together(self, fixes: Sequence[_Fix]) -> _Fix | None:
        """``fixes`` as one, if they get on with each other and each hunk is still needed."""
        counted = self._runs.count
        wanted = [node for fix in fixes for node in fix.tests]
        every = {hunk for fix in fixes for hunk in fix.hunks}
        ordered = tuple(hunk for hunk in self._hunks if hunk in every)
        run = self._runs.hidden(apply_hunks(self._base, ordered), [*wanted, *self._keeping])
        if any(run.outcome(node) != "passed" for node in (*wanted, *self._keeping)):
            return None
        hunks = self._smallest(wanted, ordered)
        kind: Kind = "bug" if any(fix.kind == "bug" for fix in fixes) else "feature"
        runs = sum(fix.runs for fix in fixes) + self._runs.count - counted
        return _Fix(hunks, tuple(fix.tests for fix in fixes), kind, runs)

    def _smallest(self, tests: Sequence[str], among: tuple[Hunk, ...]) -> tuple[Hunk, ...]:
        def passes(hunks: tuple[Hunk, ...]) -> bool:
            run = self._runs.hidden(apply_hunks(self._base, hunks), tests)
            return all(run.outcome(node) == "passed" for node in tests)

        return minimise(among, passes, most_runs=MOST_RUNS)

    def _kind(self, tests: Sequence[str]) -> Kind:
        """A feature, if what most of the tests miss is a name or an argument that is not there yet."""
        missing = ("AttributeError", "ImportError", "NameError")
        asked = [self._before.why(node) for node in tests]
        new = [said for said in asked if said.startswith(missing) or "unexpected keyword argument" in said]
        return "feature" if 2 * len(new) > len(tests) else "bug"


def _changes(base: Tree, new: Tree) -> Mapping[str, File | None]:
    """What differs in the modules that can be imported, in whichever release they are."""
    roots = {f"{root}/{name}".lstrip("/") for tree in (base, new) for root, name in import_roots(tree)}
    paths = [
        path
        for path in sorted({*base, *new})
        if role(path) == "source"
        and any(path == f"{root}.py" or path.startswith(f"{root}/") for root in roots)
    ]
    return {path: new.get(path) for path in paths if _data(base.get(path)) != _data(new.get(path))}


def _data(file: File | None) -> bytes | None:
    return file.data if file else None


def _candidate(
    before: SdistSource,
    after: SdistSource,
    recipe: RepoRecipe,
    base: Tree,
    tests: Mapping[str, bytes],
    fix: _Fix,
) -> Candidate:
    digest = hashlib.sha256(repr([(each.path, each.old_start) for each in fix.hunks]).encode()).hexdigest()
    files = {each.path for each in fix.hunks}
    kind = "cross-module-bug" if fix.kind == "bug" and len(files) > 1 else fix.kind
    return Candidate(
        name=f"{canonicalize_name(before.name)}-{before.version}-{digest[:6]}",
        recipe=recipe,
        base=base,
        solution=apply_hunks(base, fix.hunks),
        hidden=tests,
        kind=kind,
        tags=("release", before.name),
        problems=fix.problems,
        releases={BEFORE: before, AFTER: after},
        proof={
            "source": "release",
            "releases": [before.version, after.version],
            "problems": len(fix.problems),
            "hunks": len(fix.hunks),
            "runs_to_find_them": fix.runs,
        },
    )
