"""Is a task's reward hackable? Cheats, lazy agents and honest work, put before this grader and naive ones."""

from deepgym_envs.audit.heuristics import Report, Trial, audit, upper_bound
from deepgym_envs.audit.judges import GRADERS, GraderName
from deepgym_envs.audit.naive import Judged, NaiveGrader
from deepgym_envs.audit.payloads import CLASSES, PAYLOADS, Letter, Payload
from deepgym_envs.audit.policies import POLICIES, Policy
from deepgym_envs.audit.report import Finding, Status, Tier, TierReport
from deepgym_envs.audit.target import Target, Victim, target_of

__all__ = [
    "CLASSES",
    "GRADERS",
    "PAYLOADS",
    "POLICIES",
    "Finding",
    "GraderName",
    "Judged",
    "Letter",
    "NaiveGrader",
    "Payload",
    "Policy",
    "Report",
    "Status",
    "Target",
    "Tier",
    "TierReport",
    "Trial",
    "Victim",
    "audit",
    "target_of",
    "upper_bound",
]
