"""The agents that play what somebody wrote down: the same for every task, or each task's own script."""

# ruff: noqa: ARG002 - the arguments are the protocol's

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from deepgym_envs.action import Action, Submit, from_tool_call
from deepgym_envs.agents.agent import Agent
from deepgym_envs.errors import ActionError, TaskError, UsageError
from deepgym_envs.task import Task


class ScriptedAgent:
    """Plays the same actions in every episode, then submits."""

    def __init__(self, name: str, actions: Sequence[Action]) -> None:
        self._name = name
        self.actions = tuple(actions)
        self._left: Iterator[Action] = iter(())

    @property
    def name(self) -> str:
        """See ``Agent.name``."""
        return self._name

    def begin(self, task: Task, seed: int) -> None:
        """See ``Agent.begin``."""
        self._left = iter(self.actions)

    def act(self, observation: Mapping[str, Any], info: Mapping[str, Any]) -> Action:
        """See ``Agent.act``."""
        return next(self._left, Submit())


class OwnScriptAgent:
    """Plays each task's own script of one name (``scripts/<name>.jsonl`` in its folder), then submits."""

    def __init__(self, script: str = "direct", *, commands: bool = False) -> None:
        self.script = script
        self._commands = commands
        self._left: Iterator[Action] = iter(())

    @property
    def name(self) -> str:
        """See ``Agent.name``."""
        return f"scripted:{self.script}"

    def begin(self, task: Task, seed: int) -> None:
        """See ``Agent.begin``. Raises ``TaskError`` if the task has no such script, or not a good one."""
        try:
            self._left = iter(own_script(task, self.script, commands=self._commands))
        except UsageError as error:
            raise TaskError(str(error)) from None

    def act(self, observation: Mapping[str, Any], info: Mapping[str, Any]) -> Action:
        """See ``Agent.act``."""
        return next(self._left, Submit())


def script_digests(agent: Agent, tasks: Sequence[Task]) -> dict[str, str]:
    """SHA-256 of the script that ``agent`` plays, by the task's id; empty if it plays no task's own."""
    if not isinstance(agent, OwnScriptAgent):
        return {}
    return {task.id: hashlib.sha256(task.scripts[agent.script]).hexdigest() for task in tasks}


def own_script(task: Task, name: str, *, commands: bool = False) -> tuple[Action, ...]:
    """The actions of the task's script ``name``.

    Raises:
        TaskError: the task has no such script.
        UsageError: an entry of it is not a tool call.
    """
    where = f"{task.id}: scripts/{name}.jsonl"
    if name not in task.scripts:
        known = ", ".join(task.scripts) or "none"
        raise TaskError(f"{where}: there is no such script (known: {known}); write one, a tool call a line")
    text = task.scripts[name].decode()
    return tuple(_action(entry, place, commands) for place, entry in _entries(where, text))


def read_script(file: Path, *, commands: bool = False) -> ScriptedAgent:
    """The agent that plays the tool calls in ``file``.

    The file is a JSON list, or one JSON object a line; each is ``{"tool": "read_file", "arguments":
    {"path": "a.py"}}``. The agent's name is the file's name and a digest of what is in it.

    Raises:
        UsageError: the file cannot be read, or an entry is not a tool call; names the file, the entry and
            why.
    """
    try:
        data = file.read_bytes()
        text = data.decode()
    except OSError as error:
        raise UsageError(f"the script {file} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"the script {file} is not UTF-8 at byte {error.start}") from None
    actions = [_action(entry, where, commands) for where, entry in _entries(str(file), text)]
    return ScriptedAgent(f"scripted:{file.name}@{hashlib.sha256(data).hexdigest()[:8]}", actions)


def _entries(file: str, text: str) -> Iterator[tuple[str, Any]]:
    """Each entry with where it stands."""
    if text.lstrip().startswith("["):
        for number, entry in enumerate(_parsed(text, file), start=1):
            yield f"{file}: entry {number}", entry
        return
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            where = f"{file}: line {number}"
            yield where, _parsed(line, where)


def _parsed(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{where}: not JSON: {error}") from None


def _action(entry: Any, where: str, commands: bool) -> Action:
    form = '{"tool": "read_file", "arguments": {"path": "a.py"}}'
    if not isinstance(entry, dict) or not isinstance(entry.get("tool"), str):
        raise UsageError(f"{where}: not a tool call; write {form}")
    unknown = sorted(entry.keys() - {"tool", "arguments"})
    if unknown:
        raise UsageError(f"{where}: unknown key {unknown[0]!r}; write {form}")
    try:
        return from_tool_call(entry["tool"], entry.get("arguments", {}), commands=commands)
    except ActionError as error:
        hint = "; allow commands (--commands)" if entry["tool"] == "run_command" and not commands else ""
        raise UsageError(f"{where}: {error}{hint}") from None
