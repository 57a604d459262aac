"""What a policy answers: a patch, or calls of tools."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from deepgym_envs.action import Action
from deepgym_envs.errors import SandboxError
from deepgym_envs.patch import state_from_patch
from deepgym_envs.state import WorkspaceState
from deepgym_envs.task import Task
from deepgym_envs.text import clean, shorten

Completion: TypeAlias = str | Sequence[Action | str]
"""A unified diff (git style, as ``make_patch`` writes it), or actions in order, some perhaps as the text of a
tool call. One text of several calls is a JSON list or a call a line: it begins with ``{`` or ``[``."""

MOST_CHARS = 4 << 20
MOST_PATCH_CHARS = 1 << 20
# By these a short patch makes long files: git inflates the one, and copies the other from the base.
_GROWS = re.compile(r"^(GIT binary patch|copy from )", re.MULTILINE)


@dataclass(frozen=True)
class Calls:
    """Actions to be played, each as ``SweEnv.step`` takes it; what is no call is refused there, as a step."""

    actions: tuple[dict[str, Any] | str, ...]


@dataclass(frozen=True)
class Patch:
    """A diff of the task's base, not applied yet."""

    text: str


@dataclass(frozen=True)
class Unusable:
    """A completion that is no solution, by the policy's own doing: it is paid 0."""

    reason: str
    why: str


def read_completion(completion: Completion) -> Patch | Calls | Unusable:
    """What there is to grade.

    Raises:
        TypeError: it is neither text nor a sequence of actions and texts.
    """
    if not isinstance(completion, str):
        return Calls(tuple(_encoded(one) for one in _sequence(completion)))
    if len(completion) > MOST_CHARS:
        return Unusable("too_long", f"it has {len(completion)} characters, more than {MOST_CHARS}")
    if completion.lstrip()[:1] in ("{", "["):
        return Calls(_calls(completion))
    return Patch(completion)


def patched(patch: Patch, task: Task) -> WorkspaceState | Unusable:
    """The state that a patch makes of the task's base.

    Raises:
        SandboxError: this machine could not apply it, whatever it is.
    """
    if len(patch.text) > MOST_PATCH_CHARS:
        return Unusable("too_long", f"it has {len(patch.text)} characters, more than {MOST_PATCH_CHARS}")
    grows = _GROWS.search(patch.text)
    if grows is not None:
        return Unusable("not_a_text_patch", f"it holds {grows[1].strip()!r}: expected a diff of text")
    try:
        data = patch.text.encode("utf-8", "surrogateescape") if patch.text.strip() else b""
        return state_from_patch(task.base, data)
    except ValueError as error:
        return Unusable("patch_does_not_apply", shorten(clean(str(error)), 500))
    except OSError as error:
        raise SandboxError(f"no patch can be applied on this machine: {error}") from None


def _sequence(completion: object) -> Sequence[object]:
    if isinstance(completion, Sequence) and not isinstance(completion, bytes | bytearray):
        return completion
    raise TypeError(f"it is a {type(completion).__name__}: expected text, or a sequence of actions and texts")


def _encoded(one: object) -> dict[str, Any] | str:
    if isinstance(one, Action):
        return one.encode()
    if isinstance(one, str):
        return one if len(one) <= MOST_CHARS else "a call that is too long"
    raise TypeError(f"it holds a {type(one).__name__}: expected actions, and texts of tool calls")


def _calls(text: str) -> tuple[str, ...]:
    try:
        said = json.loads(text)
        return tuple(json.dumps(call) for call in said) if isinstance(said, list) else (text,)
    except (ValueError, RecursionError):
        return tuple(line for line in text.split("\n") if line.strip())
