"""From what a user writes to an agent."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from functools import partial
from pathlib import Path

from deepgym_envs.agents.agent import Agent
from deepgym_envs.agents.noop import NoopAgent
from deepgym_envs.agents.oracle import OracleAgent
from deepgym_envs.agents.random_agent import RandomAgent
from deepgym_envs.agents.scripted import ScriptedAgent, read_script
from deepgym_envs.errors import UsageError

AgentFactory = Callable[[], Agent]


def make_agent(spec: str, *, commands: bool = False) -> AgentFactory:
    """What makes the agents that ``spec`` names: ``oracle``, ``noop``, ``random`` or ``scripted:<file>``.

    ``commands`` says whether the environment allows ``run_command``. A script is read once, here.

    Raises:
        UsageError: there is no such agent (suggests the nearest), or its script is not good.
    """
    kind, colon, argument = spec.partition(":")
    if kind == "scripted":
        if not argument:
            raise UsageError("the agent 'scripted' needs a file: scripted:<file>")
        script = read_script(Path(argument), commands=commands)
        return lambda: ScriptedAgent(script.name, script.actions)
    plain: dict[str, AgentFactory] = {
        "oracle": partial(OracleAgent, commands=commands),
        "noop": NoopAgent,
        "random": partial(RandomAgent, commands=commands),
    }
    if kind in plain and not colon:
        return plain[kind]
    known = [*plain, "scripted:<file>"]
    near = difflib.get_close_matches(kind, [*plain, "scripted"], n=1, cutoff=0.5)
    hint = f"did you mean {next(name for name in known if name.startswith(near[0]))!r}?" if near else ""
    raise UsageError(f"no agent {spec!r}; {hint or 'known: ' + ', '.join(known)}")
