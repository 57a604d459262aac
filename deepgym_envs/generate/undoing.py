"""What the authors of a package once mended, broken again in its newest release.

Hunks of an older change whose surroundings are as they were are turned back there. The tests of the newest
release tell which of them belong to one problem; its base is the newest release without these alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from difflib import SequenceMatcher
from random import Random

from deepgym_envs.content import BEFORE
from deepgym_envs.generate.candidate import Candidate, Refusal, Rejected
from deepgym_envs.generate.environment import make_recipe, with_metadata
from deepgym_envs.generate.hunks import Hunk, apply_hunks, hunks_of
from deepgym_envs.generate.missing_names import collected_before
from deepgym_envs.generate.probe import probe_task
from deepgym_envs.generate.problems import Fix, Split
from deepgym_envs.generate.releases import MOST_HUNKS, Pair, source_changes
from deepgym_envs.grade import TaskRuns
from deepgym_envs.layout import hidden_tests, tests_of
from deepgym_envs.recipe import RepoRecipe, SdistSource
from deepgym_envs.sandbox import Backend
from deepgym_envs.source import release_tree
from deepgym_envs.state import Tree, WorkspaceState

OLD = "old"
_AROUND = 1  # lines on each side of a change that have to be as they were
_MOST_LINES = 4_000  # of a file; in longer ones no place is looked for


def undone_fixes(
    pair: Pair,
    newest: SdistSource,
    recipe: RepoRecipe | None,
    backend: Backend,
    *,
    count: int,
    seed: int = 0,
) -> Iterator[Candidate | Refusal]:
    """Up to ``count`` candidates in which a part of what changed between two older releases is turned back in
    the ``newest``; in the place of one that cannot be made, what it would have been called and why.

    Without a ``recipe`` one is made from the newest release's metadata.

    Raises:
        Rejected: no task can be made of these releases.
        SandboxError: the tests could not be run.
    """
    release = release_tree(newest)
    recipe = recipe or make_recipe(release, newest)
    tree = with_metadata(release, recipe)
    tests = hidden_tests(tree, tests_of(tree))
    back = tuple(turned_back(release_tree(pair.before), release_tree(pair.after), tree))
    if not back or not tests:
        raise Rejected("no_change", "nothing that differs between the releases is in the newest as it was")
    if len(back) > MOST_HUNKS:
        raise Rejected("too_large", f"{len(back)} hunks differ between the releases")
    broken = apply_hunks(tree, back).tree()
    hunks = hunks_of(broken, {path: tree[path] for path in {hunk.path for hunk in back}})
    tests = collected_before(recipe, broken, tests, backend)
    name = f"{recipe.name}-undone-{pair.after.version}"
    with TaskRuns(probe_task(recipe, broken, tests), backend) as runs:
        split = Split(runs, broken, hunks, Random(f"undoing {seed} {newest.version} {name}"))
        for number, fix in enumerate(split.tasks(tests, count)):
            if isinstance(fix, Rejected):
                yield Refusal(f"{name}-{number}", fix)
                continue
            others = [hunk for hunk in hunks if hunk not in fix.hunks]
            base = apply_hunks(broken, others).tree()
            solution = WorkspaceState(base, {path: tree[path] for path in {each.path for each in fix.hunks}})
            digest = hashlib.sha256(repr([(each.path, each.old_start) for each in fix.hunks]).encode())
            yield Candidate(
                name=f"{name}-{digest.hexdigest()[:6]}",
                recipe=recipe,
                base=base,
                solution=solution,
                hidden=tests,
                kind="cross-module-bug" if len(solution.changes) > 1 else "bug",
                tags=("undone", newest.name),
                problems=fix.problems,
                releases={BEFORE: newest, OLD: pair.before},
                proof=_proof(pair, newest, fix),
            )


def turned_back(old: Tree, new: Tree, newest: Tree) -> Iterator[Hunk]:
    """Hunks of ``newest`` that make of it what ``old`` was, wherever it is still as ``new``.

    >>> from deepgym_envs.state import File
    >>> old, new = (Tree({"a.py": File(text)}) for text in (b"a\\nx\\nb\\n", b"a\\ny\\nb\\n"))
    >>> newest = Tree({"a.py": File(b"begin\\na\\ny\\nb\\nmore\\n")})
    >>> [(each.old_start, each.old_end, each.new_lines) for each in turned_back(old, new, newest)]
    [(2, 3, (b'x\\n',))]
    """
    for path in source_changes(old, new):
        before, since, now = old.get(path), new.get(path), newest.get(path)
        if before is None or since is None or now is None or not path.endswith(".py"):
            continue
        lines, later = since.data.splitlines(keepends=True), now.data.splitlines(keepends=True)
        if max(len(lines), len(later)) > _MOST_LINES:
            continue
        same = SequenceMatcher(None, lines, later, autojunk=False).get_matching_blocks()
        for hunk in hunks_of(new, {path: replace(before, executable=since.executable)}):
            first, last = max(0, hunk.old_start - _AROUND), min(len(lines), hunk.old_end + _AROUND)
            for block in same:
                if block.a <= first and last <= block.a + block.size:
                    moved = block.b - block.a
                    yield replace(hunk, old_start=hunk.old_start + moved, old_end=hunk.old_end + moved)


def _proof(pair: Pair, newest: SdistSource, fix: Fix) -> dict[str, object]:
    return {
        "source": "undone",
        "releases": [newest.version, pair.before.version, pair.after.version],
        "hunks": len(fix.hunks),
        "runs_to_find_them": fix.runs,
    }
