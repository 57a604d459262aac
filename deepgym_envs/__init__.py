"""DeepGym Envs: multi-turn software-engineering environments with a reward that can be trusted.

Importing this package registers ``deepgym_envs/SWE-v0`` with Gymnasium, and does nothing else.
"""

import gymnasium as _gymnasium

from deepgym_envs.async_env import AsyncSweEnv
from deepgym_envs.batch import GradedBatch, run_batch
from deepgym_envs.env import Snapshot, SweEnv
from deepgym_envs.errors import (
    ActionError,
    DeepGymError,
    SandboxError,
    SandboxUnavailable,
    TaskError,
    UnknownTask,
    UsageError,
)
from deepgym_envs.grade import Grader, Memory, Verdict, grade
from deepgym_envs.sandbox import Pool
from deepgym_envs.state import File, Tree, WorkspaceState
from deepgym_envs.suite import load_suite, load_task
from deepgym_envs.task import Task
from deepgym_envs.vector import make_vec

__all__ = [
    "ActionError",
    "AsyncSweEnv",
    "DeepGymError",
    "File",
    "GradedBatch",
    "Grader",
    "Memory",
    "Pool",
    "SandboxError",
    "SandboxUnavailable",
    "Snapshot",
    "SweEnv",
    "Task",
    "TaskError",
    "Tree",
    "UnknownTask",
    "UsageError",
    "Verdict",
    "WorkspaceState",
    "grade",
    "load_suite",
    "load_task",
    "make_vec",
    "run_batch",
]

__version__ = "0.1.0"

if "deepgym_envs/SWE-v0" not in _gymnasium.registry:
    _gymnasium.register(id="deepgym_envs/SWE-v0", entry_point="deepgym_envs.env:SweEnv")
