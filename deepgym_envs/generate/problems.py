"""A change taken apart into the problems that it mends, each with the least of the change that mends it.

The tests run before and after the change. Of those that begin to pass one is taken at a time; the change is
made as small as it can be with that test still passing, and whatever else passes with it belongs to the same
problem.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from random import Random

from deepgym_envs.authoring.twins import coins_at_most
from deepgym_envs.generate.candidate import Rejected
from deepgym_envs.generate.hunks import Hunk, apply_hunks, minimise
from deepgym_envs.grade import TaskRun, TaskRuns
from deepgym_envs.state import Tree, WorkspaceState
from deepgym_envs.task import Kind

MOST_SECONDS = 30.0
MOST_RUNS = 120  # to make one change small
KEPT = 300  # tests that pass before, which a fix alone must not break
ALONE = 4  # coins that the tests of a fix may be worth, so that it is tried as a task of its own
HOPED = 6  # and those of the fixes of one task, where they come together
TOGETHER = 4  # fixes in one task


@dataclass(frozen=True)
class Fix:
    """The hunks of a fix, the tests that it makes pass, by problem, and how many runs it took to find it."""

    hunks: tuple[Hunk, ...]
    problems: tuple[tuple[str, ...], ...]
    kind: Kind
    runs: int

    @property
    def tests(self) -> tuple[str, ...]:
        """All that it makes pass."""
        return tuple(chain.from_iterable(self.problems))


class Split:
    """Takes the change of ``base`` that ``hunks`` make apart into fixes that stand alone.

    Raises:
        Rejected: the tests do not run to their end, or none begins to pass.
    """

    def __init__(self, runs: TaskRuns, base: Tree, hunks: tuple[Hunk, ...], chance: Random) -> None:
        self._runs, self._base, self._hunks = runs, base, hunks
        self._solved = self._whole(runs.hidden(apply_hunks(base, hunks)))
        self._before = self._whole(runs.hidden(WorkspaceState(base)))
        failing = [
            node for node in self._solved.report.passed if self._before.outcome(node) in ("failed", "error")
        ]
        self._left = chance.sample(failing, len(failing))
        keeping = [node for node in self._solved.report.passed if self._before.outcome(node) == "passed"]
        self._keeping = chance.sample(keeping, min(KEPT, len(keeping)))
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

    def tasks(self, tests: Mapping[str, bytes], count: int) -> Iterator[Fix | Rejected]:
        """Of up to ``count`` fixes, what becomes one task each, and why others could not be found.

        ``tests`` are the files of the tests: problems of which they compare little come together.
        """
        found: list[Fix] = []
        for _, fix in zip(range(count), self._fixes(), strict=False):
            if isinstance(fix, Rejected):
                yield fix
            else:
                found.append(fix)
        for group in _groups(found, tests):
            whole = group[0] if len(group) == 1 else self._together(group)
            yield from group if whole is None else [whole]

    def _fixes(self) -> Iterator[Fix | Rejected]:
        """One fix at a time, until every test that fails before belongs to one."""
        while self._left:
            test = self._left[0]
            try:
                yield self._fix(test)
            except Rejected as why:
                self._left.remove(test)
                yield why

    def _fix(self, test: str) -> Fix:
        counted = self._runs.count
        hunks, run = self._mending((test,), self._hunks)
        passing = tuple(node for node in self._left if run.outcome(node) == "passed")
        if test not in passing:
            raise Rejected("flaky", f"{test} passes at times")
        self._left = [node for node in self._left if node not in passing]
        return Fix(hunks, (passing,), self._kind(passing), self._runs.count - counted)

    def _together(self, fixes: Sequence[Fix]) -> Fix | None:
        """``fixes`` as one, if they get on with each other and each hunk is still needed."""
        counted = self._runs.count
        wanted = [node for fix in fixes for node in fix.tests]
        every = {hunk for fix in fixes for hunk in fix.hunks}
        ordered = tuple(hunk for hunk in self._hunks if hunk in every)
        run = self._runs.hidden(apply_hunks(self._base, ordered), [*wanted, *self._keeping])
        if self._harmed(run) or any(run.outcome(node) != "passed" for node in wanted):
            return None
        try:
            hunks, _ = self._mending(wanted, ordered)
        except Rejected:
            return None
        kind: Kind = "bug" if any(fix.kind == "bug" for fix in fixes) else "feature"
        runs = sum(fix.runs for fix in fixes) + self._runs.count - counted
        return Fix(hunks, tuple(fix.tests for fix in fixes), kind, runs)

    def _mending(self, tests: Sequence[str], among: tuple[Hunk, ...]) -> tuple[tuple[Hunk, ...], TaskRun]:
        """The least of ``among`` that makes ``tests`` pass and breaks no other; and a run with it."""
        asked = [*dict.fromkeys((*tests, *self._left)), *self._keeping]
        harmed: list[str] = []
        for _ in range(2):
            hunks = self._smallest((*tests, *harmed), among)
            run = self._runs.hidden(apply_hunks(self._base, hunks), asked)
            harmed = self._harmed(run)
            if not harmed:
                return hunks, run
        raise Rejected("solution_fails", f"what mends {tests[0]} alone breaks what other tests ask for")

    def _harmed(self, run: TaskRun) -> list[str]:
        return [node for node in self._keeping if run.outcome(node) != "passed"]

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


def _groups(fixes: Sequence[Fix], tests: Mapping[str, bytes]) -> Iterator[Sequence[Fix]]:
    """What becomes one task: a fix whose tests compare enough, or a few that lie near each other.

    One whose tests compare nothing stays alone: in a report that is true of the others, it could be made up.
    """
    worth = {fix: coins_at_most(tests, fix.tests) for fix in fixes}
    group: list[Fix] = []
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
