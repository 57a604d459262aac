"""Grades the completions of one task, several at a time."""

from __future__ import annotations

import math
import os
import threading
import warnings
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

from deepgym_envs.action import Submit
from deepgym_envs.batch.completion import Calls, Completion, Patch, Unusable, patched, read_completion
from deepgym_envs.batch.graded import GradedBatch, NoGradientWarning, Outcome, no_gradient
from deepgym_envs.env import SweEnv
from deepgym_envs.errors import SandboxError, UsageError
from deepgym_envs.grade import Grader, Memory, Verdict
from deepgym_envs.parallel import side_by_side
from deepgym_envs.sandbox import Backend, BackendName, Pool, choose_backend
from deepgym_envs.suite import load_task
from deepgym_envs.task import Task

_MOST_WORKERS = 8
_TRIES = 2


def run_batch(
    task: str | Task,
    completions: Sequence[Completion],
    *,
    sandbox: BackendName | Backend = "auto",
    workers: int | None = None,
    memory: Memory | None = None,
    commands: bool = False,
    seed: int = 0,
) -> GradedBatch:
    """Grade each of ``completions`` as a solution of ``task``: a group, as GRPO calls it.

    A patch is applied to the task's base and its end state graded. Calls of tools are played in an
    environment (``commands`` allows shell commands), which is handed in after the last of them; a call that
    is none costs a step, as always. States that are alike are judged once, and never again with the same
    ``memory``. ``workers`` (by default one for each processor, at most 8) grade at a time, in boxes of
    ``sandbox``, which may be a ``Pool``.

    A completion that cannot be used fails, with a reason of its own. One that meets a failure of the
    infrastructure twice is masked: its reward is NaN. A group that can give no gradient is told of in
    ``GradedBatch.warning`` and by a ``NoGradientWarning``.

    Raises:
        UsageError: there is no completion, or no worker.
        TypeError: a completion is neither text nor a sequence of actions and texts; names its index.
        UnknownTask, TaskError: there is no such task, or it is broken.
        SandboxUnavailable: no sandbox of that kind can run here.
    """
    if not completions or isinstance(completions, str):
        raise UsageError("completions holds nothing to grade: give a list of one or more completions")
    if workers is not None and workers < 1:
        raise UsageError(f"there must be at least one worker, not {workers}")
    chosen = task if isinstance(task, Task) else load_task(task)
    wanted = []
    for index, completion in enumerate(completions):
        try:
            wanted.append(read_completion(completion))
        except TypeError as error:
            raise TypeError(f"completions[{index}] cannot be graded: {error}") from None
    count = min(workers or min(len(os.sched_getaffinity(0)), _MOST_WORKERS), len(wanted))
    known = memory if memory is not None else Memory()
    with _pool(sandbox, count) as pool:
        judges = [_Judge(chosen, pool, known, commands, seed) for _ in range(count)]
        outcomes = tuple(side_by_side(_Judge.judge, judges, wanted, close=_Judge.close))
    warning = no_gradient(outcomes)
    if warning:
        warnings.warn(f"{chosen.id}: {warning}", NoGradientWarning, stacklevel=2)
    return GradedBatch(chosen.id, outcomes, warning)


def _pool(sandbox: BackendName | Backend, count: int) -> AbstractContextManager[Pool]:
    """Boxes to share; a pool that was given stays open."""
    backend = choose_backend(sandbox)
    return nullcontext(backend) if isinstance(backend, Pool) else Pool(backend, size=count)


@dataclass
class _Judge:
    """A grader and, once one is needed, an environment, for one thread at a time."""

    task: Task
    pool: Pool
    memory: Memory
    commands: bool
    seed: int
    grader: Grader = field(init=False)
    env: SweEnv | None = None

    def __post_init__(self) -> None:
        self.grader = Grader(self.task, self.pool, self.memory)

    def judge(self, wanted: Patch | Calls | Unusable, stopped: threading.Event) -> Outcome:
        """The outcome; a failure of the infrastructure is met with one more try."""
        trouble = ""
        for _ in range(_TRIES):
            if stopped.is_set():
                break
            try:
                return self._outcome(wanted)
            except SandboxError as error:
                trouble = str(error)
                self.close()
        return Outcome(math.nan, "masked", masked=True, detail=trouble)

    def close(self) -> None:
        self.grader.close()
        if self.env is not None:
            self.env.close()

    def _outcome(self, wanted: Patch | Calls | Unusable) -> Outcome:
        if isinstance(wanted, Calls):
            verdict = self._played(wanted)
        else:
            state = patched(wanted, self.task) if isinstance(wanted, Patch) else wanted
            if isinstance(state, Unusable):
                return Outcome(0.0, state.reason, detail=state.why)
            verdict = self.grader.grade(state)
        return Outcome(verdict.reward, verdict.reason, verdict=verdict)

    def _played(self, calls: Calls) -> Verdict:
        if self.env is None:
            self.env = SweEnv(
                self.task, self.pool, commands=self.commands, measure="never", memory=self.memory
            )
        self.env.reset(seed=self.seed)
        for action in (*calls.actions, Submit().encode()):
            _, _, terminated, truncated, info = self.env.step(action)
            if terminated or truncated:
                break
        if self.env.verdict is None:
            raise SandboxError(str(info["error"]))
        return self.env.verdict
