"""A process reward model behind an address, as what a ``Learned`` potential asks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

from deepgym_envs.errors import ModelError
from deepgym_envs.json_post import JsonPost, complaint
from deepgym_envs.strict_json import parse_json
from deepgym_envs.text import shorten

_MOST_BYTES = 1 << 20


@dataclass(frozen=True)
class HttpScore:
    """Asks ``url`` for a score, as ``Learned(HttpScore("http://127.0.0.1:8000/score"), key="my-prm 3")``.

    It is sent ``{"instruction": text, "diff": text}`` and must answer ``{"score": number}`` with a number in
    [0, 1]; other members of that object are passed over. A diff of more than ``diff_chars`` characters loses
    its middle. An answer may have 1 MiB; one that cannot be read is asked for again, like one that did not
    come. It needs ``httpx`` (extra ``llm``).

    ``key_env``, ``seconds``, ``tries`` and ``wait`` are those of ``JsonPost``; what is no score after the
    last try masks the sample, and is never a 0.

    Raises:
        UsageError: ``httpx`` is not installed, an argument is no good, the variable holds no key, or the
            server refuses the key or the address (401, 403, 404).
        ModelError: no score, for any other reason.
    """

    url: str
    key_env: str | None = None
    seconds: float = 60.0
    tries: int = 4
    wait: float = 1.0
    diff_chars: int = 200_000

    def __post_init__(self) -> None:
        _ = self._server  # refuses what it cannot use

    def __call__(self, instruction: str, diff: str) -> float:
        question = {"instruction": instruction, "diff": shorten(diff, self.diff_chars)}
        return self._server.ask(question, _score)

    @cached_property
    def _server(self) -> JsonPost:
        return JsonPost(
            self.url, "the model that scores", self.key_env, self.seconds, self.tries, self.wait, _MOST_BYTES
        )


def _score(data: bytes) -> float:
    try:
        match parse_json(data):
            case {"score": int(score) | float(score)} if not isinstance(score, bool):
                if math.isfinite(score) and 0 <= score <= 1:
                    return float(score)
    except (ValueError, OverflowError):
        pass  # told below
    raise ModelError(f'the answer is no {{"score": number in [0, 1]}}: {complaint(data)}')
