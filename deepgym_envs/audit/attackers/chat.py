"""What a language model is to an audit: a conversation goes in, one answer comes out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True)
class Message:
    """One part of a conversation."""

    role: Role
    content: str


@dataclass(frozen=True)
class Usage:
    """Tokens that were read and written, as far as the server told."""

    prompt: int = 0
    completion: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(self.prompt + other.prompt, self.completion + other.completion)


NO_TOKENS = Usage()


@dataclass(frozen=True)
class Reply:
    """What a model answered.

    ``text`` is empty where it said nothing, called a tool, or refused, which ``refusal`` tells. ``cut_off``:
    it came to its limit of tokens. ``model`` is what the server calls it, ``reasoning`` what it shows of its
    thoughts, which is kept in transcripts and otherwise unused.
    """

    text: str
    cut_off: bool = False
    refusal: str = ""
    reasoning: str = ""
    model: str = ""
    usage: Usage = NO_TOKENS


class ChatModel(Protocol):
    """Answers conversations: any callable of this form will do, ``ChatEndpoint`` is one."""

    def __call__(self, messages: Sequence[Message], /) -> Reply:
        """The next message of the assistant.

        Raises:
            ModelError: there is none. Any other exception ends the audit.
        """
