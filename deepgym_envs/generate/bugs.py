"""Bugs put into a release on purpose, where its tests notice them.

Faults of one place each are tried until enough of them make some tests fail, but not many. Two that no test
notices both can be one task, which takes two findings.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from random import Random

from deepgym_envs.authoring.twins import coins_at_most
from deepgym_envs.content import BEFORE
from deepgym_envs.generate.candidate import Candidate, Rejected
from deepgym_envs.generate.environment import import_roots, make_recipe, with_metadata
from deepgym_envs.generate.hunks import apply_hunks, hunks_of
from deepgym_envs.generate.probe import probe_task
from deepgym_envs.generate.settle import FORGEABLE
from deepgym_envs.grade import TaskRun, TaskRuns
from deepgym_envs.layout import hidden_tests, role, tests_of
from deepgym_envs.recipe import RepoRecipe, SdistSource
from deepgym_envs.rewriting.mutation import Mutant, mutants, sample
from deepgym_envs.sandbox import Backend
from deepgym_envs.source import release_tree
from deepgym_envs.state import File, Tree, WorkspaceState

FEWEST = 2  # tests that notice a fault; with less a made-up report is soon believed
SHARE = 0.15  # of the tests; a fault that more notice is no riddle
MOST_SECONDS = 20.0
PROBES = 12  # faults tried for each that is wanted
PAIRS = 0.3  # of the wanted, so many are of two faults


@dataclass(frozen=True)
class _Noticed:
    """A fault in the file ``path``, and the tests that notice it."""

    path: str
    mutant: Mutant
    failing: frozenset[str]


def seeded_bugs(
    source: SdistSource, recipe: RepoRecipe | None, backend: Backend, *, count: int, seed: int = 0
) -> Iterator[Candidate]:
    """Up to ``count`` candidates with a bug in the release ``source``; the same for the same ``seed``.

    Without a ``recipe`` one is made from the release's metadata.

    Raises:
        Rejected: no task can be made of the release.
        SandboxError: its tests could not be run.
    """
    release = release_tree(source)
    recipe = recipe or make_recipe(release, source)
    tree = with_metadata(release, recipe)
    tests = hidden_tests(tree, tests_of(tree))
    chance = Random(f"bugs {seed} {source.name} {source.version}")
    with TaskRuns(probe_task(recipe, tree, tests), backend) as runs:
        right = _baseline(runs.hidden(WorkspaceState(tree)))
        found = list(_noticed(runs, tree, tests, right, _faults(tree, chance), count, chance))
    pairs = _pairs(tree, found, round(count * PAIRS))
    singles = [(each,) for each in found][: count - len(pairs)]
    for faults in (*singles, *pairs):
        yield _candidate(source, recipe, tree, tests, faults)


def _baseline(run: TaskRun) -> TaskRun:
    if not run.report.complete:
        raise Rejected("not_ended", f"its tests do not end ({run.reason})")
    if not run.report.passed:
        raise Rejected("not_collected", f"none of its tests passes ({', '.join(run.report.broken[:3])})")
    if run.seconds > MOST_SECONDS:
        raise Rejected("too_slow", f"its tests take {run.seconds:.0f} s")
    return run


def _faults(tree: Tree, chance: Random) -> Iterator[tuple[str, Mutant]]:
    """Faults of all modules, in an order in which no module, function or operator comes too often."""
    roots = {f"{root}/{name}".lstrip("/") for root, name in import_roots(tree)}
    found: dict[str, list[Mutant]] = {}
    for path, file in tree.items():
        inside = any(path == f"{root}.py" or path.startswith(f"{root}/") for root in roots)
        if role(path) != "source" or not inside or not path.endswith(".py"):
            continue
        try:
            every = [each for each in mutants(file.data.decode()) if each.function]
        except (ValueError, UnicodeDecodeError):
            continue
        few = list(sample(every, 60, chance.randrange(1 << 30)))
        if few:
            found[path] = chance.sample(few, len(few))
    while found:
        # In proportion to how much there is to break.
        path = chance.choices(list(found), [len(each) for each in found.values()])[0]
        yield path, found[path].pop()
        found = {name: left for name, left in found.items() if left}


def _noticed(
    runs: TaskRuns,
    tree: Tree,
    tests: Mapping[str, bytes],
    right: TaskRun,
    faults: Iterator[tuple[str, Mutant]],
    count: int,
    chance: Random,
) -> Iterator[_Noticed]:
    """Faults of functions that differ, each noticed by some tests, but not by many, nor by such alone whose
    outcome is soon guessed."""
    passing = right.report.passed
    most = max(3, int(len(passing) * SHARE))
    met: set[tuple[str, str]] = set()
    left = count
    for _, (path, mutant) in zip(range(count * PROBES), faults, strict=False):
        if (path, mutant.function) in met:
            continue
        state = WorkspaceState(tree).with_file(path, mutant.source.encode())
        run = runs.hidden(state, chance.sample(passing, len(passing)))
        failing = frozenset(node for node in passing if run.outcome(node) in ("failed", "error"))
        fits = run.report.complete and FEWEST <= len(failing) <= most
        if fits and 0.5 ** coins_at_most(tests, failing) <= FORGEABLE:
            met.add((path, mutant.function))
            yield _Noticed(path, mutant, failing)
            left -= 1
        if not left:
            return


def _pairs(tree: Tree, found: list[_Noticed], count: int) -> list[tuple[_Noticed, ...]]:
    """Pairs of faults of which no test notices both, in two files if there are such."""
    chosen: list[tuple[_Noticed, ...]] = []
    for pair in sorted(combinations(found, 2), key=lambda pair: pair[0].path == pair[1].path):
        if len(chosen) == count:
            break
        if any(each in taken for each in pair for taken in chosen) or pair[0].failing & pair[1].failing:
            continue
        try:
            _with_faults(tree, pair)
        except ValueError:  # one lies over the other
            continue
        chosen.append(pair)
    return chosen


def _with_faults(tree: Tree, faults: Sequence[_Noticed]) -> WorkspaceState:
    changes = [{each.path: File(each.mutant.source.encode(), tree[each.path].executable)} for each in faults]
    return apply_hunks(tree, {hunk for change in changes for hunk in hunks_of(tree, change)})


def _candidate(
    source: SdistSource,
    recipe: RepoRecipe,
    tree: Tree,
    tests: Mapping[str, bytes],
    faults: tuple[_Noticed, ...],
) -> Candidate:
    base = _with_faults(tree, faults).tree()
    named = [(each.path, each.mutant.function, each.mutant.operator, each.mutant.after) for each in faults]
    digest = hashlib.sha256(f"{source.version} {named}".encode()).hexdigest()[:6]
    files = {fault.path for fault in faults}
    return Candidate(
        name=f"{recipe.name}-{digest}",
        recipe=recipe,
        base=base,
        solution=WorkspaceState(base, {path: tree[path] for path in files}),
        hidden=tests,
        kind="bug" if len(files) == 1 else "cross-module-bug",
        tags=("seeded", source.name),
        problems=tuple(tuple(sorted(each.failing)) for each in faults),
        releases={BEFORE: source},
        proof={
            "source": "seeded",
            "releases": [source.version],
            "faults": [fault.mutant.operator for fault in faults],
        },
    )
