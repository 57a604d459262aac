"""Is a task fit to be trained on?

Its files are looked at, then its tests are run, again and again, without and with the reference solution. A
finding rejects the task and says what to mend; a warning is for the author to judge. What the infrastructure
failed at is neither: the task "could not be judged".
"""

from __future__ import annotations

import random
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from deepgym_envs.errors import SandboxError, UsageError
from deepgym_envs.figures import difficulty, measure
from deepgym_envs.grade import Deck, SecretRandom, TaskRun, TaskRuns, TestReport
from deepgym_envs.sandbox import Backend
from deepgym_envs.state import WorkspaceState
from deepgym_envs.task import Task
from deepgym_envs.task_checks import Finding, is_bundled, shown, static_findings, undefined_tests

SLOW_SECONDS = 5.0
FORGEABLE = 1e-4  # a greater chance than this is worth trying
ROOM = 5  # how many times slower than here the tests may be elsewhere
_FATAL = frozenset({"no_base", "no_solution", "no_such_test", "bad_implementation"})


@dataclass(frozen=True)
class TaskValidation:
    """What is wrong with a task.

    ``reasons`` reject it, ``warnings`` do not. ``not_judged`` says why its tests could not be run, where they
    could not. ``figures``: ``fail_to_pass``, ``pass_to_pass`` (numbers of tests), ``changed_files`` (of the
    solution), ``runs`` (of the hidden tests), ``median_seconds`` and ``worst_seconds`` (of those with the
    solution), ``forge_probability``.
    """

    task: str
    reasons: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()
    figures: Mapping[str, float] = field(default_factory=dict)
    not_judged: str | None = None

    @property
    def clean(self) -> bool:
        """Whether the task was judged and nothing rejects it."""
        return not self.reasons and self.not_judged is None


def validate(task: Task, *, backend: Backend, repeats: int = 5, seed: int = 0) -> TaskValidation:
    """Check ``task``: its hidden tests run ``repeats`` times at its base, and as often with its solution.

    The first run is in the listed order, each other in a random order of its own, which ``seed`` decides.
    Nothing comes from a grader's memory. What is wrong with the task or the sandbox is in the result, not
    raised.

    Raises:
        UsageError: ``repeats`` is less than 1.
    """
    if repeats < 1:
        raise UsageError(f"repeats: at least 1 (found {repeats})")
    found = list(static_findings(task))
    tests = task.manifest.tests
    figures: dict[str, float] = {
        "fail_to_pass": len(tests.fail_to_pass),
        "pass_to_pass": len(tests.pass_to_pass),
    }
    not_judged = None
    if not any(finding.code in _FATAL for finding in found):
        figures["changed_files"] = len(task.gold.changes)
        try:
            with TaskRuns(task, backend) as runs:
                found += _findings_of_runs(task, runs, repeats, random.Random(f"{seed} {task.id}"), figures)
        except (SandboxError, OSError) as error:
            not_judged = str(error)
    return TaskValidation(
        task.id,
        tuple(finding for finding in found if not finding.warning),
        tuple(finding for finding in found if finding.warning),
        figures,
        not_judged,
    )


def _findings_of_runs(
    task: Task, runs: TaskRuns, repeats: int, chance: random.Random, figures: dict[str, float]
) -> Iterator[Finding]:
    base, gold = WorkspaceState(task.base), task.gold.only(task.may_edit)
    whole = runs.hidden(gold)
    if whole.report.broken or not whole.report.complete:
        yield Finding("gold_fails", f"solution.patch: the hidden tests do not run with it: {_why(whole)}")
        return
    yield from _listing(task, whole.report)
    if any(whole.outcome(node) == "missing" for node in task.expected):
        return
    solved = [whole, *_repeated(runs, gold, task.expected, repeats, chance)]
    whole_base = runs.hidden(base)
    present = [node for node in task.expected if node in whole_base.report.outcomes]
    untouched = [whole_base, *_repeated(runs, base, present or task.expected, repeats, chance)]
    unsteady = {*_unsteady(task, solved), *_unsteady(task, untouched)}
    if unsteady:
        flaky = tuple(sorted(unsteady))
        what = f"{shown(flaky)}: other outcomes in other runs or in another order"
        advice = "make the tests independent of time, order and chance"
        yield Finding("flaky", f"tests/: {what}; {advice}", tests=flaky)
    yield from _with_solution(task, solved[1:], unsteady)
    yield from _without_solution(task, untouched, unsteady)
    yield from _times(task, [run.seconds for run in solved[1:]], figures)
    if all(run.reason == "passed" for run in solved[1:]):
        yield from _twins(task, runs, repeats, chance, figures)
    yield from _visible(runs.visible(gold))
    yield from _measured(task, runs.visible(base))
    yield from _started(task, runs)
    figures["runs"] = runs.count


def _repeated(
    runs: TaskRuns, state: WorkspaceState, nodes: Sequence[str], repeats: int, chance: random.Random
) -> Iterator[TaskRun]:
    """Runs in an order of their own; every second one starts cold, with other hashes of strings."""
    for number in range(repeats):
        order = nodes if number == 0 else chance.sample(nodes, len(nodes))
        yield runs.hidden(state, order, warm=number % 2 == 0)


def _listing(task: Task, report: TestReport) -> Iterator[Finding]:
    gone = [
        node for node in task.expected if node not in report.outcomes and node not in undefined_tests(task)
    ]
    if gone:
        near = [node for node in report.outcomes if node not in task.expected]
        hint = f"; not listed are {shown(near)}" if near else ""
        what = f"task.toml: tests: {shown(gone)}: pytest finds no such test{hint}; correct or drop it"
        yield Finding("no_such_test", what)
        return
    idle = ("skipped", "xfailed")
    extra = [node for node, seen in report.outcomes.items() if node not in task.expected and seen not in idle]
    if extra:
        what = f"task.toml: tests: {shown(extra)}: exists in tests/ but is not listed; list or delete it"
        yield Finding("unlisted_test", what)


def _unsteady(task: Task, seen: Sequence[TaskRun]) -> Iterator[str]:
    """Tests with more than one outcome in runs of the same state; a run that ended early says nothing of
    them."""
    whole = [run for run in seen if run.report.complete]
    for node in task.expected:
        if len({run.outcome(node) for run in whole}) > 1:
            yield node


def _with_solution(task: Task, seen: Sequence[TaskRun], unsteady: set[str]) -> Iterator[Finding]:
    for number, run in enumerate(seen, start=1):
        failed = [node for node in task.expected if run.outcome(node) != "passed"]
        if run.reason == "passed" or (failed and unsteady.issuperset(failed)):
            continue
        where = f"run {number} of {len(seen)}"
        yield Finding(
            "gold_fails", f"solution.patch: the hidden tests do not pass with it ({where}): {_why(run)}"
        )
        return


def _without_solution(task: Task, seen: Sequence[TaskRun], unsteady: set[str]) -> Iterator[Finding]:
    tests = task.manifest.tests
    if any(run.reason == "passed" for run in seen):
        what = "every hidden test passes without the solution; fail_to_pass needs tests that the base fails"
        yield Finding("noop_passes", f"task.toml: tests: {what}")
        return
    early = [node for node in tests.fail_to_pass if all(run.outcome(node) == "passed" for run in seen)]
    if early:
        what = f"{shown(early)}: passes without the solution; move it to pass_to_pass or make it stricter"
        yield Finding("passes_too_early", f"task.toml: tests.fail_to_pass: {what}")
    first = seen[0]
    broken = [node for node in tests.pass_to_pass if node not in unsteady and first.outcome(node) != "passed"]
    if broken:
        what = f"{shown(broken)}: does not pass without the solution ({_why(first, broken)})"
        yield Finding("fails_before", f"task.toml: tests.pass_to_pass: {what}; move it to fail_to_pass")


def _twins(
    task: Task, runs: TaskRuns, repeats: int, chance: random.Random, figures: dict[str, float]
) -> Iterator[Finding]:
    """Whether the solution passes with the twins in, and what a forged report would be worth."""
    if task.manifest.kind == "tests":
        return
    advice = "run 'deepgym-envs record' on the task"
    stale = [path for path in task.twins.files if path not in task.twins.current(task.hidden)]
    if stale:
        yield Finding("twins", f"twins.json: was written for another {shown(stale)}; {advice}")
    deck = Deck(task)
    draws = [deck.draw(SecretRandom(chance.randbytes(16))) for _ in range(repeats)]
    figures["forge_probability"] = chances = max(draw.forge_probability for draw in draws)
    for draw in draws if task.twins.tests else ():
        run = runs.drawn(task.gold.only(task.may_edit), draw)
        if run.reason != "passed":
            odd = {draw.copies[node] for node, demand in draw.demands.items() if run.outcome(node) != demand}
            what = f"twins.json: the solution does not pass with twins of {shown(sorted(odd))} in"
            yield Finding("twins", f"{what} ({run.reason.replace('_', ' ')}); {advice}")
            return
    if chances > FORGEABLE:
        what = f"a report made up at random is believed with probability {chances:.2g}"
        yield Finding("forgeable", f"{what}; give fail_to_pass more tests that compare values", warning=True)


def _times(task: Task, seconds: Sequence[float], figures: dict[str, float]) -> Iterator[Finding]:
    median, worst = statistics.median(seconds), max(seconds)
    figures |= {"median_seconds": round(median, 3), "worst_seconds": round(worst, 3)}
    # Of a task about tests each implementation has a run of its own, with that much time.
    median /= len(task.implementations) or 1
    if median > SLOW_SECONDS:
        what = f"tests/: take {median:.1f} s; make them take {SLOW_SECONDS:g} s or less"
        yield Finding("slow", what, warning=not is_bundled(task))
    if median * ROOM > task.limits.test_seconds:
        what = f"they take {median:.1f} s here; allow {ROOM} times as long for slower machines"
        yield Finding("little_time", f"task.toml: limits.test_seconds: {what}", warning=True)


def _started(task: Task, runs: TaskRuns) -> Iterator[Finding]:
    """Why the repository's tests never start warm, where they do not."""
    if runs.why_cold and not runs.warm:
        what = f"the tests of {task.recipe.name} start cold, a fifth of a second later: {runs.why_cold}"
        yield Finding("cold_tests", what, warning=True)


def _measured(task: Task, visible: TestReport) -> Iterator[Finding]:
    """Whether the figures beside the task, and what follows from them, are those of the task as it is."""
    if task.figures is None and not is_bundled(task):
        return
    figures = measure(task, visible_failing=len(visible.failed) if visible.complete else None)
    if figures != task.figures:
        what = "is missing" if task.figures is None else "was written for another state of the task"
        yield Finding("figures", f"figures.json: {what}; run 'deepgym-envs record' on the task")
    if task.manifest.difficulty != difficulty(figures):
        what = f"is {task.manifest.difficulty!r}, but the figures say {difficulty(figures)!r}"
        yield Finding(
            "difficulty", f"task.toml: difficulty: {what}; correct it", warning=not is_bundled(task)
        )


def _visible(report: TestReport) -> Iterator[Finding]:
    if not report.complete:
        yield Finding(
            "visible_fails", "the repository's own tests do not end with the solution", warning=True
        )
    elif report.failed:
        what = f"the repository's own tests fail with the solution: {shown(report.failed)}"
        yield Finding("visible_fails", f"{what}; mend them in base.patch", warning=True)


def _why(run: TaskRun, nodes: Sequence[str] = ()) -> str:
    """One line on what went wrong in a run, in the tests ``nodes`` if given."""
    if run.reason in ("timeout", "crashed", "does_not_fit", "box_lost", "malformed_report"):
        return run.reason.replace("_", " ")
    chosen = run.not_passed(nodes)
    told = [f"{node}: {run.why(node) or run.outcome(node)}" for node in chosen]
    return shown(told[:2]) if told else run.reason.replace("_", " ")
