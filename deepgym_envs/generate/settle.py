"""From a candidate to a task that is proved to be fit, or to the reason why it is none.

The hidden tests run without and with the solution, in orders drawn at random. What passes with it and fails
without is what has to be mended, what passes both ways has to stay; what is neither, or not steady, is taken
out of the hidden files. Visible tests that the solution fails, and copies of those that have to begin to
pass, are taken out of the base. What is left is validated like any other task.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from deepgym_envs.authoring.twins import coins_at_most, find_twins
from deepgym_envs.content import Content, cut_out
from deepgym_envs.errors import SandboxError, TaskError
from deepgym_envs.figures import difficulty, measure
from deepgym_envs.generate.candidate import Candidate, Rejected
from deepgym_envs.generate.proof import prove
from deepgym_envs.generate.pruning import test_names, without_nodes
from deepgym_envs.generate.statement import describe
from deepgym_envs.grade import Deck, SecretRandom, TaskRun, TaskRuns
from deepgym_envs.layout import is_test_code, role
from deepgym_envs.patch import make_patch
from deepgym_envs.sandbox import Backend
from deepgym_envs.state import Tree, WorkspaceState
from deepgym_envs.task import HiddenTests, Limits, Task, TaskManifest
from deepgym_envs.validation import TaskValidation, validate

FEWEST = 20  # of those, if others than those near the change are needed to have as many
KEPT = 100  # tests that pass before and after
TWINNED = 18  # tests of those that have to begin to pass
FORGEABLE = 1 / 8  # a task with a greater chance than this is none
TRIALS = 3  # runs that decide what is steady; validation makes its own
LIMITS = Limits(test_seconds=60, disk_mb=128, memory_mb=1024, seconds=1800, steps=60)
MOST_FILES, MOST_LINES = 8, 300
_IDLE = ("skipped", "xfailed")


@dataclass(frozen=True, eq=False)
class Settled:
    """A task, and the ``record`` of how it was found to be fit, as plain JSON values."""

    task: Task
    record: Mapping[str, Any]


def settle(candidate: Candidate, suite: str, backend: Backend, *, repeats: int = 5, seed: int = 0) -> Settled:
    """Make a task of ``suite`` of ``candidate``; ``repeats`` are the runs of its validation.

    Raises:
        Rejected: it cannot be one.
    """
    try:
        draft = _draft(candidate, suite)
        task, listed, done = _validated(draft, candidate, backend, repeats, seed, ())
        unsteady = next((finding.tests for finding in done.reasons if finding.tests), ())
        if unsteady:  # found by more runs than decided what is listed
            task, listed, done = _validated(draft, candidate, backend, repeats, seed, unsteady)
        _check(done)
        proof = prove(task, backend, seed)
    except SandboxError as error:
        raise Rejected("not_judged", str(error)) from None
    except (TaskError, ValueError) as error:
        raise Rejected("unreadable", str(error)) from None
    return Settled(task, _record(candidate, listed, done, proof))


def _check(done: TaskValidation) -> None:
    if done.not_judged:
        raise Rejected("not_judged", done.not_judged)
    if done.reasons:
        leaks = any(finding.code.startswith("leaks") for finding in done.reasons)
        raise Rejected("leak" if leaks else "not_valid", "; ".join(each.message for each in done.reasons))


def _validated(
    draft: Task, candidate: Candidate, backend: Backend, repeats: int, seed: int, unsteady: Sequence[str]
) -> tuple[Task, _Listed, TaskValidation]:
    """The task without the tests that are known to be ``unsteady``, and what validation says of it."""
    listed = _lists(draft, candidate, backend, random.Random(f"{seed} {draft.id}"), unsteady)
    task = _finished(draft, candidate, listed, backend)
    forged = Deck(task).draw(SecretRandom(bytes(32))).forge_probability
    if forged > FORGEABLE:
        raise Rejected("forgeable", f"a made-up report would be believed with probability {forged:.2g}")
    return task, listed, validate(task, backend=backend, repeats=repeats, seed=seed)


@dataclass(frozen=True)
class _Listed:
    """What was found out by running: the tests, in files that hold no other; and the base for the agent."""

    tests: HiddenTests
    hidden: Mapping[str, bytes]
    base: Tree
    title: str
    instruction: str
    flaky: Sequence[str]
    dropped: int


def _draft(candidate: Candidate, suite: str) -> Task:
    changes = candidate.solution.changes
    if not changes:
        raise Rejected("no_change", "the solution changes nothing")
    if len(changes) > MOST_FILES:
        raise Rejected("too_large", f"the solution changes {len(changes)} files")
    content = Content(candidate.hidden, make_patch(candidate.solution), source=candidate.base)
    manifest = TaskManifest(
        id=f"{suite}/{candidate.name}",
        repo=candidate.recipe.name,
        title=candidate.title or candidate.name,
        kind=candidate.kind,
        difficulty="easy",
        editable=_editable(changes),
        tags=candidate.tags,
        limits=LIMITS,
    )
    task = Task(manifest, candidate.recipe, candidate.instruction or "?", content)
    lines = measure(task).lines
    if lines > MOST_LINES:
        raise Rejected("too_large", f"the solution changes {lines} lines")
    return task


def _editable(changes: Collection[str]) -> tuple[str, ...]:
    """The packages that the solution changes, or single modules."""
    found = set()
    for path in changes:
        parts = path.split("/")
        depth = 2 if parts[0] in ("src", "lib") and len(parts) > 2 else 1
        found.add("/".join(parts[:depth]) + "/**" if len(parts) > depth else path)
    return tuple(sorted(found))


def _lists(
    draft: Task, candidate: Candidate, backend: Backend, chance: random.Random, unsteady: Sequence[str]
) -> _Listed:
    base, gold = WorkspaceState(draft.base), candidate.solution
    with TaskRuns(draft, backend) as runs:
        solved = _whole(runs.hidden(gold), candidate.hidden)
        before = runs.hidden(base)
        if not before.report.complete:
            raise Rejected("not_ended", f"the tests do not end without the solution ({before.reason})")
        borrowing = _borrowing(candidate.hidden, list(solved.report.outcomes))
        passing = [node for node in solved.report.passed if node.partition("::")[0] not in borrowing]
        failing = [node for node in passing if before.outcome(node) in ("failed", "error")]
        if not failing:
            code = before.report.broken
            raise Rejected(
                "not_collected" if code else "nothing_fails",
                f"without the solution {code[0]} cannot be collected" if code else "no test fails before",
            )
        keeping = [node for node in passing if before.outcome(node) == "passed"]
        if not keeping:
            raise Rejected("nothing_kept", "no test passes both before and with the solution")
        if 0.5 ** coins_at_most(candidate.hidden, failing) > FORGEABLE:
            what = "too little of what begins to pass compares plain values"
            raise Rejected("forgeable", f"a made-up report would be believed: {what}")
        whole = _inheriting(candidate.hidden, [*failing, *keeping])
        chosen = [*failing, *_sampled(failing, keeping, whole, chance)]
        flaky = (*unsteady, *_flaky(runs, (gold, base), (solved, before), chosen, chance))
        steady = [node for node in chosen if _function(node) not in {_function(each) for each in flaky}]
        hidden, kept = _pruned(candidate.hidden, solved, steady)
        fail_to_pass = tuple(node for node in failing if node in kept)
        pass_to_pass = tuple(node for node in keeping if node in kept)
        if not fail_to_pass:
            said = f"{len(flaky)} tests are not steady" if flaky else "its file has tests that cannot be kept"
            raise Rejected("flaky", f"no test is left that fails before: {said}")
        if len(pass_to_pass) < 3:
            raise Rejected("nothing_kept", f"{len(pass_to_pass)} tests pass before and after")
        title, instruction = candidate.title, candidate.instruction
        if not instruction:
            title, instruction = describe(runs, base, gold, hidden, fail_to_pass, candidate.problems)
        tree = _without_failing(runs, draft.base, gold, fail_to_pass)
    dropped = len(solved.report.outcomes) - len(kept)
    tests = HiddenTests(fail_to_pass=fail_to_pass, pass_to_pass=pass_to_pass)
    return _Listed(tests, hidden, tree, title, instruction, tuple(dict.fromkeys(flaky)), dropped)


def _whole(run: TaskRun, hidden: Mapping[str, bytes]) -> TaskRun:
    """A run of everything with the solution, if it can be one of a task."""
    invented = [node for node in run.report.outcomes if node.partition("::")[0] not in hidden]
    if invented:
        raise Rejected("not_collected", f"it reports of {invented[0]}, which is no file of tests")
    if not run.report.complete:
        raise Rejected("not_ended", f"the tests do not end with the solution ({run.reason})")
    if not run.report.outcomes and run.report.broken:
        raise Rejected("not_collected", f"{run.report.broken[0]} cannot be collected with the solution")
    if not run.report.passed:
        raise Rejected("solution_fails", "no test passes with the solution")
    return run


def _function(node: str) -> str:
    return node.partition("[")[0]


def _group(node: str, whole: Collection[str]) -> str:
    """What is kept or left out together: a test with all its cases, or a file of those that are ``whole``."""
    path = node.partition("::")[0]
    return path if path in whole else _function(node)


def _inheriting(hidden: Mapping[str, bytes], nodes: Collection[str]) -> Collection[str]:
    """The files in which a test belongs to a class that does not define it, so that it cannot be taken out
    by itself."""
    defined = {path: set(test_names(hidden[path])) for path in {node.partition("::")[0] for node in nodes}}
    found = (_function(node).partition("::") for node in nodes)
    return {path for path, _, name in found if name not in defined[path]}


def _borrowing(hidden: Mapping[str, bytes], nodes: Collection[str]) -> Collection[str]:
    """The files in which a test comes from another file, which may be changed or gone."""
    defined = {
        path: {name.rpartition("::")[2] for name in test_names(hidden[path])}
        for path in {node.partition("::")[0] for node in nodes}
        if path.endswith(".py")
    }
    found = (_function(node) for node in nodes)
    paths = ((node.partition("::")[0], node.rpartition("::")[2]) for node in found)
    return {path for path, name in paths if path in defined and name not in defined[path]}


def _sampled(
    failing: Sequence[str], keeping: Sequence[str], whole: Collection[str], chance: random.Random
) -> Sequence[str]:
    """Tests that have to stay, with all that is kept with them: those in the files of the failing ones come
    first."""
    files = {node.partition("::")[0] for node in failing}
    broken = {_group(node, whole) for node in failing}
    groups: dict[str, list[str]] = {}
    for node in keeping:
        groups.setdefault(_group(node, whole), []).append(node)
    near = [name for name in groups if name in broken]
    same = [name for name in groups if name not in broken and name.partition("::")[0] in files]
    other = [name for name in groups if name not in near and name not in same]
    found: list[str] = []
    for name in (*near, *chance.sample(same, len(same)), *chance.sample(other, len(other))):
        fits = len(found) + len(groups[name]) <= KEPT and (name not in other or len(found) < FEWEST)
        if fits or name in near:
            found += groups[name]
    return found


def _flaky(
    runs: TaskRuns,
    states: tuple[WorkspaceState, WorkspaceState],
    first: tuple[TaskRun, TaskRun],
    chosen: Sequence[str],
    chance: random.Random,
) -> Sequence[str]:
    """Which of ``chosen`` do otherwise in another order, or in an interpreter of their own."""
    odd: dict[str, None] = {}
    for number in range(TRIALS):
        order = chance.sample(chosen, len(chosen))
        for state, before in zip(states, first, strict=True):
            run = runs.hidden(state, order, warm=number % 2 == 0)
            if not run.report.complete:
                raise Rejected("not_ended", f"the tests do not end in another order ({run.reason})")
            odd |= {node: None for node in chosen if run.outcome(node) != before.outcome(node)}
    return tuple(odd)


def _pruned(
    hidden: Mapping[str, bytes], solved: TaskRun, kept: Sequence[str]
) -> tuple[Mapping[str, bytes], Sequence[str]]:
    """The hidden files without tests that are not wholly ``kept``, and those that are left of these."""
    seen = [node for node, outcome in solved.report.outcomes.items() if outcome not in _IDLE]
    whole = _inheriting(hidden, seen)
    lost = {_group(node, whole) for node in seen if node not in set(kept)}
    gone = {_function(node) for node in seen if _group(node, whole) in lost}
    left = [node for node in kept if _function(node) not in gone]
    files = {node.partition("::")[0] for node in left}
    used = {path: data for path, data in hidden.items() if path in files or role(path) != "test"}
    idle = {node for node, outcome in solved.report.outcomes.items() if outcome in _IDLE}
    idle = {node for node in idle if _function(node) not in {_function(each) for each in left}}
    return without_nodes(used, {node for node in {*gone, *idle} if node.partition("::")[0] in used}), left


def _without_failing(runs: TaskRuns, base: Tree, gold: WorkspaceState, fail_to_pass: Sequence[str]) -> Tree:
    """The base without visible tests that are to begin to pass or that the solution fails."""
    visible = runs.visible(gold)
    if not visible.complete:
        raise Rejected("not_ended", "the repository's own tests do not end with the solution")
    gone = {*fail_to_pass, *(node for node in visible.failed if node not in visible.broken)}
    whole = _inheriting(
        {path: file.data for path, file in base.items()},
        {node for node in gone & visible.outcomes.keys() if node.partition("::")[0] in base},
    )
    mine = {path: file.data for path, file in base.items() if path.endswith(".py") and is_test_code(path)}
    mine = {path: data for path, data in mine.items() if path not in visible.broken and path not in whole}
    left = without_nodes(mine, {node for node in gone if node.partition("::")[0] in mine})
    return Tree(
        {
            path: replace(file, data=left[path]) if path in left else file
            for path, file in base.items()
            if path in left or not (path.endswith(".py") and is_test_code(path))
        }
    )


def _finished(draft: Task, candidate: Candidate, listed: _Listed, backend: Backend) -> Task:
    base = listed.base
    solution = WorkspaceState(base, candidate.solution.changes)
    content = Content(listed.hidden, make_patch(solution), source=base)
    manifest = draft.manifest.model_copy(update={"tests": listed.tests, "title": listed.title})
    task = replace(draft, manifest=manifest, instruction=listed.instruction, content=content)
    with TaskRuns(task, backend) as runs:
        visible = runs.visible(WorkspaceState(base))
    figures = measure(task, visible_failing=len(visible.failed) if visible.complete else None)
    manifest = manifest.model_copy(update={"difficulty": difficulty(figures)})
    task = replace(task, manifest=manifest, figures=figures)
    twins = find_twins(task, backend, most=TWINNED)
    if not candidate.releases:
        return replace(task, content=replace(content, twins=twins))
    cut = cut_out(candidate.releases, base, solution, listed.hidden, twins)
    task = replace(task, content=cut)
    if task.base != base or task.gold.digest != solution.digest:
        raise Rejected("unreadable", "what is cut out of the releases is not what was tested")
    return task


def _record(
    candidate: Candidate, listed: _Listed, done: TaskValidation, proof: Mapping[str, float]
) -> Mapping[str, Any]:
    problems = {"problems": candidate.problems} if len(candidate.problems) > 1 else {}
    return {
        **candidate.proof,
        **problems,
        "flaky": list(listed.flaky),
        "tests_left_out": listed.dropped,
        "figures": {**done.figures, **proof},
        "warnings": [finding.code for finding in done.warnings],
    }
