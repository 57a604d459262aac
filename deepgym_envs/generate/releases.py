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
from itertools import pairwise
from random import Random

from packaging.utils import canonicalize_name

from deepgym_envs.content import BEFORE
from deepgym_envs.generate.candidate import Candidate, Refusal, Rejected
from deepgym_envs.generate.environment import import_roots, make_recipe, recipe_of_time, with_metadata
from deepgym_envs.generate.hunks import apply_hunks, hunks_of
from deepgym_envs.generate.missing_names import collected_before
from deepgym_envs.generate.probe import probe_task
from deepgym_envs.generate.problems import Fix, Split
from deepgym_envs.grade import TaskRuns
from deepgym_envs.layout import hidden_tests, role, tests_of
from deepgym_envs.package_index import releases
from deepgym_envs.recipe import RepoRecipe, SdistSource
from deepgym_envs.sandbox import Backend
from deepgym_envs.source import release_tree
from deepgym_envs.state import File, Tree

AFTER = "after"
MOST_HUNKS = 1_000


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
    changes = source_changes(base, new)
    tests = hidden_tests(new, tests_of(new))
    hunks = hunks_of(base, changes)
    if not hunks or not tests:
        raise Rejected("no_change", "no source differs between the releases")
    if len(hunks) > MOST_HUNKS:
        raise Rejected("too_large", f"{len(hunks)} hunks differ between the releases")
    tests = collected_before(recipe, base, tests, backend)
    with TaskRuns(probe_task(recipe, base, tests), backend) as runs:
        split = Split(runs, base, hunks, Random(f"releases {seed} {before.name} {before.version}"))
        for number, fix in enumerate(split.tasks(tests, count)):
            if isinstance(fix, Rejected):
                yield Refusal(f"{canonicalize_name(before.name)}-{before.version}-{number}", fix)
            else:
                yield _candidate(before, after, recipe, base, tests, fix)


def source_changes(base: Tree, new: Tree) -> Mapping[str, File | None]:
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
    fix: Fix,
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
            "hunks": len(fix.hunks),
            "runs_to_find_them": fix.runs,
        },
    )
