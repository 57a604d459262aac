"""The action that a wrapper was given, as the environment inside understands it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from deepgym_envs.action import Action, decode
from deepgym_envs.errors import ActionError
from deepgym_envs.text import clean, shorten
from deepgym_envs.toolcall import from_text
from deepgym_wrappers.log_prob_space import TOKEN_KEYS

_KEPT = 100_000  # bytes of what is no action


class Unreadable(Action):
    """What was given in place of an action, as text; the environment refused it."""

    tool: ClassVar[str] = ""
    description: ClassVar[str] = ""

    text: str


def played(given: Any) -> Action:
    """The action in ``given``: a dict, a tool call as text, or either with its log-probabilities.

    >>> played({"action": '{"name": "list_files"}', "logp_policy": [-1.0], "logp_reference": [-1.0]})
    ListFiles(path='', glob='**')
    >>> played("Let me think.")
    Unreadable(text='Let me think.')
    """
    if isinstance(given, Mapping) and "action" in given and set(given) & set(TOKEN_KEYS):
        given = given["action"]
    try:
        return from_text(given) if isinstance(given, str) else decode(given)
    except ActionError:
        return Unreadable(text=shorten(clean(str(given)), _KEPT))
