"""From what a user writes to an agent."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

from deepgym_envs.agents.agent import Agent
from deepgym_envs.agents.noop import NoopAgent
from deepgym_envs.agents.oracle import OracleAgent
from deepgym_envs.agents.random_agent import RandomAgent
from deepgym_envs.agents.scripted import OwnScriptAgent, ScriptedAgent, read_script
from deepgym_envs.errors import UsageError

AgentFactory = Callable[[], Agent]
# A file has an ending, or a folder before it.
_SCRIPT_NAME = re.compile(r"[a-z0-9-]+")


def make_agent(spec: str, *, commands: bool = False) -> AgentFactory:
    """What makes the agents that ``spec`` names: ``oracle``, ``noop``, ``random`` or ``scripted``.

    ``scripted`` plays each task's own script ``direct``, ``scripted:wander`` that of another name, and
    ``scripted:<file>`` the calls in a file, which is read once, here. ``commands`` says whether the
    environment allows ``run_command``.

    Raises:
        UsageError: there is no such agent (suggests the nearest), or its script is not good.
    """
    kind, colon, argument = spec.partition(":")
    if spec == "scripted" or (kind == "scripted" and _SCRIPT_NAME.fullmatch(argument)):
        return partial(OwnScriptAgent, argument or "direct", commands=commands)
    if kind == "scripted":
        if not argument:
            raise UsageError("the agent 'scripted:' needs a file or a script's name: scripted:<file>")
        script = read_script(Path(argument), commands=commands)
        return lambda: ScriptedAgent(script.name, script.actions)
    plain: dict[str, AgentFactory] = {
        "oracle": partial(OracleAgent, commands=commands),
        "noop": NoopAgent,
        "random": partial(RandomAgent, commands=commands),
    }
    if kind in plain and not colon:
        return plain[kind]
    known = [*plain, "scripted", "scripted:<name>", "scripted:<file>"]
    near = difflib.get_close_matches(kind, [*plain, "scripted"], n=1, cutoff=0.5)
    hint = f"did you mean {next(name for name in known if name.startswith(near[0]))!r}?" if near else ""
    raise UsageError(f"no agent {spec!r}; {hint or 'known: ' + ', '.join(known)}")
