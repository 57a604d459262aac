"""Reads what a server answers at ``/v1/chat/completions``: strictly, from bytes that may be anything."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from deepgym_envs.audit.attackers.chat import Reply, Usage
from deepgym_envs.errors import ModelError
from deepgym_envs.json_post import complaint
from deepgym_envs.text import one_line


def reply_of(data: bytes) -> Reply:
    """The first choice of a completion.

    Content as text or as a list of parts counts, calls of tools do not; an answer without content is an empty
    one.

    Raises:
        ModelError: this is no completion, or it has no choices.
    """
    try:
        body = json.loads(data)
    except (ValueError, RecursionError):
        raise ModelError(f"the server's answer is not JSON: {one_line(data)}") from None
    match body:
        case {"choices": [{"message": {**message}, **choice}, *_], **rest}:
            return Reply(
                _content(message.get("content")),
                cut_off=choice.get("finish_reason") == "length",
                refusal=_text(message.get("refusal")),
                reasoning=_text(message.get("reasoning_content")) or _text(message.get("reasoning")),
                model=_text(rest.get("model")),
                usage=_usage(rest.get("usage")),
            )
    raise ModelError(f"the server's answer is no completion: {complaint(data)}")


def _content(content: Any) -> str:
    if isinstance(content, list):
        return "".join(_text(part.get("text")) for part in content if isinstance(part, dict))
    return _text(content)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _usage(value: Any) -> Usage:
    counts: Mapping[str, Any] = value if isinstance(value, dict) else {}
    prompt, completion = (counts.get(name) for name in ("prompt_tokens", "completion_tokens"))
    return Usage(
        *(count if type(count) is int and 0 <= count < 1 << 40 else 0 for count in (prompt, completion))
    )
