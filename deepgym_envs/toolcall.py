"""Tool calls as a language model writes them: JSON text, in the shapes of the two usual vendors.

>>> from_text('{"name": "read_file", "arguments": {"path": "a.py"}}')
ReadFile(path='a.py', start=1, end=0)
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from deepgym_envs.action import Action, from_tool_call
from deepgym_envs.errors import ActionError

_EXAMPLE = '{"name": "read_file", "arguments": {"path": "setup.py"}}'


def from_text(text: str, *, commands: bool = True) -> Action:
    """The action that a JSON tool call asks for.

    A call is an object with ``name`` and ``arguments`` (an object, or JSON text of one), as OpenAI's
    interfaces have it, also inside ``function``; Anthropic's ``input`` may stand for ``arguments``. A list
    with one call is that call.

    Raises:
        ActionError: the text is not such a call, or asks for something that there is not.
    """
    try:
        said = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ActionError(f"not JSON: {error}; write one tool call such as {_EXAMPLE}") from None
    if isinstance(said, list):
        if len(said) != 1:
            raise ActionError(f"{len(said)} tool calls; make exactly one at a time")
        said = said[0]
    name, arguments = _parts(said)
    return from_tool_call(name, arguments, commands=commands)


def _parts(call: Any) -> tuple[Any, Any]:
    if isinstance(call, Mapping) and isinstance(call.get("function"), Mapping):
        call = call["function"]
    if not isinstance(call, Mapping) or "name" not in call:
        raise ActionError(f"not a tool call; write an object such as {_EXAMPLE}")
    return call["name"], call.get("arguments", call.get("input", {}))
