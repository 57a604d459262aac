"""Many environments at once, with the settings that environments of text and containers need."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Literal

from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv, VectorEnv

from deepgym_envs.env import Measure, SweEnv, Truncation
from deepgym_envs.grade import Memory
from deepgym_envs.reward import Fold, Potential, latest, visible_tests
from deepgym_envs.sandbox import Backend, BackendName, Pool, choose_backend
from deepgym_envs.task import Task


def make_vec(  # noqa: PLR0913 - all but two are settings by name
    tasks: str | Task | Sequence[str | Task],
    num_envs: int | None = None,
    *,
    sandbox: BackendName | Backend = "auto",
    vectorization_mode: Literal["sync", "async"] = "async",
    max_concurrency: int | None = None,
    commands: bool = False,
    measure: Measure = "run_tests",
    gamma: float = 1.0,
    potential: Potential = visible_tests,
    fold: Fold = latest,
    truncation: Truncation = "zero",
    memory: Memory | None = None,
) -> VectorEnv[Any, Any, Any]:
    """A vector environment: one task in ``num_envs`` copies, or one environment for each of several tasks.

    Autoreset is disabled, because a finished episode should cost nothing: call
    ``reset(options={"reset_mask": mask})`` with a bool array of the episodes to begin anew. Observations do
    not go through shared memory, which copies every text at its greatest length. ``max_concurrency`` bounds
    how many of the processes step at a time. Environments in one process share one pool of boxes; a ``Pool``
    given as ``sandbox`` begins empty in each process of its own. Processes share what they find out if
    ``memory`` has a path; without a path each has its own.

    Raises:
        ValueError: the number of environments and of tasks do not fit together.
        UnknownTask: there is no such task.
    """
    chosen = [tasks] * (num_envs or 1) if isinstance(tasks, str | Task) else list(tasks)
    if not chosen or (num_envs is not None and num_envs != len(chosen)):
        raise ValueError(f"{num_envs} environments were asked for and {len(chosen)} tasks given")
    backend = choose_backend(sandbox)
    pool = backend if isinstance(backend, Pool) else Pool(backend, size=len(chosen), keep=False)
    makers = [
        partial(
            SweEnv,
            task,
            pool,
            commands=commands,
            measure=measure,
            gamma=gamma,
            potential=potential,
            fold=fold,
            truncation=truncation,
            memory=memory,
        )
        for task in chosen
    ]
    if vectorization_mode == "sync":
        return SyncVectorEnv(makers, autoreset_mode=AutoresetMode.DISABLED)
    return AsyncVectorEnv(
        makers, shared_memory=False, autoreset_mode=AutoresetMode.DISABLED, max_concurrency=max_concurrency
    )
