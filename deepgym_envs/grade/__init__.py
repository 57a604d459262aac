"""From a state to a verdict: in a clean box, by hidden tests, decided on the host."""

from deepgym_envs.grade.blame import excuse
from deepgym_envs.grade.claim import Claim
from deepgym_envs.grade.deck import Deck, Draw, SecretRandom
from deepgym_envs.grade.evidence import Evidence, agrees, check, evidence_of, regrade, sign
from deepgym_envs.grade.flake import Flake
from deepgym_envs.grade.grader import Grader, grade
from deepgym_envs.grade.memory import Memory
from deepgym_envs.grade.monitor import signs, signs_of_command
from deepgym_envs.grade.report import Outcome, TestReport, parse_report
from deepgym_envs.grade.runs import TaskRun, TaskRuns
from deepgym_envs.grade.shown import ShownRuns
from deepgym_envs.grade.testrun import run_draw, run_hidden, run_visible
from deepgym_envs.grade.verdict import Reason, Verdict, judge

__all__ = [
    "Claim",
    "Deck",
    "Draw",
    "Evidence",
    "Flake",
    "Grader",
    "Memory",
    "Outcome",
    "Reason",
    "SecretRandom",
    "ShownRuns",
    "TaskRun",
    "TaskRuns",
    "TestReport",
    "Verdict",
    "agrees",
    "check",
    "evidence_of",
    "excuse",
    "grade",
    "judge",
    "parse_report",
    "regrade",
    "run_draw",
    "run_hidden",
    "run_visible",
    "sign",
    "signs",
    "signs_of_command",
]
