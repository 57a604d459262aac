"""Every payload, sorted by class."""

from __future__ import annotations

from deepgym_envs.audit.deception import DECEPTIONS
from deepgym_envs.audit.display import DISPLAY
from deepgym_envs.audit.exhaustion import EXHAUSTION
from deepgym_envs.audit.exits import EXITS
from deepgym_envs.audit.framework import FRAMEWORK
from deepgym_envs.audit.guessing import GUESSES
from deepgym_envs.audit.lingering import LINGERING
from deepgym_envs.audit.payload import Payload
from deepgym_envs.audit.peeking import PEEKING
from deepgym_envs.audit.repository import REPOSITORY

PAYLOADS: tuple[Payload, ...] = (
    *EXITS, *FRAMEWORK, *GUESSES, *REPOSITORY, *DECEPTIONS, *PEEKING, *LINGERING, *EXHAUSTION, *DISPLAY,
)  # fmt: skip
"""All payloads, in the order in which an audit tries them."""
