"""Is a task's verifier weak? Faults that are paid, answers learnt by heart, and leaks."""

from deepgym_envs.audit.weakness.fuzz import Difference
from deepgym_envs.audit.weakness.leaks import Leak, LeakScan
from deepgym_envs.audit.weakness.lookup import LookUp
from deepgym_envs.audit.weakness.report import WEAK, Survivor, WeaknessReport
from deepgym_envs.audit.weakness.weakness import check_weakness

__all__ = [
    "WEAK",
    "Difference",
    "Leak",
    "LeakScan",
    "LookUp",
    "Survivor",
    "WeaknessReport",
    "check_weakness",
]
