"""Tasks from the commits of a git repository: the commit before is the base, its source changes the solution.

The history of the main line is read, newest first: a merge counts as one change, that which it brought to its
first parent; the commits behind it are not looked at. Nothing of a commit's message is used, which would tell
the solution, and nothing of the repository is executed outside of a box.

Limits as in SWE-GEN (R2E-Gym, arXiv 2504.07164): fewer than 5 source files, fewer than 200 lines, a patch of
less than 10,000 characters, more than comments and docstrings. What the tests do not need of the change is
left out of the solution.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path

from deepgym_envs.content import BEFORE
from deepgym_envs.errors import SandboxError, TaskError, UsageError
from deepgym_envs.figures import lines_changed
from deepgym_envs.generate.candidate import Candidate, Refusal, Rejected
from deepgym_envs.generate.commits import Commit, Commits
from deepgym_envs.generate.environment import make_recipe, named_by_environment, with_metadata
from deepgym_envs.generate.hunks import Hunk, apply_hunks, hunks_of, minimise
from deepgym_envs.generate.missing_names import collected_before
from deepgym_envs.generate.probe import probe_task
from deepgym_envs.grade import TaskRuns
from deepgym_envs.layout import hidden_tests, role
from deepgym_envs.patch import make_patch
from deepgym_envs.recipe import GitSource, RepoRecipe
from deepgym_envs.sandbox import Backend
from deepgym_envs.source import fetched_tree
from deepgym_envs.state import File, Tree, WorkspaceState
from deepgym_envs.syntax import same_program

AFTER = "after"
MOST_FILES, MOST_LINES, MOST_CHARS = 4, 199, 9_999
MOST_RUNS = 12  # to find out which hunks are needed
_LFS = b"version https://git-lfs.github.com/spec/"


def history(
    url: str, backend: Backend, *, rev: str = "HEAD", most_commits: int = 10_000, most_runs: int = MOST_RUNS
) -> Iterator[Candidate | Refusal]:
    """What each of the ``most_commits`` newest commits of the main line up to ``rev`` gives.

    ``url`` is that of a repository, or a folder. Its clone is kept in the cache and brought up to date. The
    ``backend`` runs tests up to ``most_runs`` times for a candidate, to leave out what is not needed.

    Raises:
        UsageError: there is no such repository or commit, or its clone is shallow.
    """
    with closing(Commits(_address(url))) as commits:
        start = commits.find(rev)
        first = commits.source(commits.first(start))
        package = Path(commits.url.rstrip("/")).name.removesuffix(".git").lower() or "repository"
        for commit in commits.newest_first(start, most_commits):
            # Not the commit's own name, which whoever is given the task could look up.
            name = f"{package}-{hashlib.sha256(commit.sha.encode()).hexdigest()[:10]}"
            try:
                found: Candidate | Refusal = _candidate(name, commits, commit, first, backend, most_runs)
            except Rejected as why:
                found = Refusal(name, why)
            except SandboxError as error:
                found = Refusal(name, Rejected("not_judged", str(error)))
            except (TaskError, ValueError) as error:
                found = Refusal(name, Rejected("unreadable", str(error)))
            yield found


def _address(url: str) -> str:
    """The address as recipes have it; a folder by its whole path."""
    address = str(Path(url).resolve()) if "://" not in url and Path(url).is_dir() else url
    try:
        return GitSource(kind="git", url=address, commit="0" * 40).url
    except ValueError:
        raise UsageError(f"{url}: is no folder, nor an address that begins with https://, http:// or file:///"
                         ) from None  # fmt: skip


def _candidate(
    name: str, commits: Commits, commit: Commit, first: GitSource, backend: Backend, most_runs: int
) -> Candidate:
    source, tests = _sorted_out(commit)
    change = _change(commits, commit, source)
    origins = {BEFORE: commits.source(commit.parents[0]), AFTER: commits.source(commit.sha)}
    before, after = fetched_tree(origins[BEFORE]), fetched_tree(origins[AFTER])
    # Commits of one environment have the same recipe, so it names none of them but the first of all.
    recipe = named_by_environment(make_recipe(after, first, commit.when))
    base = with_metadata(before, recipe)
    hidden = hidden_tests(after, tests)
    if most_runs:
        hidden = collected_before(recipe, base, hidden, backend)
    hunks = hunks_of(base, change.changes)
    kept = _needed(recipe, base, hidden, hunks, backend, most_runs)
    solution = apply_hunks(base, kept)
    return Candidate(
        name=name,
        recipe=recipe,
        base=base,
        solution=solution,
        hidden=hidden,
        kind="bug" if len(solution.changes) == 1 else "cross-module-bug",
        tags=("history", recipe.name.rpartition("-")[0]),
        releases=origins,
        proof={"source": "history", "commit": commit.sha, "hunks": len(hunks), "hunks_needed": len(kept)},
    )


def _sorted_out(commit: Commit) -> tuple[Sequence[str], Sequence[str]]:
    """The source that a commit changes, and the tests that it changes or adds."""
    if not commit.parents:
        raise Rejected("no_release", "there is no commit before it")
    source = [path for path in commit.entries if role(path) == "source"]
    tests = [path for path, entry in commit.entries.items() if role(path) == "test" and entry.new]
    if commit.cut_off:
        raise Rejected("too_large", f"it changes more than {len(commit.entries)} files")
    if not source:
        raise Rejected("no_change", "it changes no source")
    if len(source) > MOST_FILES:
        raise Rejected("too_large", f"it changes {len(source)} files of the source")
    if not tests:
        raise Rejected("no_tests", "it changes no tests")
    odd = next((path for path in (*source, *tests) if not commit.entries[path].plain), None)
    if odd is not None:
        raise Rejected("unreadable", f"{odd}: is a link or a submodule")
    return source, tests


def _change(commits: Commits, commit: Commit, source: Sequence[str]) -> WorkspaceState:
    """What a commit does to the text of these files, if it is no more than a task should be, and more than
    words."""
    old: dict[str, File] = {}
    new: dict[str, File | None] = {}
    for path in source:
        entry = commit.entries[path]
        if entry.old:
            old[path] = commits.file(entry.old, executable=entry.executable)
        new[path] = commits.file(entry.new, executable=entry.executable) if entry.new else None
    for path, file in (*old.items(), *new.items()):
        if file and (b"\0" in file.data or file.data.startswith(_LFS)):
            raise Rejected("unreadable", f"{path}: is not text, or lies elsewhere (git-lfs)")
    state = WorkspaceState(Tree(old), new)
    if lines_changed(state) > MOST_LINES:
        raise Rejected("too_large", f"it changes {lines_changed(state)} lines of the source")
    try:
        if all(_same(old.get(path), new[path]) for path in source):
            raise Rejected("no_change", "it changes comments, docstrings or layout alone")
    except ValueError as error:
        raise Rejected("unreadable", f"the source: {error}") from None
    chars = len(make_patch(state))
    if chars > MOST_CHARS:
        raise Rejected("too_large", f"its patch has {chars} characters")
    return state


def _same(old: File | None, new: File | None) -> bool:
    return same_program(old.data if old else b"", new.data if new else b"")


def _needed(
    recipe: RepoRecipe,
    base: Tree,
    hidden: Mapping[str, bytes],
    hunks: tuple[Hunk, ...],
    backend: Backend,
    most_runs: int,
) -> tuple[Hunk, ...]:
    """The hunks without which some test would fail that passes with all; all where none begins to pass."""
    if len(hunks) < 2 or most_runs < 3:
        return hunks
    with TaskRuns(probe_task(recipe, base, hidden), backend) as runs:
        solved = runs.hidden(apply_hunks(base, hunks))
        passing = solved.report.passed
        untouched = runs.hidden(WorkspaceState(base))
        failing = [node for node in passing if untouched.outcome(node) in ("failed", "error")]
        if not failing:
            return hunks  # of which no task can be made

        def passes(kept: tuple[Hunk, ...]) -> bool:
            run = runs.hidden(apply_hunks(base, kept), passing)
            return run.report.complete and all(run.outcome(node) == "passed" for node in passing)

        return minimise(hunks, passes, most_runs=most_runs - 2)
