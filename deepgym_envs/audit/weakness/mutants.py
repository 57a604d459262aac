"""Small faults in the reference solution, near what it changes, and whether the hidden tests notice them."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from deepgym_envs.errors import SandboxError
from deepgym_envs.grade import Grader, TaskRun, TaskRuns
from deepgym_envs.patch import make_patch
from deepgym_envs.rewriting import Mutant, mutants, sample
from deepgym_envs.sandbox import Backend
from deepgym_envs.sandbox.contract import Closing
from deepgym_envs.state import File, WorkspaceState
from deepgym_envs.syntax import parse_python
from deepgym_envs.task import Task

Fate = Literal["killed", "timed_out", "stillborn", "survived"]
"""``stillborn``: nothing could even be imported, which says nothing of the tests. All but ``survived`` and
that count as killed."""

AROUND = 2  # lines beside a changed one that belong to the change
_FEWEST_SECONDS, _SLOWER = 5.0, 8.0
_REASON_CHARS = 200


@dataclass(frozen=True)
class Fault:
    """The reference solution with one fault, in the file at ``path``."""

    path: str
    mutant: Mutant
    state: WorkspaceState

    @property
    def title(self) -> str:
        """Where it is, and what is done there."""
        where = f" in {self.mutant.function}" if self.mutant.function else ""
        return f"{self.path}:{self.mutant.line}{where}: {self.mutant.operator.replace('_', ' ')}"

    def diff(self, task: Task) -> str:
        """The fault as a unified diff on the reference solution."""
        changed: dict[str, File | None] = {self.path: File(self.mutant.source.encode())}
        return make_patch(WorkspaceState(task.gold.tree(), changed)).decode("utf-8", "replace")


@dataclass(frozen=True)
class Judged:
    """What became of a fault; ``fate`` is None where that could not be found out, ``reason`` says why."""

    fault: Fault
    fate: Fate | None
    reason: str = ""


def faults(task: Task, count: int, seed: int) -> tuple[tuple[Fault, ...], int]:
    """``count`` faults, the same for the same seed, and how many there are to choose from.

    First come lines that the solution changes, with ``AROUND`` lines on both sides; where these are too few,
    the rest of the functions that they are in.
    """
    near, beside = [], []
    for path, old, new in changed_sources(task):
        lines = _changed_lines(old, new)
        close = [Fault(path, found, _with(task, path, found)) for found in mutants(new, lines=lines)]
        known = {fault.mutant.source for fault in close}
        near += close
        beside += [
            Fault(path, found, _with(task, path, found))
            for found in mutants(new, lines=_functions_around(new, lines))
            if found.source not in known
        ]
    chosen = _sampled(near, count, seed)
    chosen += _sampled(beside, count - len(chosen), seed)
    return tuple(chosen), len(near) + (len(beside) if len(near) < count else 0)


def changed_sources(task: Task) -> Iterator[tuple[str, str, str]]:
    """Path, old and new text of each Python file that counts and that the reference solution leaves changed.

    ``old`` is empty for a file that it adds. One that is not Python, or not UTF-8, is passed over.
    """
    for path, file in task.gold.only(task.may_edit).changes.items():
        if file is None or not path.endswith(".py"):
            continue
        base = task.base.get(path)
        try:
            new = file.data.decode()
            parse_python(new)
            yield path, base.data.decode() if base else "", new
        except ValueError:
            continue


def function_around(source: str, line: int) -> tuple[int, int] | None:
    """First and last line, decorators among them, of the innermost function that holds a line."""
    around = [
        span
        for node in ast.walk(parse_python(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (span := _span(node))[0] <= line <= span[1]
    ]
    return min(around, key=lambda span: span[1] - span[0]) if around else None


def _span(node: ast.FunctionDef | ast.AsyncFunctionDef) -> tuple[int, int]:
    first = min([node.lineno, *(part.lineno for part in node.decorator_list)])
    return first, node.end_lineno or node.lineno


def _with(task: Task, path: str, mutant: Mutant) -> WorkspaceState:
    return task.gold.only(task.may_edit).with_file(path, mutant.source.encode())


def _sampled(found: list[Fault], count: int, seed: int) -> list[Fault]:
    by_mutant = {id(fault.mutant): fault for fault in found}
    return [by_mutant[id(mutant)] for mutant in sample((fault.mutant for fault in found), count, seed)]


def _changed_lines(old: str, new: str) -> frozenset[int]:
    """Numbers, from 1, of the lines of ``new`` that are not in ``old``, or stand where some went, and of
    those around."""
    before, after = old.splitlines(), new.splitlines()
    lines: set[int] = set()
    for tag, _, _, start, end in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag != "equal":
            lines |= set(range(start + 1 - AROUND, end + 1 + AROUND))
    return frozenset(line for line in lines if 1 <= line <= len(after))


def _functions_around(source: str, lines: frozenset[int]) -> frozenset[int]:
    """All lines of the innermost functions that hold one of ``lines``."""
    found: set[int] = set()
    for line in lines:
        span = function_around(source, line)
        if span is not None:
            found.update(range(span[0], span[1] + 1))
    return frozenset(found)


class FaultJudge(Closing):
    """Judges faults of one task, for one thread.

    Each is first given to the hidden tests as they are and the oracle's cases. What these accept is graded as
    any solution is, twins and all: only what that pays has survived.

    Raises:
        SandboxError: the tests could not be run on the reference solution.
    """

    def __init__(self, task: Task, backend: Backend) -> None:
        self._task = task
        with TaskRuns(task, backend) as runs:
            run = runs.hidden(task.gold.only(task.may_edit), task.expected)
        self.refused = None if run.reason == "passed" else run.reason
        """Why the tests refuse the reference solution, where they do: then nothing follows from what else
        they refuse."""
        seconds = max(_FEWEST_SECONDS, _SLOWER * run.seconds)
        self._runs = TaskRuns(task.hurried(seconds), backend)
        self._grader = Grader(task, backend)

    def judge(self, fault: Fault) -> Judged:
        """What becomes of ``fault``; never raises for what the sandbox does."""
        try:
            run = self._runs.hidden(fault.state, self._task.expected)
            if run.reason != "passed":
                return Judged(fault, _fate(run), self._why(run))
            verdict = self._grader.grade(fault.state)
        except SandboxError as error:
            return Judged(fault, None, str(error))
        return Judged(fault, "survived" if verdict.passed else "killed", verdict.reason)

    def close(self) -> None:
        """Give the boxes up."""
        self._runs.close()
        self._grader.close()

    def _why(self, run: TaskRun) -> str:
        failed = run.not_passed(self._task.expected)
        return f"{failed[0]}: {run.why(failed[0])}"[:_REASON_CHARS] if failed else run.reason


def _fate(run: TaskRun) -> Fate:
    if run.reason == "timeout":
        return "timed_out"
    if run.report.broken and "passed" not in run.report.outcomes.values():
        return "stillborn"
    return "killed"
