"""Is the verifier weak? What may be wrong and is paid, and what an agent need not find out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from deepgym_envs.audit.judges import check_isolates
from deepgym_envs.audit.weakness.fuzz import Fuzzer
from deepgym_envs.audit.weakness.leaks import scan_for_leaks
from deepgym_envs.audit.weakness.lookup import look_up
from deepgym_envs.audit.weakness.mutants import Fault, FaultJudge, Judged, faults
from deepgym_envs.audit.weakness.report import Survivor, WeaknessReport
from deepgym_envs.errors import SandboxError, UsageError
from deepgym_envs.sandbox import Backend, BackendName, choose_backend
from deepgym_envs.task import Task
from deepgym_envs.task_checks import static_findings

SCAN_SECONDS = 300.0
_LEAKS = ("leaks_tests", "leaks_solution")


def check_weakness(
    task: Task,
    *,
    sandbox: BackendName | Backend = "auto",
    mutants: int = 60,
    inputs: int = 200,
    seed: int = 0,
    scan_seconds: float = SCAN_SECONDS,
    on_step: Callable[[str], None] | None = None,
) -> WeaknessReport:
    """Look for leaks, learn the visible answers by heart, and put small faults into the reference solution.

    At most ``mutants`` faults are judged, and those that are paid compared with the reference on about
    ``inputs`` inputs each; the same ``seed`` chooses the same ones. Leaks are looked for in the agent's box
    for at most ``scan_seconds``. ``on_step`` is told what is done next.

    Of a task of kind ``tests`` leaks alone are looked for: no hidden tests judge it.

    ::

        report = check_weakness(load_task("starter/seamline-small-bars"), sandbox="docker")
        print(report.status, report.score, [each.title for each in report.survivors if each.difference])

    What the sandbox fails at is in the report, as a finding that leaves it inconclusive.

    Raises:
        UsageError: a number is out of range, or the sandbox does not isolate.
        TaskError: a patch of the task does not apply.
        SandboxUnavailable: there is no such sandbox here.
    """
    if mutants < 0 or inputs < 0 or scan_seconds <= 0:
        raise UsageError("mutants and inputs: 0 or more; scan_seconds: more than 0")
    backend = choose_backend(sandbox)
    check_isolates(backend)
    check = _Check(task, backend, on_step or (lambda _: None))
    check.scan(scan_seconds)
    if not check.report.is_about_tests:
        check.learn()
        check.compare(check.survivors_of(mutants, seed), inputs, seed)
    return check.report


class _Check:
    """One task's check as it goes on; ``report`` is what is known so far."""

    def __init__(self, task: Task, backend: Backend, tell: Callable[[str], None]) -> None:
        self._task = task
        self._backend = backend
        self._tell = tell
        said = (each.message for each in static_findings(task) if each.code in _LEAKS)
        self.report = WeaknessReport(
            task.id, backend.name, is_about_tests=task.manifest.kind == "tests", said=tuple(said)
        )

    def scan(self, seconds: float) -> None:
        """Look for leaks."""
        self._tell("reads all that the agent can read")
        with self._trying("leaks"):
            self._note(scan=scan_for_leaks(self._task, self._backend, seconds))

    def learn(self) -> None:
        """Learn the visible answers by heart."""
        self._tell("learns the visible answers by heart")
        with self._trying("look-up"):
            self._note(look_up=look_up(self._task, self._backend))

    def survivors_of(self, count: int, seed: int) -> Sequence[Fault]:
        """Judge so many faults; those that are paid."""
        chosen, population = faults(self._task, count, seed)
        self._note(population=population)
        judged: Sequence[Judged] = ()
        with self._trying("faults"):
            judged = self._judged(chosen)
        self._note(fates=Counter(each.fate for each in judged if each.fate is not None))
        for each in judged:
            if each.fate is None:
                self._problem(f"a fault ({each.fault.title})", each.reason)
        return [each.fault for each in judged if each.fate == "survived"]

    def compare(self, alive: Sequence[Fault], inputs: int, seed: int) -> None:
        """Tell real faults from equivalent ones."""
        survivors = {fault: Survivor(fault.title, fault.diff(self._task)) for fault in alive}
        if alive:
            self._tell(f"compares {len(alive)} faults that were paid with the reference solution")
            with (
                self._trying("equivalence"),
                Fuzzer(self._task, self._backend, inputs=inputs, seed=seed) as fuzzer,
            ):
                for seen in fuzzer.compare(alive):
                    survivors[seen.fault] = survivors[seen.fault].after(seen)
        self._note(survivors=tuple(survivors.values()))

    def _judged(self, chosen: Sequence[Fault]) -> Sequence[Judged]:
        if not chosen:
            return ()
        with FaultJudge(self._task, self._backend) as judge:
            if judge.refused is not None:
                why = f"the hidden tests refuse the reference solution ({judge.refused})"
                self._problem("faults", why)
                return ()
            judged = []
            for number, fault in enumerate(chosen, start=1):
                self._tell(f"judges fault {number} of {len(chosen)}")
                judged.append(judge.judge(fault))
            return judged

    @contextmanager
    def _trying(self, what: str) -> Iterator[None]:
        """What the sandbox fails at is noted."""
        try:
            yield
        except SandboxError as error:
            self._problem(what, str(error))

    def _problem(self, what: str, why: str) -> None:
        self._note(problems=(*self.report.problems, (what, why)))

    def _note(self, **known: Any) -> None:
        self.report = replace(self.report, **known)
