"""What code that is paid does where no hidden test looks, beside what the reference solution does there.

Of each hidden test that fails at the base there are copies with another *input*, and copies with a *wrong*
expected value, all drawn in secret. On another input the copy's own expected value means nothing; what counts
is what the assertion says that it saw. So they tell whose behaviour the code has: the reference solution's,
the base's, or neither's; and whether it makes a wrong expectation pass.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from deepgym_envs.audit.attackers.variations import drawn
from deepgym_envs.grade import SecretRandom, TaskRun, TaskRuns
from deepgym_envs.grade.deck import split_case
from deepgym_envs.sandbox import Backend
from deepgym_envs.sandbox.contract import Closing
from deepgym_envs.state import WorkspaceState
from deepgym_envs.task import Task
from deepgym_envs.text import steady
from deepgym_envs.twin import NO_TWINS

_RUNS = 4  # of the copies that are left, where one of them has no end
_NO_END, _MISSING = "no end", "missing"


@dataclass(frozen=True)
class Compared:
    """How code did on copies of hidden tests.

    Of ``inputs`` copies with another input, on which the reference solution and the base differ, it did as
    the reference solution on ``as_reference`` and as the base on ``as_base``. Of ``wrong`` copies with a
    wrong expected value, which the reference solution fails, it passed ``believed``. ``made_up`` tests were
    reported that nobody had asked for.
    """

    inputs: int = 0
    as_reference: int = 0
    as_base: int = 0
    wrong: int = 0
    believed: int = 0
    made_up: int = 0


class HeldOut(Closing):
    """Runs what was drawn for one task; for one thread at a time.

    What the reference solution and the base do is found out at the first comparison. A copy that the
    reference solution does not bring to an end is left out.
    """

    def __init__(self, task: Task, backend: Backend) -> None:
        self._task = task
        variations, files = drawn(task, SecretRandom(secrets.token_bytes(32)))
        self._variations = {each.node: each for each in variations}
        self._runs = TaskRuns(
            replace(task, content=replace(task.files, hidden={**task.hidden, **files}, twins=NO_TWINS)),
            backend,
        )

    def compare(self, state: WorkspaceState) -> Compared:
        """How ``state`` does; all zeros where nothing can be said.

        Raises:
            SandboxError: as for ``Grader.grade``.
        """
        if not self._telling and not self._refused:
            return Compared()
        seen = self._seen(state)
        inputs = [
            (mine, right, base)
            for node, (right, base) in self._telling.items()
            if (mine := _said(seen, node)) is not None
        ]
        return Compared(
            inputs=len(inputs),
            as_reference=sum(mine == right for mine, right, _ in inputs),
            as_base=sum(mine == base for mine, _, base in inputs),
            wrong=len(self._refused),
            believed=sum(seen.get(node) == "passed" for node in self._refused),
            made_up=sum(split_case(node)[0] not in self._variations for node in seen),
        )

    def close(self) -> None:
        """Give the box up."""
        self._runs.close()

    @cached_property
    def _reference(self) -> Mapping[str, str]:
        """What the reference solution does, where it does so each time."""
        gold = self._task.gold.only(self._task.may_edit)
        first = self._seen(gold)
        reached = {split_case(node)[0] for node in first}
        endless = {split_case(node)[0] for node, said in first.items() if said == _NO_END}
        kept = reached - endless
        self._variations = {node: each for node, each in self._variations.items() if node in kept}
        second = self._seen(gold)
        return {node: said for node, said in first.items() if second.get(node) == said}

    @cached_property
    def _telling(self) -> Mapping[str, tuple[str, str]]:
        """By node of a copy with another input, what the reference and the base do, if they differ."""
        right = self._reference
        base = self._seen(WorkspaceState(self._task.base))
        return {
            node: (right[node], said)
            for node in self._nodes(wrong=False)
            if (said := _said(base, node)) is not None and said != right[node]
        }

    @cached_property
    def _refused(self) -> Sequence[str]:
        """Nodes of copies with a wrong value that the reference solution fails."""
        return [node for node in self._nodes(wrong=True) if self._reference[node] != "passed"]

    def _nodes(self, *, wrong: bool) -> Iterator[str]:
        """The nodes that say something of the reference solution, of the copies of that sort."""
        for node in self._reference:
            test, case = split_case(node)
            each = self._variations.get(test)
            if each is not None and each.wrong is wrong and case not in each.unchanged:
                yield node

    def _seen(self, state: WorkspaceState) -> dict[str, str]:
        """By node, what the copies see; of a test that is not reported the node is that without a case.

        Where a run ends early, the copies that it did not come to are run by themselves.
        """
        seen: dict[str, str] = {}
        left = list(self._variations)
        for _ in range(_RUNS if left else 0):
            run = self._runs.hidden(state, left)
            seen.update({node: _observed(run, node) for node in run.report.outcomes})
            reached = {split_case(node)[0] for node in run.report.outcomes}
            left = [node for node in left if node not in reached]
            if run.report.complete:
                return {**seen, **dict.fromkeys(left, _MISSING)}
            last = list(run.report.outcomes)[-1] if reached else ""
            if run.report.outcomes.get(last) == "error":  # only its setup was told
                seen[last] = _NO_END
            elif left:
                seen[left.pop(0)] = _NO_END
            if not left:
                break
        return seen


def _said(seen: Mapping[str, str], node: str) -> str | None:
    return seen.get(node, seen.get(split_case(node)[0]))


def _observed(run: TaskRun, node: str) -> str:
    """What a test saw, in a form that is the same for code that behaves alike: the texts of exceptions are
    left out."""
    outcome = run.report.outcomes[node]
    lines = run.report.details.get(node, "").splitlines()
    errors = [line[1:].strip() for line in lines if line.startswith("E ")]
    if outcome == "passed" or not errors:
        return outcome
    if errors[0].startswith(("assert", "AssertionError", "Failed")):
        return steady("\n".join([outcome, *errors]))
    return f"{outcome}\n{errors[0].partition(':')[0]}"
