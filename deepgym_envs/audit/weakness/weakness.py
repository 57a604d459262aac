"""Is the verifier weak? What may be wrong and is paid, and what an agent need not find out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

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
    tell = on_step or (lambda _: None)
    said = [
        found.message for found in static_findings(task) if found.code in ("leaks_tests", "leaks_solution")
    ]
    report = WeaknessReport(
        task.id, backend.name, is_about_tests=task.manifest.kind == "tests", said=tuple(said)
    )
    tell("reads all that the agent can read")
    try:
        report = replace(report, scan=scan_for_leaks(task, backend, scan_seconds))
    except SandboxError as error:
        report = _with_problem(report, f"leaks: {error}")
    if report.is_about_tests:
        return report
    tell("learns the visible answers by heart")
    try:
        report = replace(report, look_up=look_up(task, backend))
    except SandboxError as error:
        report = _with_problem(report, f"look-up: {error}")
    return _with_faults(report, task, backend, (mutants, inputs, seed), tell)


def _with_problem(report: WeaknessReport, problem: str) -> WeaknessReport:
    return replace(report, problems=(*report.problems, problem))


def _with_faults(
    report: WeaknessReport,
    task: Task,
    backend: Backend,
    numbers: tuple[int, int, int],
    tell: Callable[[str], None],
) -> WeaknessReport:
    """The report with what became of faults; ``numbers`` are how many, how many inputs, and the seed."""
    count, inputs, seed = numbers
    chosen, population = faults(task, count, seed)
    report = replace(report, population=population)
    if not chosen:
        return report
    judged: list[Judged] = []
    try:
        with FaultJudge(task, backend) as judge:
            if judge.refused is not None:
                why = f"the hidden tests refuse the reference solution ({judge.refused})"
                return _with_problem(report, f"mutants: {why}")
            for number, fault in enumerate(chosen, start=1):
                tell(f"judges fault {number} of {len(chosen)}")
                judged.append(judge.judge(fault))
    except SandboxError as error:
        return _with_problem(report, f"mutants: {error}")
    report = replace(report, fates=Counter(each.fate for each in judged if each.fate is not None))
    for each in judged:
        if each.fate is None:
            report = _with_problem(report, f"mutants: {each.fault.title}: {each.reason}")
    alive = [each.fault for each in judged if each.fate == "survived"]
    return _with_survivors(report, task, backend, alive, (inputs, seed), tell)


def _with_survivors(
    report: WeaknessReport,
    task: Task,
    backend: Backend,
    alive: Sequence[Fault],
    numbers: tuple[int, int],
    tell: Callable[[str], None],
) -> WeaknessReport:
    survivors = {fault: Survivor(fault.title, fault.diff(task)) for fault in alive}
    if alive:
        tell(f"compares {len(alive)} faults that were paid with the reference solution")
        try:
            with Fuzzer(task, backend, inputs=numbers[0], seed=numbers[1]) as fuzzer:
                for seen in fuzzer.compare(alive):
                    survivors[seen.fault] = replace(
                        survivors[seen.fault],
                        inputs=seen.inputs,
                        bound=seen.bound,
                        difference=seen.difference,
                        is_alike=seen.is_alike,
                    )
        except SandboxError as error:
            report = _with_problem(report, f"equivalence: {error}")
    return replace(report, survivors=tuple(survivors.values()))
