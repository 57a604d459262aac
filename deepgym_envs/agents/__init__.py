"""Agents that need no model: yardsticks, and a way to play what somebody wrote down."""

from deepgym_envs.agents.agent import Agent
from deepgym_envs.agents.choose import AgentFactory, make_agent
from deepgym_envs.agents.noop import NoopAgent
from deepgym_envs.agents.oracle import OracleAgent
from deepgym_envs.agents.random_agent import RandomAgent
from deepgym_envs.agents.scripted import (
    OwnScriptAgent,
    ScriptedAgent,
    own_script,
    read_script,
    script_digests,
)

__all__ = [
    "Agent",
    "AgentFactory",
    "NoopAgent",
    "OracleAgent",
    "OwnScriptAgent",
    "RandomAgent",
    "ScriptedAgent",
    "make_agent",
    "own_script",
    "read_script",
    "script_digests",
]
