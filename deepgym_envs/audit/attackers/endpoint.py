"""Any server that speaks OpenAI's chat completions, as a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from deepgym_envs.audit.attackers.chat import Message, Reply
from deepgym_envs.audit.attackers.completion import reply_of
from deepgym_envs.json_post import JsonPost


@dataclass(frozen=True)
class ChatEndpoint:
    """The model ``model`` behind ``base_url``, such as ``https://host/v1``; implements ``ChatModel``.

    Args:
        key_env: the environment variable that holds the key, if one is needed; see ``JsonPost``.
        max_tokens: of one answer, sent under the name ``tokens_as``: newer models of OpenAI's want
            ``max_completion_tokens``.
        temperature, seed: are sent if they are given; some models refuse them.
        seconds, tries, wait: see ``JsonPost``; an answer that is no completion is one that cannot be read.

    An answer may have 8 MiB.

    Raises:
        UsageError: ``httpx`` is not installed, an argument is no good, the variable holds no key, or the
            server refuses the key, the address or the model (401, 403, 404).
        ModelError: no answer, for any other reason.
    """

    base_url: str
    model: str
    key_env: str | None = None
    max_tokens: int | None = 16_384
    temperature: float | None = None
    seed: int | None = None
    seconds: float = 600.0
    tries: int = 4
    wait: float = 1.0
    tokens_as: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"

    def __post_init__(self) -> None:
        _ = self._server  # refuses what it cannot use

    def __call__(self, messages: Sequence[Message], /) -> Reply:
        """See ``ChatModel``."""
        options = {self.tokens_as: self.max_tokens, "temperature": self.temperature, "seed": self.seed}
        question: dict[str, Any] = {
            "model": self.model,
            "messages": [{"role": message.role, "content": message.content} for message in messages],
            **{name: value for name, value in options.items() if value is not None},
        }
        reply = self._server.ask(question, reply_of)
        names = ("text", "refusal", "reasoning", "model")
        texts = {name: self._server.without_key(getattr(reply, name)) for name in names}
        return Reply(**texts, cut_off=reply.cut_off, usage=reply.usage)

    @cached_property
    def _server(self) -> JsonPost:
        url = f"{self.base_url.rstrip('/')}/chat/completions"
        return JsonPost(url, self.model, self.key_env, self.seconds, self.tries, self.wait)
