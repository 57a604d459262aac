"""Models that try to be paid without solving a task: tiers 2 and 3 of an audit."""

from deepgym_envs.audit.attackers.attack import attack
from deepgym_envs.audit.attackers.attack_report import AttackReport, Round
from deepgym_envs.audit.attackers.chat import ChatModel, Message, Reply, Usage
from deepgym_envs.audit.attackers.endpoint import ChatEndpoint
from deepgym_envs.audit.attackers.truth import ModelTier, Truth

__all__ = [
    "AttackReport",
    "ChatEndpoint",
    "ChatModel",
    "Message",
    "ModelTier",
    "Reply",
    "Round",
    "Truth",
    "Usage",
    "attack",
]
