"""What is known of a task beyond that it is sound: what its tests notice, and what its agent can read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from deepgym_envs.audit.weakness.leaks import scan_for_leaks
from deepgym_envs.audit.weakness.mutants import FaultJudge, faults
from deepgym_envs.errors import SandboxError
from deepgym_envs.generate.candidate import Rejected
from deepgym_envs.generate.memory import memory_mb
from deepgym_envs.grade import TaskRuns
from deepgym_envs.sandbox import Backend
from deepgym_envs.task import Task

FAULTS = 10  # in and around what the solution changes
SCAN_SECONDS = 60.0


def prove(task: Task, backend: Backend, seed: int = 0) -> Mapping[str, float]:
    """Figures: ``faults`` of the solution that were tried, ``mutation_score``, the share of them that the
    hidden tests notice, ``memory_mb`` that these take, and ``files_scanned``, in which the agent could have
    found lines of the solution.

    Raises:
        Rejected: the agent can read the solution, or it could not be found out.
        SandboxError: a box was lost.
    """
    found = scan_for_leaks(task, backend, SCAN_SECONDS, system=False)
    if found.problem:
        raise Rejected("not_judged", f"the agent's box could not be searched: {found.problem}")
    # Lines of hidden tests are in the visible ones too, of which they are the better part.
    told = [leak for leak in found.leaks if leak.secret == "solution"]
    if told:
        raise Rejected("leak", f"the solution can be read in {told[0].place}")
    chosen, _ = faults(task, FAULTS, seed)
    with FaultJudge(task, backend) as judge:
        fates = Counter(judge.judge(fault).fate for fault in chosen)
    if fates[None]:
        raise SandboxError(f"{task.id}: {fates[None]} of {len(chosen)} faults could not be judged")
    judged = fates["killed"] + fates["timed_out"] + fates["survived"]
    figures = {"faults": float(judged), "files_scanned": float(found.files)}
    if judged:
        figures["mutation_score"] = round(1 - fates["survived"] / judged, 3)
    with TaskRuns(task, backend) as runs:
        memory = memory_mb(runs)
    return figures if memory is None else {**figures, "memory_mb": memory}
